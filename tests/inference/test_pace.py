# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Steps come when they are due."""

from __future__ import annotations

import time

import pytest

from isaac_tracking.inference.pace import Pace


class Clock:
    """A clock that goes on only by waiting and by work; waiting overshoots by a millisecond."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.001


def test_a_pace_does_not_drift():
    clock = Clock()
    pace = Pace(50.0, lambda: clock.now, clock.sleep)
    for number in pace.ticks():
        assert clock.now - 100.0 - number / 50.0 == pytest.approx(0.001 if number else 0.0, abs=1e-9)
        clock.now += 0.005  # work
        if number == 1000:
            break
    assert (pace.steps, pace.late, pace.skipped) == (1001, 0, 0) and pace.worst == pytest.approx(0.001)


def test_a_pace_catches_up_on_small_delays_and_leaves_out_after_great_ones():
    clock = Clock()
    pace = Pace(50.0, lambda: clock.now, clock.sleep)
    numbers = []
    for number in pace.ticks():
        numbers.append(number)
        if number == 10:
            clock.now += 0.1  # five steps
        if number == 20:
            clock.now += 1.0  # fifty
        if number >= 80:
            break
    assert numbers[:21] == list(range(21)) and 0 < pace.late <= 6
    assert numbers[21] == 70 and pace.skipped == 49
    assert clock.now - 100.0 == pytest.approx(numbers[-1] / 50.0, abs=0.002)


def test_a_pace_keeps_its_rate_on_the_wall():
    pace = Pace(100.0)
    before = time.monotonic()
    for number in pace.ticks():
        if number >= 100:
            break
    assert (time.monotonic() - before) == pytest.approx(1.0, rel=0.05)
