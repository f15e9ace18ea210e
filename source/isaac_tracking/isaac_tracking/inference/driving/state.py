# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the simulation says of itself to those who look, and the one thing that they may ask of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from .walker import Moment


@dataclass
class DrivingState:
    """Written by the simulation's thread and read by all others; each field is replaced, never changed in place."""

    moment: Moment
    """The latest instant."""

    share: float = 1.0
    """How much of real time the simulation goes."""

    restarts: int = 0
    """How often the robot was put back to its start."""

    reason: str = ""
    """Why it was the last time."""

    _asked: threading.Event = field(default_factory=threading.Event)

    def ask_restart(self) -> None:
        """Ask that the robot be put to its start."""
        self._asked.set()

    def take_restart(self) -> bool:
        """Return whether that was asked for since the last call."""
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    def restarted(self, moment: Moment, reason: str) -> None:
        """Take note that the robot is at its start again."""
        self.moment, self.reason = moment, reason
        self.restarts += 1
