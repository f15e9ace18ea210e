# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measuring a task: the error that all share, by hand; iterations and goals, with a stand-in that trains at once."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from isaac_tracking.launch.peers.job import PeerJob
from isaac_tracking.launch.peers.measure import ErrorMeter, OpenTask, measure, train_to_goal
from isaac_tracking.launch.peers.mjlab_task import body_distances
from isaac_tracking.launch.stopwatch import Clock


def test_error_is_a_mean_over_those_that_count():
    meter = ErrorMeter()
    assert not meter.due(4)
    meter.wanted = True
    assert [step for step in range(1, 9) if meter.due(step)] == [4, 8]
    distances = torch.tensor([[0.1, 0.3], [9.0, 9.0], [0.3, 0.5]])
    meter.record(distances, torch.tensor([True, False, True]))
    # Nobody counts in this step: 0, and no division by zero.
    meter.record(distances, torch.tensor([False, False, False]))
    assert meter.take() == pytest.approx((0.3 + 0.0) / 2)
    assert math.isnan(meter.take())


def test_distances_forgive_place_and_heading_but_not_height():
    """The robot stands elsewhere and looks along y: only its hand is 0.1 m off, and all is 0.2 m too high."""
    half = math.sqrt(0.5)
    command = SimpleNamespace(
        motion_anchor_body_index=0,
        body_pos_w=torch.tensor([[[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]]),
        body_quat_w=torch.tensor([[[1.0, 0.0, 0.0, 0.0]] * 2]),
        robot_body_pos_w=torch.tensor([[[5.0, 7.0, 1.0], [5.0, 8.1, 1.0]]]),
        robot_body_quat_w=torch.tensor([[[half, 0.0, 0.0, half]] * 2]),
    )
    torch.testing.assert_close(body_distances(command), torch.tensor([[0.0, 0.1]]), atol=1e-5, rtol=0.0)
    command.robot_body_pos_w = command.robot_body_pos_w + torch.tensor([0.0, 0.0, 0.2])
    torch.testing.assert_close(body_distances(command), torch.tensor([[0.2, math.hypot(0.1, 0.2)]]))


class StandIn:
    """A task whose error is 0.1 m in the first iteration, and 1 cm less in each one after it."""

    def __init__(self) -> None:
        self.num_envs, self.step_dt = 4, 0.02
        self.episode_length_buf = torch.full((4,), 50)
        self.reset_buf = torch.tensor([True, False, False, False])
        self.steps = self.iterations = 0
        self.meter = ErrorMeter()
        self.alg = SimpleNamespace(update=self.update)
        self.cfg = {"num_steps_per_env": 24}

    def reset(self) -> None:
        self.steps = 0

    def step(self, actions: torch.Tensor) -> None:
        assert actions.shape == (4, 3)
        self.steps += 1

    def update(self) -> str:
        error = max(0.1 - 0.01 * self.iterations, 0.0)
        self.meter.record(torch.full((4, 2), error), torch.ones(4, dtype=torch.bool))
        self.iterations += 1
        return "loss"

    def learn(self, iterations: int, init_at_random_ep_len: bool) -> None:
        assert init_at_random_ep_len
        for _ in range(iterations):
            assert self.alg.update() == "loss"

    def opened(self) -> OpenTask:
        return OpenTask(self, 3, lambda: self, True, self.meter, lambda: self.reset_buf, {"mass": 1.0})


def job(**changes: Any) -> PeerJob:
    return PeerJob("mjlab", (), "", (), "cpu", 4, 0, steps=5, iterations=3, **changes)


def test_speed_of_a_task():
    task = StandIn()
    row = measure(job(), task.opened())
    # Two iterations and 50 steps go before.
    assert task.iterations == 5 and task.steps == 55
    assert row["who"] == "mjlab" and row["mass"] == 1.0 and row["resets_per_step"] == 1.0
    assert row["steps_per_second"] == pytest.approx(1000 * 4 / row["step"]["mean"])
    assert row["trained_per_second"] == pytest.approx(1000 * 4 * 24 / row["iteration"]["mean"])


def test_training_ends_below_the_goal():
    # The mean over 10 iterations is 5.5 cm after the first ten, then 4.5 cm.
    result = train_to_goal(StandIn().opened(), 0.05, 100.0, Clock("cpu"))
    assert result["reached"] and result["iterations"] == 11 and result["error"] == pytest.approx(0.045)
    assert [error for _, error in result["curve"]][:2] == [0.1, 0.09] and result["episode"] == 1.0


def test_training_ends_at_the_time_limit():
    row = measure(job(goal=-1.0, time_limit=1e-9), StandIn().opened())
    assert not row["reached"] and row["iterations"] == 1 and row["seconds"] > 0.0
