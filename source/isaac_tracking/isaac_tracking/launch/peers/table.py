# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The comparison's numbers as lines of text."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

SPEEDS = {"steps_per_second": "steps/s", "trained_per_second": "training/s"}
"""What is compared, and its title."""


def middle(values: Sequence[float], digits: int = 0) -> str:
    """Return the median of repeats with the least and the most."""
    text = f"{statistics.median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def ratios(rows: Sequence[Row], who: str, key: str) -> list[float]:
    """Return how many times as fast ours is as another, for each repeat in which both were measured.

    Args:
        rows: Rows of one size, with ``who`` and ``repeat``.
        who: The other one.
        key: One of :data:`SPEEDS`.
    """
    ours = {row["repeat"]: row[key] for row in rows if row["who"] == "ours"}
    return [ours[row["repeat"]] / row[key] for row in rows if row["who"] == who and row["repeat"] in ours]


def speed_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table of speeds, with a line for each size and project."""
    titles = [*SPEEDS.values(), *(f"ours / it, {title}" for title in SPEEDS.values())]
    yield _line(["who", "envs", *titles, "resets a step", "GB"])
    for size in dict.fromkeys(row["num_envs"] for row in rows):
        at_size = [row for row in rows if row["num_envs"] == size]
        for who in dict.fromkeys(row["who"] for row in at_size):
            its = [row for row in at_size if row["who"] == who]
            speeds = [middle([row[key] for row in its]) for key in SPEEDS]
            times = [ratios(at_size, who, key) if who != "ours" else [] for key in SPEEDS]
            shares = [middle(values, 2) if values else "-" for values in times]
            resets = statistics.median(row["resets_per_step"] for row in its)
            memory = max(row["memory"] for row in its)
            yield _line([who, str(size), *speeds, *shares, f"{resets:.3g}", f"{memory:.2f}"])


def goal_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table of times to an error, with a line for each training, and how many times as fast ours is."""
    yield _line(["who", "envs", "seed", "seconds", "iterations", "error mm", "episode s"])
    for row in rows:
        seconds = f"{row['seconds']:.1f}" if row["reached"] else f"> {row['seconds']:.0f}"
        cells = [seconds, str(row["iterations"]), f"{1000 * row['error']:.1f}", f"{row['episode']:.2f}"]
        yield _line([row["who"], str(row["num_envs"]), str(row["seed"]), *cells])
    for size in dict.fromkeys(row["num_envs"] for row in rows):
        at_size = [row for row in rows if row["num_envs"] == size]
        ours = [row["seconds"] for row in at_size if row["who"] == "ours" and row["reached"]]
        for who in dict.fromkeys(row["who"] for row in at_size if row["who"] != "ours"):
            its = [row for row in at_size if row["who"] == who]
            if not ours:
                continue
            bound = "" if all(row["reached"] for row in its) else "at least "
            times = statistics.median(row["seconds"] for row in its) / statistics.median(ours)
            yield f"{size} environments: {who} takes {bound}{times:.2f} times as long as ours (medians)"


def task_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what each task is, once, and a warning where they are not alike."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["who"], row)
    for who, row in first.items():
        apart = "" if row["offset"] is None else f", {1000 * row['offset']:.2f} mm from the reference when put there"
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        yield (
            f"{who}: {row['task']}, {row['joints']} joints, {row['bodies']} tracked bodies, {row['mass']:.2f} kg,"
            f" physics {1 / row['physics_dt']:.0f} Hz, control {1 / row['step_dt']:.0f} Hz{apart} | {versions}"
        )
    for key, tolerance in (("mass", 0.1), ("joints", 0), ("bodies", 0), ("physics_dt", 1e-6), ("step_dt", 1e-6)):
        values = {who: row[key] for who, row in first.items()}
        if max(values.values()) - min(values.values()) > tolerance:
            told = ", ".join(f"{who} {value:.4g}" for who, value in values.items())
            yield f"WARNING: the tasks differ in {key}: {told}"


def _line(cells: Sequence[str]) -> str:
    return " | ".join([f"{cells[0]:<5}", *(f"{cell:>6}" for cell in cells[1:2]), *(f"{c:>21}" for c in cells[2:])])
