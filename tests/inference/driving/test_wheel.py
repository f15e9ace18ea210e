# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One browser drives at a time, within the trained commands, and a robot that nobody minds rests."""

from __future__ import annotations

import math

import pytest

from isaac_tracking.inference.driving.wheel import Wheel
from isaac_tracking.inference.velocity.commands import Command, CommandRange

LIMITS = CommandRange((-0.5, 1.0), (0.0, 0.0), (-1.5, 1.5))
REST = Command(0.0, 0.0, 0.0)
AHEAD = Command(0.5, 0.0, 0.1)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_comes_first_drives_and_others_are_refused():
    wheel = Wheel(LIMITS)
    assert wheel.look() == (None, REST)
    assert wheel.steer(1, AHEAD) and wheel.look() == (1, AHEAD)
    assert not wheel.steer(2, Command(1.0, 0.0, 0.0)) and not wheel.stop(2) and not wheel.steer_axis(2, "x", 0.0)
    assert wheel.look() == (1, AHEAD)
    assert wheel.steer_axis(1, "yaw", -0.4) and wheel.command == Command(0.5, 0.0, -0.4)
    assert wheel.stop(1) and wheel.look() == (1, REST)


def test_keys_that_are_let_go_do_not_take_the_wheel():
    wheel = Wheel(LIMITS)
    assert not wheel.steer(1, REST) and not wheel.stop(1) and wheel.driver is None


def test_who_took_the_wheel_last_drives_and_the_robot_rests_first():
    wheel = Wheel(LIMITS)
    wheel.steer(1, AHEAD)
    wheel.take(2)
    assert wheel.look() == (2, REST) and not wheel.steer(1, AHEAD)
    wheel.steer(2, AHEAD)
    wheel.take(2)  # a second press of the button changes nothing
    assert wheel.look() == (2, AHEAD)


def test_a_driver_who_leaves_stops_the_robot_and_anybody_else_does_not():
    wheel = Wheel(LIMITS)
    wheel.steer(1, AHEAD)
    wheel.leave(2)
    assert wheel.look() == (1, AHEAD)
    wheel.leave(1)
    assert wheel.look() == (None, REST) and wheel.steer(2, AHEAD)


def test_a_driver_who_falls_silent_stops_the_robot():
    clock = Clock()
    wheel = Wheel(LIMITS, patience=3.0, clock=clock)
    wheel.steer(1, AHEAD)
    for clock.now in (2.0, 4.0, 6.0):
        wheel.hear(1)
        assert wheel.look() == (1, AHEAD)
    clock.now = 9.5
    wheel.hear(2)  # another's word does not count
    assert wheel.look() == (None, REST)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (Command(3.0, 0.3, -9.0), Command(1.0, 0.0, -1.5)),
        (Command(-3.0, -0.3, 9.0), Command(-0.5, 0.0, 1.5)),
        (Command(0.25, 0.0, 0.5), Command(0.25, 0.0, 0.5)),
    ],
)
def test_commands_stay_in_the_trained_range(asked: Command, given: Command):
    wheel = Wheel(LIMITS)
    assert wheel.steer(1, asked) and wheel.command == given


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float):
    wheel = Wheel(LIMITS)
    wheel.steer(1, AHEAD)
    assert not wheel.steer(1, Command(0.0, 0.0, value)) and wheel.look() == (1, AHEAD)


def test_a_robot_that_never_stood_rests_at_its_slowest_and_a_fall_stops_it():
    wheel = Wheel(CommandRange((0.3, 1.0), (-0.2, 0.2), (-1.0, -0.5)))
    assert wheel.rest == wheel.command == Command(0.3, 0.0, -0.5)
    wheel.steer(1, Command(1.0, 0.0, -0.5))
    wheel.halt()
    assert wheel.look() == (1, wheel.rest)
