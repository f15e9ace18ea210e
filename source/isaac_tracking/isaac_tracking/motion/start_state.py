# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where a robot stands when its episode starts: on the reference, with noise, never in the ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from .frame import MotionFrame
from .quaternion import quat_from_euler, quat_mul

ROOT_DRAWS = 12
"""Random numbers of a root: position, rotation, linear and angular velocity."""

Lowest = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Height of a robot's lowest point [m], as :meth:`.CollisionPoints.lowest`, of joints in the frames' order."""


class StartState(NamedTuple):
    """A state of N robots in the world."""

    root_pose: torch.Tensor
    """Position [m] and quaternion (xyzw) of the root link, shape (N, 7)."""
    root_vel: torch.Tensor
    """Linear [m/s] and angular velocity [rad/s] of the root link, shape (N, 6)."""
    joint_pos: torch.Tensor
    """Angles [rad], shape (N, num_joints)."""
    joint_vel: torch.Tensor
    """Speeds [rad/s], shape (N, num_joints)."""


class Noise(NamedTuple):
    """Uniform noise on a start, of root and joints."""

    draws: torch.Tensor
    """Random numbers between 0 and 1, shape (N, ROOT_DRAWS + num_joints)."""
    half_widths: torch.Tensor
    """Of position [m], roll, pitch and yaw [rad], linear [m/s] and angular velocity [rad/s] and joints [rad], in their
    order, shape (ROOT_DRAWS + num_joints,)."""
    limits: torch.Tensor
    """Angles beyond which noise brings no joint [rad], shape (N, num_joints, 2)."""


def start_state(frame: MotionFrame, noise: Noise | None, origins: torch.Tensor, lowest: Lowest) -> StartState:
    """Put robots on a reference, and higher where they would reach into the ground.

    Args:
        frame: References, with the clips' own origins, where the ground is at height 0; the first body is the root.
        noise: What is added to them; None for nothing, and then the joint limits do not matter either.
        origins: Where the environments lie in the world [m], shape (N, 3).
        lowest: Height of the lowest point of the robot.
    """
    root_pos, root_quat, joint_pos = frame.body_pos_w[:, 0], frame.body_quat_w[:, 0], frame.joint_pos
    root_vel = torch.cat([frame.body_lin_vel_w[:, 0], frame.body_ang_vel_w[:, 0]], dim=-1)
    if noise is not None:
        amounts = (noise.draws * 2.0 - 1.0) * noise.half_widths
        pos, euler, vel, joints = amounts.split((3, 3, 6, joint_pos.shape[-1]), dim=-1)
        root_pos, root_vel = root_pos + pos, root_vel + vel
        root_quat = quat_mul(quat_from_euler(euler), root_quat)
        joint_pos = (joint_pos + joints).clamp(noise.limits[..., 0], noise.limits[..., 1])
    depth = lowest(root_pos, root_quat, joint_pos).clamp_max(0.0)
    root_pos = root_pos + origins
    root_pose = torch.cat([root_pos[:, :2], root_pos[:, 2:] - depth[:, None], root_quat], dim=-1)
    return StartState(root_pose, root_vel, joint_pos, frame.joint_vel)
