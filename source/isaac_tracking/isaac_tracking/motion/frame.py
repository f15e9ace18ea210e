# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The one value type of a body in motion: the reference and the robot are both a :class:`MotionFrame`."""

from __future__ import annotations

from typing import NamedTuple

import torch


class MotionFrame(NamedTuple):
    """Joint and body state of N instants (environments, or frames of a clip).

    Joints follow the robot's joint order and bodies the order of the body names that were asked for;
    the frame itself carries no names. World frame quantities end in ``_w``; quaternions are xyzw.
    """

    joint_pos: torch.Tensor
    """Joint angles [rad], shape (N, num_joints)."""

    joint_vel: torch.Tensor
    """Joint speeds [rad/s], shape (N, num_joints)."""

    body_pos_w: torch.Tensor
    """Positions of the body frames [m], shape (N, num_bodies, 3)."""

    body_quat_w: torch.Tensor
    """Orientations of the body frames, xyzw, shape (N, num_bodies, 4)."""

    body_lin_vel_w: torch.Tensor
    """Linear velocities of the body frames' origins [m/s], shape (N, num_bodies, 3)."""

    body_ang_vel_w: torch.Tensor
    """Angular velocities of the bodies [rad/s], shape (N, num_bodies, 3)."""
