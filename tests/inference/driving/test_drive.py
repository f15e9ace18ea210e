# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The simulation goes in real time, with the command that the wheel has, and falls stop it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from toy_robot import LIMITS, Drive, ToyRobot

from isaac_tracking.inference.driving.drive import drive
from isaac_tracking.inference.driving.state import DrivingState
from isaac_tracking.inference.driving.wheel import Wheel
from isaac_tracking.inference.velocity.commands import Command
from patience import wait_for


def test_it_walks_in_real_time_as_it_is_told():
    with Drive(ToyRobot()) as driven:
        wait_for(lambda: len(driven.robot.commands) > 5)
        driven.wheel.steer(1, Command(0.5, 0.0, 0.0))
        # 1 m at 0.5 m/s.
        wait_for(lambda: driven.robot.x > 1.0)
        wait_for(lambda: driven.state.moment.velocity.x == 0.5)
        wait_for(lambda: driven.state.share > 0.9)
        assert driven.state.moment.pose[0, 0] == pytest.approx(driven.robot.x, abs=0.1)
        driven.wheel.leave(1)
        wait_for(lambda: driven.robot.commands[-1] == Command(0.0, 0.0, 0.0))
        assert driven.reasons == [] and driven.state.restarts == 0


def test_a_fall_puts_it_back_and_it_stays_there():
    robot = ToyRobot(falls_at=0.05)
    wheel, state = Wheel(LIMITS), DrivingState(robot.restart())
    wheel.steer(1, Command(1.0, 0.0, 0.0))
    reason = next(drive(robot, wheel, state))
    # 0.02 m a step; the third is beyond 0.05 m.
    assert reason == "it fell (base_contact)" == state.reason and len(robot.commands) == 3
    assert state.restarts == 1 and state.moment.pose[0, 0] == 0.0
    assert wheel.look() == (1, Command(0.0, 0.0, 0.0))


def test_a_restart_that_was_asked_for_happens_once():
    robot = ToyRobot()
    wheel, state = Wheel(LIMITS), DrivingState(robot.restart())
    wheel.steer(1, Command(1.0, 0.0, 0.0))
    robot.x = 5.0
    state.ask_restart()
    steps = drive(robot, wheel, state)
    assert next(steps) == "as asked" and robot.x == 0.0 and wheel.command == wheel.rest
    assert not state.take_restart() and state.restarts == 1


def test_a_slow_simulation_says_so_and_leaves_steps_out():
    robot = ToyRobot()
    clock = itertools.count(0.0, 0.02)  # time goes on by itself: each look at it takes as long as a step should
    wheel, state = Wheel(LIMITS), DrivingState(robot.restart())
    step = robot.step

    def watched(command: Command):
        if state.share < 1.0:
            state.ask_restart()
        return step(command)

    robot.step = watched  # type: ignore[method-assign]
    assert next(drive(robot, wheel, state, lambda: next(clock))) == "as asked"
    assert 0.1 < state.share < 0.6 and np.isfinite(state.moment.pose).all()
