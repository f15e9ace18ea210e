# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Curves as inline SVG: no image files, no scripts, a few kilobytes each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .diagnosis import Finding, Series, escape, number

WIDTH, HEIGHT = 520, 128
"""Size of a plot [px]."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 20, 18
_BINS = 180
"""Columns of a curve; each keeps its lowest and its highest value, so that no peak is lost."""


def plot(series: Series, fps: float, findings: Sequence[Finding]) -> str:
    """Return a plot of one quantity over time, with its limits and the frames that were found.

    Args:
        series: The curve or curves.
        fps: Frames per second [1/s].
        findings: Findings to mark, those of the checks that the series names.
    """
    values = series.values.reshape(len(series.values), -1)
    low, high = _range(values, [value for _, value in series.limits])
    duration = max(len(values) - 1, 1) / fps

    def x(time: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * time / duration

    def y(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    title = f"{series.title} [{series.unit}]" if series.unit else series.title
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<text x="{_LEFT}" y="13" class="name">{escape(title)}</text>',
        *_legend(series.labels),
        f'<rect x="{_LEFT}" y="{_TOP}" width="{WIDTH - _LEFT - _RIGHT}" height="{HEIGHT - _TOP - _BOTTOM}"/>',
    ]
    for value in (low, high):
        parts.append(f'<text x="{_LEFT - 4}" y="{y(value) + 4:.0f}" class="tick">{escape(number(value))}</text>')
    for time in _ticks(duration):
        parts.append(f'<text x="{x(time):.0f}" y="{HEIGHT - 4}" class="time">{number(time)} s</text>')
    for severity, value in series.limits:
        if low <= value <= high:
            at = f'y1="{y(value):.1f}" y2="{y(value):.1f}"'
            parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" {at} class="{severity}"/>')
    for column, curve in enumerate(values.T):
        parts += [
            f'<polyline class="c{column}" points="{" ".join(f"{x(i / fps):.0f},{y(v):.1f}" for i, v in piece)}"/>'
            for piece in _pieces(curve)
        ]
    for found in findings:
        if found.check in series.checks and found.time is not None:
            at = f"{x(found.time):.1f}"
            parts.append(
                f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" class="mark {found.severity}">'
                f"<title>{escape(found.sentence())}</title></line>"
            )
    return "".join([*parts, "</svg>"])


def _legend(labels: Sequence[str]) -> list[str]:
    """Return the names of several curves, at the right above them."""
    parts, right = [], WIDTH - _RIGHT
    for column in reversed(range(len(labels))):
        parts.append(f'<text x="{right}" y="13" class="label c{column}">{escape(labels[column])}</text>')
        right -= 7 * len(labels[column]) + 10
    return parts


def _range(values: np.ndarray, limits: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and highest value to draw: all of the curves, and the limits that are not far away."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    near = max(abs(low), abs(high), min((abs(limit) for limit in limits), default=0.0), 1e-6)
    shown = [limit for limit in limits if abs(limit) <= 1.5 * near]
    low, high = min([low, *shown]), max([high, *shown])
    pad = 0.05 * (high - low) or 0.5 * max(abs(high), 1e-3)
    return low - pad, high + pad


def _ticks(duration: float) -> list[float]:
    """Return up to six round times."""
    step = 10.0 ** math.floor(math.log10(duration / 5.0))
    step *= next(factor for factor in (1.0, 2.0, 5.0, 10.0) if duration / (step * factor) <= 5.0)
    return [i * step for i in range(int(duration / step + 1e-9) + 1)]


def _pieces(curve: np.ndarray) -> list[list[tuple[int, float]]]:
    """Return the stretches of a curve between its gaps, thinned out, as frames and values."""
    known = np.isfinite(curve)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], known.view(np.int8), [0]))))
    size = max(1, math.ceil(len(curve) / _BINS))
    pieces = []
    for first, end in edges.reshape(-1, 2):
        points: list[tuple[int, float]] = []
        for start in range(first, end, size):
            part = curve[start : min(start + size, end)]
            for i in sorted({int(part.argmin()), int(part.argmax())}):
                points.append((start + i, float(part[i])))
        pieces.append(points if len(points) > 1 else [*points, *points])
    return pieces
