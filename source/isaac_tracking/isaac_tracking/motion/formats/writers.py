# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clips written as the files of other projects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ...files import written_beside
from ..clip import Clip, ClipError
from ..kinematics import joint_velocities, velocities
from ..robot import Robot
from .csv_file import ORDER_IN_NAME
from .frame_rate import RATE_IN_NAME
from .raw import breadth_first

WriteFormat = Literal["clip", "beyondmimic", "mjlab", "unitree_csv"]

WRITE_FORMATS: tuple[WriteFormat, ...] = ("clip", "beyondmimic", "mjlab", "unitree_csv")
"""Formats that are written."""


def output_name(stem: str, fps: float, format: WriteFormat, quaternion_order: str | None = None) -> str:
    """Return the name of a file for a motion. That of a CSV tells what the file cannot, as kimodo's do.

    Args:
        stem: Name of the motion; what a file system may not take is replaced.
        fps: Frames per second [1/s].
        format: Format that is written.
        quaternion_order: Order of the quaternions; the format's own if ``None``.
    """
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in stem).strip(".") or "clip"
    if format != "unitree_csv":
        return f"{stem}.npz"
    bare = ORDER_IN_NAME.sub("", RATE_IN_NAME.sub("", stem))
    if bare != stem:
        # The words that were taken out leave their separators behind.
        bare = re.sub(r"[_-](?=$|[_-])", "", bare) or "clip"
    return f"{bare}_{quaternion_order or 'xyzw'}_{fps:g}fps.csv"


def write_motion(
    clip: Clip,
    path: Path,
    format: WriteFormat,
    robot: Robot,
    quaternion_order: Literal["xyzw", "wxyz"] | None = None,
) -> None:
    """Write a clip in one of the formats, at its own frame rate.

    Args:
        clip: The motion.
        path: File to write; its folder is made if need be, and it appears at once or not at all.
        format: ``clip`` (our own), ``beyondmimic`` (joints and bodies breadth first, as PhysX orders them), ``mjlab``
            (depth first) or ``unitree_csv``.
        robot: The robot of the clip.
        quaternion_order: Order of quaternions; the format's own if ``None``: wxyz in NPZ, xyzw in CSV.

    Raises:
        ClipError: If the format is unknown, or the clip is of another robot.
        OSError: If the file cannot be written.
    """
    if format not in WRITE_FORMATS:
        raise ClipError(f"format '{format}' cannot be written; expected one of {', '.join(WRITE_FORMATS)}")
    if format == "clip":
        if quaternion_order == "wxyz":
            raise ClipError("a clip's quaternions are always xyzw; expected no other order; leave the order open")
        clip.save(path)
    elif format == "unitree_csv":
        rows = unitree_rows(clip, robot, quaternion_order or "xyzw")
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(path, durable=False) as file:
            np.savetxt(file, rows, fmt="%.9g", delimiter=",")
    else:
        arrays = body_arrays(clip, robot, format == "beyondmimic", quaternion_order or "wxyz")
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(path, durable=False) as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]


def unitree_rows(clip: Clip, robot: Robot, quaternion_order: str = "xyzw") -> np.ndarray:
    """Return a row a frame: root position [m], root quaternion, joint angles [rad] in the robot's order.

    Raises:
        ClipError: If the clip is of another robot.
    """
    base = clip.body_indices(robot.body_names[:1])[0]
    quat = clip.body_quat_w[:, base]
    if quaternion_order == "wxyz":
        quat = quat[:, [3, 0, 1, 2]]
    joints = clip.joint_pos[:, clip.joint_indices(robot.joint_names)]
    return np.concatenate((clip.body_pos_w[:, base], quat, joints), axis=1)


def body_arrays(clip: Clip, robot: Robot, physx_order: bool, quaternion_order: str = "wxyz") -> dict[str, np.ndarray]:
    """Return the members of a BeyondMimic or mjlab NPZ, velocities included (whole_body_tracking ``csv_to_npz.py``).

    Raises:
        ClipError: If the clip is of another robot.
    """
    joints, bodies = breadth_first(robot) if physx_order else (robot.joint_names, robot.body_names)
    joint_pos = clip.joint_pos[:, clip.joint_indices(joints)]
    columns = clip.body_indices(bodies)
    pos, quat = clip.body_pos_w[:, columns], clip.body_quat_w[:, columns]
    linear, angular = velocities(torch.from_numpy(pos), torch.from_numpy(quat), clip.fps)
    return {
        "fps": np.array([int(clip.fps) if float(clip.fps).is_integer() else clip.fps]),
        "joint_pos": joint_pos,
        "joint_vel": joint_velocities(torch.from_numpy(joint_pos), clip.fps).numpy(),
        "body_pos_w": pos,
        "body_quat_w": quat[..., [3, 0, 1, 2]] if quaternion_order == "wxyz" else quat,
        "body_lin_vel_w": linear.numpy(),
        "body_ang_vel_w": angular.numpy(),
    }
