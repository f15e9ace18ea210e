# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings that name nothing or are of the wrong kind are refused in one line, before anything is started."""

from __future__ import annotations

import pytest

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.overrides import merge_overrides, resolve_config, split_rest

TASK = "Isaac-Tracking-G1-v0"


def test_good_settings_reach_the_configs():
    settings = ["env.scene.num_envs=7", "agent.actor.hidden_dims=[64,32]", "env.events.push_robot=null"]
    settings += ["env.rewards.body_pos.params.std=0.5", "agent.algorithm.learning_rate=1", "agent.clip_actions=2.5"]
    settings += ["presets=reference_action", "physics=newton_mjwarp", "agent.run_name=mine"]
    env, agent = resolve_config(TASK, settings)
    assert env.scene.num_envs == 7 and env.events.push_robot is None and env.rewards.body_pos.params["std"] == 0.5
    assert agent.actor.hidden_dims == [64, 32] and agent.algorithm.learning_rate == 1 and agent.clip_actions == 2.5
    assert type(env.actions.joint_pos).__name__ == "ReferenceJointPositionActionCfg" and agent.run_name == "mine"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("env.nothing=1", "'env.nothing' does not exist; env has no 'nothing'"),
        ("env.scene.num_env=1", "did you mean num_envs?"),
        ("agent.algorithm.leaning_rate=1", "did you mean learning_rate?"),
        ("env.scene.num_envs.more=1", "'env.scene.num_envs.more' does not exist"),
        ("foo=1", "'foo' does not exist.*choose from env, agent"),
        ("agent.algorithm.learning_rate=abc", "is of the wrong kind; give a number"),
        ("agent.algorithm.learning_rate=null", "is of the wrong kind"),
        ("env.scene.num_envs=1.5", "is of the wrong kind; give a whole number"),
        ("env.scene.num_envs=0", "must be a whole number above 0"),
        ("agent.save_interval=0", "must be a whole number above 0"),
        ("agent.max_iterations=-3", "must be a whole number above 0"),
        ("agent.actor.hidden_dims=64", "give a list"),
        ("agent.actor.obs_normalization=maybe", "give true or false"),
        ("env.events.push_robot=5", "names no variant"),
        ("env.actions.joint_pos=bogus", "bogus"),
        ("presets=bogus", "presets=bogus do not fit .*Unknown preset"),
        ("physics=bogus", "physics=bogus do not fit .*newton_mjwarp"),
    ],
)
def test_bad_setting_is_one_line(setting: str, words: str):
    with pytest.raises(OptionError, match=words) as error:
        resolve_config(TASK, ["env.decimation=4", setting])
    assert "\n" not in str(error.value) and setting.partition("=")[0] in str(error.value)


def test_a_rejected_setting_leaves_nothing_behind():
    with pytest.raises(OptionError):
        resolve_config(TASK, ["env.nothing=1"])
    assert not hasattr(resolve_config(TASK, [])[0], "nothing")


def test_options_are_told_from_settings():
    overrides, passed = split_rest(
        ["a.b=1", "--viz", "viser", "physics=physx", "~env.x"], ["--task"], lambda: ["--viz"]
    )
    assert overrides == ["a.b=1", "physics=physx", "~env.x"] and passed == ["--viz", "viser"]
    for argument, words in (("--tsk", "did you mean --task?"), ("stray", "'stray' is unknown"), ("--zzz=1", "choose")):
        with pytest.raises(OptionError, match=words):
            split_rest([argument], ["--task", "--seed"], tuple)


def test_last_setting_of_a_key_wins_and_presets_join():
    assert merge_overrides(["a=1", "presets=x"], ["b=2", "presets=y,x"], ["a=3"]) == ["a=3", "presets=x,y", "b=2"]
