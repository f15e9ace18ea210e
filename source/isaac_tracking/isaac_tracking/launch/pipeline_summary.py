# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``summary.json`` of a pipeline: what each stage was, what it left behind, and how much of the teacher is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import written_beside
from ..learning.run_table import read_table
from ..learning.runs import TABLE, RunError, checkpoint_number, checkpoints, read_record

SUMMARY = "summary.json"
"""File of a pipeline's folder."""
FORMAT = "isaac_tracking.pipeline"
"""Format name of ``summary.json``."""
FORMAT_VERSION = 1
"""Version of its layout."""
_ESTIMATOR = "adapt/estimator_loss"
"""End of the name of the column with the adapt module's loss."""


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write a pipeline's summary, beside its place and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "version": FORMAT_VERSION, **summary}
    with written_beside(folder / SUMMARY) as file:
        file.write((json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the content of a pipeline's summary.

    Raises:
        RunError: If there is none, or it is damaged.
    """
    path = folder / SUMMARY
    try:
        summary = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"'{path}' cannot be read ({error}); give another pipeline's folder or start anew") from error
    known = isinstance(summary, dict) and (summary.get("format"), summary.get("version")) == (FORMAT, FORMAT_VERSION)
    if not known:
        raise RunError(f"'{path}' is no summary of a pipeline of this version; start a new one without --resume")
    return summary


def is_done(run: Path) -> bool:
    """Whether a run has a checkpoint of its last planned iteration.

    Raises:
        RunError: If its record is damaged.
    """
    found = checkpoints(run)
    planned = read_record(run).get("planned")
    return bool(found) and planned is not None and checkpoint_number(found[-1]) + 1 >= planned


def is_examined(rows: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether the examination of all stages in a setting was made, and none failed."""
    return rows is not None and all(row["error"] is None for row in rows)


def facts_of(run: Path) -> dict[str, Any]:
    """Return what a run left behind, for its stage's part of the summary; None where it left nothing yet.

    Raises:
        RunError: If its record is damaged.
    """
    found = checkpoints(run)
    _, rows = read_table(run / TABLE)
    last = rows[-1] if rows else {}
    losses = [row[name] for row in rows for name in row if name.endswith(_ESTIMATOR)]
    losses = [float(loss) for loss in losses if loss]
    return {
        "checkpoint": f"{run.name}/{found[-1].name}" if found else None,
        "iterations": int(last["iteration"]) + 1 if last else 0,
        "planned": read_record(run).get("planned"),
        "steps": int(float(last["total_steps"])) if last else 0,
        "mean_reward": _number(last.get("mean_reward")),
        "mean_episode_length": _number(last.get("mean_episode_length")),
        "estimator_loss": {"first": losses[0], "last": losses[-1]} if losses else None,
    }


def examined_rows(names: Sequence[str], comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how well each stage does, and how much of the first one each keeps.

    Args:
        names: Stages in the order of the comparison's rows, the teacher first.
        comparison: Content of ``comparison.json``.

    Returns:
        For each stage ``success`` [-], ``mpjpe_local`` [mm], and, after the teacher, ``kept_success`` [-], the success
        divided by the teacher's, and ``local_error_change`` [-], the local error divided by the teacher's, less one.
    """
    rows: list[dict[str, Any]] = []
    for name, row in zip(names, comparison["rows"], strict=True):
        means = {key: _mean(row, metric) for key, metric in _METRICS.items()}
        rows.append({"stage": name, "error": row["error"], **means})
    teacher, *students = rows
    for student in students:
        success, local = (_ratio(student[key], teacher[key]) for key in ("success", "mpjpe_local"))
        student |= {"kept_success": success, "local_error_change": None if local is None else local - 1.0}
    return rows


def sentence(row: Mapping[str, Any]) -> str:
    """Return in words how much of the teacher a student keeps."""
    if row["error"] is not None:
        return f"after {row['stage']}: not examined, {row['error']}"
    kept, change = row["kept_success"], row["local_error_change"]
    success = (
        "teacher and student are compared by their errors, for the teacher follows no clip to its end"
        if kept is None
        else f"student keeps {100.0 * kept:.1f} % of the teacher's success"
    )
    return f"after {row['stage']}: {success}" + ("" if change is None else f", local error {100.0 * change:+.1f} %")


_METRICS = {"success": "success_terminations", "mpjpe_local": "mpjpe_local"}


def _mean(row: Mapping[str, Any], metric: str) -> float | None:
    return row["all"]["metrics"][metric]["mean"] if row.get("all") else None


def _ratio(value: float | None, whole: float | None) -> float | None:
    return None if value is None or not whole else value / whole


def _number(text: str | None) -> float | None:
    return float(text) if text else None
