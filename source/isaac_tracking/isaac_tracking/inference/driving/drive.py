# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The simulation's side of driving: steps in real time, with the command that the wheel has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ..pace import Pace
from .state import DrivingState
from .walker import Driven
from .wheel import Wheel

_WINDOW = 1.0
"""How often it is measured how fast the simulation goes [s]."""

ASKED = "as asked"
"""Reason of a restart that a browser asked for."""


def drive(
    robot: Driven, wheel: Wheel, state: DrivingState, clock: Callable[[], float] = time.monotonic
) -> Iterator[str]:
    """Step the robot in real time, without end, and yield why it was put back to its start whenever it was.

    Nothing here waits for a browser. Where the simulation is slower than real time, the robot is, too.

    Args:
        robot: What is driven, at its start.
        wheel: Who drives, and what.
        state: Takes what is to be seen.
        clock: Returns the time [s].
    """
    since, steps = clock(), 0
    for _ in Pace(robot.rate, clock).ticks():
        if state.take_restart():
            wheel.halt()
            state.restarted(robot.restart(), ASKED)
            yield ASKED
        moment = robot.step(wheel.command)
        if moment.outcome:
            # Whoever holds a key shall not send it off again at once.
            wheel.halt()
            reason = f"{'it fell' if moment.fell else 'it left the ground'} ({moment.outcome})"
            state.restarted(moment, reason)
            yield reason
        state.moment = moment
        steps += 1
        now = clock()
        if now - since >= _WINDOW:
            state.share = min(1.0, steps / ((now - since) * robot.rate))
            since, steps = now, 0
