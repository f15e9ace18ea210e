# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings that name nothing or are of the wrong kind are refused in one line, before anything is started."""

from __future__ import annotations

import pytest

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch import overrides
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
        ("env.events.push_robot=5", "names no variant.* or give null$"),
        ("env.scene.robot.spawn=5", r"names no variant.*\.\.\.\)$"),
        ("env.actions.joint_pos=bogus", "bogus"),
        ("presets=bogus", "presets=bogus do not fit .*Unknown preset"),
        ("physics=bogus", "physics=bogus do not fit .*newton_mjwarp"),
        ("env.commands.motion.sampler.mode=foo", "makes no sense; give one of adaptive, uniform, start$"),
        ("env.commands.motion.sampler.preset=foo", "makes no sense; give one of default, beyondmimic"),
        ("env.commands.motion.memory_budget=-1", "makes no sense; give a number above 0"),
        ("env.commands.motion.memory_budget=abc", "makes no sense; give a number above 0"),
        ("env.step_graph=onn", "makes no sense; give one of off, auto, on, masked"),
        ("env.episode_length_s=-1", "'env.episode_length_s=-1' makes no sense; give a number above 0"),
        ("env.sim.dt=0", "'env.sim.dt=0' makes no sense; give a number above 0"),
        ("env.sim.dt=-1", "'env.sim.dt=-1' makes no sense"),
        ("env.rewards.body_pos.params.std=0", "makes no sense; give a number above 0"),
        ("env.rewards.body_pos.params.std=-1", "makes no sense; give a number above 0"),
        ("env.rewards.body_pos.func=foo", "names no function; give MODULE:NAME, for example .*rewards:body_pos_exp"),
        ("env.rewards.body_pos.func=math:foo", "names no function"),
        ("env.rewards.body_pos.func=null", "names no function"),
        ("env.scene.robot.spawn=null", "takes away what cannot be done without"),
        ("env.events=null", "takes away what cannot be done without"),
        ("env.observations=null", "cannot be done without; leave it out, or set its fields .env.observations.policy"),
        ("env.commands.motion=null", "takes away what cannot be done without"),
        ("agent.algorithm.learning_rate=-1", "makes no sense; give a number above 0"),
        ("agent.algorithm.num_mini_batches=0", "makes no sense; give a whole number above 0"),
        ("agent.algorithm.schedule=foo", "makes no sense; give one of adaptive, fixed"),
        ("agent.algorithm.gamma=7", "makes no sense; give a number from 0 to 1"),
        ("agent.actor.hidden_dims=[]", "makes no sense; give a list of whole numbers above 0"),
        ("agent.critic.hidden_dims=[16,-3]", r"hidden_dims=\[16,-3\]' makes no sense"),
        ("agent.actor.activation=foo", "makes no sense; give one of elu"),
    ],
)
def test_bad_setting_is_one_line(setting: str, words: str):
    with pytest.raises(OptionError, match=words) as error:
        resolve_config(TASK, ["env.decimation=4", setting])
    assert "\n" not in str(error.value) and setting.partition("=")[0] in str(error.value)


def test_values_are_not_refused_that_make_sense():
    settings = [
        "agent.actor.hidden_dims=[-1,8]",
        "agent.critic.activation=ReLU",
        "env.commands.motion.memory_budget=0.5",
    ]
    settings += ["env.rewards.body_pos.func=isaac_tracking.tasks.tracking.mdp.rewards:body_rot_exp"]
    settings += ["agent.algorithm.gamma=1", "agent.algorithm.schedule=fixed", "env.events.base_com=null"]
    env, agent = resolve_config(TASK, settings)
    assert agent.actor.hidden_dims == [-1, 8] and env.commands.motion.memory_budget == 0.5


def test_every_task_keeps_its_own_values():
    """A rule must not refuse what a task sets itself."""
    import gymnasium as gym

    ours = [name for name, spec in list(gym.registry.items()) if "isaac_tracking" in str(spec.kwargs)]
    assert len(ours) > 10
    for task in ours:
        resolve_config(task, [])


def test_activations_are_those_of_rsl_rl():
    from rsl_rl.utils import resolve_nn_activation

    for name in overrides._ACTIVATIONS:
        resolve_nn_activation(name)
    with pytest.raises(ValueError, match="Valid activations") as error:
        resolve_nn_activation("foo")
    assert str(error.value).count("'") == 2 * len(overrides._ACTIVATIONS) + 2


@pytest.mark.parametrize(
    ("reason", "named"),
    [("no attribute 'gamma'", "env.x.gamma=2"), ("bad value 3", "env.y=3"), ("no", "env.y=3 env.z=4 env.w=5")],
)
def test_a_reason_names_few_settings(monkeypatch: pytest.MonkeyPatch, reason: str, named: str):
    """Not all of them, of which most are the CPU's sizes."""

    def refuse(*args, **kwargs):
        raise AttributeError(reason)

    monkeypatch.setattr("isaaclab_tasks.utils.resolve_task_config", refuse)
    with pytest.raises(OptionError, match=f"^settings {named} do not fit task '{TASK}': {reason}$"):
        overrides._resolve(TASK, ["env.v=1", "env.x.gamma=2", "env.y=3", "env.z=4", "env.w=5"], False)


def test_a_field_of_what_is_taken_away_is_refused():
    with pytest.raises(OptionError, match=r"interval_range_s=\[1,3\]' is of a part that 'env.events.push_robot=null'"):
        resolve_config(TASK, ["env.events.push_robot.interval_range_s=[1,3]", "env.events.push_robot=null"])


def test_the_stronger_layer_wins_between_a_part_and_its_field():
    weak = ["env.a.b=null", "env.a.bc=null", "env.x=1"]
    assert merge_overrides(weak, ["env.a.b.c=2"]) == ["env.a.bc=null", "env.x=1", "env.a.b.c=2"]
    assert merge_overrides(["env.a.b.c=2", "env.a.bc=3"], ["env.a.b=None"]) == ["env.a.bc=3", "env.a.b=None"]
    # Not null: a variant, whose fields can be set.
    assert merge_overrides(["env.a=name"], ["env.a.b=2"]) == ["env.a=name", "env.a.b=2"]
    # One layer contradicts itself, and is refused later.
    assert merge_overrides(["env.a=null", "env.a.b=2"]) == ["env.a=null", "env.a.b=2"]


def test_a_rejected_setting_leaves_nothing_behind():
    with pytest.raises(OptionError):
        resolve_config(TASK, ["env.nothing=1"])
    assert not hasattr(resolve_config(TASK, [])[0], "nothing")


def test_options_are_told_from_settings():
    given, passed = split_rest(["a.b=1", "--viz", "viser", "physics=physx", "~env.x"], ["--task"], lambda: ["--viz"])
    assert given == ["a.b=1", "physics=physx", "~env.x"] and passed == ["--viz", "viser"]
    for argument, words in (
        ("--tsk", "did you mean --task?"),
        ("stray", "'stray' is unknown"),
        ("--zzz=1", "choose"),
        ("--headless", "nothing opens a window unless --gui is given"),
    ):
        with pytest.raises(OptionError, match=words):
            split_rest([argument], ["--task", "--seed"], tuple)


def test_last_setting_of_a_key_wins_and_presets_join():
    assert merge_overrides(["a=1", "presets=x"], ["b=2", "presets=y,x"], ["a=3"]) == ["a=3", "presets=x,y", "b=2"]
