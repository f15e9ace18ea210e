# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``report.html``: what an evaluation found, on one page that needs no network, and no file but its films."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import torch

from ..motion.doctor.diagnosis import Series, escape, number
from ..motion.doctor.plots import plot
from .metrics import METRICS

if TYPE_CHECKING:
    from .evaluation_report import EpisodeResult

_SHOWN = {
    "success_terminations": ("success", 100.0, "%"),
    "success_phc": ("PHC", 100.0, "%"),
    "progress": ("progress", 100.0, "%"),
    "mpjpe_global": ("global", 1.0, "mm"),
    "mpjpe_local": ("local", 1.0, "mm"),
    "mpjpe_local_rotated": ("rotated", 1.0, "mm"),
    "mpjpe_procrustes": ("PA", 1.0, "mm"),
    "velocity_error": ("velocity", 1.0, "m/s"),
    "acceleration_error": ("accel.", 1.0, "m/s^2"),
    "joint_error": ("joints", 1.0, "rad"),
    "root_position_error": ("root", 1.0, "mm"),
    "root_yaw_error": ("yaw", 1.0, "rad"),
    "foot_slide": ("slide", 1.0, "m/s"),
    "contact_agreement": ("contacts", 100.0, "%"),
    "torque_saturation": ("torque", 100.0, "%"),
    "action_rate": ("action", 1.0, "-"),
    "power": ("power", 1.0, "W"),
}
"""Title, factor and unit of each column."""

_CURVES = {"mpjpe_global": "global", "mpjpe_local": "local"}

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
polyline { fill: none; stroke-width: 1.2; } .c0 { stroke: #1971c2; } .c1 { stroke: #9c36b5; }
svg text.c0 { fill: #1971c2; stroke: none; } svg text.c1 { fill: #9c36b5; stroke: none; }
"""

_SCRIPT = """
const table = document.querySelector("table"), body = table.tBodies[0];
table.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const head = button.parentElement, column = head.cellIndex, was = head.getAttribute("aria-sort");
  const sign = was === (column ? "descending" : "ascending") ? -1 : 1, up = (column ? -1 : 1) * sign;
  table.querySelectorAll("th").forEach(each => each.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
  const key = row => row.cells[column].dataset.key, value = row => key(row) === "" ? -Infinity : Number(key(row));
  const order = (a, b) => column ? value(a) - value(b) : key(a).localeCompare(key(b));
  [...body.rows].sort((a, b) => up * order(a, b)).forEach(row => body.append(row));
}));
const show = () => { const clip = location.hash && document.getElementById(location.hash.slice(1));
  if (clip) { clip.open = true; clip.scrollIntoView(); } };
addEventListener("hashchange", show); show();
"""


def page(report: Mapping[str, Any], episodes: Sequence[EpisodeResult]) -> str:
    """Return the page.

    Args:
        report: Content of ``metrics.json``.
        episodes: The episodes, for the curves of each clip's first one.
    """
    first = {episode.clip: episode for episode in episodes if episode.repeat == 0}
    heads = ["clip", "s", *(f"{title} [{unit}]" for title, _, unit in _SHOWN.values())]
    title = f"Evaluation of {report['checkpoint']['run']}/{report['checkpoint']['file']}"
    lines = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        *_summary(report),
        *_combined(report["film"]),
        "<table><thead><tr>",
        *(f"<th><button>{escape(head)}</button></th>" for head in heads),
        "</tr></thead><tbody>",
        *(_row(row, f"clip-{index}", row["duration"]) for index, row in enumerate(report["clips"])),
        "</tbody><tfoot>",
        *(_row(report[name] | {"name": name}, None, None) for name in ("all", "successes")),
        "</tfoot></table>",
        *_groups(report["all"]["groups"]),
        *(
            _section(row, index, report["control_rate"], first.get(row["name"]))
            for index, row in enumerate(report["clips"])
        ),
        "<h2>Definitions</h2><dl>",
        *(_definition(name, value) for name, value in report["definitions"].items()),
        "</dl>",
        f"<script>{_SCRIPT}</script></body></html>",
    ]
    return "\n".join(lines)


def _summary(report: Mapping[str, Any]) -> list[str]:
    parts = []
    for name in ("success_terminations", "success_phc"):
        value = report["all"]["metrics"][name]
        low, high = (100.0 * bound for bound in value["interval"])
        parts.append(f"{name} {100.0 * value['mean']:.1f} % (95 %: {low:.1f} to {high:.1f})")
    count = f"{report['all']['episodes']} episodes of {len(report['clips'])} clips"
    facts = ("task", "engine", "device", "seed", "repeats", "num_envs", "commit", "isaaclab")
    return [
        f"<p><b>{count}: {escape('; '.join(parts))}.</b></p>",
        f"<p>Setting <b>{escape(report['setting'])}</b>: {escape(report['setting_definition'])}</p>",
        f"<p>{escape(', '.join(f'{name} {report[name]}' for name in facts))}, checkpoint SHA-256"
        f" {escape(report['checkpoint']['sha256'][:16])}.</p>",
        "<p>Clips are hardest first; click on a title to sort, on a clip for its curves.</p>",
    ]


def _row(row: Mapping[str, Any], anchor: str | None, duration: float | None) -> str:
    name = escape(row["name"])
    label = name if anchor is None else f'<a href="#{anchor}">{name}</a>{_sign(row)}'
    cells = [f'<td data-key="{name}">{label}</td>']
    cells.append("<td></td>" if duration is None else f'<td data-key="{duration:.3f}">{duration:.1f}</td>')
    for metric, (_, factor, _) in _SHOWN.items():
        mean = row["metrics"][metric]["mean"]
        key, text = ("", "") if mean is None else (f"{factor * mean:.6g}", escape(number(factor * mean)))
        lost = ' class="lost"' if METRICS[metric].share and mean is not None and mean < 1.0 else ""
        cells.append(f'<td data-key="{key}"{lost}>{text}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _groups(groups: Mapping[str, Mapping[str, float]]) -> list[str]:
    items = (
        f"{group}: " + ", ".join(f"{_SHOWN[name][0]} {number(value)} mm" for name, value in values.items())
        for group, values in groups.items()
    )
    return ["<h2>Body groups, over all episodes</h2><ul>", *(f"<li>{escape(item)}</li>" for item in items), "</ul>"]


def _section(row: Mapping[str, Any], index: int, rate: float, episode: EpisodeResult | None) -> str:
    ended = ", ".join(f"{name} {count}" for name, count in row["outcomes"].items())
    plots = ""
    if episode is not None:
        values = torch.stack([episode.curves[name] for name in _CURVES], dim=-1).numpy()
        title = "mean distance of the bodies, first episode"
        plots = plot(Series(title, "mm", values, tuple(_CURVES.values())), rate, ())
    summary = f"<summary><b>{escape(row['name'])}</b>: {escape(ended)}</summary>"
    films = "".join(_film(row["name"], each) for each in row["each"] if each["film"] is not None)
    return f'<details id="clip-{index}">{summary}<div class="plots">{plots}{films}</div></details>'


def _combined(film: str | None) -> list[str]:
    return [] if film is None else [f'<p><a class="film" href="{quote(film)}">Film, the hardest clip first</a></p>']


def _sign(row: Mapping[str, Any]) -> str:
    """Return a sign that links to the first film of a clip, if there is one."""
    first = next((each["film"] for each in row["each"] if each["film"] is not None), None)
    return "" if first is None else f' <a class="film" href="{quote(first)}" aria-label="film">&#9655;</a>'


def _film(clip: str, each: Mapping[str, Any]) -> str:
    source, title = quote(each["film"]), f"{clip}, repeat {each['repeat']}: {each['outcome']}"
    # Nothing is loaded until it is played: there may be hundreds.
    video = f'<video controls preload="none" src="{source}"></video>'
    return f'<figure>{video}<figcaption><a class="film" href="{source}">{escape(title)}</a></figcaption></figure>'


def _definition(name: str, value: str | Mapping[str, str]) -> str:
    text = value if isinstance(value, str) else f"[{value['unit']}] {value['definition']} Source: {value['source']}."
    return f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>"
