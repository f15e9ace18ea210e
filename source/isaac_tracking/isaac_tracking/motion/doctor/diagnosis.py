# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the doctor found: one finding a check, the curves behind them, and the verdict."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SEVERITIES = ("info", "ok", "warn", "reject")
"""From harmless to useless. ``info`` is a fact without a limit and never decides a verdict."""

SHARE = "of the frames"
"""Unit of a share of the frames; it is written in per cent."""


@dataclass(frozen=True)
class Finding:
    """The result of one check on one clip."""

    check: str
    """Name of the check, e.g. ``"foot slide"``."""

    severity: str
    """One of :data:`SEVERITIES`."""

    value: float
    """Worst value, or the only one, in ``unit``."""

    unit: str
    """Unit of value and limit; empty for a number without one."""

    limit: float | None = None
    """The limit that was passed, or else the next one; ``None`` where there is none."""

    frame: int | None = None
    """Frame of the worst value; ``None`` if the check is about the clip as a whole."""

    time: float | None = None
    """Time of that frame from the clip's start [s]."""

    share: float | None = None
    """Share of the frames that this check looks at which are beyond the lowest limit [-]."""

    detail: str = ""
    """Who does it, e.g. the joint; or what there is to say instead of a number."""

    spans: tuple[tuple[int, int], ...] = ()
    """First and last frame of each stretch beyond the limit, of checks of single frames that warn or reject."""

    def sentence(self) -> str:
        """Return e.g. ``"foot slide 0.45 m/s at 3.24 s (frame 162), limit 0.3, 12 % of the frames: left foot"``."""
        if not self.unit and self.limit is None:
            return f"{self.check}: {self.detail}"
        text = f"{self.check} {self.amount()}"
        if self.frame is not None and self.time is not None:
            text += f" at {self.time:.2f} s (frame {self.frame})"
        if self.limit is not None:
            text += f", limit {share_text(self.limit) if self.unit == SHARE else number(self.limit)}"
        if self.share:
            text += f", {share_text(self.share)} of the frames"
        return f"{text}: {self.detail}" if self.detail else text

    def amount(self) -> str:
        """Return the value with its unit, e.g. ``"0.45 m/s"`` or ``"12 % of the frames"``."""
        if self.unit == SHARE:
            return f"{share_text(self.value)} {SHARE}"
        return f"{number(self.value)} {self.unit}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain values for JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "value": _plain(self.value),
            "unit": self.unit,
            "limit": self.limit,
            "frame": self.frame,
            "time": None if self.time is None else round(self.time, 4),
            "share": None if self.share is None else round(self.share, 4),
            "detail": self.detail,
        }


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity over the frames of a clip, for plots."""

    title: str
    """What it is, e.g. ``"foot slide"``."""

    unit: str
    """Unit of the values."""

    values: np.ndarray
    """Values, NaN where there is none, shape (T,) or (T, N)."""

    labels: tuple[str, ...] = ()
    """Names of the N columns."""

    limits: tuple[tuple[str, float], ...] = ()
    """Severity and value of the limits that apply to it."""

    checks: tuple[str, ...] = ()
    """Checks whose worst frames are marked in the plot."""

    @property
    def check(self) -> str:
        """The first of the checks; empty if there is none."""
        return self.checks[0] if self.checks else ""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Everything the doctor says about one clip."""

    name: str
    """Name of the clip."""

    frames: int
    """Number of frames T."""

    fps: float
    """Frames per second [1/s]."""

    findings: tuple[Finding, ...]
    """One for each check that could be made, in the order of the checks."""

    series: tuple[Series, ...] = field(default=(), repr=False)
    """Curves over all T frames."""

    @property
    def seconds(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.frames - 1) / self.fps

    @property
    def verdict(self) -> str:
        """The worst severity of all findings: ``"ok"``, ``"warn"`` or ``"reject"``."""
        return SEVERITIES[max([1, *(SEVERITIES.index(finding.severity) for finding in self.findings)])]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that warn or reject, worst first."""
        found = [finding for finding in self.findings if finding.severity in ("warn", "reject")]
        return tuple(sorted(found, key=lambda finding: -SEVERITIES.index(finding.severity)))

    @property
    def badness(self) -> tuple[int, int, int]:
        """Sorts clips: verdict, number of rejecting checks, number of warning checks."""
        severities = [finding.severity for finding in self.findings]
        return SEVERITIES.index(self.verdict), severities.count("reject"), severities.count("warn")

    def finding(self, check: str) -> Finding:
        """Return the finding of a check.

        Raises:
            KeyError: If that check was not made.
        """
        for found in self.findings:
            if found.check == check:
                return found
        raise KeyError(f"check '{check}' was not made; there are {', '.join(found.check for found in self.findings)}")

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis without its curves as plain values for JSON."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 4),
            "frames": self.frames,
            "fps": self.fps,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def printable(text: str) -> str:
    """Return a text without what a terminal would obey or a file could not hold: names come from strangers' files."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def escape(text: str) -> str:
    """Return a text as it may stand in HTML and SVG, in attributes too."""
    return html.escape(printable(text))


def number(value: float) -> str:
    """Return a number with as many digits as a reader needs."""
    if not np.isfinite(value):
        return "none"
    text = f"{value:.0f}" if abs(value) >= 100.0 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def share_text(share: float) -> str:
    """Return a share as per cent; never "0 %" for what did happen."""
    return f"{100.0 * share:.0f} %" if share >= 0.01 or share == 0.0 else f"{100.0 * share:.1g} %"


def _plain(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
