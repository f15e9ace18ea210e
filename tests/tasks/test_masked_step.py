# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The step by masks does what Isaac Lab's own step does, term by term; it may differ in random numbers alone."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import warp as wp
from isaaclab.envs import mdp as isaac_lab
from isaaclab.managers import EventManager, EventTermCfg
from isaaclab.utils.noise import UniformNoiseCfg
from two_steps import NUM, MaskableSampler, break_joints, compare, lift, nothing, start

from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.plain import StartSampler, UniformSampler
from isaac_tracking.motion.sampling.settings import sampler_settings
from isaac_tracking.tasks.graphs.masked_step import MaskedStep
from isaac_tracking.tasks.tracking.mdp.masked_motion import MaskedMotion

pytestmark = pytest.mark.slow


@pytest.fixture
def masked(sim: Any) -> Iterator[MaskedStep]:
    """The shared environment's step by masks; whoever steps the environment takes Isaac Lab's."""
    sim.command.cfg.reset_noise = None
    events = sim.env.event_manager
    yield MaskedStep(sim.env, graphs=False)
    sim.env.event_manager = events
    sim.command._link_velocities = None


"""
Against Isaac Lab's step.
"""


def test_steps_without_a_reset(sim: Any, masked: MaskedStep) -> None:
    last = compare(sim, masked, lambda: start(sim, "walk", list(range(20, 28))), nothing, nothing, nothing)[-1]
    assert last["steps"].tolist() == list(range(24, 32))
    assert not last["reset"].any()


def test_one_robot_is_lost(sim: Any, masked: MaskedStep) -> None:
    found = compare(sim, masked, lambda: start(sim), nothing, lambda: lift(sim, 3), nothing, nothing)
    assert [step["terminated"].nonzero().flatten().tolist() for step in found] == [[], [3], [], []]
    assert found[1]["steps"].tolist() == [13, 13, 13, 11, 13, 13, 13, 13]
    assert found[1]["length"].tolist() == [2, 2, 2, 0, 2, 2, 2, 2]


def test_all_robots_are_lost(sim: Any, masked: MaskedStep) -> None:
    found = compare(sim, masked, lambda: start(sim), lambda: lift(sim, *range(NUM)), nothing)
    assert found[0]["terminated"].all()
    assert found[1]["steps"].tolist() == [12] * NUM


def test_a_broken_state(sim: Any, masked: MaskedStep) -> None:
    found = compare(sim, masked, lambda: start(sim), nothing, lambda: break_joints(sim, 5), nothing)
    assert found[1]["terminated"].nonzero().flatten().tolist() == [5]
    assert not found[1]["terms"][5, :6].any()  # all but the rate of actions
    assert all(value.isfinite().all() for value in found[1].values())


def test_clips_end(sim: Any, masked: MaskedStep) -> None:
    end = int(sim.command.library.num_frames[sim.command.library.names.index("stand")]) - 1
    starts = [end - 1, end - 2, 0, 0, 0, 0, 0, 0]
    found = compare(sim, masked, lambda: start(sim, steps=starts), nothing, nothing, nothing)
    assert [step["time_outs"].nonzero().flatten().tolist() for step in found] == [[0], [0, 1], [0]]


@pytest.mark.parametrize("mode", ["start", "uniform", "sonic"])
def test_samplers_when_all_start_at_once(sim: Any, masked: MaskedStep, mode: str) -> None:
    """Then both steps draw as often, in the same order: the same random numbers."""
    frames = sim.command.library.num_frames

    def begin() -> None:
        settings = sampler_settings("sonic", refresh_steps=2, rewind_probability=1.0)
        makers = {"start": lambda: StartSampler(frames, NUM), "uniform": lambda: UniformSampler(frames)}
        sampler = makers.get(mode, lambda: AdaptiveSampler(frames, 50.0, settings))()
        start(sim)
        sim.command.source.sampler = sampler
        sim.env.reset()

    def lose_all() -> None:
        # A step by masks draws where nobody starts, too.
        torch.manual_seed(1)
        lift(sim, *range(NUM))

    found = compare(sim, masked, begin, nothing, lose_all, nothing, lose_all, nothing)
    assert found[1]["terminated"].all()
    assert found[3]["terminated"].all()
    if mode == "sonic":
        # All go back to shortly before where they failed, in the same clip.
        assert torch.equal(found[3]["clip_ids"], found[2]["clip_ids"])
        assert (found[3]["steps"] <= found[2]["steps"] + 1).all()


def test_noise_of_starts_when_all_start_at_once(sim: Any, masked: MaskedStep) -> None:
    from isaac_tracking.tasks.tracking import mdp

    sim.command.cfg.reset_noise = mdp.ResetNoiseCfg()

    def lose_all() -> None:
        torch.manual_seed(1)
        lift(sim, *range(NUM))

    found = compare(sim, masked, lambda: start(sim, "walk"), nothing, lose_all, nothing)
    assert found[1]["left/anchor_pos"].min() > 0.0
    assert found[1]["left/anchor_pos"].std() > 0.001


def push_always(sim: Any, low: float, high: float, seconds: tuple[float, float]) -> None:
    axes = dict.fromkeys(("x", "y", "yaw"), (low, high))
    push = EventTermCfg(
        func=isaac_lab.push_by_setting_velocity,
        mode="interval",
        interval_range_s=seconds,
        params={"velocity_range": axes},
    )
    sim.env.event_manager = EventManager({"push": push}, sim.env)


def test_pushes(sim: Any, masked: MaskedStep) -> None:
    # Ranges without width, so that nothing is random: after two steps, again after four.
    push_always(sim, 0.3, 0.3, (0.04, 0.04))
    left = sim.env.event_manager._interval_term_time_left[0]

    def begin() -> MaskableSampler:
        left.fill_(0.04)
        return start(sim)

    found = compare(sim, masked, begin, nothing, lambda: lift(sim, 2), nothing, nothing)
    changes = torch.stack([step["root_link_vel_w"][:, 0] for step in found]).diff(dim=0)
    others = [0, 1, 3, 4, 5, 6, 7]
    assert (changes[0, others] > 0.2).all()
    assert (changes[2, others] > 0.2).all()
    # Whose episode begins anew in the second step, is pushed in the third instead.
    assert changes[0, 2].abs() < 0.1
    assert changes[1, 2] > 0.2
    assert changes[2, 2] < 0.1


def pull(sim: Any, force: float) -> None:
    forces = torch.tensor([force, 0.0, 0.0]).expand(NUM, 1, 3).contiguous()
    sim.robot.permanent_wrench_composer.set_forces_and_torques_index(forces=forces, body_ids=[0])


def test_targets_are_told_once_in_a_step_unless_forces_act(
    sim: Any, masked: MaskedStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(sim)
    told: list[int] = []
    apply = sim.env.action_manager.apply_action
    monkeypatch.setattr(sim.env.action_manager, "apply_action", lambda: told.append(1) or apply())
    masked(sim.still)
    assert len(told) == 1
    pull(sim, 20.0)
    masked(sim.still)
    sim.robot.permanent_wrench_composer.reset()
    assert len(told) == 1 + sim.env.cfg.decimation


def test_external_forces_act_in_every_physics_step(sim: Any, masked: MaskedStep) -> None:
    def begin() -> MaskableSampler:
        sampler = start(sim)
        pull(sim, 60.0)
        return sampler

    found = compare(sim, masked, begin, nothing, nothing, nothing)
    sim.robot.permanent_wrench_composer.reset()
    assert (found[-1]["root_link_vel_w"][:, 0] > 0.03).all()


def test_pushes_are_as_wide_as_they_say(sim: Any, masked: MaskedStep) -> None:
    push_always(sim, -0.5, 0.5, (0.02, 0.06))
    start(sim)
    pushes = []
    for _ in range(12):
        sim.env.event_manager._interval_term_time_left[0].fill_(0.0)
        masked._pushes._robot.settle()
        before = sim.robot.data.root_com_vel_w.torch.clone()
        masked._pushes.apply(0.02)
        masked._pushes._robot.settle()
        pushes.append(sim.robot.data.root_com_vel_w.torch - before)
        left = sim.env.event_manager._interval_term_time_left[0]
        assert ((left >= 0.02) & (left <= 0.06)).all()
    drawn = torch.cat(pushes)
    assert drawn[:, [0, 1, 5]].abs().max() <= 0.5 + 1e-5
    assert drawn[:, [0, 1, 5]].abs().amax(dim=0).min() > 0.4
    assert (drawn[:, 2:5].abs() < 1e-6).all()


"""
The log.
"""


def test_the_log_of_episodes_by_hand(sim: Any, masked: MaskedStep) -> None:
    start(sim)
    masked(sim.still)
    # One robot is lost in its second step.
    lift(sim, 2)
    first = sim.env.reward_manager._episode_sum_buf[2].clone()
    log = masked(sim.still)[4]["log"]
    rates = sim.env.reward_manager._step_reward
    names = sim.env.reward_manager.active_terms
    for index, name in enumerate(names):
        # Sums over the episode, in units of the longest episode's seconds.
        assert log[f"Episode_Reward/{name}"].item() == pytest.approx((first + 0.02 * rates[2])[index].item() / 10.0)
    assert log["Episode_Termination/anchor_height"].item() == pytest.approx(1 / NUM)
    assert log["Episode_Termination/clip_end"].item() == 0.0
    kept = {name: float(value) for name, value in log.items()}
    later = masked(sim.still)[4]["log"]
    for name in log:
        assert (float(later[name]) == kept[name]) == name.startswith("Episode_"), name
    # The learner's logger keeps each step's.
    assert {name: float(value) for name, value in log.items()} == kept


def test_a_reset_from_outside_reaches_the_log(sim: Any, masked: MaskedStep) -> None:
    start(sim)
    masked(sim.still)
    sim.env._reset_idx(torch.tensor([4], dtype=torch.int32))
    expected = {name: float(value) for name, value in sim.env.extras["log"].items()}
    assert expected["Episode_Reward/body_pos"] > 0.0
    log = masked(sim.still)[4]["log"]
    assert {name: float(log[name]) for name in expected} == expected
    assert sim.command.steps.tolist() == [13] * 4 + [12] + [13] * 3


"""
Whoever looks on from outside.
"""


def test_both_steps_take_turns(sim: Any, masked: MaskedStep) -> None:
    turns = [masked, sim.env.step]

    def step(action: torch.Tensor) -> tuple:
        turns.reverse()
        return turns[0](action)

    compare(sim, step, lambda: start(sim), nothing, lambda: lift(sim, 1), nothing, lambda: lift(sim, 2), nothing)  # type: ignore[arg-type]


def test_what_is_returned_stays_as_it_was(sim: Any, masked: MaskedStep) -> None:
    start(sim, "walk")
    obs = masked(sim.still)[0]
    errors, reference, robot = sim.command.errors, sim.command.reference, sim.command.robot
    kept = [value.clone() for value in (*obs.values(), *errors, *reference, *robot)]
    masked(sim.still)
    for value, before in zip((*obs.values(), *errors, *reference, *robot), kept, strict=True):
        assert torch.equal(value, before)


def test_episode_lengths_are_set_in_place(sim: Any, masked: MaskedStep) -> None:
    place = sim.env.episode_length_buf.data_ptr()
    sim.env.episode_length_buf = torch.full((NUM,), sim.env.max_episode_length - 1)
    assert sim.env.episode_length_buf.data_ptr() == place
    assert masked(sim.still)[3].all()


def test_other_weights_and_noises_are_noticed(sim: Any, masked: MaskedStep) -> None:
    start(sim)
    for _ in range(2):
        masked(sim.still)
    known = masked._premises
    masked(sim.still)
    assert masked._premises is known
    cfg = sim.env.reward_manager.get_term_cfg("body_pos")
    cfg.weight *= 2.0
    try:
        masked(sim.still)
        assert masked._premises is not known
        assert sim.env.reward_manager._step_reward[:, 2].max() > 1.5
    finally:
        cfg.weight /= 2.0
    for change in (
        lambda: setattr(sim.command.source, "sampler", UniformSampler(sim.command.library.num_frames)),
        lambda: setattr(sim.env.reward_manager, "_reward_buf", sim.env.reward_manager._reward_buf.clone()),
    ):
        assert notices(sim, masked, change)


def notices(sim: Any, masked: MaskedStep, change: Callable[[], Any]) -> bool:
    """Return whether the step after a change knows of it."""
    masked(sim.still)
    known = masked._premises
    change()
    masked(sim.still)
    return masked._premises is not known


def test_new_configs_of_terms_are_noticed(sim: Any, masked: MaskedStep) -> None:
    start(sim)
    rewards, command = sim.env.reward_manager, sim.command
    kept, own = rewards.get_term_cfg("body_pos"), command.cfg
    observed, noise = sim.env.observation_manager._group_obs_term_cfgs["policy"][2], UniformNoiseCfg()
    time_out = sim.env.termination_manager.get_term_cfg("anchor_height")
    try:
        other = copy.copy(kept)
        other.weight = 0.0
        assert notices(sim, masked, lambda: rewards.set_term_cfg("body_pos", other))
        assert rewards._step_reward[:, 2].abs().max() == 0.0
        assert notices(sim, masked, lambda: setattr(command, "cfg", copy.copy(own)))
        assert notices(sim, masked, lambda: setattr(observed, "noise", noise))
        assert notices(sim, masked, lambda: setattr(noise, "n_min", -0.5))
        assert notices(sim, masked, lambda: setattr(time_out, "time_out", True))
        assert not notices(sim, masked, lambda: None)
    finally:
        rewards.set_term_cfg("body_pos", kept)
        command.cfg, observed.noise, time_out.time_out = own, None, False


def test_an_owner_at_the_address_of_another_is_noticed(sim: Any, masked: MaskedStep) -> None:
    """Python gives a new object the place of one that has just gone."""

    def another() -> None:
        sim.command.source.sampler = None
        sim.command.source.sampler = MaskableSampler(0, [10] * NUM)

    start(sim)
    assert all(notices(sim, masked, another) for _ in range(5))


def test_a_term_that_does_not_fit_gives_the_step_back(
    sim: Any, masked: MaskedStep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start(sim)
    env, kept = sim.env, sim.env.reward_manager.get_term_cfg("body_pos")
    other = copy.copy(kept)
    other.func = lambda env, **_: torch.ones(env.num_envs)
    monkeypatch.setattr(env, "_masked_step", masked)
    monkeypatch.setattr(env, "step_note", "")
    env.step(sim.still)
    assert env._masked_step is masked
    env.reward_manager.set_term_cfg("body_pos", other)
    try:
        with caplog.at_level(logging.WARNING):
            env.step(sim.still)
        assert env._masked_step is None and env.episode_length_buf.tolist() == [2] * NUM
        assert "reward 'body_pos' was not read for graphs" in caplog.text
        assert env.reward_manager._step_reward[0, 2] == kept.weight
        monkeypatch.setattr(env.cfg, "step_graph", "masked")
        monkeypatch.setattr(env, "_masked_step", MaskedStep(env, graphs=False))
        with pytest.raises(ValueError, match="step_graph=masked is not possible: reward 'body_pos' was not read"):
            env.step(sim.still)
    finally:
        env.reward_manager.set_term_cfg("body_pos", kept)


def test_forces_end_with_an_episode(sim: Any, masked: MaskedStep) -> None:
    start(sim)
    pull = torch.zeros(NUM, 1, 3)
    pull[..., 0] = 80.0
    composer = sim.robot.permanent_wrench_composer
    composer.set_forces_and_torques_index(forces=pull, torques=torch.zeros_like(pull), body_ids=[0])
    try:
        masked(sim.still)
        lift(sim, 1)
        ended = masked(sim.still)[2]
        assert ended.tolist() == [False, True, *[False] * (NUM - 2)]
        strength = wp.to_torch(composer._local_force_b)[:, 0].norm(dim=-1)
        assert strength[1] == 0.0 and strength[0] == 80.0
    finally:
        composer.reset()


def test_the_log_says_how_the_command_is_called(sim: Any, masked: MaskedStep) -> None:
    names = MaskedMotion("reference", sim.command, masked._robot).log_names()
    assert names[0].startswith("Metrics/reference/")
