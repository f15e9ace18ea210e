# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The tasks of the stages as they are resolved: one environment, the observations and the noise of the sources."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium as gym
import pytest
from isaaclab_tasks.utils import resolve_task_config

import isaac_tracking.tasks  # noqa: F401
from config_tree import assert_decided
from isaac_tracking.inference.evaluation import SETTINGS, apply_setting
from isaac_tracking.robots import g1
from isaac_tracking.tasks.tracking.adaptation_env_cfg import check_history

TASKS = {
    "Isaac-Tracking-G1-Teacher": "G1TrainRunnerCfg",
    "Isaac-Tracking-G1-Student-Adapt": "G1AdaptRunnerCfg",
    "Isaac-Tracking-G1-Student": "G1FinetuneRunnerCfg",
    "Isaac-Tracking-G1-Teacher-ROA": "G1RoaTrainRunnerCfg",
    "Isaac-Tracking-G1-Student-ROA": "G1RoaFinetuneRunnerCfg",
    "Isaac-Tracking-G1-Student-Distill": "G1DistillRunnerCfg",
    "Isaac-Tracking-G1-Student-PPO": "G1StudentPPORunnerCfg",
}
TEACHER, EXAM = "Isaac-Tracking-G1-Teacher-v0", "Isaac-Tracking-G1-Teacher-Play-v0"
ENGINES = (None, "newton_mjwarp", "physx", "isaacsim_physx")
EVERYWHERE = pytest.mark.parametrize("engine", ENGINES, ids=str)
BOTH = pytest.mark.parametrize("task", (TEACHER, EXAM))

POLICY = {
    "boot_indicator": ("boot_indicator", 0, None),
    "future_root_pos": ("future_root_pos", 0, 0.025),
    "future_root_ori": ("future_root_ori", 0, 0.025),
    "future_joint_pos": ("future_joint_pos", 0, 0.01),
    "future_joint_pos_error": ("future_joint_pos_error", 0, 0.01),
    "future_root_height": ("future_root_height", 0, None),
    "future_gravity": ("future_gravity", 0, None),
    "base_ang_vel": ("base_ang_vel", 0, 0.05),
    "projected_gravity": ("projected_gravity", 0, 0.01),
    "joint_pos": ("joint_pos_rel", 6, 0.01),
    "actions": ("last_action", 3, None),
}
"""Terms in order: function, length of the history, half-width of the noise."""
PRIV = {
    "reference_anchor_pos_b": "reference_anchor_pos_b",
    "reference_anchor_ori_b": "reference_anchor_ori_b",
    "base_lin_vel": "base_lin_vel",
    "joint_vel": "joint_vel_rel",
    "future_root_pos_b": "future_root_pos_b",
    "body_pos": "body_pos_a",
    "body_ori": "body_ori_a",
    "body_lin_vel": "body_lin_vel_a",
    "body_pos_error": "body_pos_error_a",
    "body_height": "body_height",
    "applied_action": "applied_action",
    "applied_torque": "applied_torque",
    "foot_contacts": "foot_contacts",
}
CRITIC_PRIV = ("body_pos_errors", "body_rot_errors", "anchor_errors", "motion_phase")


@functools.cache
def env_cfg(task: str, engine: str | None = None) -> Any:
    overrides = [] if engine is None else [f"physics={engine}"]
    return resolve_task_config(task, None, overrides=overrides)[0]


def fresh(task: str, *overrides: str) -> Any:
    return resolve_task_config(task, None, overrides=list(overrides))[0]


def terms(group: Any) -> dict[str, Any]:
    return {name: term for name, term in vars(group).items() if hasattr(term, "func")}


def name_of(func: Any) -> str:
    return getattr(func, "__name__", None) or str(func).rpartition(":")[2]


"""
Observations.
"""


@EVERYWHERE
@BOTH
def test_the_policy_sees_what_a_robot_knows(task: str, engine: str | None) -> None:
    group = env_cfg(task, engine).observations.policy
    found = terms(group)
    assert list(found) == list(POLICY)
    for name, (function, history, width) in POLICY.items():
        term = found[name]
        assert (name_of(term.func), term.history_length, term.flatten_history_dim) == (function, history, True), name
        if width is None:
            assert term.noise is None, name
        else:
            assert (term.noise.n_min, term.noise.n_max, term.noise.operation) == (-width, width, "add"), name
        assert term.scale is None
        assert term.clip is None
    assert group.enable_corruption == (task == TEACHER)
    assert group.history_length is None


@EVERYWHERE
@BOTH
def test_what_is_privileged_has_no_noise(task: str, engine: str | None) -> None:
    observations = env_cfg(task, engine).observations
    priv, critic = terms(observations.priv), terms(observations.critic_priv)
    assert {name: name_of(term.func) for name, term in priv.items()} == PRIV
    assert list(priv) == list(PRIV)
    assert [name_of(term.func) for term in critic.values()] == list(critic) == list(CRITIC_PRIV)
    for term in (*priv.values(), *critic.values()):
        assert term.noise is None
        assert not term.history_length
    assert not observations.priv.enable_corruption
    assert not observations.critic_priv.enable_corruption
    feet = observations.priv.foot_contacts.params
    assert feet == {"sensor_name": "contact_forces", "body_names": list(g1.FOOT_BODY_NAMES), "threshold": 1.0}
    assert set(vars(observations)) == {"policy", "priv", "critic_priv"}


@BOTH
def test_the_reference_is_seen_as_far_ahead_as_in_the_sources(task: str) -> None:
    assert tuple(env_cfg(task).commands.motion.future_steps) == (0, 2, 4, 8, 16)


def test_a_history_longer_than_the_episode_is_refused() -> None:
    check_history(env_cfg(TEACHER))
    check_history(env_cfg(EXAM))
    check_history(env_cfg("Isaac-Tracking-G1-v0"))  # has none
    check_history(fresh(TEACHER, "env.observations.policy.joint_pos.history_length=500"))
    too_long = fresh(TEACHER, "env.observations.policy.joint_pos.history_length=501")
    message = (
        r"^env\.observations\.policy\.joint_pos\.history_length=501 remembers more steps than an episode has \(500\);"
        r" give 500 or less, or env\.episode_length_s=10\.02 or more$"
    )
    with pytest.raises(ValueError, match=message):
        check_history(too_long)
    short = fresh(TEACHER, "env.episode_length_s=0.1")
    with pytest.raises(ValueError, match=r"joint_pos\.history_length=6 .* \(5\)"):
        check_history(short)
    whole = fresh(TEACHER, "env.observations.priv.history_length=600")
    with pytest.raises(ValueError, match=r"^env\.observations\.priv\.history_length=600 "):
        check_history(whole)


"""
What is varied.
"""


@EVERYWHERE
def test_training_varies_robots_and_delays_actions(engine: str | None) -> None:
    cfg = env_cfg(TEACHER, engine)
    assert list(terms(cfg.events)) == [
        *("physics_material", "joint_default_pos", "base_com", "push_robot"),
        *("motor_gains", "motor_armature", "link_mass"),
    ]
    assert cfg.events.base_com.params["asset_cfg"].body_names == "torso_link"
    action = cfg.actions.joint_pos
    assert type(action).__name__ == "DelayedJointPositionActionCfg"
    assert (tuple(action.delay), action.delay_full_at, action.smoothing, action.boot_steps) == ((0, 3), 0.8, 0.9, 6)
    assert action.scale == g1.ACTION_SCALE
    assert action.use_default_offset
    assert action.joint_names == [".*"]


@EVERYWHERE
def test_an_examination_leaves_nothing_to_chance(engine: str | None) -> None:
    cfg = env_cfg(EXAM, engine)
    assert not terms(cfg.events)
    assert cfg.commands.motion.sampler.mode == "start"
    assert cfg.commands.motion.reset_noise is None
    action = cfg.actions.joint_pos
    # What the deployed robot does as well stays.
    assert (tuple(action.delay), action.smoothing, action.boot_steps) == ((0, 0), 0.9, 6)
    assert cfg.episode_length_s > 3600.0


def test_play_mode_of_a_training_task_is_its_examination() -> None:
    examined, _ = resolve_task_config(TEACHER, None, play_mode=True, overrides=[])
    assert examined.to_dict() == env_cfg(EXAM).to_dict()


@EVERYWHERE
def test_rewards_ends_and_physics_are_those_of_the_base_task(engine: str | None) -> None:
    ours, base = env_cfg(TEACHER, engine).to_dict(), env_cfg("Isaac-Tracking-G1-v0", engine).to_dict()
    for part in ("rewards", "terminations", "sim", "scene", "commands", "decimation", "episode_length_s"):
        assert ours[part] == base[part], part


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_bring_back_what_training_does(setting: str) -> None:
    played, trained = fresh(EXAM), fresh(TEACHER)
    apply_setting(played, trained, setting)
    noisy, varied, pushed = (list(SETTINGS).index(setting) >= level for level in (1, 2, 3))
    assert played.observations.policy.enable_corruption is noisy
    assert (played.commands.motion.reset_noise is not None) is noisy
    for name in terms(trained.events):
        expected = pushed if name == "push_robot" else varied
        assert (getattr(played.events, name) is not None) is expected, name
    assert tuple(played.actions.joint_pos.delay) == ((0, 3) if varied else (0, 0))
    assert played.commands.motion.sampler.mode == "start"


def test_actions_about_the_reference_are_a_preset() -> None:
    for task, delay in ((TEACHER, (0, 3)), (EXAM, (0, 0))):
        action = fresh(task, "presets=reference_action").actions.joint_pos
        assert type(action).__name__ == "DelayedReferenceJointPositionActionCfg"
        assert (tuple(action.delay), action.smoothing, action.boot_steps) == (delay, 0.9, 6)


"""
Registration.
"""


@pytest.mark.parametrize("play", ["", "-Play"], ids=["train", "play"])
@pytest.mark.parametrize("name", TASKS)
def test_every_stage_is_an_id_of_one_environment(name: str, play: str) -> None:
    spec = gym.registry[f"{name}{play}-v0"]
    folder = "isaac_tracking.tasks.tracking.config.g1"
    assert spec.kwargs["env_cfg_entry_point"] == (f"{folder}.g1_adaptation_env_cfg:G1Adaptation{play.strip('-')}EnvCfg")
    assert spec.kwargs["rsl_rl_cfg_entry_point"] == f"{folder}.agents.stages_cfg:{TASKS[name]}"
    assert spec.entry_point == "isaac_tracking.tasks.tracking.env:TrackingEnv"


@EVERYWHERE
@pytest.mark.parametrize("play", ["", "-Play"], ids=["train", "play"])
def test_nothing_is_left_undecided(play: str, engine: str | None) -> None:
    assert_decided(env_cfg(f"Isaac-Tracking-G1-Teacher{play}-v0", engine))
