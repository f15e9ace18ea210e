# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/evaluate.py`` with several checkpoints or engines: each examined in a process of its own, one table."""

from __future__ import annotations

import dataclasses
import glob
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import written_beside
from ..learning.runs import RunError, checkpoint_number
from ..motion.sources import find_library
from . import checks
from .comparison_runs import Examination, Source, read_sources
from .errors import USER_ERRORS, OptionError
from .options import caller_folder, resolve_motions
from .overrides import is_setting
from .run_folder import commit_of_checkout
from .terminal import print_line
from .tracking_examination import COLUMNS

if TYPE_CHECKING:
    from ..inference.comparison_report import Row
    from .evaluate import Evaluate

ENGINES = ("newton", "physx", "mujoco")
"""What ``--engines`` takes."""
_UNDERSTOOD = {
    "checkpoints", "engines", "motion", "setting", "repeats", "seed", "output", "task", "device", "num_envs", "verbose",
}  # fmt: skip
"""Options that mean something for several examinations."""


def find_checkpoints(names: Sequence[str], base: Path) -> list[str]:
    """Return what a list of checkpoints stands for: patterns of files become the files, by folder and iteration.

    Args:
        names: Files, run folders, ``latest``, ``pretrained``, patterns of files.
        base: Folder against which relative patterns are read.

    Raises:
        RunError: If a pattern stands for no file.
    """
    found: list[str] = []
    for name in names:
        if not glob.has_magic(name) or (base / name).exists():
            found.append(name)
            continue
        paths = [Path(text) for text in glob.glob(str(base / Path(name).expanduser()), recursive=True)]
        paths = [path for path in paths if path.is_dir() or path.suffix in (".pt", ".onnx")]
        if not paths:
            raise RunError(
                f"pattern '{name}' stands for no checkpoint; give files (.pt, or .onnx for MuJoCo), run folders,"
                " 'latest', or another pattern"
            )
        found += map(str, sorted(paths, key=lambda path: (path.parent, checkpoint_number(path), path.name)))
    return list(dict.fromkeys(found))


def sort_out(options: Evaluate, unknown: Sequence[str]) -> tuple[Evaluate, list[str]]:
    """Tell checkpoints, which may be patterns, from settings of the task; options may stand between them.

    Args:
        options: Options as they were read.
        unknown: Arguments that were not understood.

    Returns:
        The options with the checkpoints that are meant, and the settings with all that nobody knows.

    Raises:
        OptionError, RunError: If an engine is unknown, or a pattern stands for no file.
    """
    foreign = any(text.startswith("-") for text in unknown)
    later = [] if foreign else [text for text in unknown if not is_setting(text)]
    given = [text for text in (*options.checkpoints, *later) if not is_setting(text)]
    rest = [text for text in options.checkpoints if is_setting(text)]
    rest += [text for text in unknown if foreign or is_setting(text)]
    # Settings that follow the names of clips or engines are not meant as names.
    rest += [text for text in (*options.motion, *options.engines) if is_setting(text)]
    motion, engines = (
        tuple(dict.fromkeys(text for text in texts if not is_setting(text)))
        for texts in (options.motion, options.engines)
    )
    unheard = [engine for engine in engines if engine not in ENGINES]
    if unheard:
        raise OptionError(f"engine '{unheard[0]}' is unknown; choose from {', '.join(ENGINES)}")
    names = tuple(find_checkpoints(given or ["latest"], caller_folder()))
    return dataclasses.replace(options, checkpoints=names, motion=motion, engines=engines), rest


def is_comparison(options: Evaluate) -> bool:
    """Whether several examinations are asked for, or one that ``evaluate`` itself cannot make."""
    names = options.checkpoints
    return len(names) > 1 or bool(options.engines) or any(name.endswith(".onnx") for name in names)


def compare(options: Evaluate, settings: Sequence[str]) -> int:
    """Examine all checkpoints in all engines, print a table, and write what was found.

    An examination that fails is a row that says why; one that was made before is taken over.

    Args:
        options: What the user asked for, sorted out.
        settings: Settings of the task as ``KEY=VALUE``.

    Returns:
        0, or 1 if every examination failed.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used, or none of the checkpoints.
    """
    from ..inference.comparison_report import make_comparison

    _check_options(options, settings)
    motion = resolve_motions(options.motion, caller_folder()) if options.motion else []
    sources = read_sources(dataclasses.replace(options, motion=tuple(motion)), settings)
    motions = motion or next((source.motions for source in sources if source.motions), ["*"])
    clips = {clip.name: clip.content_hash for clip in (entry.load() for entry in find_library(motions).entries)}
    options = dataclasses.replace(options, motion=tuple(motions))
    folder = _output(options, sources, settings)
    pairs = [(source, engine) for source in sources for engine in _engines(source, options)]
    print_line(
        f"examinations: {len(pairs)}, policies: {len(sources)}; {len(clips)} clips, {options.repeats} times,"
        f" {options.setting}, seed {options.seed}; results in {folder}"
    )
    rows = [
        _examined(Examination(options, settings, source, engine, clips, folder), f"{number} of {len(pairs)}")
        for number, (source, engine) in enumerate(pairs, start=1)
    ]
    about = {
        "setting": options.setting, "seed": options.seed, "repeats": options.repeats, "settings": list(settings),
        "commit": commit_of_checkout(), "clips": clips,
    }  # fmt: skip
    print_table(rows)
    _write(folder, rows, make_comparison(rows, about), about)
    return 0 if any(row.report for row in rows) else 1


def print_table(rows: Sequence[Row]) -> None:
    """Print a line for each examination, and below the table why some failed."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ..inference.comparison_report import drops
    from ..motion.doctor.diagnosis import number

    between = any(drop is not None for drop in drops(rows))
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("checkpoint", overflow="fold")
    table.add_column("engine")
    for _, title, _ in COLUMNS:
        table.add_column(title, justify="right")
    if between:
        table.add_column("drop points", justify="right")
    table.add_column("")
    for row, drop in zip(rows, drops(rows), strict=True):
        means = [(row.mean(metric), factor) for metric, _, factor in COLUMNS]
        cells = ["" if mean is None else number(factor * mean) for mean, factor in means]
        cells += ["" if drop is None else f"{drop:.1f}"] if between else []
        table.add_row(row.name, row.engine_name, *cells, "" if row.status == "finished" else row.status)
    console = Console()
    # A pipe has no width; wide enough that nothing is broken into two lines.
    Console(width=None if console.is_terminal else 240).print(table)
    for row in rows:
        if row.error is not None:
            print_line(f"{row.name}{' in ' if row.engine else ''}{row.engine_name} failed: {row.error}")


def _engines(source: Source, options: Evaluate) -> Sequence[str]:
    """Return the engines in which a policy is examined; one that cannot be used fails once, not in each."""
    if source.file is not None and options.engines:
        return options.engines
    return ("mujoco",) if source.is_onnx else ("",)


def _check_options(options: Evaluate, settings: Sequence[str]) -> None:
    """Refuse options that make no sense for several examinations.

    Raises:
        OptionError: If there is one.
    """
    for field in dataclasses.fields(options):
        if field.name not in _UNDERSTOOD and getattr(options, field.name) != field.default:
            option = f"--{field.name.replace('_', '-')}"
            raise OptionError(f"{option} is for one checkpoint without --engines; leave it out, or examine one alone")
    chosen = [setting for setting in settings if setting.startswith("physics=")]
    if options.engines and chosen:
        raise OptionError(f"'{chosen[0]}' and --engines both choose the engine; leave one of them out")


def _output(options: Evaluate, sources: Sequence[Source], settings: Sequence[str]) -> Path:
    """Return the folder for the results: the same for the same request, so that it can be gone on with.

    Raises:
        OptionError: If it is a file.
        RunError: If it cannot be written.
    """
    first = next(source.results for source in sources if source.results is not None)
    asked = [[source.name for source in sources], *map(list, (options.engines, options.motion, settings))]
    asked += [options.repeats, options.seed]
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:8]
    own = first / "evaluations" / f"comparison_{options.setting}_{digest}"
    folder = (caller_folder() / (options.output or own).expanduser()).resolve()
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"--output '{folder}' is a file; give a folder")
    checks.need_space(folder, megabytes=50)
    return folder


def _examined(examination: Examination, place: str) -> Row:
    """Take an examination over or make it, and say so."""
    from ..inference.comparison_report import Row

    source, engine = examination.source, examination.engine
    row = Row(source.name, engine)
    title = f"{place}: {source.name}{' in ' if engine else ''}{row.engine_name}"
    started = time.monotonic()
    try:
        found = examination.finished()
        if found is not None:
            row.status, (row.path, row.report) = "taken over", found
        else:
            examination.check()
            print_line(f"{title} ...")
            row.path, row.report = examination.run()
            row.status = "finished"
    except USER_ERRORS as error:
        row.error = " ".join(str(error).split())
    if row.report is None:
        print_line(f"{title}: failed after {time.monotonic() - started:.0f} s")
        return row
    success, local = row.mean("success_terminations"), row.mean("mpjpe_local")
    how = f"taken over from {row.path}" if row.status == "taken over" else f"{time.monotonic() - started:.0f} s"
    print_line(f"{title}: success {100.0 * (success or 0.0):.1f} %, local {local or 0.0:.1f} mm, {how}")
    return row


def _write(folder: Path, rows: Sequence[Row], content: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write ``comparison.json`` and ``comparison.html``, each beside its place and renamed."""
    from ..inference.comparison_page import comparison_page

    folder.mkdir(parents=True, exist_ok=True)
    with written_beside(folder / "comparison.json") as file:
        file.write((json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    with written_beside(folder / "comparison.html") as file:
        file.write(comparison_page(rows, about, COLUMNS, folder).encode())
    print_line(f"wrote {folder / 'comparison.json'} and {folder / 'comparison.html'}")
