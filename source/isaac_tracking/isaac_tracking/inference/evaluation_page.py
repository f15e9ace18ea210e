# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``report.html``: what an evaluation found, on one page that needs no network, and no file but its films."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..motion.doctor.diagnosis import Series, escape, number
from ..motion.doctor.plots import plot
from .metrics import METRICS
from .report_page import about, cell, combined_film, definitions, document, film_figure, film_sign, table

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
        *_summary(report),
        *combined_film(report["film"], "Film, the hardest clip first"),
        *table(
            heads,
            [_row(row, f"clip-{index}", row["duration"]) for index, row in enumerate(report["clips"])],
            [_row(report[name] | {"name": name}, None, None) for name in ("all", "successes")],
        ),
        *_groups(report["all"]["groups"]),
        *(
            _section(row, index, report["control_rate"], first.get(row["name"]))
            for index, row in enumerate(report["clips"])
        ),
        *definitions(report["definitions"]),
    ]
    return document(title, lines)


def _summary(report: Mapping[str, Any]) -> list[str]:
    parts = []
    for name in ("success_terminations", "success_phc"):
        value = report["all"]["metrics"][name]
        low, high = (100.0 * bound for bound in value["interval"])
        parts.append(f"{name} {100.0 * value['mean']:.1f} % (95 %: {low:.1f} to {high:.1f})")
    count = f"{report['all']['episodes']} episodes of {len(report['clips'])} clips"
    return [
        f"<p><b>{count}: {escape('; '.join(parts))}.</b></p>",
        *about(report),
        "<p>Clips are hardest first; click on a title to sort, on a clip for its curves.</p>",
    ]


def _row(row: Mapping[str, Any], anchor: str | None, duration: float | None) -> str:
    name = escape(row["name"])
    label = name if anchor is None else f'<a href="#{anchor}">{name}</a>{film_sign(_first_film(row))}'
    cells = [f'<td data-key="{name}">{label}</td>']
    cells.append("<td></td>" if duration is None else f'<td data-key="{duration:.3f}">{duration:.1f}</td>')
    for metric, (_, factor, _) in _SHOWN.items():
        mean = row["metrics"][metric]["mean"]
        lost = METRICS[metric].share and mean is not None and mean < 1.0
        cells.append(cell(None if mean is None else factor * mean, lost))
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


def _first_film(row: Mapping[str, Any]) -> str | None:
    return next((each["film"] for each in row["each"] if each["film"] is not None), None)


def _film(clip: str, each: Mapping[str, Any]) -> str:
    return film_figure(each["film"], f"{clip}, repeat {each['repeat']}: {each['outcome']}")
