# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Who drives, and what the robot is to do: one browser at a time, within the trained commands, and never unattended."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from ..velocity.commands import Command, CommandRange

PATIENCE = 3.0
"""How long the robot goes on without a word from the browser that drives it [s]; each sends two a second."""


class Wheel:
    """The command and its driver. Every method may be called from any thread, and none waits for a browser."""

    def __init__(
        self, limits: CommandRange, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with a robot at rest and nobody who drives.

        Args:
            limits: The trained commands; others are brought to the nearest of them.
            patience: How long a driver may be silent [s].
            clock: Returns the time [s].
        """
        self.limits = limits
        """The trained commands."""
        self.rest = self._allowed(Command(0.0, 0.0, 0.0))
        """What a robot does that nobody drives: of the trained commands the one that is nearest to standing."""
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._driver: int | None = None
        self._command = self.rest
        self._heard = 0.0

    def look(self) -> tuple[int | None, Command]:
        """Return the browser that drives, if any, and what the robot is to do.

        The robot rests if its driver has fallen silent, who then no longer drives.
        """
        with self._lock:
            if self._driver is not None and self._clock() - self._heard > self._patience:
                self._give(None)
            return self._driver, self._command

    @property
    def driver(self) -> int | None:
        """The browser that drives, if any."""
        return self.look()[0]

    @property
    def command(self) -> Command:
        """What the robot is to do."""
        return self.look()[1]

    def take(self, client: int) -> None:
        """Give the wheel to a browser, whoever had it; the robot rests first."""
        with self._lock:
            if client != self._driver:
                self._give(client)
            self._heard = self._clock()

    def steer(self, client: int, command: Command) -> bool:
        """Set the command, and return whether this browser may; a wheel that nobody has is its own from then on.

        Args:
            client: The browser.
            command: The command; it becomes the nearest one that was trained.
        """
        return self._steer(client, lambda _: command)

    def steer_axis(self, client: int, axis: str, value: float) -> bool:
        """Set one part of the command, ``x``, ``y`` or ``yaw``; see :meth:`steer`."""
        return self._steer(client, lambda command: command._replace(**{axis: value}))

    def stop(self, client: int) -> bool:
        """Let the robot rest, and return whether this browser may say so."""
        return self.steer(client, self.rest)

    def halt(self) -> None:
        """Let the robot rest, whoever drives: it was put back to its start."""
        with self._lock:
            self._command = self.rest

    def hear(self, client: int) -> None:
        """Take note that a browser is still there."""
        with self._lock:
            if client == self._driver:
                self._heard = self._clock()

    def leave(self, client: int) -> None:
        """Take note that a browser has gone; if it drove, the robot rests."""
        with self._lock:
            if client == self._driver:
                self._give(None)

    def _steer(self, client: int, change: Callable[[Command], Command]) -> bool:
        with self._lock:
            command = change(self._command)
            if not all(math.isfinite(value) for value in command):
                return False
            wanted = self._allowed(command)
            if self._driver is None and wanted != self.rest:
                self._give(client)
            if client != self._driver:
                return False
            self._command, self._heard = wanted, self._clock()
            return True

    def _give(self, client: int | None) -> None:
        self._driver, self._command, self._heard = client, self.rest, self._clock()

    def _allowed(self, command: Command) -> Command:
        # Without the sign of a zero, which would be shown.
        pairs = zip(command, self.limits.axes, strict=True)
        return Command(*(min(max(value, low), high) + 0.0 for value, (low, high) in pairs))
