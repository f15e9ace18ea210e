# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the scripts do for tasks that track motions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import checks
from .families import Subject
from .planned_motions import read_motions

if TYPE_CHECKING:
    from ..inference.pose_recorder import PoseRecorder
    from ..inference.rollout import Episode
    from .evaluate import Evaluate
    from .examination import Examination
    from .play_plan import PlayPlan


class TrackingFamily:
    """Clips, each played from its start."""

    kept: tuple[str, ...] = tuple(
        f"env.commands.motion.{key}=" for key in ("motions", "future_steps", "anchor_body_name", "body_names", "model")
    )
    """Settings of a run without which its policy sees something else."""

    def check(self, env_cfg: Any) -> None:
        """Refuse observations that remember more steps than an episode has.

        Raises:
            OptionError: If there is one.
        """
        checks.need_history(env_cfg)

    def subject(self, env_cfg: Any) -> Subject:
        """Read and check the clips.

        Raises:
            OptionError, ClipError: If one cannot be used.
        """
        motions = read_motions(env_cfg)
        # As many environments as clips, within the task's own number, so that each clip is played once.
        return Subject({"motions": str(motions)}, motions.names, min(env_cfg.scene.num_envs, len(motions)))

    def recorder(self, env: Any, num_steps: int, num_envs: int | None = None) -> PoseRecorder:
        """Return what records robot and reference."""
        from ..inference.rollout import TrackingRecorder

        return TrackingRecorder(env, num_steps, num_envs)

    def play(self, env: Any, policy: Callable, episodes: int, recorder: PoseRecorder | None) -> Iterator[str]:
        """Play, and yield a line for each episode and one for all."""
        from ..inference.rollout import play_episodes

        played: list[Episode] = []
        for episode in play_episodes(env, policy, episodes, recorder):
            played.append(episode)
            yield _line(len(played), episode)
        yield _summary(played)

    def examination(self, options: Evaluate, plan: PlayPlan) -> Examination:
        """Return the examination of every clip."""
        from .tracking_examination import TrackingExamination

        return TrackingExamination(options, plan)


FAMILY = TrackingFamily()
"""The family."""


def _line(number: int, episode: Episode) -> str:
    outcome = "reached the clip's end" if episode.completed else f"ended by {episode.outcome}"
    return (
        f"episode {number:3d} | {episode.clip:<12} | {episode.steps:4d} steps | reward {episode.mean_reward:.4f} a step"
        f" | body error {1000 * episode.body_pos_error:3.0f} mm"
        f" | drift {1000 * episode.anchor_pos_error:4.0f} mm | {outcome}"
    )


def _summary(episodes: Sequence[Episode]) -> str:
    completed = sum(episode.completed for episode in episodes)
    steps = sum(episode.steps for episode in episodes)
    error = sum(episode.body_pos_error * episode.steps for episode in episodes) / steps
    drift = sum(episode.anchor_pos_error * episode.steps for episode in episodes) / steps
    return (
        f"{completed} of {len(episodes)} episodes ({100 * completed / len(episodes):.1f} %) reached the clip's end;"
        f" mean body error {1000 * error:.1f} mm, mean drift {1000 * drift:.0f} mm, over {steps} steps"
    )
