# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Playing a trained policy: a line for each episode, one for all of them, and a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..learning.runs import checkpoint_number
from ..robots.mjcf import mjcf_path
from .driving import drive
from .errors import USER_ERRORS
from .families import family
from .loaded_policy import loaded_policy
from .play_plan import PlayPlan, make_parser, make_plan
from .terminal import print_line, quiet

if TYPE_CHECKING:
    from ..inference.pose_recorder import FilmStrip

__all__ = ["make_parser", "make_plan", "play"]


def play(argv: Sequence[str]) -> int:
    """Play a policy, print what became of each episode, and film it if asked; or have it driven.

    Raises:
        OptionError, RunError, ClipError, FilmError: If something the user gave cannot be used.
    """
    plan = make_plan(argv)
    print_line(f"playing {plan.checkpoint} on {plan.device}")
    if plan.page is not None:
        drive(plan, plan.page)
        return 0
    ours = family(plan.task)
    with (
        quiet(plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
        loaded_policy(plan, curtain) as (env, policy),
    ):
        recorder = ours.recorder(env.unwrapped, plan.video_length) if plan.film else None
        for line in ours.play(env, policy, plan.episodes, recorder):
            print_line(line)
        if recorder is not None:
            _film(plan, recorder.film_strip())
    return 0


def _film(plan: PlayPlan, strip: FilmStrip) -> None:
    """Render what was recorded, and look at the result."""
    from ..inference.film import check_film

    remark = "" if strip.reference is None else "; the reference is the green robot"
    print_line(f"rendering {len(strip)} steps{remark}")
    assert plan.film is not None
    report = check_film(strip.render(plan.film, mjcf_path(*strip.model), plan.video_interval, plan.device))
    print_line(
        f"film {plan.film} | {report.frames} pictures | {report.fps:.3g} a second | {report.duration:.1f} s"
        f" | checkpoint of iteration {checkpoint_number(plan.checkpoint)}"
    )
