# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Our clips as one file that mjlab's tracking task and wbc-mjlab both read.

Both take an NPZ of frames at the control rate with all joints and bodies of the robot in the order of its MJCF, and
quaternions as wxyz (mjlab ``scripts/csv_to_npz.py``). wbc-mjlab also reads where each clip begins; mjlab takes all
frames for one clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...files import written_beside
from ...motion.clip import Clip
from ...motion.packing import reference_frames


def archive_arrays(
    clips: Sequence[Clip], joint_names: Sequence[str], body_names: Sequence[str], rate: float
) -> dict[str, np.ndarray]:
    """Return the members of the file: the frames that our motion library holds, of all clips one after another.

    Args:
        clips: The clips.
        joint_names: All joints of the robot, in the order of its MJCF.
        body_names: All bodies of the robot, in the order of its MJCF.
        rate: Control rate [Hz]; clips of another rate are interpolated as for our own task.

    Returns:
        ``joint_pos`` [rad] and ``joint_vel`` [rad/s] of shape (T, J); ``body_pos_w`` [m], ``body_lin_vel_w`` [m/s] and
        ``body_ang_vel_w`` [rad/s] of shape (T, B, 3); ``body_quat_w``, wxyz, of shape (T, B, 4); ``fps``; names; first
        frame and number of frames of each clip.

    Raises:
        ClipError: If a clip lacks a joint or a body, or is too short.
    """
    frames = [reference_frames(clip, joint_names, body_names, rate) for clip in clips]
    lengths = np.array([len(frame.joint_pos) for frame in frames], dtype=np.int64)
    arrays = {name: np.concatenate([getattr(frame, name).numpy() for frame in frames]) for name in frames[0]._fields}
    arrays["body_quat_w"] = arrays["body_quat_w"][..., [3, 0, 1, 2]]
    return arrays | {
        "fps": np.array([rate]),
        "joint_names": np.array(joint_names, dtype=np.str_),
        "body_names": np.array(body_names, dtype=np.str_),
        "segment_start_idx": np.cumsum(lengths) - lengths,
        "segment_length": lengths,
        "segment_names": np.array([clip.name for clip in clips], dtype=np.str_),
    }


def write_archive(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write what :func:`archive_arrays` returned."""
    with written_beside(path, durable=False) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
