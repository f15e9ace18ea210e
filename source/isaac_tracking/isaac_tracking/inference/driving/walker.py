# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robot that is driven: one environment of a velocity task and its policy, a step at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from ..ground_mesh import GroundMesh, ground_mesh_of
from ..step_recorder import outcome_of
from ..velocity.commands import Command, CommandRange
from ..velocity.rollout import velocities
from ..velocity.settings import hold_commands

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

_FOREVER = 1.0e9


@dataclass(frozen=True)
class Moment:
    """What is seen of the robot at one instant."""

    pose: np.ndarray
    """Poses of its B bodies in the world, [m] and xyzw, shape (B, 7)."""

    velocity: Command
    """Velocity of its base, in the base's frame."""

    outcome: str = ""
    """Why it was put back to its start just before, by the name of a termination; empty if it was not."""

    fell: bool = False
    """Whether that was a failure, and not the end of the ground."""


class Driven(Protocol):
    """What can be driven."""

    rate: float
    """Steps per second [Hz]."""

    body_names: tuple[str, ...]
    """Names of the B bodies."""

    ground: GroundMesh | None
    """The ground, if it is not a plane."""

    def restart(self) -> Moment:
        """Put the robot to its start."""
        ...

    def step(self, command: Command) -> Moment:
        """Go on for one step with a command."""
        ...


def drivable(cfg: Any) -> CommandRange:
    """Make of a play task's config one to drive: one robot, whose commands come from outside and whose time is endless.

    Args:
        cfg: Config of the play task; changed in place.

    Returns:
        The trained commands.
    """
    ranges = cfg.commands.base_velocity.ranges
    limits = CommandRange.of(ranges)
    hold_commands(cfg)
    # A reset draws a command; what it can draw is rest.
    for name, (low, high) in zip(("lin_vel_x", "lin_vel_y", "ang_vel_z"), limits.axes, strict=True):
        rest = min(max(0.0, low), high)
        setattr(ranges, name, (rest, rest))
    cfg.scene.num_envs = 1
    cfg.episode_length_s = _FOREVER
    return limits


class Walker:
    """The first environment of a velocity task, driven by commands."""

    def __init__(self, env: Any, policy: Callable) -> None:
        """Take the environment.

        Args:
            env: The environment, wrapped for rsl_rl, with the config that :func:`drivable` made.
            policy: From observations to actions.
        """
        self._env, self._policy = env, policy
        self._base: ManagerBasedRLEnv = env.unwrapped
        self._robot = self._base.scene["robot"]
        self._term: Any = self._base.command_manager.get_term("base_velocity")
        self.rate = 1.0 / self._base.step_dt
        self.body_names = tuple(self._robot.body_names)
        self.ground = ground_mesh_of(self._base)

    def restart(self) -> Moment:
        """Put the robot to its start."""
        with torch.inference_mode():
            self._obs, _ = self._env.reset()
            self._policy.reset(torch.ones(self._base.num_envs, dtype=torch.bool, device=self._base.device))
        return self._moment()

    def step(self, command: Command) -> Moment:
        """Go on for one step; a robot that falls is put to its start."""
        with torch.inference_mode():
            # The policy sees it with its next observation, as after a resampling in training.
            self._term.vel_command_b[:] = torch.tensor(command, device=self._base.device)
            self._obs, _, done, _ = self._env.step(self._policy(self._obs))
            self._policy.reset(done)
        return self._moment(*(outcome_of(self._base.termination_manager, 0) if bool(done[0]) else ("", False)))

    def _moment(self, outcome: str = "", fell: bool = False) -> Moment:
        pose = self._robot.data.body_link_pose_w.torch[0].cpu().numpy().copy()
        _, actual = velocities(self._base)
        return Moment(pose, Command(*actual[0].tolist()), outcome, fell)
