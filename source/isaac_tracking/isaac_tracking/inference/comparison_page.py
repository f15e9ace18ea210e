# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``comparison.html``: several examinations on one page that needs no other file and no network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..motion.doctor.diagnosis import escape, number
from .comparison_report import Row, drops

_STYLE = """
:root { color-scheme: light dark; --bad: #c92a2a; --line: #8884; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; max-width: 1400px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 2px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { white-space: normal; vertical-align: bottom; overflow-wrap: anywhere; min-width: 3rem; }
th:first-child, td:first-child, #examinations th:nth-child(2), td.text, td.why { text-align: left; }
td.why { white-space: normal; }
.lost { color: var(--bad); }
"""

Column = tuple[str, str, float]
"""Metric, title with unit, factor."""


def comparison_page(rows: Sequence[Row], about: Mapping[str, Any], columns: Sequence[Column], folder: Path) -> str:
    """Return the page: a line for each examination, and a line for each clip.

    Args:
        rows: What was compared, in order.
        about: What all rows have in common, as in ``comparison.json``.
        columns: Metrics to show.
        folder: Where the page will lie; links to the reports are relative to it.
    """
    heads = ["checkpoint", "engine", "episodes", *(title for _, title, _ in columns), "drop, points", ""]
    facts = ", ".join(f"{name} {about[name]}" for name in ("seed", "repeats", "commit"))
    names = {row.name for row in rows}
    title = "Comparison of " + (f"{len(names)} policies" if len(names) > 1 else min(names))
    lines = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f"<p>Clips: {len(about['clips'])}, setting <b>{escape(about['setting'])}</b>, {escape(facts)}. The drop is that"
        " of the success from the first engine to this one.</p>",
        "<table id=examinations><thead><tr>",
        *(f"<th>{escape(head)}</th>" for head in heads),
        "</tr></thead><tbody>",
        *(_row(row, drop, columns, folder) for row, drop in zip(rows, drops(rows), strict=True)),
        "</tbody></table>",
        *_clips(rows),
        "</body></html>",
    ]
    return "\n".join(lines)


def _row(row: Row, drop: float | None, columns: Sequence[Column], folder: Path) -> str:
    if row.report is None or row.path is None:
        why = f'<td class="why lost" colspan="{len(columns) + 3}">failed: {escape(row.error or "")}</td>'
        return f'<tr><td>{escape(row.name)}</td><td class="text">{escape(row.engine_name)}</td>{why}</tr>'
    target = quote(os.path.relpath(row.path.with_name("report.html"), folder))
    cells = [f'<td><a href="{target}">{escape(row.name)}</a></td>', f'<td class="text">{escape(row.engine_name)}</td>']
    cells.append(f"<td>{row.report['all']['episodes']}</td>")
    for metric, _, factor in columns:
        mean = row.mean(metric)
        lost = ' class="lost"' if metric.startswith("success") and mean is not None and mean < 1.0 else ""
        cells.append(f"<td{lost}>{'' if mean is None else escape(number(factor * mean))}</td>")
    cells.append(f"<td>{'' if drop is None else f'{drop:.1f}'}</td>")
    cells.append(f'<td class="text">{"taken over" if row.status == "taken over" else ""}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _clips(rows: Sequence[Row]) -> list[str]:
    """Return a table of the local error of each clip in each examination, with the share that was lost."""
    done = [row for row in rows if row.report is not None]
    if not done:
        return []
    by_row = [{clip["name"]: clip for clip in (row.report or {})["clips"]} for row in done]
    heads = ["clip", *(f"{row.name}, {row.engine_name}" for row in done)]
    lines = [
        "<h2>Per clip: local MPJPE [mm], and success where it is below 100 %</h2><table id=clips><thead><tr>",
        *(f"<th>{escape(head)}</th>" for head in heads),
        "</tr></thead><tbody>",
    ]
    for name in by_row[0]:
        cells = "".join(_clip_cell(clips[name]["metrics"]) for clips in by_row)
        lines.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    return [*lines, "</tbody></table>"]


def _clip_cell(metrics: Mapping[str, Any]) -> str:
    success, local = metrics["success_terminations"]["mean"], metrics["mpjpe_local"]["mean"]
    text = "" if local is None else number(local)
    if success == 1.0:
        return f"<td>{escape(text)}</td>"
    return f'<td class="lost">{escape(text)} ({100.0 * success:.0f} %)</td>'
