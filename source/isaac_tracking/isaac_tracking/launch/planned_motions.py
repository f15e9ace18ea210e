# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clips of a run, read before anything is started: the task then opens what was made of them here."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..motion.bundle_cache import Report, cached_bundle
from ..motion.packing import PRECISIONS
from ..motion.sources import find_library
from ..robots.mjcf import cache_folder, mjcf_path
from .errors import OptionError
from .terminal import print_line

_MANY = 100
"""Clips from which a line says that they are being read; it takes about a second."""


@dataclass(frozen=True)
class PlannedMotions:
    """What a plan knows of the clips."""

    names: tuple[str, ...]
    """Names of the clips, each there once."""

    duration: float
    """Length of all clips together [s]."""

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        """Return the first names, how many clips there are, and how long they are."""
        shown = ", ".join(self.names[:6]) + (", ..." if len(self) > 6 else "")
        return f"{shown} ({len(self)}, {self.duration:.0f} s together)"


def read_motions(env_cfg: Any) -> PlannedMotions:
    """Read and check the clips of a task as it will, unless that was done before and none of them changed since.

    What is made of them is put into the cache, where :class:`~..tasks.tracking.mdp.reference.Reference` finds it.

    Args:
        env_cfg: Config of the task, with a motion command named ``motion``.

    Raises:
        ClipError: If a motion is unknown, a clip cannot be used, or the cache cannot be written.
        OptionError: If the precision is unknown.
    """
    cfg = env_cfg.commands.motion
    clips = find_library(cfg.motions)
    rate = 1.0 / (env_cfg.sim.dt * env_cfg.decimation)
    precision = cfg.precision or clips.precision or "fp32"
    if precision not in PRECISIONS:
        raise OptionError(f"env.commands.motion.precision is '{precision}'; choose from {', '.join(PRECISIONS)}")
    with _progress() as report:
        bundle = cached_bundle(
            clips, _joint_names(*cfg.model), cfg.body_names, rate, precision, cache_folder() / "motions", report
        )
    return PlannedMotions(bundle.names, float((bundle.num_frames - 1).sum()) / bundle.rate)


def changes(before: Sequence[str] | None, now: Sequence[str]) -> str | None:
    """Return a note on how the clips differ from those of before; None if they do not, or those are not known."""
    if before is None or set(before) == set(now):
        return None
    parts = []
    for verb, names in (("added", sorted(set(now) - set(before))), ("missing", sorted(set(before) - set(now)))):
        if names:
            parts.append(f"{len(names)} {verb} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
    return f"the clips are not those that the run had before: {', '.join(parts)}"


@functools.cache
def _joint_names(robot: str, file: str) -> tuple[str, ...]:
    """Return the joints of a model; their order decides nothing here."""
    # Heavy: MuJoCo.
    from ..motion.kinematics import KinematicTree

    return KinematicTree.from_mjcf(mjcf_path(robot, file)).joint_names


@contextmanager
def _progress() -> Iterator[Report]:
    """Show how far the reading of many clips is: a bar on a terminal, else a line."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = TextColumn("reading clips"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("reading clips", total=None, visible=False)

        def report(done: int, total: int) -> None:
            if done == 0 and total >= _MANY:
                print_line(f"reading {total} clips; what is made of them is kept, so the next start is quicker")
            progress.update(bar, completed=done, total=total, visible=total >= _MANY)

        yield report
