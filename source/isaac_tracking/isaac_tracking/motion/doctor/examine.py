# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Examining a clip: all checks, the curves behind them, and the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..clip import Clip
from ..robot import Robot
from . import checks
from .diagnosis import Diagnosis, Finding, Series
from .limits import Limits, Rule
from .measures import Measures, measure


def examine(clip: Clip, robot: Robot, limits: Limits | None = None) -> Diagnosis:
    """Examine a clip.

    If more frames repeat their predecessors than the limit allows, the rest is judged without these frames, at the rate
    that remains: one fault is then one finding, and the others are those that the mended clip would have.

    Args:
        clip: The motion, at its own rate. The ground is at z = 0.
        robot: The robot that is to follow it.
        limits: When a quantity becomes a fault; :class:`Limits` as they are if None.

    Returns:
        The findings of all checks and their curves. A clip of another robot has one finding that rejects it, and no
        curves.
    """
    limits = limits or Limits()
    about = checks.file_findings(clip, robot, limits)
    if about[0].severity == "reject":
        return Diagnosis(clip.name, clip.num_frames, clip.fps, tuple(about))
    repeated = checks.repeats(clip, limits)
    repeats = checks.repeats_finding(repeated, clip.fps, limits)
    kept = np.flatnonzero(~repeated) if repeats.severity == "reject" else np.arange(clip.num_frames)
    m = measure(_without(clip, kept), robot, limits)
    found = [
        checks.kinematics_finding(m, limits),
        *checks.joint_findings(m, robot, limits),
        *checks.root_findings(m, robot, limits),
        *checks.ground_findings(m, robot, limits),
    ]
    found = [*about, repeats, *(_back(finding, kept, clip.fps) for finding in found)]
    curves = tuple(_spread(series, kept, clip.num_frames) for series in _curves(m, robot, limits))
    return Diagnosis(clip.name, clip.num_frames, clip.fps, (*found, *checks.facts(clip, m, robot)), curves)


def _without(clip: Clip, kept: np.ndarray) -> Clip:
    """Return the clip with these frames only, at the rate that keeps its duration."""
    if len(kept) == clip.num_frames or len(kept) < 2:
        return clip
    arrays = {name: getattr(clip, name)[kept] for name in ("joint_pos", "body_pos_w", "body_quat_w")}
    contacts = None if clip.contacts is None else clip.contacts[kept]
    return replace(clip, fps=clip.fps * len(kept) / clip.num_frames, contacts=contacts, **arrays)


def _back(finding: Finding, kept: np.ndarray, fps: float) -> Finding:
    """Return a finding whose frame is counted in the clip as it is."""
    if finding.frame is None or finding.frame >= len(kept):
        return finding
    frame = int(kept[finding.frame])
    spans = tuple((int(kept[first]), int(kept[last])) for first, last in finding.spans)
    return replace(finding, frame=frame, time=frame / fps, spans=spans)


def _spread(series: Series, kept: np.ndarray, frames: int) -> Series:
    """Return a curve over all frames; those that were left out have the value of the frame they repeat."""
    if len(kept) == frames:
        return series
    index = np.maximum(np.searchsorted(kept, np.arange(frames), side="right") - 1, 0)
    return replace(series, values=series.values[np.minimum(index, len(series.values) - 1)])


def _curves(m: Measures, robot: Robot, limits: Limits) -> list[Series]:
    """Return what a person looks at, with the limits that apply."""
    feet = tuple(name.split("_")[0] for name in robot.foot_body_names)
    speed = np.linalg.norm(np.gradient(m.root_pos[:, :2], axis=0), axis=1) * m.fps
    curves = [
        Series("height of the lowest point", "m", m.lowest, (), _ground_lines(limits), ("float", "penetration")),
        Series("speed of the soles", "m/s", m.foot_speed, feet),
        Series("slide of what touches the ground", "m/s", m.slide, (), _lines(limits.slide), ("foot slide",)),
        Series("height of the base", "m", m.root_pos[:, 2], (), (), ("root height",)),
        Series("speed of the base", "m/s", speed, (), (), ("root jump", "repeated frames")),
        Series("tilt of the base", "deg", m.tilt, (), _lines(limits.tilt), ("tilt", "root turn")),
    ]
    margin = -checks.joint_overshoot(m, robot).max(axis=1)
    lines = _turned(_lines(limits.joint_limit))
    curves.append(Series("distance from the joints' limits", "rad", margin, (), lines, ("joint limit",)))
    if robot.joint_speed_limits:
        share = (np.abs(m.joint_vel) / robot.joint_speed_limits).max(axis=1)
        rule, marked = limits.joint_speed, ("joint speed", "joint jump")
        curves.append(Series("joint speed", "x peak", share, (), _lines(rule), marked))
    if robot.joint_effort_limits:
        curves.append(Series("torque", "x peak", m.torque.max(axis=1), (), _lines(limits.torque), ("torque",)))
    margins, labels = np.stack((m.zmp_margin, m.com_margin), axis=1), ("zero-moment point", "centre of mass")
    lines = _turned(_lines(limits.balance))
    return [
        *curves,
        Series("distance inside the soles", "m", margins, labels, lines, ("balance",)),
        Series("self-collision", "m", m.overlap, (), _lines(limits.self_collision), ("self-collision",)),
        Series("load on the ground", "x weight", m.load, (), (), ("airborne",)),
    ]


def _lines(rule: Rule) -> tuple[tuple[str, float], ...]:
    """Return the limits to draw."""
    return tuple(line for line in (("warn", rule.warn), ("reject", rule.reject)) if np.isfinite(line[1]))


def _turned(lines: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Return limits of what is drawn with the other sign."""
    return tuple((severity, -value) for severity, value in lines)


def _ground_lines(limits: Limits) -> tuple[tuple[str, float], ...]:
    """Return the limits above and below the ground."""
    return _lines(limits.float_height) + _turned(_lines(limits.penetration))
