# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several examinations side by side: which one is the same as another, and what ``comparison.json`` says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .evaluation_report import FORMAT as REPORT_FORMAT
from .evaluation_report import FORMAT_VERSION as REPORT_VERSION

FORMAT = "isaac_tracking.comparison"
"""Format name of ``comparison.json``."""
FORMAT_VERSION = 1
"""Version of its layout."""

ENGINE_NAMES = {"newton": "Newton", "physx": "PhysX", "mujoco": "MuJoCo"}
"""How a report's ``engine`` begins, by the name that ``--engines`` takes."""

DEFINITIONS = {
    "drop": "Success in the first of the named engines less the success in this one, in points of 100, for each of the"
    " two successes; null where one of the two examinations failed.",
    "status": "'finished': examined now; 'taken over': a metrics.json of the same examination was there; 'failed':"
    " 'error' says why.",
}
"""What the words of ``comparison.json`` mean, beside those of ``metrics.json``."""


@dataclass(frozen=True)
class Wanted:
    """What an examination is of; two that agree in this need not both be made."""

    sha256: str
    """Of the checkpoint's file."""
    engine: str
    """How the engine's name begins."""
    setting: str
    seed: int
    repeats: int
    settings: frozenset[str]
    """Settings of the task that are not the default, without engine, clips and seed."""
    clips: Mapping[str, str]
    """Content hash of each clip by name."""
    num_envs: int | None = None
    """Environments at once; None for any number."""

    def is_met_by(self, report: Mapping[str, Any]) -> bool:
        """Whether the content of a ``metrics.json`` is of just this examination."""
        return (
            report["checkpoint"]["sha256"] == self.sha256
            and report["engine"].startswith(self.engine)
            and (report["setting"], report["seed"], report["repeats"]) == (self.setting, self.seed, self.repeats)
            and task_settings(report["settings"]) == self.settings
            and {clip["name"]: clip["content_hash"] for clip in report["clips"]} == self.clips
            and self.num_envs in (None, report["num_envs"])
        )


def task_settings(settings: Iterable[str]) -> frozenset[str]:
    """Return the settings that two examinations must share: not the engine, which is compared by its name."""
    return frozenset(setting for setting in settings if not setting.startswith("physics="))


def read_report(path: Path) -> dict[str, Any] | None:
    """Return the content of a ``metrics.json``; ``None`` if there is none, or none that can be read."""
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(report, dict) or (report.get("format"), report.get("version")) != (REPORT_FORMAT, REPORT_VERSION):
        return None
    return report


def find_finished(paths: Iterable[Path], wanted: Wanted) -> tuple[Path, dict[str, Any]] | None:
    """Return the first ``metrics.json`` of the wanted examination, and its content.

    Args:
        paths: Files that may be one; those that are missing or damaged are passed over.
        wanted: The examination.
    """
    for path in paths:
        report = read_report(path)
        if report is not None and wanted.is_met_by(report):
            return path, report
    return None


@dataclass
class Row:
    """One checkpoint in one engine, and what became of its examination."""

    name: str
    """The checkpoint as it is shown: its run's folder and its file."""
    engine: str
    """``newton``, ``physx`` or ``mujoco``; empty for the task's own."""
    status: str = "failed"
    """``finished``, ``taken over`` or ``failed``."""
    error: str | None = None
    """Why it failed."""
    path: Path | None = None
    """Its ``metrics.json``."""
    report: Mapping[str, Any] | None = None
    """What stands in that file."""

    @property
    def engine_name(self) -> str:
        """Name of the engine as its report says it, else as it was asked for."""
        return self.report["engine"] if self.report else ENGINE_NAMES.get(self.engine, "")

    def mean(self, metric: str) -> float | None:
        """Return a metric's mean over all episodes; ``None`` where there is none."""
        return None if self.report is None else self.report["all"]["metrics"][metric]["mean"]


def drops(rows: Sequence[Row], metric: str = "success_terminations") -> list[float | None]:
    """Return by how many points of 100 each row's success is below that of its checkpoint in its first engine.

    Args:
        rows: The rows; those of a checkpoint in the order of its engines.
        metric: The success, a share.

    Returns:
        Points, negative where it is higher; ``None`` for the first engine itself, and where one of the two failed.
    """
    first: dict[str, Row] = {}
    found: list[float | None] = []
    for row in rows:
        base = first.setdefault(row.name, row)
        before, now = base.mean(metric), row.mean(metric)
        found.append(None if base is row or before is None or now is None else 100.0 * (before - now))
    return found


def make_comparison(rows: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``comparison.json``.

    Args:
        rows: What was compared, in order.
        about: What all rows have in common, in JSON's types.
    """
    by_rule, by_phc = drops(rows), drops(rows, "success_phc")
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **about,
        "definitions": DEFINITIONS | next((row.report["definitions"] for row in rows if row.report), {}),
        "rows": [
            _content(row) | {"drop": {"success_terminations": rule, "success_phc": phc}}
            for row, rule, phc in zip(rows, by_rule, by_phc, strict=True)
        ],
    }


def _content(row: Row) -> dict[str, Any]:
    content: dict[str, Any] = {"name": row.name, "engine": row.engine_name, "status": row.status, "error": row.error}
    if row.report is None:
        return content
    keys = ("checkpoint", "task", "settings", "device", "num_envs", "repeats", "commit", "isaaclab", "all", "successes")
    clips = [
        {key: clip[key] for key in ("name", "content_hash", "outcomes", "episodes", "metrics")}
        for clip in row.report["clips"]
    ]
    return content | {"file": str(row.path)} | {key: row.report[key] for key in keys} | {"clips": clips}
