# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The velocity tasks as they are resolved, for every id and every engine: Isaac Lab's numbers."""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks
from config_tree import assert_decided, nodes
from isaac_tracking.robots import g1, go1
from isaac_tracking.tasks.velocity.checks import check_env_cfg

ROBOTS = {"Unitree-Go1": go1, "G1": g1}
TRAIN = tuple(f"Isaac-Velocity-{ground}-{robot}-v0" for ground in ("Rough", "Flat") for robot in ROBOTS)
PLAY = tuple(task.replace("-v0", "-Play-v0") for task in TRAIN)
ENGINES = (None, "newton_mjwarp", "physx", "isaacsim_physx", "ovphysx")
ALL_IDS = pytest.mark.parametrize("task", TRAIN + PLAY)
PACKAGE = Path(isaac_tracking.tasks.__file__).parents[2]

POLICY = {
    "base_lin_vel": 0.1,
    "base_ang_vel": 0.2,
    "projected_gravity": 0.05,
    "velocity_commands": None,
    "joint_pos": 0.01,
    "joint_vel": 1.5,
    "actions": None,
    "height_scan": 0.1,
}
"""Terms in order, with the half-widths of their noise."""


@functools.cache
def resolved(task: str, *overrides: str) -> tuple[Any, Any]:
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=list(overrides))


def env_cfg(task: str, *overrides: str) -> Any:
    return resolved(task, *overrides)[0]


def terms(group: Any) -> dict[str, Any]:
    return {name: term for name, term in vars(group).items() if hasattr(term, "func")}


"""
Every id.
"""


@pytest.mark.parametrize("engine", ENGINES, ids=str)
@ALL_IDS
def test_nothing_is_left_undecided_or_downloaded(task: str, engine: str | None) -> None:
    cfg = env_cfg(task, *([] if engine is None else [f"physics={engine}"]))
    assert_decided(cfg)
    for path, value in nodes(cfg):
        # The arrows of commands are Isaac Lab's, and shown only in a window.
        if "visualizer_cfg" not in path:
            assert not (isinstance(value, str) and "://" in value), path
    assert not cfg.commands.base_velocity.debug_vis
    check_env_cfg(cfg)


@ALL_IDS
def test_rates_and_engines(task: str) -> None:
    cfg = env_cfg(task)
    assert (cfg.sim.dt, cfg.decimation, cfg.sim.render_interval, cfg.episode_length_s) == (0.005, 4, 4, 20.0)
    solver = cfg.sim.physics.solver_cfg
    rough = "Rough" in task
    assert (solver.use_mujoco_contacts, cfg.sim.physics.num_substeps) == ((False, 2) if rough else (True, 1))
    assert type(env_cfg(task, "physics=isaacsim_physx").sim.physics).__name__ == "PhysxCfg"
    # Friction of the robot alone on both engines.
    friction = cfg.scene.terrain.physics_material.static_friction
    assert friction == 0.001 and env_cfg(task, "physics=physx").scene.terrain.physics_material.static_friction == 1.0


@ALL_IDS
def test_observations(task: str) -> None:
    cfg = env_cfg(task)
    group = cfg.observations.policy
    expected = dict(POLICY)
    if "Flat" in task:
        del expected["height_scan"]
        assert group.height_scan is None and cfg.scene.height_scanner is None
    noise = {name: None if term.noise is None else term.noise.n_max for name, term in terms(group).items()}
    assert list(noise.items()) == list(expected.items())
    assert group.enable_corruption == ("Play" not in task)
    assert resolved(task)[1].obs_groups == {"actor": ["policy"], "critic": ["policy"]}


@pytest.mark.parametrize("task", PLAY)
def test_play_variants(task: str) -> None:
    play, train = env_cfg(task), env_cfg(task.replace("-Play", ""))
    assert (play.scene.num_envs, train.scene.num_envs) == (50, 4096)
    for name in ("physics_material", "base_mass", "base_com", "push_robot"):
        assert getattr(play.events, name) is None, name
    assert not terms(play.curriculum) and terms(train.curriculum)
    assert terms(play.terminations).keys() == terms(train.terminations).keys()
    # It is asked for all that was trained.
    assert play.commands.base_velocity.ranges.to_dict() == train.commands.base_velocity.ranges.to_dict()
    if "Rough" in task:
        ground = play.scene.terrain
        assert ground.max_init_terrain_level is None and not ground.terrain_generator.curriculum
        assert (ground.terrain_generator.num_rows, ground.terrain_generator.num_cols) == (5, 5)
        assert train.scene.terrain.terrain_generator.curriculum and train.scene.terrain.max_init_terrain_level == 5


@pytest.mark.parametrize("robot", ROBOTS)
def test_what_differs_by_robot(robot: str) -> None:
    module, rough, flat = ROBOTS[robot], *(env_cfg(f"Isaac-Velocity-{g}-{robot}-v0") for g in ("Rough", "Flat"))
    base = {"Unitree-Go1": "trunk", "G1": "torso_link"}[robot]
    for cfg in (rough, flat):
        assert tuple(cfg.scene.robot.spawn.model) == module.MODEL
        assert cfg.terminations.base_contact.params["sensor_cfg"].body_names == base
        assert cfg.events.base_mass.params["asset_cfg"].body_names == base
        assert cfg.rewards.feet_air_time.params["sensor_cfg"].body_names == list(module.FOOT_BODY_NAMES)
        assert cfg.actions.joint_pos.scale == module.ACTION_SCALE
    assert rough.scene.height_scanner.prim_path.endswith(base)
    assert list(terms(rough.terminations)) == ["non_finite", "time_out", "base_contact", "terrain_out_of_bounds"]
    assert list(terms(flat.terminations)) == ["non_finite", "time_out", "base_contact"]
    assert list(terms(rough.curriculum)) == ["terrain_levels", "command_ranges"]
    assert list(terms(flat.curriculum)) == ["command_ranges"]
    assert (rough.scene.terrain.terrain_type, flat.scene.terrain.terrain_type) == ("generator", "plane")


"""
Isaac Lab's numbers.
"""

WEIGHTS = {
    "Isaac-Velocity-Rough-Unitree-Go1-v0": "IsaacContrib-Velocity-Rough-UnitreeGo1",
    "Isaac-Velocity-Flat-Unitree-Go1-v0": "IsaacContrib-Velocity-Flat-UnitreeGo1",
    "Isaac-Velocity-Rough-G1-v0": "Isaac-Velocity-Rough-G1",
    "Isaac-Velocity-Flat-G1-v0": "Isaac-Velocity-Flat-G1",
}
"""Isaac Lab's task of each of ours."""
OTHER_JOINTS = {"joint_deviation_fingers", "joint_deviation_torso", "joint_deviation_waist"}
"""Terms about joints that only one of the two G1s has."""


@pytest.mark.parametrize("task", TRAIN)
def test_rewards_commands_and_resets_are_isaac_labs(task: str) -> None:
    ours, theirs = env_cfg(task), env_cfg(WEIGHTS[task])
    mine, other = terms(ours.rewards), terms(theirs.rewards)
    # A weight of 0 is no reward.
    for name in {n for n, t in (mine | other).items() if t.weight} - OTHER_JOINTS:
        assert mine[name].weight == other[name].weight, name
        for param in ("std", "threshold"):
            assert mine[name].params.get(param) == other[name].params.get(param), (name, param)
    assert ours.commands.base_velocity.ranges.to_dict() == theirs.commands.base_velocity.ranges.to_dict()
    for name in ("resampling_time_range", "rel_standing_envs", "heading_control_stiffness"):
        assert getattr(ours.commands.base_velocity, name) == getattr(theirs.commands.base_velocity, name), name
    # But for mjlab's share of robots that turn at a given rate, which Isaac Lab's command then never has.
    assert (ours.commands.base_velocity.rel_heading_envs, theirs.commands.base_velocity.rel_heading_envs) == (0.3, 1.0)
    for our_name, their_name in (("reset_base", "reset_base"), ("reset_joints", "reset_robot_joints")):
        mine, other = getattr(ours.events, our_name).params, getattr(theirs.events, their_name).params
        assert mine == {name: other[name] for name in mine}
    assert ours.events.push_robot.params == theirs.events.push_robot.params
    for name in ("mass_distribution_params", "operation", "distribution"):
        assert ours.events.base_mass.params[name] == theirs.events.add_base_mass.params[name]
    if "Rough" in task:
        mine, other = ours.scene.terrain.terrain_generator, theirs.scene.terrain.terrain_generator
        assert mine.to_dict() == other.to_dict()


@pytest.mark.parametrize("task", TRAIN)
def test_learning_is_isaac_labs(task: str) -> None:
    ours, theirs = resolved(task)[1], resolved(WEIGHTS[task])[1]
    for name in ("num_steps_per_env", "max_iterations", "save_interval"):
        assert getattr(ours, name) == getattr(theirs, name), name
    mine, other = ours.algorithm.to_dict(), theirs.algorithm.to_dict()
    assert mine.pop("class_name") == "isaac_tracking.learning.ppo:PPO" and other.pop("class_name")
    # How the update runs, not what it learns.
    assert (mine.pop("cuda_graph"), mine.pop("matmul_precision")) == (True, "high")
    assert mine == other
    mine, other = ours.actor.to_dict(), theirs.actor.to_dict()
    assert mine["distribution_cfg"].pop("class_name") == "isaac_tracking.learning.gaussian:Gaussian"
    assert other["distribution_cfg"].pop("class_name") == "GaussianDistribution"
    assert mine == other and ours.critic.to_dict() == theirs.critic.to_dict()


def test_experiments() -> None:
    names = [resolved(task)[1].experiment_name for task in TRAIN]
    assert names == ["unitree_go1_rough", "g1_velocity_rough", "unitree_go1_flat", "g1_velocity_flat"]


def test_the_network_of_the_go1s_motors_is_chosen_with_its_scale() -> None:
    cfg = env_cfg("Isaac-Velocity-Rough-Unitree-Go1-v0", "presets=actuator_net")
    (motors,) = cfg.scene.robot.actuators.values()
    assert type(motors).__name__ == "ActuatorNetMLPCfg" and cfg.actions.joint_pos.scale == 0.25


"""
Registration.
"""


@ALL_IDS
def test_registry(task: str) -> None:
    kwargs = gym.spec(task).kwargs
    assert kwargs["family"] == "velocity" and kwargs["default_agent"] == "rsl_rl"
    module, _, name = kwargs["cpu_overrides_entry_point"].partition(":")
    overrides = getattr(importlib.import_module(module), name)
    cfg, agent = resolve_task_config(
        task, "rsl_rl_cfg_entry_point", overrides=[f"{key}={value}" for key, value in overrides.items()]
    )
    assert cfg.scene.num_envs == 64 and agent.actor.hidden_dims == [128, 128]


def test_tracking_tasks_say_their_family() -> None:
    assert gym.spec("Isaac-Tracking-G1-v0").kwargs["family"] == "tracking"


@pytest.mark.parametrize(
    "order", [("isaac_tracking.tasks", "isaaclab_tasks"), ("isaaclab_tasks", "isaac_tracking.tasks")]
)
def test_isaac_labs_tasks_of_the_same_name_are_no_hindrance(order: tuple[str, str]) -> None:
    code = (
        f"import {order[0]}, {order[1]}, gymnasium as gym; a = gym.spec('Isaac-Velocity-Flat-G1');"
        " b = gym.spec('Isaac-Velocity-Flat-G1-v0');"
        " print(a.kwargs['env_cfg_entry_point'].split('.')[0], b.kwargs['env_cfg_entry_point'].split('.')[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["isaaclab_tasks", "isaac_tracking"]


def test_registering_and_configuring_import_no_simulator() -> None:
    code = (
        "import sys, isaac_tracking.tasks\n"
        "assert not any(name.startswith('isaaclab') for name in sys.modules)\n"
        "from isaaclab_tasks.utils import resolve_task_config\n"
        "import isaac_tracking.tasks.velocity.checks\n"
        f"for task in {TRAIN + PLAY}: resolve_task_config(task, 'rsl_rl_cfg_entry_point', overrides=[])\n"
        "print(sorted({'pxr', 'omni', 'carb', 'scipy', 'onnx', 'wandb', 'mujoco'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
