# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/evaluate.py``: every clip from its start, or every command, and every number with its definition."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import tyro

from . import checks
from .errors import OptionError
from .evaluation_films import check_film_options, keep_old_films
from .examination import write_report
from .families import family
from .options import caller_folder
from .play_plan import make_plan
from .terminal import print_line
from .typed_options import mistakes_in_one_line


@dataclass
class Evaluate:
    """Judge a policy: every clip from its start, or a grid of commanded velocities, with metrics as the field has them.

    Settings of the task follow as KEY=VALUE, for example physics=physx.

    For example:

    evaluate.py latest

    evaluate.py logs/rsl_rl/g1_tracking/RUN --motion walk 'walk_*' --repeats 3 --setting pushed

    evaluate.py latest --episodes --worst 3

    evaluate.py latest --task Isaac-Velocity-Flat-Unitree-Go1-v0 --setting pushed

    evaluate.py 'logs/rsl_rl/g1_tracking/*/model_*.pt' --engines newton physx mujoco
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]] = ()
    """model_<iteration>.pt, a run folder, 'pretrained' or 'latest', which is taken if none is given; several, or a
    pattern of files, are compared in one table (docs/comparison.md)."""
    motion: tuple[str, ...] = ()
    """Clips: names or patterns, files (.npz), folders, manifests (.toml); the task's if not given."""
    command: tuple[float, float, float] | None = None
    """Velocity to follow, forward [m/s], to the left [m/s] and turning [rad/s], of a policy that follows velocities; a
    grid over the trained range if not given (docs/evaluation.md)."""
    setting: Literal["clean", "noisy", "randomized", "pushed"] = "clean"
    """What is done to the robot; each includes those before it."""
    repeats: int = 1
    """Episodes of each clip; of each command on each piece of ground."""
    seed: int = 0
    """Seed of all random numbers."""
    output: Path | None = None
    """Folder for metrics.json, report.html, films; evaluations/<checkpoint>_<setting> in the run's if not given."""
    trajectories: Path | None = None
    """Folder for a file of each clip's first episode, which loads as a clip; for scripts/replay.py."""
    every: int = 1
    """Keep every N-th instant of the trajectories."""
    video: bool = False
    """Write film.mp4: the episodes one after another, the hardest clip or command first."""
    episodes: bool = False
    """Write a film of each episode: films/<clip or command>_<repeat>.mp4."""
    worst: int | None = None
    """Film only the K hardest clips or commands; with --video, --episodes or both."""
    task: str | None = None
    """Id of the task; the run's if not given."""
    engines: tuple[str, ...] = ()
    """Engines to compare: newton, physx, mujoco (for which the policy is exported, or an .onnx is given). The task's
    own if not given."""
    device: str | None = None
    """cuda, cuda:N or cpu; a GPU if there is one."""
    num_envs: int | None = None
    """Environments at once; as many as there are episodes, within bounds, if not given."""
    verbose: bool = False
    """Print all that Isaac Lab prints."""


def evaluate(argv: Sequence[str]) -> int:
    """Examine a policy, print a table, and write what was found.

    Raises:
        OptionError, RunError, ClipError, FilmError: If something the user gave cannot be used.
    """
    with mistakes_in_one_line(argv):
        options, settings = tyro.cli(Evaluate, prog="evaluate.py", args=list(argv), return_unknown_args=True)
    for name in ("repeats", "every", "num_envs"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise OptionError(f"--{name} is {value}; give a whole number above 0")
    check_film_options(options)
    if options.trajectories is not None:
        _need_folder("--trajectories", options.trajectories)
    from .comparison import compare, is_comparison, sort_out

    options, settings = sort_out(options, settings)
    _refuse_unknown(settings)
    if is_comparison(options):
        return compare(options, settings)
    plan = make_plan(play_arguments(options, settings))
    folder = options.output or plan.results / "evaluations" / f"{plan.checkpoint.stem}_{options.setting}"
    folder = caller_folder() / folder.expanduser()
    checks.need_space(folder, megabytes=20)
    examination = family(plan.task).examination(options, plan)
    checks.need_space(folder, megabytes=20 + examination.films.megabytes(examination.filmed_steps))
    print_line(
        f"evaluating {plan.checkpoint} on {plan.device}: {examination.subject}, {options.setting}, seed {options.seed},"
        f" {examination.plan.num_envs} environments"
    )
    report = examination.run()
    examination.print(report)
    try:
        examination.draw(folder, report)
    finally:
        # Films take time: whoever stops them, or a film that fails, must not lose what was measured.
        keep_old_films(folder, report)
        write_report(folder, report, examination.page(report))
    if options.trajectories is not None:
        _tell_trajectories(options, report)
    print_line(f"wrote {folder / 'metrics.json'} and {folder / 'report.html'}")
    return 0


def _need_folder(option: str, folder: Path) -> None:
    """Refuse a folder that can be none, before anything is played.

    Raises:
        OptionError: If it is a file, or in one.
    """
    path = caller_folder() / folder.expanduser()
    there = next(place for place in (path, *path.parents) if place.exists())
    if not there.is_dir():
        what = "is a file" if there == path else f"is in '{there}', which is a file"
        raise OptionError(f"{option} '{folder}' {what}; give a folder")


def _refuse_unknown(settings: Sequence[str]) -> None:
    """Refuse options that nobody knows, with those of this script.

    Raises:
        OptionError: If there is one.
    """
    known = ["--help", *(f"--{field.name}" for field in fields(Evaluate) if field.name != "checkpoints")]
    for text in settings:
        if text.startswith("-"):
            near = difflib.get_close_matches(text.partition("=")[0], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}, or KEY=VALUE"
            raise OptionError(f"option '{text}' is unknown; {hint}")


def _tell_trajectories(options: Evaluate, report: Mapping[str, Any]) -> None:
    """Say how many trajectories were written, and where."""
    assert options.trajectories is not None
    first = [each for row in report["clips"] for each in row["each"] if each["repeat"] == 0]
    count = sum(each["steps"] > options.every for each in first)
    folder = caller_folder() / options.trajectories.expanduser()
    what = "trajectory" if count == 1 else "trajectories"
    print_line(f"wrote {count} {what} to {folder}; scripts/replay.py shows what is there")


def play_arguments(options: Evaluate, settings: Sequence[str]) -> list[str]:
    """Return the same request, for its first checkpoint, as ``test.sh`` takes it."""
    arguments = ["--checkpoint", options.checkpoints[0], "--seed", str(options.seed)]
    for name in ("task", "device", "num_envs"):
        if getattr(options, name) is not None:
            arguments += [f"--{name}", str(getattr(options, name))]
    arguments += ["--verbose"] if options.verbose else []
    arguments += ["--motion", *options.motion] if options.motion else []
    return [*arguments, *settings]
