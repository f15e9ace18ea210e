# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Isaac Lab's observations of the robot under their own names, but zeros where a state is not finite.

So a broken robot spoils no statistic of a normalizer, not even where observations are read before its episode has
ended, as for a final observation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ....motion.quaternion import quat_apply_inverse
from ...graphs.plan import in_graph

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand


@in_graph
def base_lin_vel(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the velocity of the root's centre of mass in the root's axes [m/s], shape (num_envs, 3)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return where_finite(command, command.robot_asset.data.root_lin_vel_b.torch)


@in_graph
def base_ang_vel(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the angular velocity of the root in its own axes [rad/s], shape (num_envs, 3)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    return quat_apply_inverse(robot.body_quat_w[:, 0], robot.body_ang_vel_w[:, 0])


@in_graph
def projected_gravity(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the direction of gravity in the root's axes, a unit vector [-], shape (num_envs, 3)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    # Isaac Lab's own is kept until the host says that it is old, and a graph may not ask for it.
    gravity = torch.nn.functional.normalize(command.robot_asset.data.GRAVITY_VEC_W.torch, dim=-1)
    return where_finite(command, quat_apply_inverse(command.robot.body_quat_w[:, 0], gravity))


@in_graph
def joint_pos_rel(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return joint angles minus the default pose [rad], shape (num_envs, num_joints)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    return where_finite(command, robot.joint_pos - command.robot_asset.data.default_joint_pos.torch)


@in_graph
def joint_vel_rel(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return joint speeds; those of the default pose are zero [rad/s], shape (num_envs, num_joints)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.robot.joint_vel


def where_finite(command: MotionCommand, values: torch.Tensor) -> torch.Tensor:
    """Return values of shape (num_envs, n), zeros in environments whose robot's state is not finite."""
    # Reading the robot brings the mask up to date.
    _ = command.robot
    return torch.where(command.finite[:, None], values, 0.0)
