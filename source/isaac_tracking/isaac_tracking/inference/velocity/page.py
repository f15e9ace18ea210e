# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``report.html`` of a policy that follows velocities, on one page that needs no network, and no file but its films."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...motion.doctor.diagnosis import Series, escape, number
from ...motion.doctor.plots import plot
from ..report_page import about, cell, combined_film, definitions, document, film_figure, film_sign, table
from .commands import Command
from .report import VelocityEpisode

_SHOWN = {
    "fall": ("falls", 100.0, "%"),
    "error_x": ("x", 1.0, "m/s"),
    "error_y": ("y", 1.0, "m/s"),
    "error_yaw": ("yaw", 1.0, "rad/s"),
    "rms_x": ("RMS x", 1.0, "m/s"),
    "rms_y": ("RMS y", 1.0, "m/s"),
    "rms_yaw": ("RMS yaw", 1.0, "rad/s"),
    "linear_tracking": ("linear tracking", 100.0, "%"),
    "yaw_tracking": ("yaw tracking", 100.0, "%"),
    "distance": ("distance", 1.0, "m"),
    "speed_along": ("along", 1.0, "m/s"),
    "power": ("power", 1.0, "W"),
    "cost_of_transport": ("CoT", 1.0, "-"),
    "passed": ("passed", 100.0, "%"),
}
"""Title, factor and unit of each column."""

_AXES = (("forward", "m/s"), ("to the left", "m/s"), ("rate of turning", "rad/s"))


def page(report: Mapping[str, Any], episodes: Sequence[VelocityEpisode]) -> str:
    """Return the page.

    Args:
        report: Content of ``metrics.json``.
        episodes: The episodes, for the curves of each command's first one.
    """
    first: dict[Command, VelocityEpisode] = {}
    for episode in episodes:
        known = first.get(episode.command)
        if known is None or _place(episode) < _place(known):
            first[episode.command] = episode
    checkpoint = report["checkpoint"]
    lines = [
        *_summary(report),
        *combined_film(report["film"], "Film, the hardest command first"),
        "<h2>By direction</h2>",
        *_table("direction", [(row["name"], row) for row in report["directions"]], report["all"]),
        *_terrains(report["terrains"]),
        "<h2>By command</h2>",
        "<p>The hardest first; click on a title to sort, on a command for its curves.</p>",
        *_table("command", [(_command_label(row, i), row) for i, row in enumerate(report["commands"])], report["all"]),
        *(_section(row, i, report["control_rate"], first) for i, row in enumerate(report["commands"])),
        *definitions(report["definitions"]),
    ]
    return document(f"Evaluation of {checkpoint['run']}/{checkpoint['file']}", lines)


def _summary(report: Mapping[str, Any]) -> list[str]:
    metrics = report["all"]["metrics"]
    fall = metrics["fall"]
    low, high = (100.0 * bound for bound in fall["interval"])
    parts = [f"falls {100.0 * fall['mean']:.1f} % (95 %: {low:.1f} to {high:.1f})"]
    for name in ("error_x", "error_y", "error_yaw"):
        parts.append(f"{name} {number(metrics[name]['mean'])} {_SHOWN[name][2]}")
    if report["level_reached"] is not None:
        parts.append(f"level reached {number(report['level_reached'])}")
    count = f"{report['all']['episodes']} episodes of {len(report['commands'])} commands"
    bounds = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in report["command_range"].items())
    return [
        f"<p><b>{count}: {escape('; '.join(parts))}.</b></p>",
        f"<p>Commands of the trained range: {escape(bounds)} [m/s, m/s, rad/s]. Mass {number(report['mass'])} kg.</p>",
        *about(report),
    ]


def _terrains(terrains: Sequence[Mapping[str, Any]]) -> list[str]:
    if not terrains:
        return []
    lines = ["<h2>By ground</h2>", *_table("ground", [(row["name"], row) for row in terrains], None)]
    for row in terrains:
        levels = [(f"level {level['level']}", level) for level in row["levels"]]
        title = f"<b>{escape(row['name'])}</b>: level reached {row['level_reached']} of {len(levels)}"
        lines += [f"<details><summary>{title}</summary>", *_table("level", levels, row), "</details>"]
    return lines


def _table(kind: str, rows: Iterable[tuple[Any, Mapping[str, Any]]], last: Mapping[str, Any] | None) -> list[str]:
    """Return a table; a row's first cell is a text, or a text and the HTML that shows it."""
    heads = [kind, "episodes", *(f"{title} [{unit}]" for title, _, unit in _SHOWN.values())]
    foot = [] if last is None else [_row("all", last)]
    return table(heads, [_row(label, row) for label, row in rows], foot)


def _row(label: str | tuple[str, str], row: Mapping[str, Any]) -> str:
    text, shown = (label, escape(label)) if isinstance(label, str) else label
    cells = [f'<td data-key="{escape(text)}">{shown}</td>', cell(row["episodes"])]
    for metric, (_, factor, _) in _SHOWN.items():
        mean = row["metrics"][metric]["mean"]
        lost = mean is not None and ((metric == "fall" and mean > 0.0) or (metric == "passed" and mean < 0.5))
        cells.append(cell(None if mean is None else factor * mean, lost))
    return f"<tr>{''.join(cells)}</tr>"


def _command_label(row: Mapping[str, Any], index: int) -> tuple[str, str]:
    film = next((each["film"] for each in row["each"] if each["film"] is not None), None)
    return row["name"], f'<a href="#command-{index}">{escape(row["name"])}</a>{film_sign(film)}'


def _section(row: Mapping[str, Any], index: int, rate: float, first: Mapping[Command, VelocityEpisode]) -> str:
    ended = ", ".join(f"{name} {count}" for name, count in row["outcomes"].items())
    command = Command(**row["command"])
    films = "".join(
        film_figure(each["film"], f"{row['name']}, {_ground(each)}repeat {each['repeat']}: {each['outcome']}")
        for each in row["each"]
        if each["film"] is not None
    )
    summary = f"<summary><b>{escape(row['name'])}</b>, {escape(row['direction'])}: {escape(ended)}</summary>"
    plots = _plots(command, first[command], rate) if command in first else ""
    return f'<details id="command-{index}">{summary}<div class="plots">{plots}{films}</div></details>'


def _plots(command: Command, episode: VelocityEpisode, rate: float) -> str:
    """Return commanded and actual velocity over time, of each axis."""
    actual = episode.velocities.numpy()
    return "".join(
        plot(
            Series(
                f"{title}, first episode",
                unit,
                np.stack([actual[:, axis], np.full(len(actual), command[axis])], axis=-1),
                ("actual", "commanded"),
            ),
            rate,
            (),
        )
        for axis, (title, unit) in enumerate(_AXES)
    )


def _ground(each: Mapping[str, Any]) -> str:
    return "" if each["terrain"] is None else f"{each['terrain']} {each['level']}, "


def _place(episode: VelocityEpisode) -> tuple[int, str, int]:
    return episode.level or 0, episode.terrain or "", episode.repeat
