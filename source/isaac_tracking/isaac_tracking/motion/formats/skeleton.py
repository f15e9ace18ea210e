# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Kimodo's motions: poses of the 34 joints of its G1 skeleton, y up and z forward, turned into joint angles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..clip import ClipError
from ..quaternion import quat_to_matrix
from ..robot import Robot
from .raw import RawMotion

_FPS = 30.0
"""Frame rate of everything that kimodo makes [1/s]; its files do not say it."""

_TO_Z_UP = np.array(((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
"""Rotation from x left, y up, z forward to x forward, y left, z up."""

_END_JOINTS = ("left_ankle_roll_link", "right_ankle_roll_link", "left_wrist_yaw_link", "right_wrist_yaw_link")
"""Bodies behind which the skeleton has one more joint, a toe or a hand, that the robot lacks."""

_FIT_LIMIT = 0.1
"""Largest mean angle between the poses of the file and the robot's [rad]; beyond it the skeleton is another one."""


def is_kimodo(content: dict[str, np.ndarray]) -> bool:
    """Whether these are the members of a file of kimodo."""
    return "posed_joints" in content and "global_rot_mats" in content


def read_kimodo(path: Path, content: dict[str, np.ndarray], robot: Robot) -> RawMotion:
    """Turn rotations of the skeleton's joints into angles of the robot's hinges.

    The skeleton is the robot's with two toes and two hands more; its rotations are those of the robot's bodies, seen
    in a world and in frames with y up. Each hinge takes the part of its body's rotation that it can make; what is
    left over goes to the joints further out, so that errors do not add up.

    Raises:
        ClipError: If it is not the skeleton of this robot.
    """
    label = f"motion file '{path}'"
    rotations, positions = content["global_rot_mats"], content["posed_joints"]
    joints = len(robot.body_names) + len(_END_JOINTS)
    frames = len(positions) if positions.ndim else 0
    fits = rotations.shape == (frames, joints, 3, 3) and positions.shape == (frames, joints, 3)
    if not fits or rotations.dtype.kind != "f" or positions.dtype.kind != "f":
        raise ClipError(
            f"{label}: posed_joints {positions.shape} and global_rot_mats {rotations.shape} are of another skeleton;"
            f" expected kimodo's skeleton of {robot.name} with {joints} joints; make the motion for that robot"
        )
    columns = _columns(robot)
    rotation = _TO_Z_UP @ rotations[:, columns].astype(np.float64) @ _TO_Z_UP.T
    if not np.isfinite(rotation).all() or np.abs(rotation @ rotation.swapaxes(-1, -2) - np.eye(3)).max() > 0.02:
        raise ClipError(f"{label}: global_rot_mats are not rotations; expected rotation matrices; make it again")
    angles, error = _angles(robot, rotation)
    if error > _FIT_LIMIT:
        raise ClipError(
            f"{label}: its poses miss those of {robot.name} by {np.degrees(error):.0f} degrees; expected the skeleton"
            " of that robot; make the motion for it"
        )
    return RawMotion(
        label=label,
        name=path.stem,
        format="kimodo",
        root_pos=positions[:, 0].astype(np.float64) @ _TO_Z_UP.T,
        root_quat=_quaternions(rotation[:, 0]),
        joint_pos=angles,
        fps=_FPS,
        quaternion_order="xyzw",
        joint_names=robot.joint_names,
        notes=(
            f"joint angles fitted to the poses of kimodo's skeleton, {np.degrees(error):.2f} degrees left over",
            f"{_FPS:g} fps, as all that kimodo makes",
        ),
    )


def _columns(robot: Robot) -> list[int]:
    """Return the skeleton's column of each body of the robot: depth first, past the toes and hands."""
    columns, column = [], 0
    for name in robot.body_names:
        columns.append(column)
        column += 1 + (name in _END_JOINTS)
    return columns


def _angles(robot: Robot, rotation: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the hinge angles [rad], shape (T, J), and the mean angle left over [rad].

    Args:
        robot: The robot.
        rotation: Rotations of the robot's bodies in the world, shape (T, B, 3, 3).
    """
    tree = robot.tree.to(dtype=torch.float64)
    rest = quat_to_matrix(tree.quats).numpy()
    angles = np.zeros((len(rotation), len(tree.joint_names)))
    reached = [rotation[:, 0]] * len(tree.parents)
    left = []
    for body, parent in enumerate(tree.parents):
        if body == 0:
            continue
        start = reached[parent] @ rest[body]
        joint = tree.joint_of_body[body]
        if joint < 0:
            reached[body] = start
            continue
        axis = tree.axes[joint].numpy()
        angles[:, joint], turn = _twist(start.swapaxes(-1, -2) @ rotation[:, body], axis)
        reached[body] = start @ turn
        cosine = (np.einsum("tij,tij->t", reached[body], rotation[:, body]) - 1.0) / 2.0
        left.append(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return np.unwrap(angles, axis=0), float(np.mean(left))


def _twist(relative: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the angle about an axis that comes nearest to a rotation, and the rotation by it."""
    cross = np.array(((0.0, -axis[2], axis[1]), (axis[2], 0.0, -axis[0]), (-axis[1], axis[0], 0.0)))
    outer = np.outer(axis, axis)
    # trace(R(a)^T relative) = c + cos(a) p + sin(a) q is largest at a = atan2(q, p).
    p = np.einsum("tii->t", relative) - np.einsum("ij,tij->t", outer, relative)
    q = np.einsum("ij,tij->t", cross, relative)
    angle = np.arctan2(q, p)
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    return angle, cos * (np.eye(3) - outer) + sin * cross + outer


def _quaternions(rotation: np.ndarray) -> np.ndarray:
    """Return quaternions, xyzw, shape (T, 4), of rotation matrices: the largest component first, for precision."""
    m = rotation
    trace = np.einsum("tii->t", m)
    # Four times the outer product of the quaternion with itself; its longest row is the quaternion up to a factor.
    outer = np.empty((len(m), 4, 4))
    for i in range(3):
        for j in range(3):
            outer[:, i, j] = m[:, i, j] + m[:, j, i] if i != j else 1.0 + 2.0 * m[:, i, i] - trace
    skew = np.stack((m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]), axis=1)
    outer[:, 3, :3] = outer[:, :3, 3] = skew
    outer[:, 3, 3] = 1.0 + trace
    best = np.einsum("tii->ti", outer).argmax(axis=1)
    row = outer[np.arange(len(m)), best]
    return row / np.linalg.norm(row, axis=1, keepdims=True)
