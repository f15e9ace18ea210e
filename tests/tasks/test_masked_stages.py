# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The step by masks of the stages' tasks: histories, actions that arrive late, and what touches the feet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from isaaclab.envs import mdp as isaac_lab
from isaaclab.managers import EventManager, EventTermCfg
from two_steps import NUM, become_a_stage, break_joints, compare, lift, nothing, start

from isaac_tracking.tasks.graphs.masked_step import MaskedStep

pytestmark = pytest.mark.slow

PATH = "env.actions.joint_pos"
SAME_DELAY = f"{PATH}.delay=[2,2]"
"""A range without width, so that nothing is random."""


@pytest.fixture
def stage(sim: Any) -> Iterator[Callable[..., MaskedStep]]:
    """Make the step by masks of the shared environment as a stage; overrides are those of the task."""
    env = sim.env
    managers = env.action_manager, env.observation_manager, env.event_manager
    sim.command.cfg.reset_noise = None

    def make(*overrides: str) -> MaskedStep:
        become_a_stage(sim, *overrides)
        return MaskedStep(env, graphs=False)

    yield make
    env.action_manager, env.observation_manager, env.event_manager = managers
    sim.command._link_velocities = None


def push_always(sim: Any) -> None:
    """Push all robots alike, after two steps and again after two."""
    axes = dict.fromkeys(("x", "y", "yaw"), (0.3, 0.3))
    push = EventTermCfg(
        func=isaac_lab.push_by_setting_velocity,
        mode="interval",
        interval_range_s=(0.04, 0.04),
        params={"velocity_range": axes},
    )
    sim.env.event_manager = EventManager({"push": push}, sim.env)


@pytest.mark.parametrize("action", ["default", "reference_action"])
def test_episodes_end_and_robots_are_pushed(sim: Any, stage: Callable[..., MaskedStep], action: str) -> None:
    step = stage(SAME_DELAY, *([f"presets={action}"] if action != "default" else []))
    push_always(sim)

    def begin() -> None:
        sim.env.event_manager._interval_term_time_left[0].fill_(0.04)
        start(sim, "walk", list(range(20, 28)))

    events = [nothing, nothing, lambda: lift(sim, 2), nothing, lambda: break_joints(sim, 5), nothing, nothing]
    found = compare(sim, step, begin, *events)
    assert [each["reset"].nonzero().flatten().tolist() for each in found] == [[], [], [2], [], [5], [], []]
    # Both were pushed, and the others too.
    speed = torch.stack([each["root_link_vel_w"][:, 0] for each in found]).diff(dim=0)
    assert (speed[0, [0, 1, 3, 4]] > 0.2).all()
    # The newest action at the end, and zeros from before the episode; action n is 0.02 n.
    actions = found[4]["obs/policy"][:, -87:].unflatten(1, (3, 29))[..., 0]
    assert torch.allclose(actions[0], torch.tensor([0.04, 0.06, 0.08]))
    assert torch.allclose(actions[2], torch.tensor([0.0, 0.06, 0.08]))
    assert not actions[5].any()
    # A new episode's joints are all the history it has.
    joints = found[2]["obs/policy"][2, -87 - 174 : -87].unflatten(0, (6, 29))
    assert torch.equal(joints, joints[:1].expand(6, 29))
    assert found[2]["path/boot"].tolist() == pytest.approx([0.5, 0.5, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5])
    # In the first of four physics steps an action is late by a whole control step, in the third it is there.
    assert found[0]["path/_ages"].unique(dim=1).flatten().tolist() == [1, 1, 0, 0]


def test_delays_grow_with_the_training(sim: Any, stage: Callable[..., MaskedStep]) -> None:
    """All begin anew at once, so that both steps draw as often, in the same order: the same random numbers."""
    step = stage(f"{PATH}.delay=[0,6]", f"{PATH}.smoothing=[0.5,0.9]")
    action = sim.env.action_manager.get_term("joint_pos")

    def begin() -> None:
        action.progress = 0.0
        start(sim)

    def lose_all(progress: float) -> None:
        action.progress = progress
        # A step by masks draws where nobody starts, too.
        torch.manual_seed(round(10 * progress))
        lift(sim, *range(NUM))

    events = [nothing, lambda: lose_all(0.4), nothing, nothing, lambda: lose_all(1.0), nothing, nothing]
    found = compare(sim, step, begin, *events)
    oldest = [each["path/_ages"][0].max().item() for each in found]
    # No delay at the beginning; up to 3 physics steps, which is one control step, in the midst; up to 6 at the end.
    assert oldest == [0, 1, 1, 1, 2, 2, 2]
    weights = torch.stack([each["path/_weight"][:, 0] for each in found])
    assert ((weights >= 0.5) & (weights <= 0.9)).all()
    assert (weights[1] == weights[3]).all()
    assert (weights[4] != weights[3]).any()


def test_a_mask_draws_only_where_it_says(sim: Any, stage: Callable[..., MaskedStep]) -> None:
    stage(f"{PATH}.delay=[0,6]", f"{PATH}.smoothing=[0.5,0.9]")
    action = sim.env.action_manager.get_term("joint_pos")
    before = action._ages.clone(), action._weight.clone()
    mask = torch.zeros(NUM, dtype=torch.bool)
    mask[[1, 4]] = True
    others, delays, weights = ~mask, [], []
    for _ in range(40):
        action.reset(mask)
        assert torch.equal(action._ages[:, others], before[0][:, others])
        assert torch.equal(action._weight[others], before[1][others])
        delays.append(action._ages[:, mask])
        weights.append(action._weight[mask])
    # With 80 draws each of the seven delays comes, and the weights fill their range.
    assert {tuple(column) for draw in delays for column in draw.T.tolist()} == {
        *((0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1), (2, 1, 1, 1), (2, 2, 1, 1)),
    }
    drawn = torch.cat(weights)
    assert 0.5 <= drawn.min() < 0.55
    assert 0.85 < drawn.max() <= 0.9


def test_feet_on_the_ground(sim: Any, stage: Callable[..., MaskedStep]) -> None:
    step = stage(SAME_DELAY)
    quiet = [nothing] * 11
    found = compare(sim, step, lambda: start(sim), *quiet, lambda: lift(sim, 6), nothing)
    feet = torch.stack([each["obs/priv"][:, -2:] for each in found])
    assert feet[10].all()
    torques = found[11]["obs/priv"][:, -31:-2]
    assert not torques[6].any()
    assert (torques[:6].abs().amax(dim=-1) > 1.0).all()


def test_both_steps_take_turns(sim: Any, stage: Callable[..., MaskedStep]) -> None:
    masked = stage(SAME_DELAY)
    turns = [masked, sim.env.step]

    def step(action: torch.Tensor) -> tuple:
        turns.reverse()
        return turns[0](action)

    events = [nothing, lambda: lift(sim, 1), nothing, lambda: lift(sim, 2), lambda: lift(sim, 3), nothing]
    found = compare(sim, step, lambda: start(sim), *events)
    assert [each["reset"].sum().item() for each in found] == [0, 1, 0, 1, 1, 0]


def test_where_memory_lies_and_what_is_late_is_watched(sim: Any, stage: Callable[..., MaskedStep]) -> None:
    step = stage(SAME_DELAY)
    action = sim.env.action_manager.get_term("joint_pos")
    history = sim.env.observation_manager._group_obs_term_history_buffer["policy"]["joint_pos"]
    start(sim)
    for _ in range(2):
        step(sim.still)
    known = step._premises
    action.progress = 0.3
    step(sim.still)
    assert step._premises is known
    ahead = sim.command.cfg.future_steps
    try:
        for change in (
            lambda: setattr(history, "_buffer", history._buffer.clone()),
            lambda: setattr(action, "_ages", action._ages.clone()),
            lambda: setattr(sim.command.cfg, "future_steps", (0, 1, 2, 3, 4)),
        ):
            step(sim.still)
            known = step._premises
            change()
            step(sim.still)
            assert step._premises is not known
    finally:
        sim.command.cfg.future_steps = ahead
