# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the scripts do for tasks that follow commanded velocities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .errors import OptionError
from .families import Subject

if TYPE_CHECKING:
    from ..inference.pose_recorder import PoseRecorder
    from ..inference.velocity.rollout import WalkEpisode
    from .evaluate import Evaluate
    from .examination import Examination
    from .play_plan import PlayPlan

_AXES = (("x", "lin_vel_x", "m/s"), ("y", "lin_vel_y", "m/s"), ("turn", "ang_vel_z", "rad/s"))
"""Name, field and unit of each part of a command."""


class VelocityFamily:
    """Commands, each environment with its own, for the time of an episode."""

    kept: tuple[str, ...] = ("env.commands.base_velocity.ranges.", "env.scene.height_scanner.")
    """Settings of a run without which its policy would be asked for what it never learned, or see something else."""

    def check(self, env_cfg: Any) -> None:
        """Refuse ground and commands that cannot be, and motors that cannot be had.

        Raises:
            OptionError: If one cannot.
        """
        # Heavy: Isaac Lab's config classes.
        from ..tasks.velocity.checks import check_env_cfg

        try:
            check_env_cfg(env_cfg)
        except ValueError as error:
            raise OptionError(str(error)) from error

    def subject(self, env_cfg: Any) -> Subject:
        """Return ground and commands in words, and the task's own number of environments."""
        ranges = env_cfg.commands.base_velocity.ranges
        commands = []
        for name, key, unit in _AXES:
            low, high = getattr(ranges, key)
            commands.append(f"{name} {low:g} to {high:g} {unit}")
        return Subject({"ground": _ground(env_cfg), "commands": ", ".join(commands)}, (), env_cfg.scene.num_envs)

    def recorder(self, env: Any, num_steps: int, num_envs: int | None = None) -> PoseRecorder:
        """Return what records the robot on its ground."""
        from ..inference.velocity.rollout import WalkRecorder

        return WalkRecorder(env, num_steps, num_envs)

    def play(self, env: Any, policy: Callable, episodes: int, recorder: PoseRecorder | None) -> Iterator[str]:
        """Play, and yield a line for each episode and one for all."""
        from ..inference.velocity.rollout import play_walks

        played: list[WalkEpisode] = []
        for episode in play_walks(env, policy, episodes, recorder):
            played.append(episode)
            yield _line(len(played), episode)
        yield _summary(played)

    def examination(self, options: Evaluate, plan: PlayPlan) -> Examination:
        """Return the examination of every command."""
        from .velocity_examination import VelocityExamination

        return VelocityExamination(options, plan)


FAMILY = VelocityFamily()
"""The family."""


def _ground(env_cfg: Any) -> str:
    terrain = env_cfg.scene.terrain
    generator = getattr(terrain, "terrain_generator", None)
    if getattr(terrain, "terrain_type", None) != "generator" or generator is None:
        return "flat"
    kinds = ", ".join(generator.sub_terrains)
    return f"{generator.num_rows} x {generator.num_cols} pieces ({kinds})"


def _line(number: int, episode: WalkEpisode) -> str:
    ends = {"time_out": "stayed up to the end", "terrain_out_of_bounds": "walked off the ground"}
    outcome = f"fell: {episode.outcome}" if episode.fell else ends.get(episode.outcome, episode.outcome)
    x, y, yaw = episode.errors
    return (
        f"episode {number:3d} | {episode.steps:4d} steps | reward {episode.mean_reward:.4f} a step"
        f" | error x {x:.2f} y {y:.2f} m/s turn {yaw:.2f} rad/s | {episode.distance:5.1f} m | {outcome}"
    )


def _summary(episodes: Sequence[WalkEpisode]) -> str:
    steps = sum(episode.steps for episode in episodes)
    up = sum(not episode.fell for episode in episodes)

    def mean(values: Sequence[float]) -> float:
        return sum(value * episode.steps for value, episode in zip(values, episodes, strict=True)) / steps

    x, y, yaw = (mean([episode.errors[axis] for episode in episodes]) for axis in range(3))
    return (
        f"{up} of {len(episodes)} episodes ({100 * up / len(episodes):.1f} %) without a fall; mean reward"
        f" {mean([episode.mean_reward for episode in episodes]):.4f} a step, mean error x {x:.3f} y {y:.3f} m/s"
        f" turn {yaw:.3f} rad/s, {sum(episode.distance for episode in episodes):.0f} m walked, over {steps} steps"
    )
