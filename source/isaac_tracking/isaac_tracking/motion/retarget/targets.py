# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where the robot's parts should be: the human's motion at the robot's size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from .feet import floor_heights, held_feet
from .human import HumanMotion
from .humanoid import Humanoid
from .reference import find_reference, part_orientations
from .skeleton import Skeleton

_REACH = 0.995
"""Largest distance of ankle and hip as a share of the straight leg; the last per cent costs 11 degrees at the knee."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of T frames in the world, z up, the ground at 0. The second dimension of pairs is left, right."""

    fps: float
    scale: float
    pelvis_pos: np.ndarray
    """[m], shape (T, 3)."""
    pelvis: Rotation
    torso: Rotation
    ankle_pos: np.ndarray
    """[m], shape (T, 2, 3); likewise knees, elbows and wrists."""
    feet: tuple[Rotation, Rotation]
    knee_pos: np.ndarray
    elbow_pos: np.ndarray
    wrist_pos: np.ndarray
    planted: np.ndarray
    """Whether a foot stands on the ground, bool, shape (T, 2)."""
    history: tuple[str, ...] = ()


def make_targets(motion: HumanMotion, skeleton: Skeleton, body: Humanoid, scale: float | None, lock: bool) -> Targets:
    """Bring a human's motion to the size of a robot.

    The legs decide the scale: steps and heights shrink by the ratio of the legs' lengths. The feet are moved apart by
    as much as the robot's hips are wider. The arms have the robot's lengths and the human's directions.

    Args:
        motion: The human.
        skeleton: Its joints.
        body: The robot.
        scale: Size [-]; the ratio of the legs' lengths if None.
        lock: Whether planted feet are held in their places.
    """
    reference = find_reference(motion, skeleton)
    parts = part_orientations(motion, skeleton, reference)
    pos, _ = motion.pose
    scale = scale or body.leg_length / skeleton.leg_length(motion.offsets)
    low = skeleton.toe or skeleton.ankle
    floor = floor_heights(pos[:, low], motion.fps)
    # How much higher the ankle is than the joint that the floor was found with, when the foot is flat.
    rise = float(np.mean(reference.pos[list(skeleton.ankle), 2] - reference.pos[list(low), 2]))
    ground = np.array([0.0, 0.0, 1.0]) * (floor + rise)[:, None]

    def scaled(joints: tuple[int, int]) -> np.ndarray:
        return scale * (pos[:, joints] - ground[:, None]) + [0.0, 0.0, body.foot_height]

    hips = pos[:, skeleton.hip]
    left = _sideways(parts.pelvis, motion.fps)
    width = body.hip_width - 0.5 * scale * float(np.linalg.norm(hips[:, 0] - hips[:, 1], axis=-1).mean())
    apart = width * np.stack((left, -left), axis=1)
    pelvis_pos = scaled(skeleton.hip).mean(axis=1) - parts.pelvis.apply(body.hip_offset.mean(axis=0))
    targets = Targets(
        fps=motion.fps,
        scale=scale,
        pelvis_pos=pelvis_pos,
        pelvis=parts.pelvis,
        torso=parts.torso,
        ankle_pos=scaled(skeleton.ankle) + apart,
        feet=parts.feet,
        knee_pos=scaled(skeleton.knee) + apart,
        elbow_pos=pelvis_pos[:, None],
        wrist_pos=pelvis_pos[:, None],
        planted=np.zeros((motion.num_frames, 2), dtype=bool),
        history=(
            f"scaled by {scale:.3f}",
            "straight pose: " + ("at rest" if reference.is_rest else f"frame {reference.frame}"),
            f"floor of the recording between {1e2 * floor.min():.1f} and {1e2 * floor.max():.1f} cm, made flat",
        ),
    )
    held = held_feet(targets, body, lock)
    held = replace(held, pelvis_pos=_within_reach(held, body))
    return _with_arms(held, _arm_directions(pos, skeleton), body)


def _sideways(pelvis: Rotation, fps: float) -> np.ndarray:
    """Return the slow part of the horizontal direction to the left, shape (T, 3)."""
    left = pelvis.apply([0.0, 1.0, 0.0]) * [1.0, 1.0, 0.0]
    left = gaussian_filter1d(left, 0.25 * fps, axis=0, mode="nearest")
    return left / np.linalg.norm(left, axis=-1, keepdims=True).clip(1e-6)


def _within_reach(targets: Targets, body: Humanoid) -> np.ndarray:
    """Return the pelvis lowered where a leg would be too short, smoothly, shape (T, 3)."""
    hips = targets.pelvis_pos[:, None] + np.stack([targets.pelvis.apply(offset) for offset in body.hip_offset], axis=1)
    way = hips - targets.ankle_pos
    flat = np.hypot(way[..., 0], way[..., 1])
    reach = np.sqrt(np.maximum((_REACH * body.leg_length) ** 2 - flat**2, 0.0))
    excess = np.maximum(way[..., 2] - reach, 0.0).max(axis=1)
    width = 0.06 * targets.fps
    excess = gaussian_filter1d(maximum_filter1d(excess, 2 * int(width) + 1, mode="nearest"), width, mode="nearest")
    return targets.pelvis_pos - excess[:, None] * [0.0, 0.0, 1.0]


def _arm_directions(pos: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors along upper arms and forearms, each of shape (T, 2, 3)."""
    ways = (
        pos[:, skeleton.elbow] - pos[:, skeleton.shoulder],
        pos[:, skeleton.wrist] - pos[:, skeleton.elbow],
    )
    upper, lower = (way / np.linalg.norm(way, axis=-1, keepdims=True).clip(1e-9) for way in ways)
    return upper, lower


def _with_arms(targets: Targets, directions: tuple[np.ndarray, np.ndarray], body: Humanoid) -> Targets:
    """Return targets whose arms hang from where the robot's shoulders are."""
    chest = targets.pelvis_pos + targets.pelvis.apply(body.torso_offset)
    shoulders = chest[:, None] + np.stack([targets.torso.apply(offset) for offset in body.shoulder_offset], axis=1)
    elbows = shoulders + body.arm_lengths[0] * directions[0]
    return replace(targets, elbow_pos=elbows, wrist_pos=elbows + body.arm_lengths[1] * directions[1])
