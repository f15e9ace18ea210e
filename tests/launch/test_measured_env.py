# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The bare physics really goes the way of the full step."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from isaac_tracking.launch import measured_env
from isaac_tracking.launch.measured_env import read_states, replay_physics, visit_steps, write_states
from isaac_tracking.launch.stopwatch import Clock

pytestmark = pytest.mark.slow

CLOCK = Clock("cpu")


@pytest.fixture
def actions(sim: Any) -> torch.Tensor:
    return torch.randn(3, *sim.still.shape, generator=torch.Generator().manual_seed(0))


def far(a: Any, b: Any) -> float:
    """Largest difference between two states of the robot's joints [rad]."""
    return float((a["robot"].joint_pos - b["robot"].joint_pos).abs().max())


def test_a_state_that_was_read_can_be_written(sim: Any, actions: torch.Tensor):
    sim.start("walk")
    before = read_states(sim.env)
    with torch.inference_mode():
        sim.env.step(actions[0])
        assert far(read_states(sim.env), before) > 0.01
        write_states(sim.env, before)
    after = read_states(sim.env)
    for now, then in zip(after["robot"], before["robot"], strict=True):
        assert torch.allclose(now, then, atol=1e-5)


def test_replayed_physics_ends_where_the_next_step_began(sim: Any, actions: torch.Tensor):
    sim.start("walk")
    times, visits = visit_steps(sim.env, actions, 4, CLOCK)
    assert len(times) == len(visits) == 4 and min(times) > 0.0
    assert all(torch.equal(visit.actions, actions[index]) for index, visit in enumerate(visits[:3]))
    replayed = replay_physics(sim.env, visits[:1], CLOCK)
    assert len(replayed) == 1 and replayed[0] > 0.0
    # Within what the solver's start from the last solution is worth, against a way of some 0.1 rad.
    way = far(visits[0].states, visits[1].states)
    assert far(read_states(sim.env), visits[1].states) < 0.02 * way


def test_no_more_states_than_there_is_memory_for(sim: Any, actions: torch.Tensor, monkeypatch: pytest.MonkeyPatch):
    sim.start("walk")
    state = read_states(sim.env)["robot"]
    monkeypatch.setattr(measured_env, "_MOST_BYTES", 2 * sum(part.nbytes for part in state) + 1)
    times, visits = visit_steps(sim.env, actions, 3, CLOCK)
    assert (len(times), len(visits)) == (3, 2)
