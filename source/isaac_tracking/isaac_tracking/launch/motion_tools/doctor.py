# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py doctor``: judge motions."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ...files import written_beside
from ..motion_robots import motion_robot

if TYPE_CHECKING:
    from rich.table import Table

    from ...motion.doctor import Diagnosis

_STYLES = {"ok": "", "info": "dim", "warn": "yellow", "reject": "bold red"}
_WIDTH = 180
"""Width of the table where no terminal says how wide it may be."""


@dataclass
class Doctor:
    """Judge motions: ok, warn or reject, and at which frame what is wrong.

    Nothing is changed. Exit code: 0 if no motion is rejected, 1 if one is or cannot be read, 2 for a wrong option.

    Examples:
    motions.py doctor '*'
    motions.py doctor my_clips/ dance.npz --html report.html --jobs 2
    motions.py doctor my_clips/ --strict --json report.json
    """

    motions: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP")]
    """Names or patterns of shipped clips, files and folders; files of other projects as well."""

    html: Path | None = None
    """Write a page with the curves of every motion to this file."""

    json: Path | None = None
    """Write what was found to this file."""

    jobs: int = 1
    """Number of processes."""

    strict: bool = False
    """Exit with 1 for warnings too."""

    def __call__(self) -> int:
        """Judge the motions and print what was found."""
        from ...motion.doctor import page
        from .batch import run_batch
        from .inputs import motion_files

        self._check()
        files = motion_files(self.motions)
        work = functools.partial(_examine, curves=self.html is not None)
        outcomes = run_batch("doctor", files, work, self.jobs)
        unread = [(str(outcome.item), outcome.fault) for outcome in outcomes if outcome.fault is not None]
        found = [(outcome.item, diagnosis) for outcome in outcomes for diagnosis in outcome.result or ()]
        diagnoses = _with_own_names(found)
        if self.html is not None:
            _write(self.html, page(diagnoses, unread))
        if self.json is not None:
            _write(self.json, _report([path for path, _ in found], diagnoses, unread))
        _show(diagnoses, unread)
        bad = {"reject", "warn"} if self.strict else {"reject"}
        return int(bool(unread) or any(diagnosis.verdict in bad for diagnosis in diagnoses))

    def _check(self) -> None:
        """Refuse options before any work is done."""
        from ..errors import OptionError

        if self.jobs < 1:
            raise OptionError(f"--jobs {self.jobs} must be 1 or more")
        for option, path in (("--html", self.html), ("--json", self.json)):
            if path is not None and path.is_dir():
                raise OptionError(f"{option} '{path}' is a folder; give a file")
        if self.html is not None and self.json is not None and self.html.absolute() == self.json.absolute():
            raise OptionError(f"--html and --json are both '{self.html}'; give two files")


def _examine(path: Path, curves: bool) -> list[Diagnosis]:
    """Return the diagnoses of all motions of a file, with or without their curves."""
    from ...motion.doctor import examine
    from ...motion.formats import read_motions

    robot = _robot()
    diagnoses = [examine(clip, robot) for clip in read_motions(path, robot)]
    return diagnoses if curves else [dataclasses.replace(diagnosis, series=()) for diagnosis in diagnoses]


_robot = functools.cache(motion_robot)


def _with_own_names(found: Sequence[tuple[Path, Diagnosis]]) -> list[Diagnosis]:
    """Return the diagnoses; those whose clips have the same name say where their files are as well."""
    times = Counter(diagnosis.name for _, diagnosis in found)
    common = os.path.commonpath([path.absolute().parent for path, _ in found]) if found else ""
    named = []
    for path, diagnosis in found:
        name = diagnosis.name
        if times[name] > 1:
            name = f"{name} ({os.path.relpath(path.absolute(), common)})"
        named.append(dataclasses.replace(diagnosis, name=name))
    return named


def _report(files: Sequence[Path], diagnoses: Sequence[Diagnosis], unread: Sequence[tuple[str, str]]) -> str:
    import json

    content = {
        "clips": [{"file": str(file)} | diagnosis.to_dict() for file, diagnosis in zip(files, diagnoses, strict=True)],
        "not_read": [{"file": name, "fault": fault} for name, fault in unread],
    }
    return json.dumps(content, indent=1)


def _write(path: Path, text: str) -> None:
    from ..errors import OptionError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(path) as file:
            file.write(text.encode(errors="backslashreplace"))
    except OSError as error:
        raise OptionError(f"'{path}' cannot be written ({error.strerror}); give another file") from error


def _show(diagnoses: Sequence[Diagnosis], unread: Sequence[tuple[str, str]]) -> None:
    """Print a table, worst first, then a line for every fault, then how many there are."""
    from rich.console import Console

    from ...motion.doctor.diagnosis import printable
    from ...motion.doctor.page import worst_first

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    ordered = worst_first(diagnoses)
    if ordered:
        console.print(_table(ordered))
    for diagnosis in ordered:
        for found in diagnosis.faults:
            console.print(
                printable(f"{diagnosis.name}: {found.sentence()}"), style=_STYLES[found.severity], soft_wrap=True
            )
    for name, fault in unread:
        console.print(printable(f"{name}: not read: {fault}"), style=_STYLES["reject"], soft_wrap=True)
    counts = Counter(diagnosis.verdict for diagnosis in ordered)
    seconds = sum(diagnosis.seconds for diagnosis in ordered)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("ok", "warn", "reject"))
    console.print(f"{len(ordered)} motions, {seconds:.0f} s: {summary}; {len(unread)} files not read", soft_wrap=True)


def _table(diagnoses: Sequence[Diagnosis]) -> Table:
    """Return a row for each clip with the worst of each check."""
    from rich.table import Table
    from rich.text import Text

    from ...motion.doctor.diagnosis import number, printable
    from ...motion.doctor.page import COLUMNS, cell

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("clip", overflow="fold")
    table.add_column("verdict")
    for title in ("s", *(f"{title}\n[{unit}]" for _, title, unit in COLUMNS)):
        table.add_column(Text(title), justify="right", no_wrap=True)
    for diagnosis in diagnoses:
        row = [
            Text(printable(diagnosis.name)),
            Text(diagnosis.verdict, _STYLES[diagnosis.verdict]),
            Text(f"{diagnosis.seconds:.1f}"),
        ]
        for check, _, unit in COLUMNS:
            value, severity = cell(diagnosis, check, unit)
            row.append(Text("" if value is None else number(value), _STYLES[severity]))
        table.add_row(*row)
    return table
