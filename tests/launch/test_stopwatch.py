# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Medians and spreads by hand, and watches that add up what happened in a step."""

from __future__ import annotations

import time

import pytest

from isaac_tracking.launch.stopwatch import Clock, Watches, sampled, spread


def test_spread_by_hand():
    # Linear between samples: the 10th percentile of eleven samples is the second.
    assert spread([float(value) for value in range(11)]) == {"median": 5.0, "p10": 1.0, "p90": 9.0, "mean": 5.0}
    assert spread([3.0]) == {"median": 3.0, "p10": 3.0, "p90": 3.0, "mean": 3.0}


def test_each_piece_is_a_sample():
    done = []
    times = sampled(lambda index: (done.append(index), time.sleep(0.01 * index))[0], 3, Clock("cpu"))
    assert done == [0, 1, 2] and len(times) == 3
    assert times[0] >= 0.0 and times[1] >= 10.0 and times[2] >= 20.0


class FakeClock(Clock):
    """A clock whose time a test moves [ms]."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.now = 0.0

    def mark(self) -> float:
        return self.now / 1000.0


class Robot:
    """Something that calls itself."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def outer(self) -> None:
        self.clock.now += 2.0
        self.inner()

    def inner(self) -> None:
        self.clock.now += 3.0


def test_parts_do_not_overlap_but_terms_count_wherever_they_are():
    clock = FakeClock()
    robot, watches = Robot(clock), Watches(clock)
    watches.attach("outer", robot, "outer", part=True)
    watches.attach("inner", robot, "inner", part=True)
    watches.attach("term", robot, "inner")

    def step() -> None:
        robot.outer()
        robot.inner()
        clock.now += 1.0

    watches.step(step)
    watches.step(step)
    medians = {name: value["median"] for name, value in watches.spreads().items()}
    assert medians == pytest.approx({"outer": 5.0, "inner": 3.0, "term": 6.0, "other": 1.0, "step": 9.0})


def test_what_never_happens_is_left_out_and_a_watched_call_is_still_itself():
    class Term:
        def __call__(self, value: int) -> int:
            return value + 1

        def reset(self) -> str:
            return "reset"

    class Config:
        func = Term()

    config, watches = Config(), Watches(Clock("cpu"))
    watches.attach("term", config, "func")
    watches.step(lambda: time.sleep(0.001))
    assert "term" not in watches.spreads()
    assert config.func(1) == 2 and config.func.reset() == "reset"
