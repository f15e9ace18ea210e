# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motion of a human skeleton: any tree of joints, forward kinematics, smoothing and resampling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, sosfiltfilt
from scipy.spatial.transform import Rotation

from ..clip import ClipError

_ORDER = 2
"""Order of the Butterworth filter in one direction; run forth and back it has no phase shift and twice the order."""


@dataclass(frozen=True, eq=False)
class HumanMotion:
    """T frames of a tree of J joints. At rest all rotations are the identity.

    Raises:
        ClipError: On construction, if a number is not finite or there are fewer than two frames.
    """

    name: str
    """Name of the motion."""

    fps: float
    """Frames per second [1/s]."""

    joint_names: tuple[str, ...]
    """Names of the joints; parents stand before their children."""

    parents: tuple[int, ...]
    """Index of each joint's parent; -1 for the root, which is the first."""

    offsets: np.ndarray
    """Positions of the joints in their parents' frames at rest [m], shape (J, 3)."""

    local_pos: np.ndarray
    """Positions in the parents' frames [m], shape (T, J, 3); the root's are in the world."""

    local_quat: np.ndarray
    """Orientations in the parents' frames, xyzw, shape (T, J, 4); the root's are in the world."""

    source: str = ""
    """File that the motion comes from."""

    history: tuple[str, ...] = ()
    """How the file was read, one sentence a step."""

    def __post_init__(self) -> None:
        """Refuse what forward kinematics cannot use."""
        if len(self.local_pos) < 2:
            raise ClipError(f"motion '{self.name}' has {len(self.local_pos)} frame; expected at least 2; record more")
        for what, array in (("position", self.local_pos), ("rotation", self.local_quat), ("offset", self.offsets)):
            if not np.isfinite(array).all():
                raise ClipError(f"motion '{self.name}' has a {what} that is no finite number; repair or cut the file")

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.local_pos)

    @cached_property
    def pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions [m], shape (T, J, 3), and orientations, xyzw, shape (T, J, 4), in the world, z up."""
        return global_pose(self.parents, self.local_pos, self.local_quat)

    @cached_property
    def rest(self) -> np.ndarray:
        """Positions of the joints when all rotations are the identity [m], shape (J, 3)."""
        rest = np.array(self.offsets, dtype=float)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                rest[joint] += rest[parent]
        return rest

    def smooth(self, cutoff: float) -> HumanMotion:
        """Return the motion without what is faster than ``cutoff`` [Hz]; no phase shift (Butterworth, both ways)."""
        if cutoff <= 0.0 or cutoff >= 0.45 * self.fps or self.num_frames < 8:
            return self
        sos = butter(_ORDER, cutoff, fs=self.fps, output="sos")
        # The default padding is a few samples; a third of a second keeps the ends from being pulled about.
        pad = min(self.num_frames - 1, max(12, int(self.fps / 3)))
        pos = sosfiltfilt(sos, self.local_pos, axis=0, padlen=pad)
        quat = _unit(sosfiltfilt(sos, continuous(self.local_quat), axis=0, padlen=pad))
        return replace(self, local_pos=pos, local_quat=quat)

    def resample(self, fps: float) -> HumanMotion:
        """Return the motion at another rate; cubic splines through the frames, so that speeds are continuous."""
        duration = (self.num_frames - 1) / self.fps
        # A hair's breadth of rounding must not cost the last frame.
        times = np.arange(int(duration * fps + 1e-6) + 1) / fps
        if len(times) < 2:
            raise ClipError(
                f"motion '{self.name}' lasts {duration:.3f} s; expected at least two frames at {fps:g} frames a second;"
                " record more"
            )
        if fps == self.fps:
            return self
        knots = np.arange(self.num_frames) / self.fps
        times = np.minimum(times, knots[-1])
        pos = CubicSpline(knots, self.local_pos)(times)
        quat = _unit(CubicSpline(knots, continuous(self.local_quat))(times))
        return replace(self, fps=fps, local_pos=pos, local_quat=quat)


def global_pose(
    parents: tuple[int, ...], local_pos: np.ndarray, local_quat: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return world positions (T, J, 3) and orientations (T, J, 4, xyzw) from those in the parents' frames."""
    pos = np.array(local_pos, dtype=float)
    turns: list[Rotation] = []
    for joint, parent in enumerate(parents):
        turn = Rotation.from_quat(local_quat[:, joint])
        if parent >= 0:
            pos[:, joint] = pos[:, parent] + turns[parent].apply(local_pos[:, joint])
            turn = turns[parent] * turn
        turns.append(turn)
    return pos, np.stack([turn.as_quat() for turn in turns], axis=1)


def continuous(quat: np.ndarray) -> np.ndarray:
    """Return the same rotations with signs that do not jump from frame to frame, shape (T, ..., 4)."""
    flips = np.where((quat[1:] * quat[:-1]).sum(-1, keepdims=True) < 0.0, -1.0, 1.0)
    return np.concatenate((quat[:1], quat[1:] * np.cumprod(flips, axis=0)))


def _unit(quat: np.ndarray) -> np.ndarray:
    return quat / np.linalg.norm(quat, axis=-1, keepdims=True).clip(1e-9)
