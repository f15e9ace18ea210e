# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Errors between a reference and a robot: what rewards, terminations, metrics and tests all call.

The relative errors are BeyondMimic's (HybridRobotics/whole_body_tracking, ``mdp/commands.py``): before it is compared,
the reference is put where the robot stands (x and y of its anchor, height of the reference) and turned by the
difference in heading, so that a drift over the ground costs only through the anchor's own terms.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from .frame import MotionFrame
from .quaternion import quat_apply, quat_conjugate, quat_error_magnitude, quat_mul, yaw_quat


class TrackingErrors(NamedTuple):
    """Distances between reference and robot for N environments and B bodies."""

    anchor_pos: torch.Tensor
    """Distance of the anchors in the world [m], shape (N,)."""

    anchor_rot: torch.Tensor
    """Angle between the anchors' orientations in the world [rad], shape (N,)."""

    anchor_height: torch.Tensor
    """Difference of the anchors' heights [m], shape (N,)."""

    anchor_tilt: torch.Tensor
    """Difference of the vertical component of gravity as the anchors see it [-], shape (N,)."""

    body_pos: torch.Tensor
    """Distances of the bodies from the relative reference [m], shape (N, B)."""

    body_height: torch.Tensor
    """Differences of the bodies' heights from the relative reference [m], shape (N, B)."""

    body_rot: torch.Tensor
    """Angles of the bodies from the relative reference [rad], shape (N, B)."""

    body_lin_vel: torch.Tensor
    """Differences of linear velocity in the world [m/s], shape (N, B)."""

    body_ang_vel: torch.Tensor
    """Differences of angular velocity in the world [rad/s], shape (N, B)."""

    joint_pos: torch.Tensor
    """Root mean square of the joint angle errors [rad], shape (N,)."""

    joint_vel: torch.Tensor
    """Root mean square of the joint speed errors [rad/s], shape (N,)."""


def relative_reference(reference: MotionFrame, robot: MotionFrame, anchor: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Put the reference where the robot stands and turn it to the robot's heading.

    Args:
        reference: Where the bodies should be.
        robot: Where the bodies are.
        anchor: Index of the anchor body.

    Returns:
        Positions [m], shape (N, B, 3), and orientations (xyzw), shape (N, B, 4), in the world frame.
    """
    reference_anchor_pos, robot_anchor_pos = reference.body_pos_w[:, anchor], robot.body_pos_w[:, anchor]
    reference_anchor_quat, robot_anchor_quat = reference.body_quat_w[:, anchor], robot.body_quat_w[:, anchor]
    turn = yaw_quat(quat_mul(robot_anchor_quat, quat_conjugate(reference_anchor_quat)))[:, None]
    origin = torch.cat([robot_anchor_pos[:, :2], reference_anchor_pos[:, 2:]], dim=-1)[:, None]
    arm = reference.body_pos_w - reference_anchor_pos[:, None]
    return origin + quat_apply(turn.expand_as(reference.body_quat_w), arm), quat_mul(turn, reference.body_quat_w)


def tracking_errors(reference: MotionFrame, robot: MotionFrame, anchor: int) -> TrackingErrors:
    """Compute every error between two frames whose joints and bodies have the same order.

    Args:
        reference: Where joints and bodies should be.
        robot: Where joints and bodies are.
        anchor: Index of the anchor body.
    """
    relative_pos, relative_quat = relative_reference(reference, robot, anchor)
    offset = relative_pos - robot.body_pos_w
    reference_anchor_quat, robot_anchor_quat = reference.body_quat_w[:, anchor], robot.body_quat_w[:, anchor]
    anchor_offset = reference.body_pos_w[:, anchor] - robot.body_pos_w[:, anchor]
    return TrackingErrors(
        anchor_pos=anchor_offset.norm(dim=-1),
        anchor_rot=quat_error_magnitude(reference_anchor_quat, robot_anchor_quat),
        anchor_height=anchor_offset[:, 2].abs(),
        anchor_tilt=(_upright(reference_anchor_quat) - _upright(robot_anchor_quat)).abs(),
        body_pos=offset.norm(dim=-1),
        body_height=offset[..., 2].abs(),
        body_rot=quat_error_magnitude(relative_quat, robot.body_quat_w),
        body_lin_vel=(reference.body_lin_vel_w - robot.body_lin_vel_w).norm(dim=-1),
        body_ang_vel=(reference.body_ang_vel_w - robot.body_ang_vel_w).norm(dim=-1),
        joint_pos=(reference.joint_pos - robot.joint_pos).square().mean(dim=-1).sqrt(),
        joint_vel=(reference.joint_vel - robot.joint_vel).square().mean(dim=-1).sqrt(),
    )


def _upright(quat: torch.Tensor) -> torch.Tensor:
    """Return the vertical component of a body's z axis (xyzw), 1 upright and -1 upside down, shape (N,)."""
    return 1.0 - 2.0 * (quat[..., 0].square() + quat[..., 1].square())
