# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where a robot stands when its episode starts: on the reference, with noise, never in the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ....motion.start_state import Noise, StartState
from ..kernels.start_state import fused_start_state

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

    from ....motion.frame import MotionFrame
    from ..kernels.lowest_point import LowestPoint
    from .commands_cfg import MotionCommandCfg


class Placement:
    """Turns references into states in which episodes start.

    Args:
        cfg: The motion command's values; its noise may change at any time.
        robot: The robot.
        origins: Where the environments lie in the world [m], shape (num_envs, 3).
        lowest: Height of the lowest point of the robot's collision shapes.
    """

    def __init__(self, cfg: MotionCommandCfg, robot: Articulation, origins: torch.Tensor, lowest: LowestPoint) -> None:
        self._cfg, self._robot, self._origins, self._lowest = cfg, robot, origins, lowest
        self._known_widths: dict[tuple[float, ...], torch.Tensor] = {}

    def state(self, frame: MotionFrame, env_ids: torch.Tensor | None = None) -> StartState:
        """Return states of the reference, with noise.

        Args:
            frame: References, N instants with the clips' own origins.
            env_ids: Environments, shape (N,); None for all.
        """
        noise, origins = None, self._origins if env_ids is None else self._origins[env_ids]
        if self._cfg.reset_noise is not None:
            widths, limits = self._half_widths(), self._robot.data.soft_joint_pos_limits.torch
            draws = torch.rand(len(origins), len(widths), device=origins.device)
            noise = Noise(draws, widths, limits if env_ids is None else limits[env_ids])
        return fused_start_state(frame, noise, origins, self._lowest)

    def place(self, env_ids: torch.Tensor, frame: MotionFrame) -> None:
        """Write starts of some environments, shape (N,), into the simulator; the frame has their N references."""
        state, robot, env_ids = self.state(frame, env_ids), self._robot, env_ids.int()
        robot.write_root_link_pose_to_sim_index(root_pose=state.root_pose, env_ids=env_ids)
        robot.write_root_link_velocity_to_sim_index(root_velocity=state.root_vel, env_ids=env_ids)
        robot.write_joint_position_to_sim_index(position=state.joint_pos, env_ids=env_ids)
        robot.write_joint_velocity_to_sim_index(velocity=state.joint_vel, env_ids=env_ids)

    def _half_widths(self) -> torch.Tensor:
        """Return the half-widths of the noise, shape (12 + num_joints,); none is copied to the device twice."""
        noise = self._cfg.reset_noise
        assert noise is not None
        root = (*noise.root_pos, *noise.root_rot, *noise.root_lin_vel, *noise.root_ang_vel)
        key = (*root, *(noise.joint_pos,) * self._robot.num_joints)
        if key not in self._known_widths:
            with torch.inference_mode(False):
                self._known_widths[key] = torch.tensor(key, device=self._origins.device)
        return self._known_widths[key]
