# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How episodes begin: the reset events that can be done by a mask instead of indices.

Two of Isaac Lab 3.0's terms, ``reset_root_state_uniform`` and ``reset_joints_by_scale``: drawn for all robots, in Isaac
Lab's order, and written where the mask says so.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from isaaclab.envs import mdp
from isaaclab.utils.math import quat_from_euler_xyz, quat_mul, sample_uniform

from .managers import AXES, DeviceRanges

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .newton_robot import NewtonRobot


def reset_obstacle(env: ManagerBasedRLEnv, cfg: Any) -> str | None:
    """Return what keeps a reset event from being done by a mask, as the end of half a sentence; None if nothing.

    Args:
        env: The environment.
        cfg: The event's config.
    """
    if not _places_root(cfg) and cfg.func is not mdp.reset_joints_by_scale:
        return "comes at every reset"
    if cfg.min_step_count_between_reset:
        return "comes at some resets only (min_step_count_between_reset)"
    target = cfg.params.get("asset_cfg")
    if target is not None and (target.name not in env.scene.articulations or target.joint_ids != slice(None)):
        return "resets something else than a whole robot"
    return None


class MaskedResets:
    """The reset events of a task without an obstacle.

    Args:
        env: The environment.
        robot: Who is reset.
    """

    def __init__(self, env: ManagerBasedRLEnv, robot: NewtonRobot) -> None:
        self._env, self._robot = env, robot
        self._ranges = DeviceRanges(env.device)

    def apply(self, starting: torch.Tensor) -> None:
        """Put robots where their episodes begin; :meth:`NewtonRobot.settle` must follow.

        Args:
            starting: Whether each environment's next episode begins, bool, shape (num_envs,).
        """
        for cfg in self._env.event_manager._mode_term_cfgs.get("reset", []):
            (self._place_root if _places_root(cfg) else self._bend_joints)(starting, **cfg.params)

    def _place_root(
        self, starting: torch.Tensor, pose_range: dict, velocity_range: dict, asset_cfg: Any = None
    ) -> None:
        """Do what ``reset_root_state_uniform`` does."""
        data = self._robot.data
        pose, velocity = data.default_root_pose.torch, data.default_root_vel.torch
        shift = self._draw(pose_range)
        position = pose[:, :3] + self._env.scene.env_origins + shift[:, :3]
        quat = quat_mul(pose[:, 3:7], quat_from_euler_xyz(shift[:, 3], shift[:, 4], shift[:, 5]))
        velocity = velocity + self._draw(velocity_range)
        self._robot.write_root_where(starting, torch.cat([position, quat], dim=-1), velocity)

    def _bend_joints(
        self,
        starting: torch.Tensor,
        position_range: tuple[float, float],
        velocity_range: tuple[float, float],
        asset_cfg: Any = None,
    ) -> None:
        """Do what ``reset_joints_by_scale`` does."""
        data = self._robot.data
        pos, vel = data.default_joint_pos.torch, data.default_joint_vel.torch
        pos = pos * sample_uniform(*position_range, pos.shape, self._env.device)
        vel = vel * sample_uniform(*velocity_range, vel.shape, self._env.device)
        limits, fastest = data.soft_joint_pos_limits.torch, data.soft_joint_vel_limits.torch
        pos, vel = pos.clamp(limits[..., 0], limits[..., 1]), vel.clamp(-fastest, fastest)
        self._robot.write_joints_where(starting, pos, vel)

    def _draw(self, ranges: dict[str, tuple[float, float]]) -> torch.Tensor:
        """Draw a number of each axis, shape (num_envs, 6)."""
        low, high = self._ranges(ranges, AXES)
        return sample_uniform(low, high, (self._env.num_envs, len(AXES)), self._env.device)


def _places_root(cfg: Any) -> bool:
    # Isaac Lab makes an object of the class when the event comes for the first time.
    term = cfg.func if inspect.isclass(cfg.func) else type(cfg.func)
    return term is mdp.reset_root_state_uniform
