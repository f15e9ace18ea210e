# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Examining a policy that follows velocities: every command on every piece of ground, each episode as a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..step_recorder import StepRecorder, record_trials
from .commands import Command
from .recording import VelocityRecording
from .settings import LEFT_TILE, has_terrain

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv


@dataclass(frozen=True)
class Trial:
    """One episode that is to be examined."""

    command: Command
    repeat: int
    """How many times the same was examined before."""
    place: tuple[int, int] | None = None
    """Level of the ground, from the easiest, and number of its kind; ``None`` for a plane."""


def plan_trials(commands: Sequence[Command], repeats: int, levels: int = 0, kinds: int = 0) -> list[Trial]:
    """Return all trials: every command on every piece of ground as often as asked; levels and kinds 0 for a plane."""
    places = [(level, kind) for level in range(levels) for kind in range(kinds)] or [None]
    return [Trial(command, repeat, place) for repeat in range(repeats) for place in places for command in commands]


class VelocityRecorder(StepRecorder):
    """Hands out the trials, sets place and command of each, and records it; an episode is a recording when it ends.

    An environment that is done takes the next trial that is left; what it plays when none is left does not count.

    Args:
        env: The environment, with the config that ``apply_setting`` made.
        trials: The trials, in the order in which they are begun.
    """

    def __init__(self, env: ManagerBasedRLEnv, trials: Sequence[Trial]) -> None:
        super().__init__(env)
        self._waiting = list(reversed(trials))
        self._robot = env.scene["robot"]
        self._command: Any = env.command_manager.get_term("base_velocity")
        self._everyone = torch.arange(env.num_envs, device=env.device)
        self._masses = self._robot.data.body_mass.torch.sum(dim=-1).tolist()
        self._rows: torch.Tensor | None = None
        # A block of flat ground is no terrain in Isaac Lab's sense.
        self._terrain: Any = env.scene.terrain
        self._kinds = list(self._terrain.cfg.terrain_generator.sub_terrains) if has_terrain(env.cfg) else []
        self.trials: list[Trial | None] = [None] * env.num_envs
        """Trial of each environment; ``None`` where none was left."""

    def record_pre_reset(self, env_ids: Any, force_export_or_skip: Any = None) -> None:
        """Give the next trials to the environments that are to be reset, and put them where those are played."""
        terrain = self._terrain
        for index in self._everyone[env_ids].tolist():
            self.trials[index] = trial = self._waiting.pop() if self._waiting else None
            if trial is not None and trial.place is not None:
                terrain.terrain_levels[index], terrain.terrain_types[index] = trial.place
                terrain.env_origins[index] = terrain.terrain_origins[trial.place]

    def record_post_reset(self, env_ids: Any) -> None:
        """Command what the trials say; resets have drawn something else."""
        for index in self._everyone[env_ids].tolist():
            trial = self.trials[index]
            command = Command(0.0, 0.0, 0.0) if trial is None else trial.command
            self._command.vel_command_b[index] = torch.tensor(command, device=self._environment.device)
            self._command.is_standing_env[index] = False

    def record_post_step(self) -> None:
        """Keep the state of all environments, and take out the episodes that end with this step."""
        env, data = self._environment, self._robot.data
        parts = [
            data.root_lin_vel_b.torch,
            data.root_ang_vel_b.torch,
            data.root_pos_w.torch,
            data.root_quat_w.torch,
            data.joint_pos.torch,
            data.joint_vel.torch,
            self._robot.actuators.applied_effort.torch,
        ]
        # Zeros for what is not finite: an episode that broke must not break the means.
        row = torch.cat(parts, dim=-1).nan_to_num(0.0, 0.0, 0.0)
        if self._rows is None:
            self._widths = [part.shape[-1] for part in parts]
            self._rows = row.new_zeros((len(row), env.max_episode_length, row.shape[-1]))
        self._rows[self._everyone, env.episode_length_buf - 1] = row
        for index in env.reset_buf.nonzero().flatten().tolist():
            trial = self.trials[index]
            if trial is not None:
                self.finished.append((trial, self._recording(index, trial)))

    def _recording(self, index: int, trial: Trial) -> VelocityRecording:
        env = self._environment
        assert self._rows is not None
        steps, outcome = int(env.episode_length_buf[index]), self.outcome(index)
        # A copy: on a CPU, what is played next is written into the same rows.
        rows = self._rows[index, :steps].cpu().clone()
        lin_vel, ang_vel, pos, quat, joint_pos, joint_vel, torques = (
            part.contiguous() for part in rows.split(self._widths, dim=-1)
        )
        return VelocityRecording(
            command=trial.command,
            rate=1.0 / env.step_dt,
            joint_names=tuple(self._robot.joint_names),
            mass=self._masses[index],
            lin_vel_b=lin_vel,
            ang_vel_b=ang_vel,
            root_pos_w=pos,
            root_quat_w=quat,
            joint_pos=joint_pos,
            joint_vel=joint_vel,
            torques=torques,
            outcome=outcome,
            fell=not env.termination_manager.get_term_cfg(outcome).time_out,
            max_steps=env.max_episode_length,
            terrain=None if trial.place is None else self._kinds[trial.place[1]],
            level=None if trial.place is None else trial.place[0],
            left_tile=outcome == LEFT_TILE,
        )


def examine(
    env: Any, policy: Callable, trials: Sequence[Trial], seed: int
) -> Iterator[tuple[Trial, VelocityRecording]]:
    """Play each trial once, and yield each episode when it ends; :func:`.record_trials` says what a seed gives.

    Args:
        env: The environment, wrapped for rsl_rl, with the config that ``apply_setting`` made.
        policy: From observations to actions.
        trials: What is to be played.
        seed: Of all random numbers from here on.
    """
    yield from record_trials(env, policy, VelocityRecorder(env.unwrapped, trials), len(trials), seed)
