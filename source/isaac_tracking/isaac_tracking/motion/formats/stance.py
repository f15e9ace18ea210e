# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where a pose puts the feet: how well a motion stands on a level ground, by forward kinematics."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..ground import CollisionPoints
from ..kinematics import forward_kinematics
from ..quaternion import quat_apply
from ..robot import Robot

_PAIRS = 120
"""Pairs of neighbouring frames that are looked at, spread over the motion."""


@lru_cache(maxsize=4)
def collision_points(robot: Robot) -> CollisionPoints:
    """Return the robot's collision shapes as spheres; read once per process."""
    return CollisionPoints.from_mjcf(robot.mjcf)


class Stance:
    """The robot's shapes in the frame of its base, for pairs of neighbouring frames of a motion.

    Args:
        robot: The robot.
        joint_pos: Joint angles in the robot's order [rad], shape (T, J).
    """

    def __init__(self, robot: Robot, joint_pos: np.ndarray) -> None:
        first = np.unique(np.linspace(0, len(joint_pos) - 2, min(_PAIRS, len(joint_pos) - 1)).astype(int))
        self.frames = np.stack((first, first + 1), axis=1).reshape(-1)
        points = collision_points(robot)
        angles = torch.from_numpy(joint_pos[self.frames])
        upright = torch.zeros(len(angles), 4, dtype=torch.float64)
        upright[:, 3] = 1.0
        tree = robot.tree.to(dtype=torch.float64)
        pos, quat = forward_kinematics(tree, torch.zeros(len(angles), 3, dtype=torch.float64), upright, angles)
        feet = [robot.body_names.index(name) for name in robot.foot_body_names]
        self._points = pos[:, points.body_ids] + quat_apply(quat[:, points.body_ids], points.offsets.double())
        self._radii = points.radii.double()
        body_ids = points.body_ids.numpy()
        self._foot_of_point = np.where(body_ids == feet[0], 0, np.where(body_ids == feet[1], 1, -1))
        normal = torch.tensor((0.0, 0.0, 1.0), dtype=torch.float64)
        self._soles = quat_apply(quat[:, feet], normal)

    def heights(self, quat: np.ndarray) -> np.ndarray:
        """Return how far the base would be above the lowest point [m], for orientations xyzw of shape (T, 4)."""
        turn = torch.from_numpy(quat[self.frames])[:, None]
        return -(quat_apply(turn, self._points)[..., 2] - self._radii).amin(dim=1).numpy()

    def cost(self, pos: np.ndarray, quat: np.ndarray) -> tuple[float, float]:
        """Return how badly a motion stands, and how far its lowest foot slides in one frame [m].

        The first number adds up, as lengths [m]: the slide of the lowest point of the feet, the spread of the height
        of the robot's lowest point, and, weighed low, the tilt of the lower sole and the distance of the ground from
        zero. A motion read in the wrong convention slides, floats and tilts.

        Args:
            pos: Positions of the base [m], shape (T, 3).
            quat: Orientations of the base, xyzw, of unit length, shape (T, 4).
        """
        turn = torch.from_numpy(quat[self.frames])[:, None]
        world = (torch.from_numpy(pos[self.frames])[:, None] + quat_apply(turn, self._points)).numpy()
        heights = world[..., 2] - self._radii.numpy()
        low = heights.min(axis=1)
        ground = float(np.median(low))
        is_foot = self._foot_of_point >= 0
        lowest = heights[0::2][:, is_foot].argmin(axis=1)
        rows = np.arange(len(lowest))
        before, after = world[0::2][:, is_foot][rows, lowest], world[1::2][:, is_foot][rows, lowest]
        slide = float(np.linalg.norm((after - before)[:, :2], axis=1).mean())
        sole = quat_apply(turn, self._soles).numpy()[0::2][rows, self._foot_of_point[is_foot][lowest], 2]
        tilt = float(np.arccos(np.clip(sole, -1.0, 1.0)).mean())
        spread = float(np.minimum(np.abs(low - ground), 1.0).mean())
        return slide + spread + 0.02 * tilt + 0.05 * min(abs(ground), 1.0), slide
