# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a driver holds in a browser, keys and sticks, and the command that it means."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from ..velocity.commands import Command, CommandRange

KEYS: dict[str, tuple[int, float]] = {
    "KeyW": (0, 1.0),
    "ArrowUp": (0, 1.0),
    "KeyS": (0, -1.0),
    "ArrowDown": (0, -1.0),
    "KeyA": (1, 1.0),
    "ArrowLeft": (1, 1.0),
    "KeyD": (1, -1.0),
    "ArrowRight": (1, -1.0),
    "KeyQ": (2, 1.0),
    "KeyE": (2, -1.0),
}
"""Axis of the command and direction of each key, by its place on the keyboard (the browser's ``event.code``)."""

STOP_KEY = "Space"
"""The key that stops."""

FAST_KEYS = ("ShiftLeft", "ShiftRight")
"""Keys with which the others mean the fastest trained command."""

_STICKS = ((1, -1.0), (0, -1.0), (2, -1.0))
"""Axis of the gamepad (standard layout: left stick, then right stick) and sign for x, y and yaw of the command."""

_DEAD_ZONE = 0.15
"""Part of a stick's way that means nothing: sticks do not come back to the middle exactly."""

_LONGEST = 1000
"""Characters of a message at most."""


@dataclass(frozen=True)
class Hands:
    """What a driver holds at one moment."""

    keys: frozenset[str] = frozenset()
    """Keys that are down."""

    sticks: tuple[float, ...] = ()
    """Axes of the gamepad, from -1 to 1, to the right and down; empty without one."""

    stops: int = 0
    """How often the driver has asked to stop, since the page was opened."""

    @classmethod
    def read(cls, text: str) -> Hands | None:
        """Read what the page's script sends, a JSON object; ``None`` if it is nothing of that kind."""
        if len(text) > _LONGEST:
            return None
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(message, dict):
            return None
        keys, sticks, stops = (message.get(name) for name in ("keys", "sticks", "stops"))
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            return None
        if not isinstance(sticks, list) or not all(map(_is_number, sticks)):
            return None
        if not isinstance(stops, int):
            return None
        return cls(frozenset(keys), tuple(float(value) for value in sticks), stops)

    def command(self, limits: CommandRange, pace: float) -> Command:
        """Return the command that is meant.

        Args:
            limits: The trained commands.
            pace: Part of them that keys alone mean, from 0 to 1; a stick goes all the way.
        """
        pace = 1.0 if self.keys & set(FAST_KEYS) else pace
        shares = [0.0, 0.0, 0.0]
        for axis, direction in {KEYS[key] for key in self.keys if key in KEYS}:
            shares[axis] += pace * direction
        for axis, (stick, sign) in enumerate(_STICKS):
            if stick < len(self.sticks):
                shares[axis] += sign * _beyond_dead_zone(self.sticks[stick])
        shares = [min(max(share, -1.0), 1.0) for share in shares]
        parts = zip(shares, limits.axes, strict=True)
        # What leads away from a range that lies on one side of zero means nothing.
        return Command(
            *(share * max(high, 0.0) if share > 0 else -share * min(low, 0.0) for share, (low, high) in parts)
        )


def _of_range(share: float, bounds: tuple[float, float]) -> float:
    """Return a part of a range's way up or, below 0, down; a range that lies on the other side of zero has none."""
    low, high = bounds
    return share * max(high, 0.0) if share > 0.0 else -share * min(low, 0.0)


def _beyond_dead_zone(value: float) -> float:
    """Return a stick's value with the dead zone taken out of its middle."""
    return math.copysign(max(abs(value) - _DEAD_ZONE, 0.0) / (1.0 - _DEAD_ZONE), value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
