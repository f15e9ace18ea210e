# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Real time: steps that come when they are due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SLACK = 0.25
"""Delay up to which steps are caught up on instead of being left out [s]."""


@dataclass
class Pace:
    """Steps at a constant rate that does not drift: each is due at its own time after the first, not after the last."""

    rate: float
    """Steps per second [Hz]."""

    clock: Callable[[], float] = time.monotonic
    """Returns the time [s]."""

    sleep: Callable[[float], None] = time.sleep
    """Waits for a time [s]."""

    steps: int = 0
    """Steps that were taken."""

    late: int = 0
    """Steps that came more than half a step after they were due."""

    skipped: int = 0
    """Steps left out because they would have come more than :data:`SLACK` late."""

    worst: float = 0.0
    """Greatest delay of a step that was taken [s]."""

    def ticks(self) -> Iterator[int]:
        """Yield 0, 1, 2, ... each at its time; numbers that are skipped are left out."""
        start, number = self.clock(), 0
        while True:
            wait = start + number / self.rate - self.clock()
            if wait > 0.0:
                self.sleep(wait)
            delay = self.clock() - start - number / self.rate
            if delay > max(SLACK, 1.0 / self.rate):
                missed = int(delay * self.rate)
                self.skipped += missed
                number += missed
                delay = self.clock() - start - number / self.rate
            self.steps += 1
            self.late += delay * self.rate > 0.5
            self.worst = max(self.worst, delay)
            yield number
            number += 1
