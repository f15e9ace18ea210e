# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The camera of a film: it follows the robot without shaking, and cuts where an episode begins."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FilmCamera:
    """Looks at the robot from in front and from its left, as it stood when the episode began."""

    distance: float = 2.75
    """Distance from the robot [m]."""

    azimuth: float = math.radians(38.0)
    """Where the camera stands, counted from the robot's heading to its left [rad]."""

    elevation: float = math.radians(13.0)
    """How far the camera looks down [rad]."""

    fov: float = math.radians(36.0)
    """Height of the field of view [rad]."""

    aim: float = -0.10
    """Height of the picture's middle over the robot's root [m]."""

    smooth_time: float = 0.4
    """Width of the low-pass on the root's path, one standard deviation [s]; a film is made afterwards, so no lag."""

    cut_speed: float = 15.0
    """A root that moves faster than this was set anew: the camera cuts [m/s]."""

    clearance: float = 0.15
    """How far uneven ground stays below the line from the camera to the robot [m]."""

    @classmethod
    def of_robot(cls, height: float) -> FilmCamera:
        """Return the camera for a robot whose root stands at a height [m]: the usual one, or nearer to a low robot."""
        tall = height > 0.6
        return cls() if tall else cls(distance=1.2 + 2.0 * height, elevation=math.radians(18.0), aim=-0.15 * height)

    def path(
        self,
        root_pos_w: np.ndarray,
        root_quat_w: np.ndarray,
        rate: float,
        heights: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return where the camera is and the point it looks at, in the world [m], both of shape (T, 3).

        Args:
            root_pos_w: What to follow in the world [m], shape (T, 3).
            root_quat_w: Its orientation in the world, xyzw, shape (T, 4).
            rate: Instants per second [Hz].
            heights: From points seen from above, shape (n, 2), to the ground's height there [m], shape (n,). The camera
                rises where the ground would hide the robot.
        """
        speed = np.linalg.norm(np.diff(root_pos_w, axis=0), axis=1) * rate
        starts = [0, *(np.flatnonzero(speed > self.cut_speed) + 1), len(root_pos_w)]
        target, offset = np.empty((len(root_pos_w), 3)), np.empty((len(root_pos_w), 3))
        for start, end in itertools.pairwise(starts):
            target[start:end] = _low_pass(root_pos_w[start:end], self.smooth_time * rate)
            angle = _heading(root_quat_w[start]) + self.azimuth
            flat = math.cos(self.elevation)
            offset[start:end] = flat * math.cos(angle), flat * math.sin(angle), math.sin(self.elevation)
        target[:, 2] += self.aim
        eye = target + self.distance * offset
        if heights is not None:
            lift = self._lift(eye, target, heights)
            for start, end in itertools.pairwise(starts):
                eye[start:end, 2] += _envelope(lift[start:end], self.smooth_time * rate)
        return eye, target

    def _lift(self, eye: np.ndarray, target: np.ndarray, heights: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return by how much the camera must rise for the robot to be seen [m], shape (T,)."""
        shares = np.linspace(0.25, 1.0, 12)[:, None]
        points = target[:, None] + shares * (eye - target)[:, None]
        ground = heights(points[..., :2].reshape(-1, 2)).reshape(points.shape[:2])
        lowest = target[:, 2:] + (ground + self.clearance - target[:, 2:]) / shares[:, 0]
        return np.maximum(lowest.max(axis=1) - eye[:, 2], 0.0)


def _low_pass(path: np.ndarray, width: float) -> np.ndarray:
    """Average each column with a bell of that many rows, going on at the ends as it went, shape (T, n)."""
    reach = math.ceil(3.0 * width)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-6)) ** 2)
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return np.stack([np.convolve(column, bell / bell.sum(), mode="valid") for column in padded.T], axis=1)


def _envelope(values: np.ndarray, width: float) -> np.ndarray:
    """Return a smooth curve that is nowhere below the values, or hardly, shape (T,)."""
    reach = math.ceil(2.0 * width)
    padded = np.pad(values, reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    return _low_pass(highest[:, None], width)[:, 0]


def _heading(quat: np.ndarray) -> float:
    """Return the direction of an xyzw quaternion's x axis on the ground [rad]."""
    x, y, z, w = quat
    return math.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))
