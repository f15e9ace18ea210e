# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where the bodies of a clip are, in the order of the robot's bodies, at every frame and between frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...motion.clip import Clip, ClipError
from ...motion.robot import Robot


@dataclass(frozen=True, eq=False)
class BodyPoses:
    """Poses of all B bodies of a robot over T frames, in the world."""

    fps: float
    """Frames per second [1/s]."""

    pos: np.ndarray
    """Positions [m], shape (T, B, 3)."""

    quat: np.ndarray
    """Orientations, xyzw, shape (T, B, 4)."""

    @classmethod
    def of(cls, clip: Clip, robot: Robot) -> BodyPoses:
        """Take the poses out of a clip; bodies that it lacks follow from its joints by forward kinematics.

        Raises:
            ClipError: If the clip is of another robot, or has neither the robot's bodies nor its base and joints.
        """
        if clip.robot != robot.name:
            raise ClipError(
                f"motion '{clip.name}' is of robot '{clip.robot}'; expected '{robot.name}'; retarget or convert it"
            )
        if not set(robot.body_names) <= set(clip.body_names):
            base = clip.body_indices(robot.body_names[:1])[0]
            joints = clip.joint_pos[:, clip.joint_indices(robot.joint_names)]
            clip = robot.clip(clip.name, clip.fps, clip.body_pos_w[:, base], clip.body_quat_w[:, base], joints)
        order = clip.body_indices(robot.body_names)
        return cls(clip.fps, clip.body_pos_w[:, order], clip.body_quat_w[:, order])

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.pos)

    def sampled(self, times: np.ndarray) -> BodyPoses:
        """Return the poses at other times, for pictures: straight lines between frames, held before and after.

        Args:
            times: When, from the first frame on [s], evenly spaced, shape (N,) with N at least 1.
        """
        place = np.clip(times * self.fps, 0.0, self.num_frames - 1)
        before = np.minimum(place.astype(int), max(self.num_frames - 2, 0))
        after = np.minimum(before + 1, self.num_frames - 1)
        share = (place - before)[:, None, None]
        first, second = self.quat[before], self.quat[after]
        # The shorter way round; a chord instead of an arc is off by less than can be seen between two frames.
        second = np.where((first * second).sum(-1, keepdims=True) < 0.0, -second, second)
        quat = first + share * (second - first)
        pos = self.pos[before] + share * (self.pos[after] - self.pos[before])
        rate = 1.0 / (times[1] - times[0]) if len(times) > 1 else self.fps
        return BodyPoses(rate, pos, quat / np.linalg.norm(quat, axis=-1, keepdims=True))

    def heading(self, frame: int = 0) -> float:
        """Return the direction of the base's x axis on the ground [rad]."""
        x, y, z, w = self.quat[frame, 0]
        return float(np.arctan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z)))
