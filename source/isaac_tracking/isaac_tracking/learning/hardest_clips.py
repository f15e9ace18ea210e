# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which clips are hardest, by name, noted whenever a checkpoint is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..files import written_beside

HARDEST = "hardest_clips.csv"
"""File in a run folder: a row for each of the hardest clips at each checkpoint."""

_COLUMNS = ("iteration", "command", "rank", "clip", "score")


def append_hardest(run: Path, iteration: int, clips: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """Add the ranking at a checkpoint; rows of the same or of later iterations, from before a resume, are dropped.

    Args:
        run: Run folder.
        iteration: Iteration of the checkpoint.
        clips: Names and scores, hardest first, by command.
    """
    rows = [
        {"iteration": iteration, "command": command, "rank": rank, "clip": name, "score": f"{score:.6g}"}
        for command, ranking in clips.items()
        for rank, (name, score) in enumerate(ranking, start=1)
    ]
    if not rows:
        return
    path = run / HARDEST
    earlier = []
    if path.is_file():
        with path.open(newline="") as file:
            earlier = [row for row in csv.DictReader(file) if int(row["iteration"]) < iteration]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows([*earlier, *rows])
    with written_beside(path) as file:
        file.write(text.getvalue().encode())
