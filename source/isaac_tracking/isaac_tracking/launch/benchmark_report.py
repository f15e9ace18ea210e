# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The benchmark's numbers as lines of text, alone or beside those of another time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import OptionError

_WHOLE = {
    "step": "full step",
    "physics": "physics alone (floor)",
    "policy": "policy: the actor",
    "act": "act, in an iteration",
    "learner": "learner: one update",
    "iteration": "iteration of training",
}
"""Spreads at the top of a row, in words."""
_COUNTS = {
    "torch_ops": "operators of torch",
    "torch_bytes": "bytes they read and write",
    "warp_launches": "launches of Warp",
    "graph_launches": "launches of graphs",
    "syncs": "waits of the host",
}
"""Counts a step, in words."""


def read_other(path: Path) -> dict[str, Any]:
    """Return the content of a file that ``--json`` wrote.

    Raises:
        OptionError: If it is none.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise OptionError(f"--compare '{path}' cannot be read ({error}); give a file that --json wrote") from error
    if not isinstance(content, dict) or not isinstance(content.get("sizes"), list):
        raise OptionError(f"--compare '{path}' is no result of this benchmark; give a file that --json wrote")
    return content


def size_of(content: Mapping[str, Any] | None, num_envs: int) -> dict[str, Any] | None:
    """Return what a file says of a size, None if nothing."""
    sizes = content["sizes"] if content else []
    return next((row for row in sizes if row["num_envs"] == num_envs), None)


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Return all numbers of a row by path, e.g. ``parts/rewards``; of a spread its median."""
    numbers: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            numbers |= {f"{prefix}{name}": value["median"]} if "median" in value else flat(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            numbers[f"{prefix}{name}"] = float(value)
    return numbers


def lines(row: Mapping[str, Any], other: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Yield what is said of one size.

    Args:
        row: What was measured.
        other: The same of another time: a column then says how many times as much it is now.
    """
    before = flat(other) if other else {}
    now = flat(row)

    def times(path: str) -> str:
        return f"{now[path] / before[path]:>9.2f}" if before.get(path) and path in now else f"{'-':>9}"

    def line(title: str, path: str, cells: str) -> str:
        return f"{title:<44}{cells}" + (times(path) if other else "")

    head = f"{'median ms':>12}{'p10':>10}{'p90':>10}{'share':>8}" + (f"{'times':>9}" if other else "")
    yield f"{row['num_envs']} environments{'':<{44 - len(str(row['num_envs'])) - 13}}{head}"
    for name, title in _WHOLE.items():
        if name in row:
            yield line(title, name, _cells(row[name]))
    yield line("full step / floor", "ratio", f"{row['ratio']:>12.3f}{'':>28}")
    step = row["parts"]["step"]["mean"]
    for group, indent in (("parts", ""), ("terms", "  ")):
        for name, value in row[group].items():
            title = f"{indent}{name}" if name != "step" else "step with watches"
            yield line(title, f"{group}/{name}", _cells(value, value["mean"] / step))
    yield line("env-steps/s", "", f"{1000 * row['num_envs'] / row['step']['median']:>12.0f}{'':>28}")
    trained = 1000 * row["num_envs"] * row["steps_per_iteration"] / row["iteration"]["median"]
    yield line("steps/s of training", "", f"{trained:>12.0f}{'':>28}")
    yield line("resets a step", "resets_per_step", f"{row['resets_per_step']:>12.3g}{'':>28}")
    yield from (line(title, path, f"{value:>12.4g}{'':>28}") for title, path, value in _plain(row))
    if row.get("solver"):
        yield _solver_line(row["solver"])
    if row["buffers"]:
        yield from _buffer_lines(row["buffers"])


def _plain(row: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield counts, memory and the start, as title, path and number."""
    counts = row["counts"]
    for name, title in _COUNTS.items():
        if counts[name] is not None:
            yield f"{title}, a step", f"counts/{name}", counts[name]
    for name, number in counts["host_waits"].items():
        yield f"  asked for by {name}", f"counts/host_waits/{name}", number
    for name, number in (counts["gpu"] or {}).items():
        yield f"GPU {name}, a step", f"counts/gpu/{name}", number
    yield "memory [GB]", "memory", row["memory"]
    for kind in ("start", "cold_start"):
        for name, seconds in row.get(kind, {}).items():
            yield f"{kind.replace('_', ' ')}: {name.replace('_', ' ')}" + _unit(name), f"{kind}/{name}", seconds


def _unit(name: str) -> str:
    return "" if name.endswith("modules") else " [s]"


def _solver_line(solver: Mapping[str, float]) -> str:
    return (
        f"iterations of the solver: {solver['mean']:.1f} on the mean, 99.9 % at most {solver['p99.9']:.0f}, none above"
        f" {solver['most']:.0f}; the slowest robot of a step {solver['slowest']:.1f} on the mean"
    )


def _buffer_lines(buffers: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("contacts", "constraints"):
        each = " of all robots" if kind == "contacts" else " of a robot"
        yield (
            f"{kind}{each}: at most {buffers[f'most_{kind}']}, room for {buffers[kind]},"
            f" dropped {buffers[f'Physics/overflow_{kind}']:.0f} times"
        )
    if buffers["warning"]:
        yield f"WARNING: {buffers['warning']}"


def _cells(spread: Mapping[str, float], share: float | None = None) -> str:
    part = "" if share is None else f"{100 * share:.1f}%"
    return f"{spread['median']:>12.3f}{spread['p10']:>10.3f}{spread['p90']:>10.3f}{part:>8}"
