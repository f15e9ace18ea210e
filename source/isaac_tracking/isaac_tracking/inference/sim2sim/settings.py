# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How the other simulator differs from the policy's own, and when an episode there has failed."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np

from ...motion.errors import TrackingErrors


@dataclass(frozen=True)
class Mismatch:
    """What is changed against what the policy's file and the MJCF say; the defaults change nothing.

    Raises:
        ValueError: On construction, if a value makes no sense.
    """

    friction: float | None = None
    """Sliding friction of all of the robot's shapes with the ground [-]; the MJCF's if None."""

    mass_scale: float = 1.0
    """Factor on mass and inertia of every body [-]."""

    delay: int = 0
    """Physics steps by which joint targets come late."""

    gain_scale: float = 1.0
    """Factor on stiffness and damping of every joint [-]; effort limits stay."""

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        if self.friction is not None and not 0.0 <= self.friction <= 10.0:
            raise ValueError(f"friction {self.friction:g} must be from 0 to 10")
        if not 0.1 <= self.mass_scale <= 10.0:
            raise ValueError(f"mass-scale {self.mass_scale:g} must be from 0.1 to 10")
        if not 0 <= self.delay <= 100:
            raise ValueError(f"delay {self.delay} must be from 0 to 100 physics steps")
        if not 0.0 < self.gain_scale <= 10.0:
            raise ValueError(f"gain-scale {self.gain_scale:g} must be above 0 and at most 10")


def reseed(rng: np.random.Generator | None, *key: int | str) -> None:
    """Let random numbers begin anew by a key alone, so that an episode can be repeated without those before it.

    Args:
        rng: Their source, changed in place; nothing happens without one.
        key: Numbers from 0 and names, e.g. the seed and the clip's.
    """
    if rng is not None:
        numbers = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
        rng.bit_generator.state = np.random.default_rng(numbers).bit_generator.state


class Pushes:
    """Sudden changes of the root's velocity, one after another, each in a horizontal direction of its own.

    Args:
        speed: Length of each change [m/s].
        rng: Source of times and directions.
        interval: Shortest and longest time between two [s].

    Raises:
        ValueError: If the speed makes no sense.
    """

    def __init__(self, speed: float, rng: np.random.Generator, interval: tuple[float, float] = (2.0, 4.0)) -> None:
        if not 0.0 < speed <= 10.0:
            raise ValueError(f"push {speed:g} must be above 0 and at most 10 m/s")
        self._speed, self._rng, self._interval = speed, rng, interval
        self.reset()

    def reset(self) -> None:
        """Begin an episode: the first push is a while away."""
        self._left = self._rng.uniform(*self._interval)

    def next(self, elapsed: float) -> np.ndarray:
        """Return the change of velocity that is due, zeros most of the time [m/s], shape (2,).

        Args:
            elapsed: Time since the last call [s].
        """
        self._left -= elapsed
        if self._left > 0.0:
            return np.zeros(2)
        self._left += self._rng.uniform(*self._interval)
        direction = self._rng.uniform(-math.pi, math.pi)
        return self._speed * np.array([math.cos(direction), math.sin(direction)])


@dataclass(frozen=True)
class Limits:
    """When an episode has failed: the terminations of the play task (``tasks/tracking/tracking_env_cfg.py``)."""

    end_effectors: tuple[str, ...]
    """Tracked bodies that must not be lost: feet and hands."""

    anchor_height: float = 0.25
    """Difference of the anchors' heights [m]."""

    anchor_tilt: float = 0.8
    """Difference of the vertical components of gravity in the anchors' frames [-]."""

    end_effector_height: float = 0.25
    """Difference of an end effector's height from the relative reference [m]."""

    def failure(self, errors: TrackingErrors, end_effector_ids: list[int]) -> str | None:
        """Return the name of the task's termination that fires, or None.

        Args:
            errors: Errors of one instant.
            end_effector_ids: Indices of the end effectors among the tracked bodies.
        """
        if float(errors.anchor_height) > self.anchor_height:
            return "anchor_height"
        if float(errors.anchor_tilt) > self.anchor_tilt:
            return "anchor_tilt"
        if float(errors.body_height[:, end_effector_ids].max()) > self.end_effector_height:
            return "end_effector_height"
        return None
