# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Randomizations that Isaac Lab lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv


def offset_joint_default_pos(
    env: ManagerBasedRLEnv, env_ids: torch.Tensor | None, offset_range: tuple[float, float], action_name: str
) -> None:
    """Shift each joint's zero of observations and actions alike, as a wrong encoder calibration does (BeyondMimic).

    Args:
        env: The environment.
        env_ids: Environments to shift; all if None.
        offset_range: Range of the uniform shift [rad].
        action_name: Name of the joint position action whose offset follows.
    """
    action = env.action_manager.get_term(action_name)
    robot: Articulation = action._asset
    rows = slice(None) if env_ids is None else env_ids.long()
    default = robot.data.default_joint_pos.torch
    low, high = offset_range
    shift = torch.rand_like(default[rows]) * (high - low) + low
    default[rows] += shift
    action._offset[rows] += shift[:, action._joint_ids]
