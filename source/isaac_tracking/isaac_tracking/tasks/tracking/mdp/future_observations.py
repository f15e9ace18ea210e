# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The next steps of the reference, as a robot without a state estimator can be told them.

The terms and their frames follow the policy's observations of Axellwppr/motion_tracking (compliance branch); its
numbers of a step come one after another here, step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ....motion.quaternion import quat_apply_inverse, quat_conjugate, quat_mul, quat_to_matrix
from ...graphs.plan import in_graph
from .senses import where_finite

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand


@in_graph
def future_root_pos(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return where the reference's root goes, seen from its own first step [m], shape (num_envs, 3 * (steps - 1)).

    R(q_0)^T (p_k - p_0) of the reference alone, without the first step, which is zero.
    """
    command: MotionCommand = env.command_manager.get_term(command_name)
    future = command.future
    path = future.root_pos_w[:, 1:] - future.root_pos_w[:, :1]
    return quat_apply_inverse(future.root_quat_w[:, :1], path).flatten(1)


@in_graph
def future_root_ori(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return two columns of the reference roots' rotations, seen from the robot's, shape (num_envs, 6 * steps).

    Of R(q_robot)^T R(q_k), row by row, as in the term ``reference_anchor_ori_b``.
    """
    command: MotionCommand = env.command_manager.get_term(command_name)
    inverse = quat_conjugate(command.robot.body_quat_w[:, :1])
    columns = quat_to_matrix(quat_mul(inverse, command.future.root_quat_w))[..., :2]
    return where_finite(command, columns.flatten(1))


@in_graph
def future_joint_pos(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the reference's joint angles, step by step [rad], shape (num_envs, num_joints * steps)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.future.joint_pos.flatten(1)


@in_graph
def future_joint_pos_error(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the reference's joint angles minus the robot's [rad], shape (num_envs, num_joints * steps).

    The robot's are those that its encoders show, else the difference to the other terms would tell it their errors.
    """
    command: MotionCommand = env.command_manager.get_term(command_name)
    error = command.future.joint_pos - command.encoder_joint_pos[:, None]
    return where_finite(command, error.flatten(1))


@in_graph
def future_root_height(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the heights of the reference's root above the ground [m], shape (num_envs, steps)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.future.root_pos_w[..., 2] - env.scene.env_origins[:, 2:]


@in_graph
def future_gravity(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the direction of gravity in the axes of the reference's root, shape (num_envs, 3 * steps)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    # Minus the third row of the rotation matrix.
    return -quat_to_matrix(command.future.root_quat_w)[..., 2, :].flatten(1)


@in_graph
def boot_indicator(env: ManagerBasedRLEnv, action_name: str) -> torch.Tensor:
    """Return how much of the start pose is left in the targets, 1 at a reset to 0 [-], shape (num_envs, 1).

    Zeros, if the action knows no boot.
    """
    remaining = getattr(env.action_manager.get_term(action_name), "boot_remaining", None)
    return torch.zeros(env.num_envs, 1, device=env.device) if remaining is None else remaining[:, None]
