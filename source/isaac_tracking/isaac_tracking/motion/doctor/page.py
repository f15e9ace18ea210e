# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One self-contained page about many clips: a table that sorts, and for each clip what was found and its curves."""

from __future__ import annotations

from collections.abc import Sequence

from .diagnosis import Diagnosis, Finding, escape, number
from .plots import plot

COLUMNS = (
    ("joint limit", "limit", "rad"),
    ("joint speed", "speed", "x"),
    ("torque", "torque", "x"),
    ("joint jump", "j jump", "rad"),
    ("root jump", "r jump", "m"),
    ("root turn", "r turn", "rad"),
    ("foot slide", "slide", "m/s"),
    ("float", "float", "m"),
    ("penetration", "dip", "m"),
    ("self-collision", "self", "m"),
    ("balance", "balance", "m"),
    ("airborne", "air", "%"),
    ("statically unbalanced", "static", "%"),
)
"""Check, short title and unit of each column of a summary."""

SCALE = {"%": 100.0}
"""Factor from a check's value to a column's unit, where it is not 1."""

_STYLE = """
:root { color-scheme: light dark; --ok: #2b8a3e; --warn: #c26a00; --reject: #c92a2a; --line: #8884; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; max-width: 1200px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 2px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
th button { all: unset; cursor: pointer; font-weight: 600; } th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\25b2"; }
th[aria-sort=descending] button::after { content: " \\25bc"; }
.ok { color: var(--ok); } .warn { color: var(--warn); } .reject { color: var(--reject); font-weight: 600; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(380px, 1fr)); }
svg { width: 100%; } svg rect { fill: none; stroke: var(--line); } svg text { font-size: 10px; fill: currentColor; }
svg .name { font-weight: 600; } svg .tick, svg .label { text-anchor: end; } svg .time { text-anchor: middle; }
polyline { fill: none; stroke-width: 1.2; } .c0 { stroke: #1971c2; } .c1 { stroke: #9c36b5; }
svg text.c0 { fill: #1971c2; stroke: none; } svg text.c1 { fill: #9c36b5; stroke: none; }
line.warn { stroke: var(--warn); stroke-dasharray: 4 3; } line.reject { stroke: var(--reject); stroke-dasharray: 4 3; }
line.mark { stroke-width: 3; stroke-dasharray: none; opacity: .5; }
"""

_SCRIPT = """
const table = document.querySelector("table"), body = table.tBodies[0];
table.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const head = button.parentElement, column = head.cellIndex;
  const first = column ? "descending" : "ascending", other = column ? "ascending" : "descending";
  const next = head.getAttribute("aria-sort") === first ? other : first, sign = next === "ascending" ? 1 : -1;
  table.querySelectorAll("th").forEach(each => each.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", next);
  const key = row => { const text = row.cells[column].dataset.key;
    return column ? (text === "" ? -Infinity : Number(text)) : text; };
  const order = (a, b) => column ? (a < b ? -1 : a > b ? 1 : 0) : a.localeCompare(b);
  [...body.rows].sort((a, b) => sign * order(key(a), key(b))).forEach(row => body.append(row));
}));
const open = () => { const clip = location.hash && document.getElementById(location.hash.slice(1));
  if (clip) { clip.open = true; clip.scrollIntoView(); } };
addEventListener("hashchange", open); open();
"""


def worst_first(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return the diagnoses by their badness, and by name among equals."""
    return sorted(diagnoses, key=lambda diagnosis: (*(-part for part in diagnosis.badness), diagnosis.name))


def page(
    diagnoses: Sequence[Diagnosis], unreadable: Sequence[tuple[str, str]] = (), title: str = "Motion doctor"
) -> str:
    """Return a page of HTML that needs no other file and no network.

    Args:
        diagnoses: What was found; any order.
        unreadable: Names of files that could not be read, and why.
        title: Title of the page.
    """
    ordered = worst_first(diagnoses)
    counts = ", ".join(f"{sum(d.verdict == v for d in ordered)} {v}" for v in ("ok", "warn", "reject"))
    seconds = sum(diagnosis.seconds for diagnosis in ordered)
    lines = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{len(ordered)} clips, {seconds:.0f} s: {counts}. Click on a title to sort.</p>",
        *_unreadable(unreadable),
        "<table><thead><tr>",
        *(f"<th><button>{escape(text)}</button></th>" for text in _titles()),
        "</tr></thead><tbody>",
        *(_row(diagnosis, index) for index, diagnosis in enumerate(ordered)),
        "</tbody></table>",
        *(_section(diagnosis, index) for index, diagnosis in enumerate(ordered)),
        f"<script>{_SCRIPT}</script></body></html>",
    ]
    return "\n".join(lines)


def cell(diagnosis: Diagnosis, check: str, unit: str) -> tuple[float | None, str]:
    """Return what a summary shows of a check: the number in the column's unit, ``None`` if there is none; severity."""
    for found in diagnosis.findings:
        if found.check == check:
            # What stays below zero, such as the depth of a sole that hovers, is no amount of a fault.
            return max(0.0, found.value * SCALE.get(unit, 1.0)), found.severity
    return None, "info"


def _titles() -> list[str]:
    return ["clip", "verdict", "s", *(f"{title} [{unit}]" for _, title, unit in COLUMNS)]


def _row(diagnosis: Diagnosis, index: int) -> str:
    name = escape(diagnosis.name)
    rank = ("ok", "warn", "reject").index(diagnosis.verdict)
    cells = [
        f'<td data-key="{name}"><a href="#clip-{index}">{name}</a></td>',
        f'<td data-key="{rank}" class="{diagnosis.verdict}">{diagnosis.verdict}</td>',
        f'<td data-key="{diagnosis.seconds:.3f}">{diagnosis.seconds:.1f}</td>',
    ]
    for check, _, unit in COLUMNS:
        value, severity = cell(diagnosis, check, unit)
        key, text = ("", "") if value is None else (f"{value:.6g}", escape(number(value)))
        cells.append(f'<td data-key="{key}" class="{severity}">{text}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _section(diagnosis: Diagnosis, index: int) -> str:
    faults = len(diagnosis.faults)
    summary = (
        f'<summary><b>{escape(diagnosis.name)}</b> <span class="{diagnosis.verdict}">{diagnosis.verdict}</span>, '
        f"{diagnosis.seconds:.2f} s, {diagnosis.frames} frames at {number(diagnosis.fps)} Hz, {faults} found</summary>"
    )
    rest = [found for found in diagnosis.findings if found.severity == "info"]
    plots = "".join(plot(series, diagnosis.fps, diagnosis.faults) for series in diagnosis.series)
    return (
        f'<details id="clip-{index}">{summary}<ul>{"".join(map(_line, diagnosis.faults))}</ul>'
        f'<ul>{"".join(map(_line, rest))}</ul><div class="plots">{plots}</div></details>'
    )


def _line(found: Finding) -> str:
    tag = "" if found.severity == "info" else f'<span class="{found.severity}">{found.severity}</span>: '
    return f"<li>{tag}{escape(found.sentence())}</li>"


def _unreadable(files: Sequence[tuple[str, str]]) -> list[str]:
    if not files:
        return []
    items = (f"<li><b>{escape(name)}</b>: {escape(why)}</li>" for name, why in files)
    return [f'<h2 class="reject">Not read</h2><ul>{"".join(items)}</ul>']
