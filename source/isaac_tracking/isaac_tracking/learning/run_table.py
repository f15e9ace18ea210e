# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``logs.csv`` of a run: a row an iteration, readable at any moment, whatever killed its writer."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from ..files import written_beside


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return columns and whole rows of a table, an iteration each, in order.

    A line that was cut off is left out, and so is every line that does not begin with an iteration.
    """
    text = path.read_text(errors="replace").replace("\0", "") if path.is_file() else ""
    reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
    columns = list(reader.fieldnames or [])
    if not columns or columns[0] != "iteration":
        return ["iteration"], []
    rows = {}
    for row in reader:
        if None not in row and None not in row.values() and row["iteration"].isdecimal():
            rows.setdefault(int(row["iteration"]), row)
    return columns, [rows[iteration] for iteration in sorted(rows)]


class RunTable:
    """A table that grows by a row an iteration, and by a column whenever a new quantity appears.

    Args:
        path: The file; rows of an earlier part of the run are kept.
        start_iteration: First iteration to come; rows at or after it are dropped.
    """

    def __init__(self, path: Path, start_iteration: int = 0) -> None:
        self._path = path
        self._columns, rows = read_table(path)
        if path.is_file():
            self._rewrite([row for row in rows if int(row["iteration"]) < start_iteration])

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row; a quantity that appears for the first time adds a column, empty in earlier rows."""
        text = {key: f"{value:.6g}" if isinstance(value, float) else str(value) for key, value in row.items()}
        new = [key for key in row if key not in self._columns]
        if new or not self._path.is_file():
            _, rows = read_table(self._path)
            self._columns += new
            self._rewrite([*rows, text])
            return
        line = io.StringIO()
        csv.DictWriter(line, self._columns, restval="").writerow(text)
        # One write for one line.
        with self._path.open("a", newline="") as file:
            file.write(line.getvalue())

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        with written_beside(self._path) as file:
            file.write(text.getvalue().encode())
