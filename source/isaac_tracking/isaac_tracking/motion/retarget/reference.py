# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How the human stands: the pose in which pelvis, torso and feet are straight, and with it their orientations.

The axes of joints mean something else in every skeleton. In a pose in which a person stands upright, each part's
orientation is known without them: upright, and turned to where its left-right axis or its toes point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .human import HumanMotion
from .skeleton import Skeleton

_UPRIGHT = 0.9
"""Least vertical component of the directions of thighs, shins and spine in a pose that counts as standing."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A standing pose of the human."""

    pos: np.ndarray
    """Positions of the joints [m], shape (J, 3)."""

    quat: np.ndarray
    """Orientations of the joints, xyzw, shape (J, 4)."""

    is_rest: bool
    """Whether it is the skeleton's own rest pose, not a frame of the motion."""

    frame: int
    """Frame of the motion; 0 for the rest pose."""


def find_reference(motion: HumanMotion, skeleton: Skeleton) -> Reference:
    """Return the rest pose if it stands, or else the frame in which the person stands most upright."""
    rest = motion.rest
    still = np.tile([0.0, 0.0, 0.0, 1.0], (len(rest), 1))
    if _uprightness(rest[None], skeleton)[0] >= _UPRIGHT:
        return Reference(rest, still, True, 0)
    pos, quat = motion.pose
    frame = int(np.argmax(_uprightness(pos, skeleton)))
    return Reference(pos[frame], quat[frame], False, frame)


def _uprightness(pos: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return the least vertical component of thighs, shins and spine, shape (T,)."""
    lines = [
        (skeleton.pelvis, skeleton.head if skeleton.head != skeleton.pelvis else skeleton.chest),
        *((knee, hip) for knee, hip in zip(skeleton.knee, skeleton.hip, strict=True)),
        *((ankle, knee) for ankle, knee in zip(skeleton.ankle, skeleton.knee, strict=True)),
    ]
    ways = np.stack([pos[:, high] - pos[:, low] for low, high in lines], axis=1)
    return (ways[..., 2] / np.linalg.norm(ways, axis=-1).clip(1e-9)).min(axis=1)


@dataclass(frozen=True, eq=False)
class PartOrientations:
    """Orientations of the human's parts over T frames; the identity is upright, facing +x, the sole flat."""

    pelvis: Rotation
    torso: Rotation
    feet: tuple[Rotation, Rotation]


def part_orientations(motion: HumanMotion, skeleton: Skeleton, reference: Reference) -> PartOrientations:
    """Return the orientations of pelvis, torso and feet in the world."""
    _, quat = motion.pose
    pelvis_yaw = _facing(reference.pos, skeleton.hip)
    torso_yaw = _facing(reference.pos, skeleton.shoulder)
    feet = []
    for side in (0, 1):
        yaw = pelvis_yaw
        if skeleton.toe is not None:
            way = reference.pos[skeleton.toe[side]] - reference.pos[skeleton.ankle[side]]
            # An end straight below the ankle points nowhere.
            if np.hypot(way[0], way[1]) > 0.02:
                yaw = float(np.arctan2(way[1], way[0]))
        feet.append(_turned(quat[:, skeleton.ankle[side]], reference.quat[skeleton.ankle[side]], yaw))
    return PartOrientations(
        pelvis=_turned(quat[:, skeleton.pelvis], reference.quat[skeleton.pelvis], pelvis_yaw),
        torso=_turned(quat[:, skeleton.chest], reference.quat[skeleton.chest], torso_yaw),
        feet=(feet[0], feet[1]),
    )


def _facing(pos: np.ndarray, pair: tuple[int, int]) -> float:
    """Return the yaw [rad] of the direction that is to the front of a left and a right joint."""
    left = pos[pair[0]] - pos[pair[1]]
    return float(np.arctan2(-left[0], left[1]))


def _turned(quat: np.ndarray, reference: np.ndarray, yaw: float) -> Rotation:
    """Return orientations that were ``yaw`` about the vertical in the reference pose."""
    return Rotation.from_quat(quat) * Rotation.from_quat(reference).inv() * Rotation.from_euler("z", yaw)
