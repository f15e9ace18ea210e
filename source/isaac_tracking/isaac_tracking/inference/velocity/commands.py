# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The commands of an examination: a fixed grid over the trained range, and the direction in which each one leads."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

_SECTORS = (
    "forward", "forward left", "left", "backward left", "backward", "backward right", "right", "forward right",
)  # fmt: skip
"""Directions by the angle of the velocity, from 0 on in steps of 45 degrees."""

DIRECTIONS = ("stand", "turn left", "turn right", *_SECTORS)
"""All directions, in the order in which they are reported."""

DIRECTION_DEFINITION = (
    "Of a command with a linear velocity its direction in the base frame, to the nearest 45 degrees, whatever its yaw"
    " rate; of one without, 'turn left', 'turn right' or 'stand'."
)
"""What a direction is, in words."""

GRID_DEFINITION = (
    "Lowest, rest and highest value of each of x, y and yaw in all combinations, and besides on each of the three axes"
    " alone the two values halfway from rest; rest is the value of the trained range that is nearest to 0."
)
"""How the grid comes about, in words."""

_NOTHING = 1e-6


class Command(NamedTuple):
    """A velocity to follow, in the base frame."""

    x: float
    """Forward [m/s]."""
    y: float
    """To the left [m/s]."""
    yaw: float
    """Rate of turning, to the left [rad/s]."""

    @property
    def speed(self) -> float:
        """Length of the linear velocity [m/s]."""
        return math.hypot(self.x, self.y)

    @property
    def direction(self) -> str:
        """One of :data:`DIRECTIONS`."""
        if self.speed > _NOTHING:
            return _SECTORS[round(math.atan2(self.y, self.x) / (math.pi / 4)) % 8]
        if abs(self.yaw) > _NOTHING:
            return "turn left" if self.yaw > 0 else "turn right"
        return "stand"

    @property
    def is_straight(self) -> bool:
        """Whether it leads somewhere: a linear velocity, and no turning."""
        return self.speed > _NOTHING and abs(self.yaw) <= _NOTHING

    def __str__(self) -> str:
        """Return it as it is shown, e.g. ``x 1 y -0.5 yaw 0``."""
        return " ".join(f"{name} {value + 0.0:.3g}" for name, value in zip(self._fields, self, strict=True))


@dataclass(frozen=True)
class CommandRange:
    """The commands that a policy was trained for, each from the lowest to the highest value."""

    x: tuple[float, float]
    """Forward [m/s]."""
    y: tuple[float, float]
    """To the left [m/s]."""
    yaw: tuple[float, float]
    """Rate of turning [rad/s]."""

    @classmethod
    def of(cls, ranges: Any) -> CommandRange:
        """Take it from the ranges of Isaac Lab's ``UniformVelocityCommandCfg``."""
        names = "lin_vel_x", "lin_vel_y", "ang_vel_z"
        x, y, yaw = ((float(low), float(high)) for low, high in (getattr(ranges, name) for name in names))
        return cls(x, y, yaw)

    @property
    def axes(self) -> tuple[tuple[float, float], ...]:
        """The three ranges."""
        return self.x, self.y, self.yaw

    def check(self, command: Command) -> None:
        """Make sure that a command was trained.

        Raises:
            ValueError: If it was not, NaN included.
        """
        units = ("m/s forward", "m/s to the left", "rad/s of turning")
        for value, (low, high), unit in zip(command, self.axes, units, strict=True):
            # A range is written with few digits by people, and with many by float32.
            if not low - 1e-6 <= value <= high + 1e-6:
                raise ValueError(
                    f"{value:g} {unit} is outside the trained range; give a number from {low:g} to {high:g}"
                )

    def grid(self) -> list[Command]:
        """Return the commands of an examination, :data:`GRID_DEFINITION`, each once, in ascending order."""
        rest = [min(max(0.0, low), high) for low, high in self.axes]
        ends = [{low, middle, high} for middle, (low, high) in zip(rest, self.axes, strict=True)]
        found = set(itertools.product(*ends))
        for axis, bounds in enumerate(self.axes):
            for bound in bounds:
                half = list(rest)
                half[axis] = (rest[axis] + bound) / 2
                found.add(tuple(half))
        # Without the sign of a zero, which would be printed.
        return [Command(*(value + 0.0 for value in command)) for command in sorted(found)]
