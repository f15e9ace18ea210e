# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learning curves of a run as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..files import written_beside
from .run_table import read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS = (
    ("mean reward per episode", (("mean_reward", "", 1.0),)),
    ("mean episode length [steps]", (("mean_episode_length", "", 1.0),)),
    (
        "position error [mm]",
        (
            ("Metrics/motion/error_body_pos", "bodies, relative", 1000.0),
            ("Metrics/motion/error_anchor_pos", "anchor, world", 1000.0),
        ),
    ),
    (
        "rotation error [rad]",
        (
            ("Metrics/motion/error_body_rot", "bodies, relative", 1.0),
            ("Metrics/motion/error_joint_pos", "joints", 1.0),
        ),
    ),
    (
        "velocity error",
        (
            ("Metrics/base_velocity/error_vel_xy", "along the ground [m/s]", 1.0),
            ("Metrics/base_velocity/error_vel_yaw", "turning [rad/s]", 1.0),
        ),
    ),
    ("level of the ground", (("Curriculum/terrain_levels", "", 1.0),)),
)
"""Title and (column, label, factor) of each panel; a family of tasks has some of them."""


def plot_curves(table: Path) -> Path | None:
    """Draw reward, episode length and what else the run's task has into ``curves.png`` beside its table.

    Args:
        table: ``logs.csv`` of a run.

    Returns:
        The picture, or None if the table has fewer than two rows, or matplotlib is missing.

    Raises:
        OSError: If the picture cannot be written; an earlier one stays.
    """
    columns, rows = read_table(table)
    if len(rows) < 2:
        return None
    panels = [(title, lines) for title, lines in _PANELS if any(column in columns for column, _, _ in lines)]
    try:
        # Slow to import, and not needed to train.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None

    figure = Figure(figsize=(10, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, lines) in enumerate(panels):
        axes = figure.add_subplot(2, 2, 1 + place)
        for index, line in enumerate(lines):
            _draw(axes, rows, line, f"C{index}")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("iteration", fontsize=9)
        axes.grid(alpha=0.3)
        if len(axes.get_legend_handles_labels()[0]) > 1:
            axes.legend(fontsize=8)
    figure.suptitle(table.parent.name, fontsize=11)
    picture = table.with_name("curves.png")
    with written_beside(picture, durable=False) as file:
        figure.savefig(file, dpi=110, format="png")
    return picture


def _draw(axes: Axes, rows: Sequence[Mapping[str, str]], line: tuple[str, str, float], color: str) -> None:
    """Draw a quantity as it is, thin, and its running mean."""
    column, label, factor = line
    points = [(int(row["iteration"]), factor * float(row[column])) for row in rows if row.get(column)]
    if not points:
        return
    iterations, values = np.array(points).T
    axes.plot(iterations, values, linewidth=0.6, alpha=0.4, color=color)
    axes.plot(iterations, _smooth(values), linewidth=1.8, color=color, label=label)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return a running mean over a twentieth of the curve, shape (T,)."""
    width = max(1, len(values) // 20)
    total = np.cumsum(np.insert(values, 0, 0.0))
    starts = np.maximum(np.arange(1, len(values) + 1) - width, 0)
    ends = np.arange(1, len(values) + 1)
    return (total[ends] - total[starts]) / (ends - starts)
