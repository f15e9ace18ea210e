# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Both halves of a step by masks survive being recorded once and repeated without their Python, as a CUDA graph does.

There is no CUDA graph here, but a tape; see ``taped_graph.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from isaaclab_newton.physics import NewtonManager
from two_steps import NUM, MaskableSampler, become_a_stage, break_joints, compare, lift, nothing, start

from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.settings import sampler_settings
from isaac_tracking.tasks.graphs import masked_step
from isaac_tracking.tasks.graphs.masked_step import MaskedStep
from isaac_tracking.tasks.tracking import mdp
from taped_graph import TapedGraph

pytestmark = pytest.mark.slow


class QuietSampler(MaskableSampler):
    """Remembers nothing: that is Python, and not repeated."""

    def note(self, *told: torch.Tensor) -> None:
        pass

    def count_step(self) -> None:
        pass


@pytest.fixture
def replayed(sim: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MaskedStep]:
    monkeypatch.setattr(masked_step, "Graph", TapedGraph)
    sim.command.cfg.reset_noise = None
    yield MaskedStep(sim.env, graphs=True)
    sim.command._link_velocities = None


@pytest.fixture
def replayed_stage(sim: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MaskedStep]]:
    """Make the step of the shared environment as a stage; overrides are those of the task."""
    monkeypatch.setattr(masked_step, "Graph", TapedGraph)
    sim.command.cfg.reset_noise = None
    managers = sim.env.action_manager, sim.env.observation_manager

    def make(*overrides: str) -> MaskedStep:
        become_a_stage(sim, *overrides)
        return MaskedStep(sim.env, graphs=True)

    yield make
    sim.env.action_manager, sim.env.observation_manager = managers
    sim.command._link_velocities = None


def begin(sim: Any, clip: str = "stand", steps: list[int] | None = None) -> QuietSampler:
    start(sim, clip)
    sampler = QuietSampler(sim.command.library.names.index(clip), steps or [10] * NUM)
    sim.command.source.sampler = sampler
    sim.env.reset()
    return sampler


def warm(step: MaskedStep, sim: Any) -> None:
    """Step until both halves are repeated."""
    begin(sim)
    for _ in range(6):
        step(sim.still)
    assert step.captured


def beginning(sim: Any, clip: str, steps: list[int]) -> Callable[[], QuietSampler]:
    """Return what resets everything, always with the same sampler: a tape knows it."""
    known = QuietSampler(sim.command.library.names.index(clip), steps)

    def again() -> QuietSampler:
        sim.command.source.sampler = known
        sim.env.reset()
        sim.env.termination_manager._last_episode_dones.zero_()
        return known

    return again


def test_a_replay_does_what_isaac_labs_step_does(sim: Any, replayed: MaskedStep) -> None:
    again = beginning(sim, "stand", [10] * NUM)

    again()
    for _ in range(6):
        replayed(sim.still)
    assert replayed.captured
    tape = replayed._measure._graph
    events = [nothing, lambda: lift(sim, 3), nothing, lambda: break_joints(sim, 5), lambda: lift(sim, *range(NUM))]
    found = compare(sim, replayed, again, *events, nothing, lambda: lift(sim, 0, 7), nothing)
    assert replayed._measure._graph is tape
    ended = [step["reset"].nonzero().flatten().tolist() for step in found]
    assert ended == [[], [3], [], [5], list(range(NUM)), [], [0, 7], []]
    # Isaac Lab would otherwise compute where bodies are in every step of the physics.
    assert not NewtonManager.transforms_may_change_on_graph_replay
    assert not NewtonManager.kinematics_dirty


def test_a_replay_draws_and_remembers(sim: Any, replayed: MaskedStep) -> None:
    """Noise, rewinds and evidence: the same random numbers when all start at once."""
    frames = sim.command.library.num_frames
    settings = sampler_settings("sonic", refresh_steps=3, rewind_probability=1.0)
    sim.command.cfg.reset_noise = mdp.ResetNoiseCfg()
    sampler = AdaptiveSampler(frames, 50.0, settings)
    blank = {name: value.clone() for name, value in sampler.state_dict().items() if isinstance(value, torch.Tensor)}

    def again() -> None:
        start(sim)
        sim.command.source.sampler = sampler
        torch.manual_seed(3)
        sampler.load_state_dict(blank | {"score": settings.score})
        if sampler._rewind._failed is not None:
            sampler._rewind._failed.zero_()
        if sampler._last is not None:
            sampler._last[3].fill_(True)
        sampler._steps_until_refresh = 3
        sim.env.reset()

    def lose_all() -> None:
        torch.manual_seed(4)
        lift(sim, *range(NUM))

    again()
    for _ in range(8):
        replayed(sim.still)
    assert replayed.captured
    found = compare(sim, replayed, again, nothing, lose_all, nothing, lose_all, nothing, nothing, lose_all)
    assert replayed.captured
    assert all(found[index]["terminated"].all() for index in (1, 3, 6))
    assert torch.equal(found[3]["clip_ids"], found[2]["clip_ids"])
    assert found[4]["Metrics/motion/sampling_entropy"] != found[1]["Metrics/motion/sampling_entropy"]


def test_a_replay_of_a_stage(sim: Any, replayed_stage: Callable[..., MaskedStep]) -> None:
    step = replayed_stage("env.actions.joint_pos.delay=[2,2]")
    again = beginning(sim, "walk", list(range(20, 28)))

    again()
    for _ in range(6):
        step(sim.still)
    tape = step._begin._graph
    events = [nothing, lambda: lift(sim, 3), nothing, lambda: break_joints(sim, 5), nothing, lambda: lift(sim, 0, 3)]
    # Somebody else begins one anew: its history is empty, and only the host knows.
    events += [nothing, lambda: sim.env._reset_idx(torch.tensor([1], dtype=torch.int32)), nothing, nothing]
    found = compare(sim, step, again, *events)
    assert tape is not None
    assert step._begin._graph is tape
    ended = [each["reset"].nonzero().flatten().tolist() for each in found]
    assert ended == [[], [3], [], [5], [], [0, 3], [], [], [], []]
    assert found[7]["pushes/0"].tolist() == [3, 1, 9, 3, 9, 5, 9, 9]


def test_a_replay_draws_delays_of_the_progress(sim: Any, replayed_stage: Callable[..., MaskedStep]) -> None:
    """The same random numbers when all start at once; how many delays there are is told between replays."""
    step = replayed_stage("env.actions.joint_pos.delay=[0,6]", "env.actions.joint_pos.smoothing=[0.5,0.9]")
    action = sim.env.action_manager.get_term("joint_pos")
    known = QuietSampler(sim.command.library.names.index("stand"), [10] * NUM)

    def again() -> None:
        action.progress = 0.0
        sim.command.source.sampler = known
        sim.env.reset()
        sim.env.termination_manager._last_episode_dones.zero_()

    def lose_all(progress: float) -> None:
        action.progress = progress
        torch.manual_seed(round(10 * progress))
        lift(sim, *range(NUM))

    again()
    for _ in range(6):
        step(sim.still)
    tape = step._begin._graph
    events = [nothing, lambda: lose_all(0.4), nothing, nothing, lambda: lose_all(1.0), nothing, nothing]
    found = compare(sim, step, again, *events)
    assert tape is not None
    assert step._begin._graph is tape
    assert [each["path/_ages"].max().item() for each in found] == [0, 1, 1, 1, 2, 2, 2]


def test_a_change_of_a_weight_is_recorded_anew(sim: Any, replayed: MaskedStep) -> None:
    warm(replayed, sim)
    cfg, place = sim.env.reward_manager.get_term_cfg("body_pos"), sim.env.reward_manager.active_terms.index("body_pos")
    before = sim.env.reward_manager._step_reward[:, place].clone()
    cfg.weight *= 3.0
    try:
        replayed(sim.still)
        assert not replayed.captured
        assert torch.allclose(sim.env.reward_manager._step_reward[:, place], 3.0 * before, rtol=0.05)
        for _ in range(4):
            replayed(sim.still)
        assert replayed.captured
        assert torch.allclose(sim.env.reward_manager._step_reward[:, place], 3.0 * before, rtol=0.05)
    finally:
        cfg.weight /= 3.0


def test_what_a_replay_returns_stays_as_it_was(sim: Any, replayed: MaskedStep) -> None:
    warm(replayed, sim)
    obs, _, _, _, extras = replayed(sim.still)
    errors, reference, robot = sim.command.errors, sim.command.reference, sim.command.robot
    mine = [*obs.values(), *extras["log"].values(), *errors, *reference, *robot]
    kept = [value.clone() for value in mine]
    lift(sim, 2)
    replayed(sim.still)
    assert all(torch.equal(value, before) for value, before in zip(mine, kept, strict=True))
    assert not torch.equal(sim.command.errors.body_pos, errors.body_pos)
