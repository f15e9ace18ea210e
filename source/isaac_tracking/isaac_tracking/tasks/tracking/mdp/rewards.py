# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Rewards for being near the reference: ``exp(-error^2 / std^2)``, the error squared and averaged over the bodies.

Kernels and widths are BeyondMimic's (HybridRobotics/whole_body_tracking, ``mdp/rewards.py``). An environment whose
state is not finite is given nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ...graphs.plan import in_graph

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand


@in_graph
def anchor_pos_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> torch.Tensor:
    """Reward the anchor's position in the world, std [m], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return _kernel(command, command.errors.anchor_pos.square(), std)


@in_graph
def anchor_rot_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> torch.Tensor:
    """Reward the anchor's orientation in the world, std [rad], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return _kernel(command, command.errors.anchor_rot.square(), std)


@in_graph
def body_pos_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> torch.Tensor:
    """Reward the bodies' positions relative to the anchor, std [m], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return _kernel(command, command.errors.body_pos.square().mean(dim=-1), std)


@in_graph
def body_rot_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> torch.Tensor:
    """Reward the bodies' orientations relative to the anchor's heading, std [rad], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return _kernel(command, command.errors.body_rot.square().mean(dim=-1), std)


@in_graph
def body_lin_vel_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> torch.Tensor:
    """Reward the bodies' linear velocities in the world, std [m/s], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return _kernel(command, command.errors.body_lin_vel.square().mean(dim=-1), std)


@in_graph
def body_ang_vel_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> torch.Tensor:
    """Reward the bodies' angular velocities in the world, std [rad/s], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return _kernel(command, command.errors.body_ang_vel.square().mean(dim=-1), std)


@in_graph
def joint_limit(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Penalize joint angles beyond the soft limits, summed over the joints [rad], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot: Articulation = command.robot_asset
    limits = robot.data.soft_joint_pos_limits.torch
    angles = command.robot.joint_pos
    beyond = (limits[..., 0] - angles).clamp_min(0.0) + (angles - limits[..., 1]).clamp_min(0.0)
    return beyond.sum(dim=-1) * command.finite


def _kernel(command: MotionCommand, squared_error: torch.Tensor, std: float) -> torch.Tensor:
    return torch.exp(squared_error * (-1.0 / std**2)) * command.finite
