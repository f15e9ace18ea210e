# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A clip as the poses of its root and joints, and back: what every step of processing works on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..clip import Clip
from ..quaternion import quat_apply, quat_mul
from ..robot import Robot


@dataclass(frozen=True)
class Poses:
    """Root and joints of T frames in double precision, joints in the robot's order."""

    root_pos: np.ndarray
    """Positions of the base in the world [m], shape (T, 3)."""

    root_quat: np.ndarray
    """Orientations of the base in the world, xyzw, unit length, signs continuous, shape (T, 4)."""

    joint_pos: np.ndarray
    """Joint angles [rad], shape (T, J)."""

    def __len__(self) -> int:
        return len(self.joint_pos)

    def __getitem__(self, frames: slice | np.ndarray) -> Poses:
        """Return some of the frames."""
        return Poses(self.root_pos[frames], self.root_quat[frames], self.joint_pos[frames])


def poses_of(clip: Clip, robot: Robot) -> Poses:
    """Return root and joints of a clip.

    Raises:
        ClipError: If the clip lacks the base or a joint of the robot.
    """
    base = clip.body_indices(robot.body_names[:1])[0]
    quat = np.array(clip.body_quat_w[:, base], dtype=np.float64)
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    # q and -q are the same rotation: interpolation and differences need neighbours on the same side.
    flips = np.cumprod(np.where((quat[1:] * quat[:-1]).sum(-1) < 0.0, -1.0, 1.0))
    quat[1:] *= flips[:, None]
    joints = clip.joint_pos[:, clip.joint_indices(robot.joint_names)]
    return Poses(clip.body_pos_w[:, base].astype(np.float64), quat, joints.astype(np.float64))


def part_of(clip: Clip, first: int, stop: int, note: str) -> Clip:
    """Return the frames of a clip from one to before another.

    Args:
        clip: The motion.
        first: First frame.
        stop: Frame after the last one.
        note: What is added to the history.

    Raises:
        ClipError: If fewer than two frames are left.
    """
    keep = slice(first, stop)
    return replace(
        clip,
        joint_pos=clip.joint_pos[keep],
        body_pos_w=clip.body_pos_w[keep],
        body_quat_w=clip.body_quat_w[keep],
        contacts=None if clip.contacts is None else clip.contacts[keep],
        history=(*clip.history, note),
    )


def with_poses(clip: Clip, robot: Robot, poses: Poses, note: str, **changes: object) -> Clip:
    """Return a clip of other poses, its bodies by forward kinematics, all else as it was.

    Args:
        clip: Where name, rate, labels, source and licence come from.
        robot: The robot.
        poses: The new poses.
        note: What was done, a sentence for :attr:`Clip.history`.
        changes: Fields that change, e.g. ``fps`` or ``contacts``.

    Raises:
        ClipError: If the result is not a valid clip.
    """
    fields: dict[str, object] = {
        "name": clip.name,
        "fps": clip.fps,
        "contact_names": clip.contact_names,
        "contacts": clip.contacts,
        "source": clip.source,
        "license": clip.license,
        "history": (*clip.history, note),
    }
    fields |= changes
    name, fps = str(fields.pop("name")), float(fields.pop("fps"))  # type: ignore[arg-type]
    return robot.clip(name, fps, poses.root_pos, poses.root_quat, poses.joint_pos, **fields)


def moved(clip: Clip, turn: np.ndarray, shift: np.ndarray, note: str) -> Clip:
    """Return the whole motion turned about the world's origin, then shifted; the joints stay.

    Args:
        clip: The motion.
        turn: One rotation, xyzw, shape (4,).
        shift: Shift of each frame or of all [m], shape (T, 3) or (3,).
        note: What was done, a sentence for :attr:`Clip.history`.
    """
    rotation = torch.from_numpy(np.asarray(turn, dtype=np.float64))
    pos = torch.from_numpy(clip.body_pos_w.astype(np.float64))
    quat = torch.from_numpy(clip.body_quat_w.astype(np.float64))
    pos = quat_apply(rotation.expand_as(quat), pos).numpy() + np.asarray(shift, dtype=np.float64)[..., None, :]
    return replace(clip, body_pos_w=pos, body_quat_w=quat_mul(rotation, quat).numpy(), history=(*clip.history, note))


def yaw_of(quat: np.ndarray) -> np.ndarray:
    """Return the heading of orientations (xyzw), shape (..., 4): their yaw angle [rad], shape (...)."""
    x, y, z, w = np.moveaxis(quat, -1, 0)
    return np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def yaw_turn(angle: float) -> np.ndarray:
    """Return the rotation about the world's z axis by an angle [rad], xyzw, shape (4,)."""
    return np.array([0.0, 0.0, np.sin(0.5 * angle), np.cos(0.5 * angle)])


def least_jerk(share: np.ndarray) -> np.ndarray:
    """Rise from 0 to 1 with least jerk over shares of time in [0, 1]; at rest at both ends."""
    s = np.clip(share, 0.0, 1.0)
    return s**3 * (10.0 + s * (6.0 * s - 15.0))
