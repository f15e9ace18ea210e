# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From a motion as a file gives it to a clip: what the file does not say is found out here, one thing after another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..clip import Clip, ClipError
from ..robot import Robot
from .frame_rate import estimate_frame_rate, frame_rate_in_name
from .options import ReadOptions, check_fps
from .orders import BodyReading, read_body_orders
from .probing import read_angles, read_joint_order, read_root
from .raw import RawMotion, arrange_joints, joint_notes, plain_text

_TITLES = {
    "unitree_csv": "Unitree CSV",
    "beyondmimic": "BeyondMimic NPZ",
    "mjlab": "mjlab NPZ",
    "holosoma": "NPZ with names",
    "wbc": "wbc library NPZ",
    "twist2": "TWIST2 or GMR motion",
    "phc": "PHC motion",
    "kimodo": "kimodo NPZ",
}

_NAME_LENGTH = 120
"""Letters of a motion's name that are kept: it becomes the name of a file."""

_FAMILY = {"mjlab": "beyondmimic"}
"""Formats that differ in nothing but the order of joints and bodies."""


def assemble(raw: RawMotion, robot: Robot, options: ReadOptions, path: Path) -> Clip:
    """Return the clip of a motion: named, z up, metres, radians, xyzw, at the file's own rate.

    Raises:
        ClipError: If the motion is faulty, of another robot or format, or may be read in two ways.
    """
    if options.format is not None and _family(options.format) != _family(raw.format):
        raise raw.fault(f"it is a {_TITLES[raw.format]}", f"format {options.format}", "leave the format open")
    raw.check()
    joint_pos, order, raw = _joints(raw, robot, options)
    pos, quat, notes = read_root(raw, robot, joint_pos, options, order)
    raw = raw.noting(*notes)
    fps, why = _frame_rate(raw, robot, options, path, pos, quat, joint_pos)
    found = [note for note in (*raw.notes, why) if note]
    return robot.clip(
        plain_text(raw.name)[:_NAME_LENGTH],
        fps,
        pos,
        quat,
        joint_pos,
        source=path.name,
        history=(plain_text(f"Read from {path.name} as {_TITLES[raw.format]}: {'; '.join(found)}."),),
    )


def _family(name: str) -> str:
    return _FAMILY.get(name, name)


def _joints(raw: RawMotion, robot: Robot, options: ReadOptions) -> tuple[np.ndarray, str | None, RawMotion]:
    """Return the angles in the robot's order [rad], the quaternion order if the bodies show it, and the notes."""
    if raw.body_pos is None:
        names, by_order = read_joint_order(raw, robot, options)
        angles, by_unit = read_angles(raw, robot, names, options)
        notes = (*by_order, *by_unit, *joint_notes(robot, names))
        return arrange_joints(raw, robot, names, angles), None, raw.noting(*notes)
    raw, reading, notes = _with_bodies(raw, robot, options)
    kind = raw.format
    if kind == "beyondmimic":
        kind = "mjlab" if reading.body_order == "depth_first" else "beyondmimic"
    raw = raw.noting(*notes, *joint_notes(robot, reading.joint_names), format=kind)
    return arrange_joints(raw, robot, reading.joint_names), reading.quaternion_order, raw


def _with_bodies(raw: RawMotion, robot: Robot, options: ReadOptions) -> tuple[RawMotion, BodyReading, list[str]]:
    """Find the orders of a motion with body poses, in radians or else in degrees."""
    degrees = replace(raw, joint_pos=np.radians(raw.joint_pos), joint_vel=None)
    if options.angle_unit == "deg":
        return degrees, *read_body_orders(degrees, robot, options)
    try:
        return raw, *read_body_orders(raw, robot, options)
    except ClipError:
        if options.angle_unit is not None or np.abs(raw.joint_pos).max() < 4.0:
            raise
        try:
            reading, notes = read_body_orders(degrees, robot, options)
        except ClipError:
            reading = None
        if reading is None:
            raise
        return degrees, reading, ["degrees, by the stored bodies", *notes]


def _frame_rate(
    raw: RawMotion,
    robot: Robot,
    options: ReadOptions,
    path: Path,
    pos: np.ndarray,
    quat: np.ndarray,
    joint_pos: np.ndarray,
) -> tuple[float, str]:
    """Return the frame rate [1/s] and where it comes from.

    Raises:
        ClipError: If the file's word and its joint velocities contradict each other.
    """
    if options.fps is not None:
        return options.fps, f"{options.fps:g} fps as given"
    by_velocity = _rate_of_velocities(raw)
    if raw.fps is not None:
        if by_velocity is not None and abs(by_velocity / raw.fps - 1.0) > 0.1:
            raise raw.fault(
                f"it states {raw.fps:g} fps, but its joint velocities are those of {by_velocity:.4g} fps",
                "one frame rate",
                f"say which with --fps {raw.fps:g} or --fps {by_velocity:.4g}",
            )
        # Formats with a rate of their own have said so already.
        return raw.fps, "" if any("fps" in note for note in raw.notes) else f"{raw.fps:g} fps by the file"
    if by_velocity is not None:
        check_fps(by_velocity, raw.label)
        return round(by_velocity, 1), f"{by_velocity:.1f} fps by the joint velocities"
    found = frame_rate_in_name(path) or estimate_frame_rate(robot, pos, quat, joint_pos)
    return found.fps, found.sentence


def _rate_of_velocities(raw: RawMotion) -> float | None:
    """Return the frame rate [1/s] at which the angles' differences are the stored velocities, if there is one."""
    if raw.joint_vel is None or len(raw.joint_pos) < 3:
        return None
    steps = (0.5 * (raw.joint_pos[2:] - raw.joint_pos[:-2])).reshape(-1)
    speeds = raw.joint_vel[1:-1].reshape(-1)
    scale = float((steps**2).sum())
    size = np.sqrt(scale * float((speeds**2).sum()))
    # Recorded motors and differences agree but roughly; below this they say nothing about the rate.
    if size < 1e-9 or float((steps * speeds).sum()) / size < 0.95:
        return None
    return float((steps * speeds).sum()) / scale
