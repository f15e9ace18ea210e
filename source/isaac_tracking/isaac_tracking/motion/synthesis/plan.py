# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a motion asks of the body at every instant, before the joints are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .robot import RobotModel


@dataclass
class Plan:
    """Targets of T frames: feet, zero-moment point, pelvis, and joint angles of the waist and arms.

    Everything else follows: the pelvis moves so that the whole body's zero-moment point is the planned one,
    and the legs connect it with the feet.
    """

    time: np.ndarray
    """Times of the frames [s], evenly spaced, shape (T,)."""

    foot_pos: np.ndarray
    """Positions of the left and right foot frame in the world [m], shape (T, 2, 3)."""

    foot_rpy: np.ndarray
    """Roll, pitch and yaw of the feet [rad], shape (T, 2, 3)."""

    contacts: np.ndarray
    """Whether a foot stands flat on the ground, bool, shape (T, 2)."""

    zmp: np.ndarray
    """Zero-moment point on the ground [m], shape (T, 2)."""

    pelvis_height: np.ndarray
    """Height of the pelvis [m], shape (T,)."""

    pelvis_rpy: np.ndarray
    """Roll, pitch and yaw of the pelvis [rad], shape (T, 3)."""

    joint_pos: np.ndarray
    """Joint angles in the robot's order [rad], shape (T, J); those of the legs are only where to start from."""

    joint_names: tuple[str, ...]
    """Names of the joints."""

    @property
    def fps(self) -> float:
        """Frames per second [1/s]."""
        return float(1.0 / (self.time[1] - self.time[0]))

    def add(self, joint: str, offset: np.ndarray) -> None:
        """Add a profile [rad], shape (T,), to the angle of one joint.

        Args:
            joint: Name without the ending ``_joint``.
            offset: The profile.

        Raises:
            ValueError: If the robot has no such joint.
        """
        name = f"{joint}_joint"
        if name not in self.joint_names:
            raise ValueError(f"joint '{name}' is not one of the robot's: {', '.join(self.joint_names)}")
        self.joint_pos[:, self.joint_names.index(name)] += offset

    def add_pair(self, joint: str, offset: np.ndarray, mirror: bool = False) -> None:
        """Add a profile to a joint of both sides; mirrored joints (roll, yaw) turn the other way on the right."""
        self.add(f"left_{joint}", offset)
        self.add(f"right_{joint}", -offset if mirror else offset)


def standing_plan(model: RobotModel, duration: float, fps: float) -> Plan:
    """Return the plan of standing still in the default pose.

    Args:
        model: The robot.
        duration: Time from the first to the last frame [s].
        fps: Frames per second [1/s].
    """
    frames = round(duration * fps) + 1
    feet = model.default_feet.copy()
    feet[:, 2] = model.foot_height
    return Plan(
        time=np.arange(frames) / fps,
        foot_pos=np.tile(feet, (frames, 1, 1)),
        foot_rpy=np.zeros((frames, 2, 3)),
        contacts=np.ones((frames, 2), dtype=bool),
        zmp=np.tile(model.default_com[:2], (frames, 1)),
        pelvis_height=np.full(frames, model.default_qpos[2]),
        pelvis_rpy=np.zeros((frames, 3)),
        joint_pos=np.tile(np.array(model.robot.default_joint_pos), (frames, 1)),
        joint_names=model.robot.joint_names,
    )
