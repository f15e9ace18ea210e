# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The reference as the policy sees it, and the body as the critic does, in the frame of the robot's anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ...graphs.plan import in_graph

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand


@in_graph
def reference_anchor_pos_b(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return where the reference's anchor is, seen from the robot's anchor [m], shape (num_envs, 3)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.view.reference_pos


@in_graph
def reference_anchor_ori_b(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the first two columns of the reference anchor's rotation, seen from the robot's, shape (num_envs, 6)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.view.reference_ori


@in_graph
def body_pos_a(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' positions in the frame of the robot's anchor [m], shape (num_envs, 3 * num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.view.body_pos


@in_graph
def body_ori_a(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return two columns of the bodies' rotations in the anchor's frame, shape (num_envs, 6 * num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.view.body_ori
