# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""All that is seen from the robot's anchor in one kernel: :func:`isaac_tracking.motion.anchor_view.anchor_view`."""

from __future__ import annotations

import torch

from ....motion.anchor_view import AnchorView
from ....motion.frame import MotionFrame
from .launching import Floats2, Quats2, Vectors2, floats, launch, quats, vectors, wp
from .quaternion import Quat, Vector, product, rotate, vector_part


@wp.func
def _write(rows: Floats2, env: int, pos_at: int, ori_at: int, pos: Vector, ori: Quat):
    """Write a position, and two columns of a rotation, row by row."""
    first = rotate(vector_part(ori), ori[3], wp.vec3(1.0, 0.0, 0.0))
    second = rotate(vector_part(ori), ori[3], wp.vec3(0.0, 1.0, 0.0))
    for axis in range(3):
        rows[env, pos_at + axis] = pos[axis]
        rows[env, ori_at + 2 * axis] = first[axis]
        rows[env, ori_at + 2 * axis + 1] = second[axis]


@wp.kernel(enable_backward=False)
def _look(
    anchor: int,
    num_bodies: int,
    reference_pos: Vectors2,
    reference_quat: Quats2,
    robot_pos: Vectors2,
    robot_quat: Quats2,
    rows: Floats2,
):
    """Write what is seen of a body of the robot; of the reference's anchor, where the bodies are at their end."""
    env, body = wp.tid()
    origin = robot_pos[env, anchor]
    turn = robot_quat[env, anchor]
    inverse = -vector_part(turn)
    pos_at = 9 + 3 * body
    ori_at = 9 + 3 * num_bodies + 6 * body
    if body < num_bodies:
        pos = robot_pos[env, body]
        quat = robot_quat[env, body]
    else:
        pos = reference_pos[env, anchor]
        quat = reference_quat[env, anchor]
        pos_at = 0
        ori_at = 3
    seen = rotate(inverse, turn[3], pos - origin)
    _write(rows, env, pos_at, ori_at, seen, product(inverse, turn[3], vector_part(quat), quat[3]))


def fused_anchor_view(reference: MotionFrame, robot: MotionFrame, anchor: int) -> AnchorView:
    """Look at the reference and the robot's body from the robot's anchor.

    Args:
        reference: Where the bodies should be.
        robot: Where the bodies are.
        anchor: Index of the anchor body.

    Returns:
        Views of one tensor, of which they share the rows.
    """
    num_envs, num_bodies = robot.body_pos_w.shape[:2]
    rows = torch.empty(num_envs, 9 * (num_bodies + 1), device=robot.body_pos_w.device)
    inputs = [vectors(reference.body_pos_w), quats(reference.body_quat_w)]
    inputs += [vectors(robot.body_pos_w), quats(robot.body_quat_w), floats(rows)]
    launch(_look, (num_envs, num_bodies + 1), [anchor, num_bodies, *inputs], rows.device)
    return AnchorView._make(rows.split((3, 6, 3 * num_bodies, 6 * num_bodies), dim=-1))
