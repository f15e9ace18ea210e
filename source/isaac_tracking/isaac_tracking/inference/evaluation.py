# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Examining a policy: every clip from its start, a number of times, and each episode as a recording when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..motion.frame import MotionFrame
from ..motion.sampling.plain import StartSampler
from .recording import Recording
from .step_recorder import StepRecorder, record_trials

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from ..tasks.tracking.mdp.commands import MotionCommand

SETTINGS: dict[str, str] = {
    "clean": "The play task as it is: starts on the clip's first frame, no noise, nothing random, no pushes.",
    "noisy": "Clean, with the training task's noise on the observations and on the state at the start.",
    "randomized": "Noisy, with what the training task varies between robots (friction, centre of mass, joint zeros; in"
    " the tasks of the stages motors and masses too) and its delay of actions.",
    "pushed": "Randomized, with the training task's pushes.",
}
"""What is done to the robot during an examination, by name; each includes those before it."""

CONTACT_FORCE = 1.0
"""Force from which a foot counts as touching the ground [N], the threshold of the task's contact penalty."""


def apply_setting(play_cfg: Any, train_cfg: Any, setting: str) -> None:
    """Bring into a play task's config what a setting takes from the training task.

    Args:
        play_cfg: Config of the play task; changed in place.
        train_cfg: Config of the training task.
        setting: One of :data:`SETTINGS`.
    """
    level = list(SETTINGS).index(setting)
    # All clips stay on the device: an examination does not wait for one that comes and goes.
    play_cfg.commands.motion.memory_budget = 1.0e6
    if level >= 1:
        play_cfg.observations.policy.enable_corruption = train_cfg.observations.policy.enable_corruption
        play_cfg.commands.motion.reset_noise = train_cfg.commands.motion.reset_noise
    if level >= 2:
        for name, term in vars(train_cfg.actions).items():
            played = getattr(play_cfg.actions, name)
            if hasattr(term, "delay") and hasattr(played, "delay"):
                played.delay = term.delay
    for name, term in vars(train_cfg.events).items():
        pushes = getattr(term, "mode", None) == "interval"
        if getattr(term, "mode", None) is not None and level >= (3 if pushes else 2):
            setattr(play_cfg.events, name, term)


@dataclass(frozen=True)
class Trial:
    """One episode that is to be examined."""

    clip_id: int
    """Clip in the library."""
    repeat: int
    """How many times the clip was examined before."""


class TrialSampler(StartSampler):
    """Hands out each trial once, to whichever environment is free next.

    Args:
        trials: The trials, in the order in which they are begun.
        num_frames: Frames of each clip, shape (num_clips,).
        num_envs: Number of environments.
    """

    def __init__(self, trials: Sequence[Trial], num_frames: torch.Tensor, num_envs: int) -> None:
        super().__init__(num_frames, num_envs)
        self._waiting = list(reversed(trials))
        self._idle = int(num_frames.argmin())
        self.trials: list[Trial | None] = [None] * num_envs
        """Trial of each environment; ``None`` where none was left."""

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips of the next trials and step 0, each of shape (N,)."""
        clip_ids = []
        for index in env_ids.tolist():
            self.trials[index] = trial = self._waiting.pop() if self._waiting else None
            clip_ids.append(self._idle if trial is None else trial.clip_id)
        clips = torch.tensor(clip_ids, device=env_ids.device)
        return clips, torch.zeros_like(clips)

    def sample_where(self, starting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Refuse: who gets which trial is decided on the host.

        Raises:
            RuntimeError: Always. While a recorder is active, environments step by ids.
        """
        raise RuntimeError("trials are handed out by ids, not by masks")


def plan_trials(num_frames: Sequence[int], repeats: int) -> list[Trial]:
    """Return all trials, the longest clips first, so that no environment is left alone with one at the end."""
    order = sorted(range(len(num_frames)), key=lambda clip_id: (-num_frames[clip_id], clip_id))
    return [Trial(clip_id, repeat) for clip_id in order for repeat in range(repeats)]


class EpisodeRecorder(StepRecorder):
    """Records every environment after the physics of a step and before any reset.

    An episode becomes a recording when it ends; memory is that of the episodes under way.

    Args:
        env: The environment.
        sampler: Says which trial each environment is on.
        feet: Bodies whose contact with the ground is recorded.
        contacts: Labels of the clips at the control rate, bool, shape (frames, len(feet)); by name.
    """

    def __init__(
        self, env: ManagerBasedRLEnv, sampler: TrialSampler, feet: Sequence[str], contacts: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(env)
        self._sampler = sampler
        self._command: MotionCommand = env.command_manager.get_term("motion")
        self._robot = self._command.robot_asset
        self._feet, self._labels = tuple(feet), contacts
        sensor = env.scene["contact_forces"]
        self._sensor, self._foot_ids = sensor, sensor.find_sensors(list(feet), preserve_order=True)[0]
        self._everyone = torch.arange(env.num_envs, device=env.device)
        self._longest = int(self._command.library.num_frames.max()) - 1
        self._rows: torch.Tensor | None = None

    def record_post_step(self) -> None:
        """Keep the state of all environments, and take out the episodes that end with this step."""
        parts = self._parts()
        # Zeros for what is not finite, as the command has them: an episode that broke must not break the means.
        row = torch.cat([part.flatten(1) for part in parts], dim=-1).nan_to_num(0.0, 0.0, 0.0)
        if self._rows is None:
            self._shapes = [part.shape[1:] for part in parts]
            self._rows = row.new_zeros((len(row), self._longest, row.shape[-1]))
        # The first step of an episode is to reach frame 1.
        self._rows[self._everyone, self._command.steps - 1] = row
        for index in self._environment.reset_buf.nonzero().flatten().tolist():
            trial = self._sampler.trials[index]
            if trial is not None:
                self.finished.append((trial, self._recording(index, trial)))

    def _parts(self) -> list[torch.Tensor]:
        actuators, robot = self._robot.actuators, self._command.robot
        local = robot._replace(body_pos_w=robot.body_pos_w - self._environment.scene.env_origins[:, None])
        force = self._sensor.data.net_forces_w.torch[:, self._foot_ids].norm(dim=-1)
        action = self._environment.action_manager.action
        targets, torques = actuators.target_command.position.torch, actuators.applied_effort.torch
        return [*local, action, targets, torques, (force > CONTACT_FORCE).float()]

    def _recording(self, index: int, trial: Trial) -> Recording:
        command, library = self._command, self._command.library
        assert self._rows is not None
        steps, name = int(command.steps[index]), library.names[trial.clip_id]
        # A copy: on a CPU, what is played next is written into the same rows.
        rows = self._rows[index, :steps].cpu().clone().split([shape.numel() for shape in self._shapes], dim=-1)
        *frame, actions, targets, torques, contacts = (
            part.unflatten(-1, shape).contiguous() for part, shape in zip(rows, self._shapes, strict=True)
        )
        frames = torch.arange(1, steps + 1, device=library.device)
        reference = library.frames(torch.full_like(frames, trial.clip_id), frames)
        labels = self._labels.get(name)
        return Recording(
            clip=name,
            rate=library.rate,
            joint_names=tuple(self._robot.joint_names),
            body_names=tuple(command.body_names),
            robot=MotionFrame(*frame),
            reference=MotionFrame(*(part.cpu() for part in reference)),
            actions=actions,
            targets=targets,
            torques=torques,
            contacts=contacts > 0.5,
            outcome=self.outcome(index),
            clip_steps=int(library.num_frames[trial.clip_id]) - 1,
            feet_names=self._feet,
            reference_contacts=None if labels is None else torch.from_numpy(labels[1 : steps + 1]),
        )


def examine(
    env: Any, policy: Callable, repeats: int, seed: int, feet: Sequence[str], contacts: Mapping[str, np.ndarray]
) -> Iterator[tuple[Trial, Recording]]:
    """Play every clip from its start some times, and yield each episode when it ends.

    Exactly ``repeats`` episodes of each clip are yielded, whatever their lengths; what :func:`.record_trials` says of
    the seed holds.

    Args:
        env: The environment, wrapped for rsl_rl.
        policy: From observations to actions.
        repeats: Episodes of each clip.
        seed: Of all random numbers from here on.
        feet: Bodies whose contact with the ground is recorded.
        contacts: Labels of the clips' contacts at the control rate, see :class:`EpisodeRecorder`.
    """
    base: ManagerBasedRLEnv = env.unwrapped
    command: MotionCommand = base.command_manager.get_term("motion")
    trials = plan_trials(command.library.num_frames.tolist(), repeats)
    sampler = TrialSampler(trials, command.library.num_frames, base.num_envs)
    recorder = EpisodeRecorder(base, sampler, feet, contacts)
    previous, command.source.sampler = command.source.sampler, sampler
    try:
        yield from record_trials(env, policy, recorder, len(trials), seed)
    finally:
        command.source.sampler = previous
