# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When an episode ends, besides Isaac Lab's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ...graphs.plan import in_graph

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv


@in_graph
def non_finite(env: ManagerBasedRLEnv, asset_name: str = "robot") -> torch.Tensor:
    """Return whether the robot's state holds a NaN or an infinity, shape (num_envs,)."""
    robot: Articulation = env.scene[asset_name]
    data = robot.data
    # Of the center of mass: a graph may read it, and with a finite pose it is finite where that of the link is.
    parts = (data.root_link_pose_w, data.root_com_vel_w, data.joint_pos, data.joint_vel)
    # A sum with a NaN or an infinity in it is not finite.
    return ~torch.isfinite(torch.cat([part.torch for part in parts], dim=-1).sum(dim=-1))
