# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What became of the clips: errors as ``test.sh`` prints them, and whole-body poses for a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...motion.errors import tracking_errors
from ...motion.frame import MotionFrame
from ...motion.kinematics import forward_kinematics
from ...motion.robot import Robot
from ..recording import Recording


@dataclass(frozen=True)
class ClipResult:
    """What became of one clip; means are over its steps, as ``test.sh`` takes them."""

    clip: str
    """Name of the clip."""
    steps: int
    """Control steps until it ended."""
    clip_steps: int
    """Control steps from the clip's start to its end."""
    body_pos_error: float
    """Mean distance of the tracked bodies from the relative reference [m]."""
    anchor_pos_error: float
    """Mean distance of the anchor from the reference's in the world [m]: the drift."""
    outcome: str
    """Name of the termination that ended it; ``"clip_end"`` if it was followed to its end."""

    @classmethod
    def of(cls, recording: Recording, anchor_body_name: str) -> ClipResult:
        """Measure a recording.

        Args:
            recording: The episode.
            anchor_body_name: Body that places the reference.
        """
        anchor = recording.body_names.index(anchor_body_name)
        errors = tracking_errors(recording.reference, recording.robot, anchor)
        return cls(
            clip=recording.clip,
            steps=recording.steps,
            clip_steps=recording.clip_steps,
            body_pos_error=float(errors.body_pos.mean()),
            anchor_pos_error=float(errors.anchor_pos.mean()),
            outcome=recording.outcome,
        )


@dataclass(frozen=True)
class Summary:
    """All clips together; means are over all steps, so that long clips count more, as in ``test.sh``."""

    clips: int
    """Number of clips."""
    completed: int
    """Clips that were followed to their end."""
    steps: int
    """Control steps of all clips."""
    body_pos_error: float
    """Mean body error [m]."""
    anchor_pos_error: float
    """Mean drift [m]."""

    @classmethod
    def of(cls, results: Sequence[ClipResult]) -> Summary:
        """Sum up the results of at least one clip."""
        steps = sum(result.steps for result in results)
        return cls(
            clips=len(results),
            completed=sum(result.outcome == "clip_end" for result in results),
            steps=steps,
            body_pos_error=sum(result.body_pos_error * result.steps for result in results) / steps,
            anchor_pos_error=sum(result.anchor_pos_error * result.steps for result in results) / steps,
        )


def film_strip(recordings: Sequence[Recording], robot: Robot) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Put recordings one after another, with all bodies: those that are not tracked follow by forward kinematics.

    Args:
        recordings: The episodes.
        robot: Whose they are; decides the order of the bodies.

    Returns:
        Poses of robot and reference, positions [m] and xyzw, shapes (T, num_bodies, 7), and a caption for each instant.
    """
    poses = [_poses(recording.robot, recording, robot) for recording in recordings]
    references = [_poses(recording.reference, recording, robot) for recording in recordings]
    captions: list[str] = []
    for recording in recordings:
        offsets = recording.robot.body_pos_w - recording.reference.body_pos_w
        errors = offsets.norm(dim=-1).mean(dim=-1).tolist()
        captions += [
            f"{recording.clip}   {(step + 1) / recording.rate:.1f} s   error {1000 * error:.0f} mm"
            for step, error in enumerate(errors)
        ]
    return np.concatenate(poses), np.concatenate(references), captions


def _poses(frame: MotionFrame, recording: Recording, robot: Robot) -> np.ndarray:
    joints = [recording.joint_names.index(name) for name in robot.tree.joint_names]
    root_pos, root_quat = frame.body_pos_w[:, 0], frame.body_quat_w[:, 0]
    return torch.cat(forward_kinematics(robot.tree, root_pos, root_quat, frame.joint_pos[:, joints]), dim=-1).numpy()
