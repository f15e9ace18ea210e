# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Smooth profiles over time; every one has continuous acceleration and starts and ends at rest."""

from __future__ import annotations

import numpy as np


def ramp(t: np.ndarray, start: float, end: float) -> np.ndarray:
    """Rise from 0 to 1 with least jerk between two times [s]; constant outside."""
    s = np.clip((t - start) / (end - start), 0.0, 1.0)
    return s**3 * (10.0 + s * (6.0 * s - 15.0))


def glide(t: np.ndarray, start: float, end: float, blend: float = 0.35) -> np.ndarray:
    """Rise from 0 to 1 between two times [s] with a speed that is constant between its smooth begin and end.

    Args:
        t: Times [s], shape (T,).
        start: Begin [s].
        end: End [s].
        blend: Share of the time in which the speed rises, and falls again, in (0, 0.5].
    """
    s = np.clip((t - start) / (end - start), 0.0, 1.0)

    def distance(x: np.ndarray) -> np.ndarray:
        """Integral of the least-jerk ramp from 0 to ``blend``, which then stays at one."""
        u = np.clip(x / blend, 0.0, 1.0)
        return blend * u**4 * (2.5 + u * (u - 3.0)) + np.clip(x - blend, 0.0, None)

    return (distance(s) - distance(s - (1.0 - blend))) / (1.0 - blend)


def hold(t: np.ndarray, start: float, up: float, down: float, end: float) -> np.ndarray:
    """Rise from 0 to 1 in [start, up], stay, and fall back in [down, end] [s]."""
    return ramp(t, start, up) - ramp(t, down, end)


def bump(t: np.ndarray, start: float, end: float) -> np.ndarray:
    """Rise from 0 to 1 at mid-time and fall back to 0 between two times [s]."""
    s = np.clip((t - start) / (end - start), 0.0, 1.0)
    return 64.0 * (s * (1.0 - s)) ** 3


def oscillation(t: np.ndarray, start: float, end: float, cycles: float, fade: float) -> np.ndarray:
    """Sine of unit amplitude between two times, faded in and out over ``fade`` seconds.

    Args:
        t: Times [s], shape (T,).
        start: Begin [s].
        end: End [s].
        cycles: Number of periods between the two.
        fade: Time over which the amplitude rises and falls [s].

    Returns:
        Values in [-1, 1], shape (T,).
    """
    phase = 2.0 * np.pi * cycles * (np.clip(t, start, end) - start) / (end - start)
    return hold(t, start, start + fade, end - fade, end) * np.sin(phase)
