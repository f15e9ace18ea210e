# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Playing a trained policy: every clip from its start, a line for each episode, and a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..learning.runs import checkpoint_number
from .errors import USER_ERRORS
from .loaded_policy import loaded_policy
from .play_plan import PlayPlan, make_parser, make_plan
from .terminal import print_line, quiet

if TYPE_CHECKING:
    from ..inference.rollout import Episode, PoseRecorder

__all__ = ["make_parser", "make_plan", "play"]


def play(argv: Sequence[str]) -> int:
    """Play a policy, print what became of each episode, and film it if asked.

    Raises:
        OptionError, RunError, ClipError, FilmError: If something the user gave cannot be used.
    """
    plan = make_plan(argv)
    print_line(f"playing {plan.checkpoint} on {plan.device}")
    from ..inference.rollout import PoseRecorder, play_episodes

    episodes: list[Episode] = []
    with (
        quiet(plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
        loaded_policy(plan, curtain) as (env, policy),
    ):
        recorder = PoseRecorder(env.unwrapped, plan.video_length) if plan.film else None
        for episode in play_episodes(env, policy, plan.episodes, recorder):
            episodes.append(episode)
            print_line(_line(len(episodes), episode))
        _print_summary(episodes)
        if recorder is not None:
            _film(plan, recorder, 1.0 / env.unwrapped.step_dt)
    return 0


def _line(number: int, episode: Episode) -> str:
    outcome = "reached the clip's end" if episode.completed else f"ended by {episode.outcome}"
    return (
        f"episode {number:3d} | {episode.clip:<12} | {episode.steps:4d} steps | reward {episode.mean_reward:.4f} a step"
        f" | body error {1000 * episode.body_pos_error:3.0f} mm"
        f" | drift {1000 * episode.anchor_pos_error:4.0f} mm | {outcome}"
    )


def _print_summary(episodes: Sequence[Episode]) -> None:
    completed = sum(episode.completed for episode in episodes)
    steps = sum(episode.steps for episode in episodes)
    error = sum(episode.body_pos_error * episode.steps for episode in episodes) / steps
    drift = sum(episode.anchor_pos_error * episode.steps for episode in episodes) / steps
    print_line(
        f"{completed} of {len(episodes)} episodes ({100 * completed / len(episodes):.1f} %) reached the clip's end;"
        f" mean body error {1000 * error:.1f} mm, mean drift {1000 * drift:.0f} mm, over {steps} steps"
    )


def _film(plan: PlayPlan, recorder: PoseRecorder, rate: float) -> None:
    """Render what was recorded, and look at the result."""
    from ..inference.film import BodyPath, FilmCfg, check_film, render_film
    from ..robots.mjcf import mjcf_path

    robot, reference, captions = recorder.film_strip()
    print_line(f"rendering {len(robot)} steps; the reference is the green robot")
    assert plan.film is not None
    path = render_film(
        plan.film,
        mjcf_path(*recorder.model),
        recorder.body_names,
        BodyPath(robot[..., :3], robot[..., 3:]),
        BodyPath(reference[..., :3], reference[..., 3:]),
        rate=rate,
        captions=captions,
        device=plan.device,
        cfg=FilmCfg(stride=plan.video_interval),
    )
    report = check_film(path)
    print_line(
        f"film {path} | {report.frames} pictures | {report.fps:.3g} a second | {report.duration:.1f} s"
        f" | checkpoint of iteration {checkpoint_number(plan.checkpoint)}"
    )
