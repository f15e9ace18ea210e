# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the pages of examinations share: tables that sort, details that open by their link, films, definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ..motion.doctor.diagnosis import escape, number

_STYLE = """
:root { color-scheme: light dark; --bad: #c92a2a; --line: #8884; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; max-width: 1400px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 2px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th button { all: unset; cursor: pointer; font-weight: 600; } th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\25b2"; }
th[aria-sort=descending] button::after { content: " \\25bc"; }
tfoot td { font-weight: 600; } .lost { color: var(--bad); } dt { font-weight: 600; } dd { margin: 0 0 .4rem 1rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); }
figure { margin: .5rem 0; } video { width: 100%; aspect-ratio: 4/3; } a.film { text-decoration: none; }
svg { width: 100%; } svg rect { fill: none; stroke: var(--line); } svg text { font-size: 10px; fill: currentColor; }
svg .name { font-weight: 600; } svg .tick, svg .label { text-anchor: end; } svg .time { text-anchor: middle; }
polyline { fill: none; stroke-width: 1.2; } .c0 { stroke: #1971c2; } .c1 { stroke: #9c36b5; } .c2 { stroke: #2b8a3e; }
svg text.c0 { fill: #1971c2; stroke: none; } svg text.c1 { fill: #9c36b5; stroke: none; }
svg text.c2 { fill: #2b8a3e; stroke: none; }
"""

_SCRIPT = """
document.querySelectorAll("table").forEach(table => {
  const body = table.tBodies[0];
  table.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
    const head = button.parentElement, column = head.cellIndex, was = head.getAttribute("aria-sort");
    const sign = was === (column ? "descending" : "ascending") ? -1 : 1, up = (column ? -1 : 1) * sign;
    table.querySelectorAll("th").forEach(each => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
    const key = row => row.cells[column].dataset.key, value = row => key(row) === "" ? -Infinity : Number(key(row));
    const order = (a, b) => column ? value(a) - value(b) : key(a).localeCompare(key(b));
    [...body.rows].sort((a, b) => up * order(a, b)).forEach(row => body.append(row));
  }));
});
const show = () => { const part = location.hash && document.getElementById(location.hash.slice(1));
  if (part) { part.open = true; part.scrollIntoView(); } };
addEventListener("hashchange", show); show();
"""


def document(title: str, body: Sequence[str]) -> str:
    """Return a whole page, which needs no network."""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *body,
            f"<script>{_SCRIPT}</script></body></html>",
        ]
    )


def about(report: Mapping[str, Any]) -> list[str]:
    """Return what was examined and how, from ``metrics.json``."""
    facts = ("task", "engine", "device", "seed", "repeats", "num_envs", "commit", "isaaclab")
    return [
        f"<p>Setting <b>{escape(report['setting'])}</b>: {escape(report['setting_definition'])}</p>",
        f"<p>{escape(', '.join(f'{name} {report[name]}' for name in facts))}, checkpoint SHA-256"
        f" {escape(report['checkpoint']['sha256'][:16])}.</p>",
    ]


def table(heads: Sequence[str], rows: Sequence[str], foot: Sequence[str] = ()) -> list[str]:
    """Return a table that sorts by a click on a title: by text in the first column, by number in the others."""
    last = ["<tfoot>", *foot, "</tfoot>"] if foot else []
    titles = (f"<th><button>{escape(head)}</button></th>" for head in heads)
    return ["<table><thead><tr>", *titles, "</tr></thead><tbody>", *rows, "</tbody>", *last, "</table>"]


def cell(value: float | None, lost: bool = False) -> str:
    """Return a cell with a number, or an empty one; red where something was lost."""
    key, text = ("", "") if value is None else (f"{value:.6g}", escape(number(value)))
    return f'<td data-key="{key}"{_LOST if lost else ""}>{text}</td>'


def definitions(content: Mapping[str, str | Mapping[str, str]]) -> list[str]:
    """Return the definitions of ``metrics.json``."""
    return ["<h2>Definitions</h2><dl>", *(_definition(name, value) for name, value in content.items()), "</dl>"]


def film_sign(film: str | None) -> str:
    """Return a sign that links to a film, if there is one."""
    return "" if film is None else f' <a class="film" href="{quote(film)}" aria-label="film">&#9655;</a>'


def film_figure(film: str, title: str) -> str:
    """Return a film that plays on the page, with a title that links to it."""
    source = quote(film)
    # Nothing is loaded until it is played: there may be hundreds.
    video = f'<video controls preload="none" src="{source}"></video>'
    return f'<figure>{video}<figcaption><a class="film" href="{source}">{escape(title)}</a></figcaption></figure>'


def combined_film(film: str | None, title: str) -> list[str]:
    """Return a link to the film of all episodes, if there is one."""
    return [] if film is None else [f'<p><a class="film" href="{quote(film)}">{escape(title)}</a></p>']


_LOST = ' class="lost"'


def _definition(name: str, value: str | Mapping[str, str]) -> str:
    text = value if isinstance(value, str) else f"[{value['unit']}] {value['definition']} Source: {value['source']}."
    return f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>"
