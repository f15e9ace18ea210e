# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py list``: what clips there are."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..errors import OptionError
from ..motion_robots import motion_robot


@dataclass
class List:
    """List clips with their length, rate, origin and licence.

    Examples:
    motions.py list
    motions.py list clips/ 'walk*' --doctor --jobs 2
    motions.py list clips/ --json
    """

    motions: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP")] = ()
    """Names or patterns of shipped clips, clip files and folders; the shipped clips if left out."""

    doctor: bool = False
    """Have each clip judged and show the verdict; takes about a second a clip."""

    json: bool = False
    """Print JSON, for programs."""

    jobs: int = 1
    """Number of processes."""

    def __call__(self) -> int:
        """List the clips; 1 if one of them could not be read."""
        from ...motion.sources import find_clips
        from .batch import run_batch

        if self.jobs < 1:
            raise OptionError(f"--jobs is {self.jobs}; give a whole number above 0")
        paths = find_clips(self.motions or ("*",))
        outcomes = run_batch("list", paths, functools.partial(describe, doctor=self.doctor), self.jobs)
        rows = [outcome.result for outcome in outcomes if outcome.fault is None]
        faults = [outcome.fault for outcome in outcomes if outcome.fault is not None]
        if self.json:
            sys.stdout.write(json.dumps({"clips": rows, "failed": faults}, indent=1, ensure_ascii=False) + "\n")
        else:
            _print_table(rows, self.doctor)
        for fault in faults:
            sys.stderr.write(f"Error: {fault}\n")
        return int(bool(faults))


def describe(path: Path, doctor: bool) -> dict[str, object]:
    """Return what a clip's file says of itself, and the doctor's verdict if it is asked for.

    Raises:
        ClipError: If the file is not a clip.
    """
    from ...motion.clip import Clip

    clip = Clip.load(path)
    row: dict[str, object] = {
        "name": clip.name,
        "seconds": round(clip.duration, 3),
        "fps": round(clip.fps, 3),
        "frames": clip.num_frames,
        "robot": clip.robot,
        "source": clip.source,
        "license": clip.license,
        "contacts": list(clip.contact_names),
        "path": str(path),
        "history": list(clip.history),
        "content_hash": clip.content_hash,
    }
    if doctor:
        from ...motion.doctor import examine

        row["verdict"] = examine(clip, _robot()).verdict
    return row


@functools.cache
def _robot():
    """Return the robot; its model is read once for each process."""
    return motion_robot()


def _print_table(rows: Sequence[dict], doctor: bool) -> None:
    """Print one line a clip and a sum."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title, side in (("name", "left"), ("seconds", "right"), ("fps", "right"), ("frames", "right")):
        table.add_column(title, justify=side, overflow="fold")  # type: ignore[arg-type]
    for title in ("robot", "contacts", "source", "licence", *(("verdict",) if doctor else ())):
        table.add_column(title, overflow="fold")
    for row in rows:
        contacts = f"{len(row['contacts'])} bodies" if row["contacts"] else "none"
        cells = (row["name"], f"{row['seconds']:.2f}", f"{row['fps']:g}", str(row["frames"]), row["robot"], contacts)
        more = (row["verdict"],) if doctor else ()
        table.add_row(*map(_plain, (*cells, row["source"] or "unknown", row["license"] or "unknown", *more)))
    console = Console()
    # A pipe has no width; wide enough that nothing is broken into two lines.
    Console(width=None if console.is_terminal else 240).print(table)
    hours = sum(row["seconds"] for row in rows) / 3600.0
    sys.stdout.write(f"{len(rows)} clips, {hours * 60.0:.1f} minutes\n")


def _plain(text: str):
    """Return a text whose brackets are no markup."""
    from rich.text import Text

    return Text(str(text))
