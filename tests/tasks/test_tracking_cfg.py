# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The tracking tasks as they are resolved, for every id and every engine: BeyondMimic's numbers.

Only resolved configs are read: the tree before it holds copies that nobody may ever use.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks
from config_tree import assert_decided
from isaac_tracking.robots import g1

TRAIN = ("Isaac-Tracking-G1-v0", "Isaac-Tracking-G1-NoStateEst-v0")
PLAY = ("Isaac-Tracking-G1-Play-v0", "Isaac-Tracking-G1-NoStateEst-Play-v0")
ENGINES = (None, "newton_mjwarp", "physx", "isaacsim_physx")
EVERYWHERE = pytest.mark.parametrize("engine", ENGINES, ids=str)
ALL_IDS = pytest.mark.parametrize("task", TRAIN + PLAY)
TRAIN_IDS = pytest.mark.parametrize("task", TRAIN)
PLAY_IDS = pytest.mark.parametrize("task", PLAY)
PACKAGE = Path(isaac_tracking.tasks.__file__).parents[2]

DIMENSIONS = {
    "command": 58,
    "reference_anchor_pos_b": 3,
    "reference_anchor_ori_b": 6,
    "body_pos": 42,
    "body_ori": 84,
    "base_lin_vel": 3,
    "base_ang_vel": 3,
    "joint_pos": 29,
    "joint_vel": 29,
    "actions": 29,
}
POLICY = {
    "command": None,
    "reference_anchor_pos_b": 0.25,
    "reference_anchor_ori_b": 0.05,
    "base_lin_vel": 0.5,
    "base_ang_vel": 0.2,
    "joint_pos": 0.01,
    "joint_vel": 0.5,
    "actions": None,
}
"""Terms in order, with the half-widths of their noise."""
PUSH = {
    "x": (-0.5, 0.5),
    "y": (-0.5, 0.5),
    "z": (-0.2, 0.2),
    "roll": (-0.52, 0.52),
    "pitch": (-0.52, 0.52),
    "yaw": (-0.78, 0.78),
}


@functools.cache
def resolved(task: str, engine: str | None = None) -> tuple[Any, Any]:
    overrides = [] if engine is None else [f"physics={engine}"]
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)


def env_cfg(task: str, engine: str | None = None) -> Any:
    return resolved(task, engine)[0]


def terms(group: Any) -> dict[str, Any]:
    return {name: term for name, term in vars(group).items() if hasattr(term, "func")}


def name_of(func: Any) -> str:
    return getattr(func, "__name__", None) or str(func).rpartition(":")[2]


"""
Every id, every engine.
"""


@EVERYWHERE
@ALL_IDS
def test_nothing_is_left_undecided(task: str, engine: str | None) -> None:
    assert_decided(env_cfg(task, engine))


@EVERYWHERE
@ALL_IDS
def test_control_is_at_50_hz_on_physics_of_200_hz_and_contacts_are_remembered(task: str, engine: str | None) -> None:
    cfg = env_cfg(task, engine)
    assert (cfg.sim.dt, cfg.decimation, cfg.sim.render_interval) == (0.005, 4, 4)
    assert tuple(cfg.sim.gravity) == (0.0, 0.0, -9.81)
    assert cfg.scene.env_spacing == 2.5
    assert cfg.scene.contact_forces.history_length == 3


@pytest.mark.parametrize("task", TRAIN + PLAY)
def test_every_engine_gets_its_own_physics(task: str) -> None:
    def kind(engine: str | None) -> str:
        return type(env_cfg(task, engine).sim.physics).__name__

    assert kind(None) == kind("newton_mjwarp") == "NewtonCfg"
    assert kind("isaacsim_physx") == "PhysxCfg"
    auto = env_cfg(task, "physx").sim.physics
    assert type(auto).__name__ == "PhysxAutoCfg"
    for physx in (auto.ovphysx, auto.isaacsim_physx, env_cfg(task, "isaacsim_physx").sim.physics):
        assert physx.gpu_max_rigid_patch_count == 10 * 2**15


@pytest.mark.parametrize("engine", [None, "newton_mjwarp"], ids=str)
@ALL_IDS
def test_newton_has_the_same_numbers_by_default_and_by_name(task: str, engine: str | None) -> None:
    physics = env_cfg(task, engine).sim.physics
    solver = physics.solver_cfg
    assert (solver.iterations, solver.ls_iterations, solver.integrator) == (50, 50, "implicitfast")
    assert (solver.cone, solver.impratio) == ("pyramidal", 1.0)
    assert (solver.njmax, solver.nconmax) == (250, 40)
    assert physics.num_substeps == 1


@EVERYWHERE
def test_the_ground_lets_the_robots_friction_decide(engine: str | None) -> None:
    material = env_cfg(TRAIN[0], engine).scene.ground.spawn.physics_material
    # MuJoCo takes the larger of two numbers, PhysX multiplies them.
    expected = 0.001 if engine in (None, "newton_mjwarp") else 1.0
    assert material.static_friction == material.dynamic_friction == expected
    assert material.friction_combine_mode == "multiply"


@EVERYWHERE
@ALL_IDS
def test_the_robot_keeps_its_order_and_the_command_its_bodies_and_clips(task: str, engine: str | None) -> None:
    cfg = env_cfg(task, engine)
    assert tuple(cfg.scene.robot.joint_ordering) == g1.JOINT_NAMES
    assert tuple(cfg.scene.robot.body_ordering) == g1.BODY_NAMES
    motion = cfg.commands.motion
    assert motion.anchor_body_name == "torso_link"
    assert tuple(motion.body_names) == g1.KEY_BODY_NAMES
    assert motion.body_names[0] == "pelvis"
    assert motion.motions == ["*"]
    assert motion.resampling_time_range[0] > 1e6


@EVERYWHERE
@ALL_IDS
def test_actions_are_joint_targets_about_the_default_pose(task: str, engine: str | None) -> None:
    action = env_cfg(task, engine).actions.joint_pos
    assert type(action).__name__ == "JointPositionActionCfg"
    assert action.use_default_offset
    assert action.joint_names == [".*"]
    assert action.scale == g1.ACTION_SCALE


def test_the_other_action_is_a_preset() -> None:
    cfg, _ = resolve_task_config(TRAIN[0], "rsl_rl_cfg_entry_point", overrides=["presets=reference_action"])
    assert type(cfg.actions.joint_pos).__name__ == "ReferenceJointPositionActionCfg"
    assert cfg.actions.joint_pos.scale == g1.ACTION_SCALE


"""
Observations.
"""


@EVERYWHERE
@ALL_IDS
def test_the_policy_sees_beyondmimics_terms_with_their_noise(task: str, engine: str | None) -> None:
    group = env_cfg(task, engine).observations.policy
    unknown = ("reference_anchor_pos_b", "base_lin_vel") if "NoStateEst" in task else ()
    expected = {name: width for name, width in POLICY.items() if name not in unknown}
    found = terms(group)
    assert list(found) == list(expected)
    assert sum(DIMENSIONS[name] for name in found) == (154 if unknown else 160)
    for name, width in expected.items():
        noise = found[name].noise
        if width is None:
            assert noise is None, name
        else:
            assert type(noise).__name__ == "UniformNoiseCfg"
            assert (noise.n_min, noise.n_max, noise.operation) == (-width, width, "add"), name
    assert group.enable_corruption == (task in TRAIN)
    assert group.concatenate_terms
    assert not group.history_length


@EVERYWHERE
@ALL_IDS
def test_the_critic_sees_all_terms_without_noise(task: str, engine: str | None) -> None:
    group = env_cfg(task, engine).observations.critic
    found = terms(group)
    assert list(found) == list(DIMENSIONS)
    assert sum(DIMENSIONS.values()) == 286
    assert all(term.noise is None for term in found.values())
    assert not group.enable_corruption


@TRAIN_IDS
def test_each_observation_is_the_function_of_its_name(task: str) -> None:
    expected = {
        "command": "generated_commands",
        "reference_anchor_pos_b": "reference_anchor_pos_b",
        "reference_anchor_ori_b": "reference_anchor_ori_b",
        "body_pos": "body_pos_a",
        "body_ori": "body_ori_a",
        "base_lin_vel": "base_lin_vel",
        "base_ang_vel": "base_ang_vel",
        "joint_pos": "joint_pos_rel",
        "joint_vel": "joint_vel_rel",
        "actions": "last_action",
    }
    for group in ("policy", "critic"):
        for name, term in terms(getattr(env_cfg(task).observations, group)).items():
            assert name_of(term.func) == expected[name]


"""
Rewards and terminations.
"""


@EVERYWHERE
@ALL_IDS
def test_rewards_have_beyondmimics_weights_and_widths(task: str, engine: str | None) -> None:
    rewards = terms(env_cfg(task, engine).rewards)
    assert {name: (name_of(term.func), term.weight, term.params.get("std")) for name, term in rewards.items()} == {
        "anchor_pos": ("anchor_pos_exp", 0.5, 0.3),
        "anchor_rot": ("anchor_rot_exp", 0.5, 0.4),
        "body_pos": ("body_pos_exp", 1.0, 0.3),
        "body_rot": ("body_rot_exp", 1.0, 0.4),
        "body_lin_vel": ("body_lin_vel_exp", 1.0, 1.0),
        "body_ang_vel": ("body_ang_vel_exp", 1.0, 3.14),
        "action_rate": ("action_rate_l2", -0.1, None),
        "joint_limit": ("joint_limit", -10.0, None),
        "undesired_contacts": ("undesired_contacts", -0.1, None),
    }
    assert sum(term.weight for term in rewards.values() if term.weight > 0) == 5.0


@EVERYWHERE
@ALL_IDS
def test_which_contacts_are_undesired(task: str, engine: str | None) -> None:
    import re

    params = env_cfg(task, engine).rewards.undesired_contacts.params
    assert params["threshold"] == 1.0
    assert params["sensor_cfg"].name == "contact_forces"
    pattern = params["sensor_cfg"].body_names
    spared = {name for name in g1.BODY_NAMES if not re.fullmatch(pattern, name)}
    assert spared == set(g1.END_EFFECTOR_BODY_NAMES)


@EVERYWHERE
@ALL_IDS
def test_terminations_have_beyondmimics_thresholds(task: str, engine: str | None) -> None:
    found = terms(env_cfg(task, engine).terminations)
    assert {name: (name_of(t.func), t.time_out, t.params.get("threshold")) for name, t in found.items()} == {
        "time_out": ("time_out", True, None),
        "clip_end": ("clip_end", True, None),
        "clip_leaving": ("clip_leaving", True, None),
        "anchor_height": ("bad_anchor_height", False, 0.25),
        "anchor_tilt": ("bad_anchor_tilt", False, 0.8),
        "end_effector_height": ("bad_body_height", False, 0.25),
        "non_finite": ("non_finite", False, None),
    }
    assert set(found["end_effector_height"].params["body_names"]) == set(g1.END_EFFECTOR_BODY_NAMES)


"""
What is random.
"""


@EVERYWHERE
@TRAIN_IDS
def test_training_varies_what_beyondmimic_varies(task: str, engine: str | None) -> None:
    events = terms(env_cfg(task, engine).events)
    assert {name: (name_of(event.func), event.mode) for name, event in events.items()} == {
        "physics_material": ("randomize_rigid_body_material", "startup"),
        "joint_default_pos": ("offset_joint_default_pos", "startup"),
        "base_com": ("randomize_rigid_body_com", "startup"),
        "push_robot": ("push_by_setting_velocity", "interval"),
    }
    material = events["physics_material"].params
    assert material["static_friction_range"] == (0.3, 1.6)
    assert material["dynamic_friction_range"] == (0.3, 1.2)
    assert material["restitution_range"] == (0.0, 0.5)
    assert material["num_buckets"] == 64
    assert material["asset_cfg"].body_names == ".*"
    assert events["joint_default_pos"].params["offset_range"] == (-0.01, 0.01)
    assert events["base_com"].params["asset_cfg"].body_names == "torso_link"
    assert events["base_com"].params["com_range"] == {"x": (-0.025, 0.025), "y": (-0.05, 0.05), "z": (-0.05, 0.05)}
    assert events["push_robot"].interval_range_s == (1.0, 3.0)
    assert events["push_robot"].params["velocity_range"] == PUSH


@EVERYWHERE
@TRAIN_IDS
def test_starts_are_as_noisy_as_beyondmimics(task: str, engine: str | None) -> None:
    noise = env_cfg(task, engine).commands.motion.reset_noise
    assert tuple(noise.root_pos) == (0.05, 0.05, 0.01)
    assert tuple(noise.root_rot) == (0.1, 0.1, 0.2)
    velocity = (*noise.root_lin_vel, *noise.root_ang_vel)
    assert velocity == tuple(high for _, high in PUSH.values())
    assert noise.joint_pos == 0.1


@EVERYWHERE
@TRAIN_IDS
def test_episodes_start_where_the_policy_fails(task: str, engine: str | None) -> None:
    cfg = env_cfg(task, engine)
    sampler = cfg.commands.motion.sampler
    assert (sampler.mode, sampler.preset) == ("adaptive", "default")
    assert {value for name, value in sampler.to_dict().items() if name not in ("mode", "preset")} == {None}
    augmentation = cfg.commands.motion.augmentation.to_dict()
    assert {value for name, value in augmentation.items() if name.endswith("probability")} == {0.0}
    assert cfg.episode_length_s == 10.0
    assert cfg.scene.num_envs == 4096


@EVERYWHERE
@PLAY_IDS
def test_an_examination_leaves_nothing_to_chance(task: str, engine: str | None) -> None:
    cfg = env_cfg(task, engine)
    assert cfg.commands.motion.sampler.mode == "start"
    assert cfg.commands.motion.reset_noise is None
    assert not terms(cfg.events)
    assert not cfg.observations.policy.enable_corruption
    assert cfg.episode_length_s > 3600.0
    assert cfg.scene.num_envs < 4096


@TRAIN_IDS
def test_play_mode_of_a_training_task_is_its_examination(task: str) -> None:
    examined, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=True, overrides=[])
    ours = env_cfg(task.replace("-v0", "-Play-v0"))
    assert examined.to_dict() == ours.to_dict()


@TRAIN_IDS
def test_changing_one_config_leaves_the_next_alone(task: str) -> None:
    first, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=[])
    first.commands.motion.motions.append("nothing")
    first.scene.robot.init_state.pos = (0.0, 0.0, 9.0)
    first.rewards.body_pos.params["std"] = 9.0
    second, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=[])
    assert second.commands.motion.motions == ["*"]
    assert second.scene.robot.init_state.pos == (0.0, 0.0, 0.76)
    assert second.rewards.body_pos.params["std"] == 0.3


"""
The learner.
"""


@EVERYWHERE
@ALL_IDS
def test_ppo_has_beyondmimics_numbers(task: str, engine: str | None) -> None:
    agent = resolved(task, engine)[1]
    assert agent.num_steps_per_env == 24
    assert agent.actor.hidden_dims == agent.critic.hidden_dims == [512, 256, 128]
    assert agent.actor.activation == agent.critic.activation == "elu"
    assert agent.actor.obs_normalization
    assert agent.critic.obs_normalization
    assert agent.actor.distribution_cfg.init_std == 1.0
    assert agent.obs_groups == {"actor": ["policy"], "critic": ["critic"]}
    # Episodes that began at a random length would end early at first.
    assert not agent.init_at_random_ep_len
    ppo = agent.algorithm
    assert (ppo.num_learning_epochs, ppo.num_mini_batches, ppo.learning_rate) == (5, 4, 1e-3)
    assert (ppo.schedule, ppo.desired_kl, ppo.clip_param, ppo.entropy_coef) == ("adaptive", 0.01, 0.2, 0.005)
    assert (ppo.gamma, ppo.lam, ppo.value_loss_coef, ppo.max_grad_norm) == (0.99, 0.95, 1.0, 1.0)
    assert agent.experiment_name == ("g1_tracking_no_state_est" if "NoStateEst" in task else "g1_tracking")


def test_settings_for_a_cpu_name_fields_that_exist() -> None:
    from isaac_tracking.tasks.tracking.config.g1.agents.cpu import CPU_OVERRIDES

    overrides = [f"{key}={value}" for key, value in CPU_OVERRIDES.items()]
    for task in TRAIN:
        cfg, agent = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)
        assert cfg.scene.num_envs == CPU_OVERRIDES["env.scene.num_envs"]
        assert cfg.commands.motion.motions == json.loads(CPU_OVERRIDES["env.commands.motion.motions"])
        assert agent.max_iterations == CPU_OVERRIDES["agent.max_iterations"]


"""
Registration.
"""


def test_ids_are_registered_as_strings() -> None:
    ours = {name for name in gym.registry if name.startswith("Isaac-Tracking-")}
    assert ours >= set(TRAIN + PLAY)
    for task in TRAIN + PLAY:
        spec = gym.registry[task]
        assert spec.entry_point == "isaac_tracking.tasks.tracking.env:TrackingEnv"
        assert spec.disable_env_checker
        for key in ("env_cfg_entry_point", "rsl_rl_cfg_entry_point", "cpu_overrides_entry_point"):
            module, _, name = spec.kwargs[key].partition(":")
            assert hasattr(importlib.import_module(module), name)


@pytest.mark.filterwarnings("error")
def test_registering_again_is_harmless() -> None:
    before = dict(gym.registry)
    package = importlib.import_module("isaac_tracking.tasks.tracking.config.g1")
    importlib.reload(package)
    importlib.reload(isaac_tracking.tasks)
    assert dict(gym.registry) == before


OUTSIDE = """
import json, warnings
warnings.simplefilter("ignore")
import gymnasium as gym
import torch
import isaac_tracking.tasks
from isaaclab_tasks.utils import parse_env_cfg
cfg = parse_env_cfg({task!r}, device="cpu", num_envs=4)
env = gym.make({task!r}, cfg=cfg)
obs, _ = env.reset()
robot = env.unwrapped.scene["robot"]
default = robot.data.default_joint_pos.torch
nominal = torch.tensor([__import__("isaac_tracking.robots.g1", fromlist=["g1"]).default_joint_pos(n)
                        for n in robot.joint_names])
offset = env.unwrapped.action_manager.get_term("joint_pos")._offset
finite = True
for _ in range(3):
    obs, reward, *_ = env.step(torch.zeros(4, 29))
    finite &= all(bool(torch.isfinite(x).all()) for x in (*obs.values(), reward))
motion = env.unwrapped.command_manager.get_term("motion")
print("RESULT" + json.dumps({{
    "obs": {{name: list(value.shape) for name, value in obs.items()}},
    "finite": finite,
    "clips": motion.library.num_clips,
    "shift": float((default - nominal).abs().max()),
    "shifts_differ": bool((default[0] != default[1]).any()),
    "action_follows": bool(torch.allclose(offset, default)),
    "visits": float(motion.sampler.visits.sum()),
}}))
env.close()
"""


@pytest.mark.slow
def test_a_script_elsewhere_makes_the_task_as_registered(tmp_path: Path) -> None:
    script = tmp_path / "elsewhere" / "script.py"
    script.parent.mkdir()
    script.write_text(OUTSIDE.format(task="Isaac-Tracking-G1-NoStateEst-v0"))
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    run = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-2000:]
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
    result = json.loads(line.removeprefix("RESULT"))
    assert result["obs"] == {"policy": [4, 154], "critic": [4, 286]}
    assert result["finite"]
    assert result["clips"] == 16
    # Each robot has its own calibration, and its actions start from it.
    assert 0.005 < result["shift"] <= 0.01 + 1e-6
    assert result["shifts_differ"]
    assert result["action_follows"]
    assert result["visits"] > 2.9
