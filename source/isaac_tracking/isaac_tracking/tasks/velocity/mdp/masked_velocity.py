# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The velocity command as a step by masks asks for it: Isaac Lab's numbers in its order, none of it on the host.

Random numbers are drawn for all environments and taken where a mask says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from isaaclab.utils.math import wrap_to_pi

from .curriculums import command_ranges

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from ...graphs.newton_robot import NewtonRobot

_AXES = ("lin_vel_x", "lin_vel_y", "ang_vel_z")


class MaskedVelocity:
    """Does what ``UniformVelocityCommand.reset`` and ``compute`` of Isaac Lab 3.0 do, for all environments at once.

    Args:
        env: The environment, whose one command it is, with or without the curricula of :mod:`.curriculums`.
        robot: Its robot.
    """

    noted = 0

    def __init__(self, env: ManagerBasedRLEnv, robot: NewtonRobot) -> None:
        self._name = env.command_manager.active_terms[0]
        self.command: Any = env.command_manager.get_term(self._name)
        self._robot = robot
        curricula = env.curriculum_manager
        found = zip(curricula.active_terms, curricula._term_cfgs, strict=True)
        # By the name in the log; the plan lets in those of :mod:`.curriculums` alone.
        self._curricula: dict[str, Any] = {name: cfg.func for name, cfg in found}
        self._states: list[torch.Tensor] = []
        self._terrain = env.scene.terrain
        with torch.inference_mode(False):
            # Numbers of the host have this precision as well.
            self._share = torch.ones((), dtype=torch.float64, device=env.device)
            self._count = torch.zeros((), dtype=torch.int64, device=env.device)
            self._whole = torch.zeros(len(_AXES), 2, dtype=torch.float64, device=env.device)
            self._headings = torch.zeros(2, device=env.device)
            # Whether somebody has written other ranges into the command's config than the curriculum did.
            self._by_hand = torch.zeros((), dtype=torch.bool, device=env.device)
        self._uploaded: tuple | None = None

    def log_names(self) -> list[str]:
        """Return the names in the log of :meth:`begin`, in order."""
        errors = [f"Metrics/{self._name}/{error}" for error in ("error_vel_xy", "error_vel_yaw")]
        return [*(f"Curriculum/{name}" for name in self._curricula), *errors, "Metrics/success_rate"]

    def owners(self) -> tuple[Any, ...]:
        """Return the objects whose memory and numbers a captured graph knows."""
        return tuple(owner for owner in (self, self.command, self._terrain) if owner is not None)

    def prepare(self) -> None:
        """Before the step: take the part of the ranges from the host, and the ranges if they are others."""
        ranges = self.command.cfg.ranges
        written = {axis: tuple(getattr(ranges, axis)) for axis in _AXES}
        whole, by_hand = written, False
        for curriculum in self._curricula.values():
            if isinstance(curriculum, command_ranges):
                curriculum.lend(self._share, self._count)
                by_hand = written != curriculum.applied
                whole = written if by_hand else curriculum.full
        now = tuple(whole.values()), tuple(ranges.heading or (0.0, 0.0)), by_hand
        if now != self._uploaded:
            self._whole.copy_(torch.tensor(now[0], dtype=torch.float64))
            self._headings.copy_(torch.tensor(now[1]))
            self._by_hand.fill_(by_hand)
            self._uploaded = now

    def look(self) -> None:
        """After the physics: nothing, since terms read the robot themselves."""

    def note(self, log: torch.Tensor) -> None:
        """After the rewards: nothing; what is logged, is logged of whole episodes."""

    def keep_count(self, ended: torch.Tensor) -> None:
        """Between the two halves: nothing."""

    def end(self, starting: torch.Tensor) -> None:
        """Before the resets: make it harder where the episodes were good; see :mod:`.curriculums`."""
        self._states = [curriculum.judge_where(starting) for curriculum in self._curricula.values()]

    def begin(self, starting: torch.Tensor, log: torch.Tensor) -> None:
        """Log what the ended episodes were like, and command anew where one begins.

        Args:
            starting: Whether each environment's next episode begins, bool, shape (num_envs,).
            log: Where :meth:`log_names` go, changed in place; without any new episode it stays.
        """
        command = self.command
        steps = command._step_count.clamp_min(1.0)
        error_xy, error_yaw = command._error_xy_sum / steps, command._error_yaw_sum / steps
        cfg = command.cfg
        follows = (error_xy < cfg.vel_xy_success_threshold) & (error_yaw < cfg.vel_yaw_success_threshold)
        each = torch.stack([error_xy, error_yaw, follows.float()], dim=-1)
        means = torch.where(starting[:, None], each, 0.0).sum(dim=0) / starting.sum().clamp_min(1)
        found = torch.stack([*(state.float() for state in self._states), *means])
        log.copy_(torch.where(starting.any(), found, log))
        for sums in (command._error_xy_sum, command._error_yaw_sum, command._step_count):
            sums.masked_fill_(starting, 0.0)
        command.command_counter.masked_fill_(starting, 0)
        self._resample(starting)

    def advance(self, dt: float) -> None:
        """Let time go on: measure, command anew where it is up, turn towards headings, and let some stand.

        Args:
            dt: Time of a step [s].
        """
        command = self.command
        command._update_metrics()
        command.time_left -= dt
        self._resample(command.time_left <= 0.0)
        velocity = command.vel_command_b
        if command.cfg.heading_command:
            low, high = self._ranges()
            error = wrap_to_pi(command.heading_target - self._robot.data.heading_w.torch)
            turning = torch.clip(command.cfg.heading_control_stiffness * error, min=low[2], max=high[2])
            velocity[:, 2] = torch.where(command.is_heading_env, turning, velocity[:, 2])
        velocity.masked_fill_(command.is_standing_env[:, None], 0.0)

    def finish(self, lent: bool) -> None:
        """After the step: nothing, since all is where Isaac Lab keeps it."""

    def _ranges(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the least and the largest velocities that are commanded by now, each of shape (3,)."""
        # As the curriculum narrows them on the host.
        rest = self._whole[:, 0].clamp_min(0.0).minimum(self._whole[:, 1])
        share = torch.where(self._by_hand, 1.0, self._share)
        low, high = (rest[:, None] + share * (self._whole - rest[:, None])).float().unbind(dim=1)
        return low, high

    def _resample(self, where: torch.Tensor) -> None:
        """Command anew where a mask says so, bool, shape (num_envs,); draws as Isaac Lab does if that is everywhere."""
        command, cfg = self.command, self.command.cfg
        shortest, longest = cfg.resampling_time_range
        _put(command.time_left, where, self._draw() * (longest - shortest) + shortest)
        low, high = self._ranges()
        for axis in range(len(_AXES)):
            drawn = self._draw() * (high[axis] - low[axis]) + low[axis]
            _put(command.vel_command_b[:, axis], where, drawn)
        if cfg.heading_command:
            first, last = self._headings.unbind()
            _put(command.heading_target, where, self._draw() * (last - first) + first)
            _put(command.is_heading_env, where, self._draw() <= cfg.rel_heading_envs)
        _put(command.is_standing_env, where, self._draw() <= cfg.rel_standing_envs)
        command.command_counter += where

    def _draw(self) -> torch.Tensor:
        """Draw a number from 0 to 1 for each environment, shape (num_envs,)."""
        return torch.rand_like(self.command.time_left)


def _put(values: torch.Tensor, where: torch.Tensor, others: torch.Tensor) -> None:
    """Change values in place where a mask says so."""
    values.copy_(torch.where(where, others, values))
