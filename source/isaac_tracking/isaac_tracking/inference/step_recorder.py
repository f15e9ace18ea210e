# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is called after the physics of each control step and before any reset, whatever is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from isaaclab.managers import RecorderManager

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import TerminationManager

BUFFER_BYTES = 1_000_000_000
"""Memory that the episodes under way may take."""


class StepRecorder(RecorderManager):
    """Takes the place of an environment's own recorder manager, the one thing that Isaac Lab calls at that moment.

    Isaac Lab then computes the observations once more in each step. Subclasses say what is recorded in
    ``record_post_step``; nothing is recorded elsewhere, and no file is opened.

    Args:
        env: The environment.
    """

    def __init__(self, env: ManagerBasedRLEnv) -> None:
        super().__init__(None, env)
        self._environment = env
        self.finished: list[tuple[Any, Any]] = []
        """Trials that have ended, each with its recording; whoever reads them takes them away."""

    @property
    def active_terms(self) -> list[str]:
        """Name of the one thing that is recorded; without it Isaac Lab calls nobody."""
        return ["examination"]

    def record_pre_step(self) -> None:
        """Record nothing."""

    def record_post_physics_decimation_step(self) -> None:
        """Record nothing."""

    def record_pre_reset(self, env_ids: Any, force_export_or_skip: Any = None) -> None:
        """Record nothing."""

    def record_post_reset(self, env_ids: Any) -> None:
        """Record nothing."""

    def reset(self, env_ids: Any = None) -> dict[str, torch.Tensor]:
        """Forget nothing: a row is written before it is read."""
        return {}

    def close(self, *_: Any) -> None:
        """Close nothing: no file is open."""

    def outcome(self, index: int) -> str:
        """Return the termination that ends an environment's episode; a fall on the last step is a fall."""
        return outcome_of(self._environment.termination_manager, index)[0]


def record_trials(
    env: Any, policy: Callable, recorder: StepRecorder, trials: int, seed: int
) -> Iterator[tuple[Any, Any]]:
    """Play until some trials have ended, and yield each with its recording when it ends.

    The same seed gives the same numbers on one machine, if the environment is new and was made with that seed and as
    many environments.

    Args:
        env: The environment, wrapped for rsl_rl.
        policy: From observations to actions.
        recorder: Finishes the trials; it takes the place of the environment's own while they are played.
        trials: How many there are.
        seed: Of all random numbers from here on.
    """
    base: ManagerBasedRLEnv = env.unwrapped
    previous, base.recorder_manager = base.recorder_manager, recorder
    try:
        with torch.inference_mode():
            base.seed(seed)
            policy.reset(torch.ones(base.num_envs, dtype=torch.bool, device=base.device))
            obs, _ = env.reset()
            while trials:
                obs, _, done, _ = env.step(policy(obs))
                policy.reset(done)
                trials -= len(recorder.finished)
                yield from recorder.finished
                recorder.finished.clear()
    finally:
        base.recorder_manager = previous


def outcome_of(manager: TerminationManager, index: int) -> tuple[str, bool]:
    """Return the termination that ended an environment's episode, and whether it is a failure and no end of time.

    A fall on the last step is a fall.
    """
    ended = [name for name in manager.active_terms if manager.get_term(name)[index]]
    failures = [name for name in ended if not manager.get_term_cfg(name).time_out]
    return (failures or ended)[0], bool(failures)


def choose_num_envs(trials: int, longest: int, width: int, most: int) -> int:
    """Return how many environments to run at once: as many as there are trials, within bounds.

    Args:
        trials: Number of trials.
        longest: Steps of the longest trial.
        width: Numbers that are recorded a step.
        most: Upper bound.
    """
    return max(1, min(trials, most, BUFFER_BYTES // (4 * longest * width)))
