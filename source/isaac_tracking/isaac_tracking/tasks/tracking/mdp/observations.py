# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The reference as the policy sees it, and the body as the critic does, in the frame of the robot's anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ....motion.quaternion import quat_apply, quat_conjugate, quat_mul, quat_to_matrix

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand


def reference_anchor_pos_b(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return where the reference's anchor is, seen from the robot's anchor [m], shape (num_envs, 3)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    anchor = command.anchor
    offset = command.reference.body_pos_w[:, anchor] - command.robot.body_pos_w[:, anchor]
    return quat_apply(quat_conjugate(command.robot.body_quat_w[:, anchor]), offset)


def reference_anchor_ori_b(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the first two columns of the reference anchor's rotation, seen from the robot's, shape (num_envs, 6)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    anchor = command.anchor
    relative = quat_mul(quat_conjugate(command.robot.body_quat_w[:, anchor]), command.reference.body_quat_w[:, anchor])
    return quat_to_matrix(relative)[..., :2].flatten(1)


def body_pos_a(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' positions in the frame of the robot's anchor [m], shape (num_envs, 3 * num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    inverse = quat_conjugate(robot.body_quat_w[:, command.anchor])[:, None].expand_as(robot.body_quat_w)
    return quat_apply(inverse, robot.body_pos_w - robot.body_pos_w[:, command.anchor][:, None]).flatten(1)


def body_ori_a(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return two columns of the bodies' rotations in the anchor's frame, shape (num_envs, 6 * num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    relative = quat_mul(quat_conjugate(robot.body_quat_w[:, command.anchor])[:, None], robot.body_quat_w)
    return quat_to_matrix(relative)[..., :2].flatten(1)
