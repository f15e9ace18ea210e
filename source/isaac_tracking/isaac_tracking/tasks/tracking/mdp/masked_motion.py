# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motion command as a step by masks asks for it: the same numbers in the same order, none of it on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ....motion.frame import MotionFrame
from .commands import ERROR_NAMES

if TYPE_CHECKING:
    from ....motion.errors import TrackingErrors
    from ...graphs.newton_robot import NewtonRobot
    from .commands import MotionCommand


class MaskedMotion:
    """Does what :meth:`MotionCommand.reset` and :meth:`MotionCommand.compute` do, for all environments at once.

    The reference that a step is compared with was looked up in the step before, so it lies in memory of its own, which
    is filled anew where somebody else has moved an environment: the reset of an environment, or a step of Isaac Lab's.

    Args:
        name: Its name in the task.
        command: The motion command, which owns clips, steps and sampler.
        robot: Its robot.
    """

    noted = len(ERROR_NAMES)

    def __init__(self, name: str, command: MotionCommand, robot: NewtonRobot) -> None:
        self._name, self.command, self._robot = name, command, robot
        command._link_velocities = robot.link_velocities
        with torch.inference_mode(False):
            self._reference = MotionFrame(*(part.clone() for part in command.reference))
        self._errors: TrackingErrors | None = None

    def log_names(self) -> list[str]:
        """Return the names in the log of :meth:`note` and :meth:`begin`, in order."""
        return [f"Metrics/{self._name}/{name}" for name in (*ERROR_NAMES, *self.command.sampler.metrics())]

    def owners(self) -> tuple[Any, ...]:
        """Return the objects whose memory a captured graph knows."""
        command = self.command
        sampler, library = command.sampler, command.library
        parts = (getattr(sampler, name, None) for name in ("_evidence", "_rewind"))
        noise = command.cfg.reset_noise
        found = (command.source, sampler, *parts, library, noise)
        return tuple(owner for owner in found if owner is not None)

    def prepare(self) -> None:
        """Before the step: bring the reference up to date, if an environment was moved since the last one."""
        command = self.command
        if command._moved:
            for kept, part in zip(self._reference, command.reference, strict=True):
                kept.copy_(part)
            command._moved = False

    def look(self) -> None:
        """After the physics: let terms read the robots anew, and compare them with what was due."""
        command = self.command
        command._reference, command._reference_stale = self._reference, False
        command._robot_stale, command._measured_step = True, -1
        command._measure()

    def note(self, log: torch.Tensor) -> None:
        """After the terminations: tell the sampler, and write mean errors to the log in place, shape (8,)."""
        command = self.command
        failed = command._env.termination_manager.terminated
        command.sampler.note(*command._measured_at, failed, command._similarity())
        log.copy_(command._error_means())
        self._errors = command._errors

    def keep_count(self, starting: torch.Tensor) -> None:
        """Between the two halves, on the host: what the sampler and the clips do at their intervals."""
        command = self.command
        command.sampler.count_step()
        command.source.swap(command.clip_ids, starting)

    def end(self, starting: torch.Tensor) -> None:
        """Before the resets: nothing."""

    def begin(self, starting: torch.Tensor, log: torch.Tensor) -> None:
        """Put robots of new episodes on their reference, and advance the clips of the others by one frame.

        Args:
            starting: Whether each environment's next episode begins, bool, shape (num_envs,).
            log: Where what the sampler logs goes, changed in place.
        """
        command = self.command
        clip_ids, starts = command.source.start_where(starting)
        self._robot.write_where(starting, command.placement.state(command.source.frames(clip_ids, starts)))
        command.clip_ids.copy_(torch.where(starting, clip_ids, command.clip_ids))
        # A robot stands on its start, so the first frame to reach is the next one, as for all others.
        command.steps.copy_(torch.where(starting, starts, command.steps) + 1)
        command.command_counter.masked_fill_(starting, 1)
        for kept, part in zip(self._reference, command._look_up(), strict=True):
            kept.copy_(part)
        command._forget_frames()
        command._reference_stale = False
        metrics = tuple(command.sampler.metrics().values())
        if metrics:
            log.copy_(torch.stack(metrics))

    def advance(self, dt: float) -> None:
        """After the resets: nothing, since clips have been advanced."""

    def finish(self, lent: bool) -> None:
        """After the step, on the host: let others read frames and errors as after Isaac Lab's own step.

        Args:
            lent: Whether the errors lie in memory that the next step overwrites.
        """
        command = self.command
        assert self._errors is not None
        command._keep_house()
        command._errors, command._errors_lent = self._errors, lent
        command._measured_step = command._recorded_step = command._env.common_step_counter
        command._forget_frames()
        command._deviations.forget()
        command._view.forget()
        command._moved = False
