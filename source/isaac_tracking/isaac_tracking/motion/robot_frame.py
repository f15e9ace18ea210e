# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A simulator's state of robots as a :class:`MotionFrame`, in which every number is finite."""

from __future__ import annotations

from typing import NamedTuple

import torch

from .frame import MotionFrame


class RobotState(NamedTuple):
    """The state of N robots, all of their bodies in the simulator's order."""

    body_pose: torch.Tensor
    """Positions [m] and orientations (xyzw) in the world, shape (N, num_bodies, 7)."""
    body_vel: torch.Tensor
    """Linear [m/s] and angular velocities [rad/s] in the world, shape (N, num_bodies, 6)."""
    joint_pos: torch.Tensor
    """Angles [rad], shape (N, num_joints)."""
    joint_vel: torch.Tensor
    """Speeds [rad/s], shape (N, num_joints)."""


def robot_frame(state: RobotState, body_ids: torch.Tensor) -> tuple[MotionFrame, torch.Tensor]:
    """Copy some bodies and all joints of robots; zeros, also as quaternions, where any number of them is not finite.

    Zeros instead of NaN, so that no reward, error or statistic of a broken environment reaches the learner.

    Args:
        state: What the simulator says.
        body_ids: Numbers of the frame's bodies, in its order, int64, shape (B,).

    Returns:
        The frame, and whether each robot's numbers were finite, shape (N,).
    """
    pose, velocity = state.body_pose[:, body_ids], state.body_vel[:, body_ids]
    joints = torch.cat([state.joint_pos, state.joint_vel], dim=-1)
    # A sum is not finite if a summand is not.
    finite = torch.isfinite(pose.sum(dim=(-2, -1)) + velocity.sum(dim=(-2, -1)) + joints.sum(dim=-1))
    pose = torch.where(finite[:, None, None], pose, 0.0)
    velocity = torch.where(finite[:, None, None], velocity, 0.0)
    joint_pos, joint_vel = torch.where(finite[:, None], joints, 0.0).chunk(2, dim=-1)
    frame = MotionFrame(joint_pos, joint_vel, pose[..., :3], pose[..., 3:], velocity[..., :3], velocity[..., 3:])
    return frame, finite
