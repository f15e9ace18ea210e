# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The strip under the player: when which foot stands on the ground, and where the doctor found something."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from ...motion.clip import Clip
from .judge import Judgement, stretches

_ROW = 14
_COLORS = {"ok": "#2f9e44", "warn": "#e8890c", "reject": "#d6336c", "unknown": "#868e96"}
_CONTACT_COLOR = "#1c7ed6"
_CURVE = 60
"""Height of the curve [px]."""
_CURVE_COLOR = "#d6336c"
_CURVE_POINTS = 500
"""Points of the curve at most; each is the largest of the frames for which it stands."""


def timeline_html(clip: Clip, judgement: Judgement | None, frame: int, error: np.ndarray | None = None) -> str:
    """Draw the strip as HTML with an SVG inside; all text in it is escaped.

    Args:
        clip: The motion.
        judgement: What the doctor says; None if it has not said it yet or is not asked.
        frame: The frame that is seen, where the cursor stands.
        error: A curve to be drawn below [mm], shape (T,), if there is one.
    """
    contacts = np.zeros((clip.num_frames, 0), dtype=bool) if clip.contacts is None else clip.contacts
    rows = contacts.shape[1]
    height = _ROW * (rows + 1) + (_CURVE if error is not None else 0)
    drawn = []
    for row in range(rows):
        drawn += _bars(stretches(contacts[:, row]), row, clip.num_frames, _CONTACT_COLOR, 1.0)
    drawn += _drawn_marks(judgement, rows, clip.num_frames)
    if error is not None:
        drawn.append(_drawn_curve(error, _ROW * (rows + 1), clip.num_frames))
    cursor = _across(frame, clip.num_frames)
    drawn.append(f'<line x1="{cursor}" x2="{cursor}" y1="0" y2="{height}" stroke="#212529" stroke-width="2"/>')
    svg = (
        f'<svg class="timeline" viewBox="0 0 1000 {height}" preserveAspectRatio="none" '
        f'style="width:100%;height:{height}px;background:#f1f3f5;border-radius:3px">{"".join(drawn)}</svg>'
    )
    return f'<div style="padding:0 1em 0.4em;font-size:0.8em">{svg}{_legend(clip, judgement, error)}</div>'


def _legend(clip: Clip, judgement: Judgement | None, error: np.ndarray | None) -> str:
    lines = ["this clip has no contact labels"]
    if clip.contacts is not None:
        names = escape(", ".join(clip.contact_names))
        lines = [f'<span style="color:{_CONTACT_COLOR}">■</span> on the ground, from above: {names}']
    if error is not None:
        worst = int(error.argmax())
        lines.append(
            f'<span style="color:{_CURVE_COLOR}">■</span> <span class="worst">error: mean {error.mean():.0f} mm,'
            f" largest {error[worst]:.0f} mm at {worst / clip.fps:.2f} s (frame {worst})</span>"
        )
    if judgement is not None:
        color = _COLORS.get(judgement.verdict, _COLORS["unknown"])
        lines.append(f'<b class="verdict" style="color:{color}">doctor: {escape(judgement.line)}</b>')
    return "".join(f"<div>{line}</div>" for line in lines)


def _bars(spans: Iterable[tuple[int, int]], row: int, frames: int, color: str, opacity: float) -> list[str]:
    """Draw stretches of frames; one frame is as wide as the way to the next."""
    wide = 1000.0 / max(frames - 1, 1)
    return [
        f'<rect x="{_across(first, frames)}" y="{row * _ROW + 2}" height="{_ROW - 4}" fill="{color}" '
        f'fill-opacity="{opacity}" width="{max(_across(last, frames) - _across(first, frames), wide):.1f}"/>'
        for first, last in spans
    ]


def _drawn_marks(judgement: Judgement | None, row: int, frames: int) -> list[str]:
    drawn = []
    for mark in judgement.marks if judgement else ():
        color = _COLORS.get(mark.severity, _COLORS["unknown"])
        drawn += _bars(mark.spans, row, frames, color, 0.35)
        if mark.frame is not None:
            drawn.append(
                f'<rect class="mark" x="{_across(mark.frame, frames) - 2.0:.1f}" y="{row * _ROW}" width="4" '
                f'height="{_ROW}" fill="{color}"><title>{escape(mark.text)}</title></rect>'
            )
    return drawn


def _drawn_curve(error: np.ndarray, top: int, frames: int) -> str:
    """Draw the curve from zero to its largest value."""
    largest = max(float(error.max()), 1e-9)
    width = -(-len(error) // _CURVE_POINTS)
    points = []
    for first in range(0, len(error), width):
        at = first + int(error[first : first + width].argmax())
        points.append(f"{_across(at, frames)},{top + _CURVE - 2 - (_CURVE - 4) * float(error[at]) / largest:.1f}")
    return (
        f'<polyline class="error" points="{" ".join(points)}" fill="none" stroke="{_CURVE_COLOR}"'
        ' stroke-width="1.5" vector-effect="non-scaling-stroke"/>'
    )


def _across(frame: int, frames: int) -> float:
    """Return where a frame is on the strip, 0 to 1000."""
    return round(1000.0 * frame / max(frames - 1, 1), 1)
