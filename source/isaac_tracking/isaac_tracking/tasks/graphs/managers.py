# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What Isaac Lab's managers do to the environments whose episodes begin, by a mask instead of indices.

The functions do what Isaac Lab 3.0's ``ManagerBasedRLEnv._reset_idx`` does, as far as the plan (:mod:`.plan`) lets
tasks in: for all environments, whether any begins or not, so that the host need not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import warp as wp

from .plan import histories

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .newton_robot import NewtonRobot

AXES = ("x", "y", "z", "roll", "pitch", "yaw")
"""Names of the components of a push."""


def episode_log_names(env: ManagerBasedRLEnv) -> list[str]:
    """Return the names in the log of what :func:`log_episodes` computes, in order."""
    return [
        *(f"Episode_Reward/{name}" for name in env.reward_manager.active_terms),
        *(f"Episode_Termination/{name}" for name in env.termination_manager.active_terms),
    ]


def log_episodes(env: ManagerBasedRLEnv, starting: torch.Tensor, log: torch.Tensor) -> None:
    """Write what the episodes that have just ended gave, as Isaac Lab logs it; without any the log stays.

    Args:
        env: The environment, before its sums are reset.
        starting: Whether each environment's next episode begins, bool, shape (num_envs,).
        log: Where :func:`episode_log_names` go, changed in place.
    """
    sums, dones = env.reward_manager._episode_sum_buf, env.termination_manager._last_episode_dones
    totals = torch.where(starting[:, None], sums, 0.0).sum(dim=0)
    rewards = totals / starting.sum().clamp_min(1) / env.max_episode_length_s
    # Isaac Lab's mean is over all environments, of what ended the last episode of each.
    found = torch.cat([rewards, dones.float().mean(dim=0)])
    log.copy_(torch.where(starting.any(), found, log))


def reset_where(env: ManagerBasedRLEnv, starting: torch.Tensor) -> None:
    """Reset scene, observations' memory, actions and sums of rewards; robots and commands are others' business.

    Args:
        env: The environment.
        starting: Whether each environment's next episode begins, bool, shape (num_envs,).
    """
    mask = wp.from_torch(starting, wp.bool)
    for sensor in env.scene.sensors.values():
        sensor.reset(env_mask=mask)
    # Isaac Lab fills what a mask selects as it fills what indices do. A history then remembers on the host that its
    # next entry may be a first one; so a graph always looks whether it is, environment by environment.
    for history in histories(env):
        history.reset(starting)  # type: ignore[arg-type]
    env.action_manager.reset(starting)  # type: ignore[arg-type]
    env.reward_manager._episode_sum_buf.masked_fill_(starting[:, None], 0.0)
    env.episode_length_buf.masked_fill_(starting, 0)


class DeviceRanges:
    """Ranges by name, uploaded once for each set of bounds.

    Args:
        device: Where to.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._bounds: dict[tuple[float, ...], torch.Tensor] = {}

    def __call__(
        self, ranges: dict[str, tuple[float, float]], names: tuple[str, ...]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the least and the largest number of each name, of one without a range 0, shape (names,)."""
        bounds = tuple(float(bound) for name in names for bound in ranges.get(name, (0.0, 0.0)))
        if bounds not in self._bounds:
            with torch.inference_mode(False):
                self._bounds[bounds] = torch.tensor(bounds, device=self._device)
        return self._bounds[bounds][0::2], self._bounds[bounds][1::2]


class IntervalPushes:
    """The pushes of a task, each environment after a time of its own.

    Args:
        env: The environment.
        robot: Who is pushed.
    """

    def __init__(self, env: ManagerBasedRLEnv, robot: NewtonRobot) -> None:
        self._env, self._robot = env, robot
        self._ranges = DeviceRanges(env.device)

    def restart(self, starting: torch.Tensor) -> None:
        """Draw new times for the environments whose episode begins, bool, shape (num_envs,)."""
        for index, cfg in enumerate(self._terms()):
            if cfg.resample_interval_on_reset:
                self._draw_times(index, starting, cfg.interval_range_s)

    def apply(self, dt: float) -> None:
        """Let time go on [s], and push whom it is up for."""
        for index, cfg in enumerate(self._terms()):
            left = self._env.event_manager._interval_term_time_left[index]
            left -= dt
            due = left < 1e-6
            self._draw_times(index, due, cfg.interval_range_s)
            low, high = self._ranges(cfg.params["velocity_range"], AXES)
            change = torch.rand(len(due), len(AXES), device=due.device) * (high - low) + low
            self._robot.push_where(due, change)

    def _terms(self) -> list:
        return self._env.event_manager._mode_term_cfgs.get("interval", [])

    def _draw_times(self, index: int, where: torch.Tensor, seconds: tuple[float, float]) -> None:
        left = self._env.event_manager._interval_term_time_left[index]
        drawn = torch.rand(len(left), device=left.device) * (seconds[1] - seconds[0]) + seconds[0]
        left.copy_(torch.where(where, drawn, left))
