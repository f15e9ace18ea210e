# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Reference and body in the frame of the robot's anchor: what the policy and the critic see of them.

The terms are BeyondMimic's (HybridRobotics/whole_body_tracking, ``mdp/observations.py``).
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from .frame import MotionFrame
from .quaternion import quat_apply, quat_conjugate, quat_mul, quat_to_matrix


class AnchorView(NamedTuple):
    """What N environments with B bodies look like from their robots' anchors."""

    reference_pos: torch.Tensor
    """Position of the reference's anchor [m], shape (N, 3)."""

    reference_ori: torch.Tensor
    """First two columns of the rotation of the reference's anchor, row by row [-], shape (N, 6)."""

    body_pos: torch.Tensor
    """Positions of the robot's bodies [m], shape (N, 3 * B)."""

    body_ori: torch.Tensor
    """First two columns of the rotations of the robot's bodies, row by row [-], shape (N, 6 * B)."""


def anchor_view(reference: MotionFrame, robot: MotionFrame, anchor: int) -> AnchorView:
    """Look at the reference and the robot's body from the robot's anchor.

    Args:
        reference: Where the bodies should be.
        robot: Where the bodies are.
        anchor: Index of the anchor body.
    """
    origin, inverse = robot.body_pos_w[:, anchor], quat_conjugate(robot.body_quat_w[:, anchor])
    to_bodies = inverse[:, None].expand_as(robot.body_quat_w)
    return AnchorView(
        reference_pos=quat_apply(inverse, reference.body_pos_w[:, anchor] - origin),
        reference_ori=_columns(quat_mul(inverse, reference.body_quat_w[:, anchor])),
        body_pos=quat_apply(to_bodies, robot.body_pos_w - origin[:, None]).flatten(1),
        body_ori=_columns(quat_mul(to_bodies, robot.body_quat_w)),
    )


def _columns(quat: torch.Tensor) -> torch.Tensor:
    return quat_to_matrix(quat)[..., :2].flatten(1)
