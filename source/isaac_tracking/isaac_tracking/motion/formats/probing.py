# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which conventions a motion's root and angles are in, found by trying them on the robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..clip import ClipError
from ..robot import Robot
from .options import ReadOptions
from .raw import RawMotion, arrange_joints, robot_joints
from .stance import Stance

_UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_TO_Z_UP = np.array(((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
"""Rotation from x left, y up, z forward to x forward, y left, z up."""

_TURN = np.array((0.5, 0.5, 0.5, 0.5))
"""The same as a quaternion, xyzw."""

_MARGIN = 1.25
"""The best reading must stand this many times better than any other ..."""

_FLOOR = 1e-4
"""... and by this much [m]: noise below it decides nothing."""

_Y_UP_COST = 0.02
"""What a reading with y up must stand better by [m]: files of robots are z up, and a lying robot is no standing one."""

_LIMIT_SLACK = 0.1
"""Joints that leave their limits by more than this [rad] speak against an order of joints."""

_SAME_ANGLE = 2e-3
"""Readings whose orientations differ by less than this [rad] are the same motion."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to read the root of a motion: z up, metres, xyzw."""

    quaternion_order: str
    up_axis: str
    length_unit: str
    pos: np.ndarray
    quat: np.ndarray
    cost: float
    slide: float

    def same_motion(self, other: Reading) -> bool:
        """Whether both readings give the same orientations and positions."""
        angle = _angles_between(self.quat, other.quat).max()
        return bool(angle < _SAME_ANGLE and np.abs(self.pos - other.pos).max() < 1e-3)


def to_xyzw(quat: np.ndarray, order: str) -> np.ndarray:
    """Return quaternions of shape (..., 4) in xyzw order and of unit length."""
    quat = quat[..., [1, 2, 3, 0]] if order == "wxyz" else quat
    return quat / np.maximum(np.linalg.norm(quat, axis=-1, keepdims=True), 1e-12)


def read_joint_order(raw: RawMotion, robot: Robot, options: ReadOptions) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of the joint columns, and what was found out.

    Where neither the file nor the user says it, both orders are tried. Depth first is the usual one: it stays unless
    the robot stands clearly better breadth first and leaves its joint limits no more.

    Raises:
        ClipError: If the joints are not those of the robot.
    """
    stated = options.order("joint")
    depth = robot_joints(raw, robot, stated)
    if raw.joint_names is not None or stated is not None:
        return depth, []
    breadth = robot_joints(raw, robot, "breadth_first")
    if depth == breadth:
        return depth, []
    (depth_cost, depth_beyond), (breadth_cost, breadth_beyond) = (
        _standing(raw, robot, names, options) for names in (depth, breadth)
    )
    if depth_cost * _MARGIN + _FLOOR < breadth_cost:
        worse = breadth_cost / max(depth_cost, _FLOOR)
        return depth, [f"joints depth first: the feet stand {worse:.1f} times better than breadth first"]
    if breadth_cost * _MARGIN + _FLOOR < depth_cost and breadth_beyond <= depth_beyond:
        worse = depth_cost / max(breadth_cost, _FLOOR)
        note = f"joints breadth first: the feet stand {worse:.1f} times better than depth first; --joint-order decides"
        return breadth, [note]
    return depth, ["assumed joints depth first, the usual order: the motion does not tell; --joint-order decides"]


def _standing(raw: RawMotion, robot: Robot, names: tuple[str, ...], options: ReadOptions) -> tuple[float, float]:
    """Return how badly the motion stands with this order of joints [m], and the share of joints beyond their limits.

    The unit is judged by what no joint of the robot reaches: orders can only be compared in one and the same unit, and
    in degrees even a wrong order stands almost straight.
    """
    widest = np.tile((robot.joint_pos_limits.min(), robot.joint_pos_limits.max()), (raw.joint_pos.shape[1], 1))
    unit = options.angle_unit or ("deg" if _share_beyond(raw.joint_pos, widest, 0.5) > 0.0 else "rad")
    angles = np.radians(raw.joint_pos) if unit == "deg" else raw.joint_pos
    joint_pos = arrange_joints(raw, robot, names, angles)
    beyond = _share_beyond(joint_pos, robot.joint_pos_limits, _LIMIT_SLACK)
    return _best_cost(raw, robot, joint_pos, options), beyond


def read_angles(
    raw: RawMotion, robot: Robot, names: Sequence[str], options: ReadOptions
) -> tuple[np.ndarray, list[str]]:
    """Return the joint angles in the file's columns [rad], and what was found out.

    Radians unless joints leave their limits by far; then degrees, if those are within the limits.

    Raises:
        ClipError: If neither unit gives a pose of the robot better than the other.
    """
    if options.angle_unit is not None:
        return raw.joint_pos * (np.pi / 180.0 if options.angle_unit == "deg" else 1.0), []
    columns = [i for i, name in enumerate(names) if name in robot.joint_names]
    limits = robot.joint_pos_limits[[robot.joint_names.index(names[i]) for i in columns]]
    as_degrees = np.radians(raw.joint_pos)
    beyond = _share_beyond(raw.joint_pos[:, columns], limits, 0.5)
    if beyond == 0.0 or _share_beyond(as_degrees[:, columns], limits, 0.3) > 0.0:
        return raw.joint_pos, []
    if beyond >= 0.2:
        return as_degrees, [f"degrees: as radians {beyond:.0%} of the joints would leave their limits"]
    costs = [
        _best_cost(raw, robot, arrange_joints(raw, robot, tuple(names), q), options)
        for q in (raw.joint_pos, as_degrees)
    ]
    if costs[0] * _MARGIN + _FLOOR < costs[1]:
        return raw.joint_pos, ["radians, by how the feet stand"]
    if costs[1] * _MARGIN + _FLOOR < costs[0]:
        return as_degrees, ["degrees, by how the feet stand"]
    raise raw.fault(
        f"its angles may be radians ({beyond:.0%} of the joints beyond their limits) or degrees",
        "a motion that tells them apart",
        "say which with --angle-unit rad or --angle-unit deg",
    )


def _share_beyond(angles: np.ndarray, limits: np.ndarray, slack: float) -> float:
    """Return the share of joints that are beyond their limits by more than the slack [rad] in a tenth of the frames."""
    excess = np.maximum(angles - limits[:, 1], limits[:, 0] - angles)
    return float((np.quantile(excess, 0.9, axis=0) > slack).mean())


def _best_cost(raw: RawMotion, robot: Robot, joint_pos: np.ndarray, options: ReadOptions) -> float:
    order = raw.quaternion_order or options.quaternion_order
    readings = _readings(raw, Stance(robot, joint_pos), options, order)
    return min(reading.cost for reading in readings)


def read_root(
    raw: RawMotion, robot: Robot, joint_pos: np.ndarray, options: ReadOptions, quaternion_order: str | None = None
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return positions [m] and orientations (xyzw) of the base with z up, and what was found out.

    Every order of quaternions and both up axes are tried, unless they are known; the motion that stands best on a
    level ground is the right one.

    Args:
        raw: The motion as the file gives it.
        robot: The robot.
        joint_pos: Joint angles in the robot's order [rad], shape (T, J).
        options: What the user knows.
        quaternion_order: Order that the stored body poses have shown, if any.

    Raises:
        ClipError: If two readings stand equally well and are different motions.
    """
    stance = Stance(robot, joint_pos)
    order = raw.quaternion_order or options.quaternion_order or quaternion_order or _order_by_vector(raw)
    readings = sorted(_readings(raw, stance, options, order), key=lambda reading: reading.cost)
    best = readings[0]
    rivals = [
        reading
        for reading in readings[1:]
        if reading.cost <= best.cost * _MARGIN + _FLOOR and not reading.same_motion(best)
    ]
    notes = []
    if rivals and raw.convention is not None:
        kept = [reading for reading in (best, *rivals) if reading.quaternion_order == raw.convention]
        if kept:
            best, rivals = kept[0], [r for r in kept[1:] if r.up_axis != kept[0].up_axis]
            notes.append(f"quaternions {raw.convention}, as its format or name has it; the motion itself does not tell")
    if rivals:
        raise _ambiguous(raw, best, rivals[0])
    if order is not None and raw.root_vector is not None and options.quaternion_order is None:
        notes.append(f"quaternions {order}, by the rotation vectors beside them")
    others = [reading for reading in readings if reading.quaternion_order != best.quaternion_order]
    if order is None and others and not notes:
        contrary = raw.convention not in (None, best.quaternion_order)
        notes.append(
            f"quaternions {best.quaternion_order}: the feet slide {best.slide * 1e3:.1f} mm a frame, against"
            f" {others[0].slide * 1e3:.1f} mm as {others[0].quaternion_order}"
            + f", although its format or name stands for {raw.convention}"
            * contrary
        )
    if best.up_axis == "y":
        notes.append("turned from y up to z up")
    if best.length_unit != "m":
        notes.append(f"lengths in {best.length_unit}, by the height of the base above the feet")
    return best.pos, best.quat, notes


def _readings(raw: RawMotion, stance: Stance, options: ReadOptions, order: str | None) -> list[Reading]:
    """Return all ways to read the root that are still open."""
    readings = []
    for quaternion_order in (order,) if order else ("xyzw", "wxyz"):
        file_quat = to_xyzw(raw.root_quat, quaternion_order)
        for up_axis in (options.up_axis,) if options.up_axis else ("z", "y"):
            pos = raw.root_pos if up_axis == "z" else raw.root_pos @ _TO_Z_UP.T
            # With y up, the base's own frame is either the robot's or one with y up as well.
            turned = [file_quat] if up_axis == "z" else [_multiply(_TURN, file_quat)]
            if up_axis == "y":
                turned.append(_multiply(turned[0], _TURN * (-1.0, -1.0, -1.0, 1.0)))
            for quat in turned:
                unit = options.length_unit or _length_unit(pos[stance.frames, 2], stance.heights(quat))
                metres = pos * _UNITS[unit]
                cost, slide = stance.cost(metres, quat)
                cost += _Y_UP_COST * (up_axis == "y")
                readings.append(Reading(quaternion_order, up_axis, unit, metres, quat, cost, slide))
    return readings


def _length_unit(heights: np.ndarray, expected: np.ndarray) -> str:
    """Return the unit in which the base is about as high as its legs are long."""
    ratio = float(np.median(heights)) / max(float(np.median(expected)), 0.05)
    return "m" if ratio < 20.0 else "cm" if ratio < 400.0 else "mm"


def _order_by_vector(raw: RawMotion) -> str | None:
    """Return the quaternion order that agrees with the rotation vectors of the root, if the file has them."""
    if raw.root_vector is None:
        return None
    angle = np.linalg.norm(raw.root_vector, axis=1, keepdims=True)
    scale = np.where(angle < 1e-9, 0.5, np.sin(angle / 2.0) / np.maximum(angle, 1e-9))
    vector = np.concatenate((raw.root_vector * scale, np.cos(angle / 2.0)), axis=1)
    errors = {order: _angles_between(to_xyzw(raw.root_quat, order), vector).mean() for order in ("xyzw", "wxyz")}
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < 0.02 and max(errors.values()) > 0.1 else None


def _angles_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the angles [rad] between unit quaternions, shape (T,)."""
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return 4.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))


def _multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the product of quaternions, xyzw."""
    ax, ay, az, aw = np.moveaxis(a, -1, 0)
    bx, by, bz, bw = np.moveaxis(b, -1, 0)
    return np.stack(
        (
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ),
        axis=-1,
    )


def _ambiguous(raw: RawMotion, best: Reading, rival: Reading) -> ClipError:
    """Return the refusal with the two readings and the flag that decides."""
    if best.quaternion_order != rival.quaternion_order:
        flag, values = "--quaternion-order", (best.quaternion_order, rival.quaternion_order)
    elif best.up_axis != rival.up_axis:
        flag, values = "--up-axis", (best.up_axis, rival.up_axis)
    elif best.length_unit != rival.length_unit:
        flag, values = "--length-unit", (best.length_unit, rival.length_unit)
    else:
        return raw.fault(
            "y is up, and the base's own frame may have y or z up", "z up throughout", "turn it to z up before"
        )
    headings = [_heading(reading.quat[0]) for reading in (best, rival)]
    return raw.fault(
        f"it may be read as {values[0]} (first heading {headings[0]:.0f} degrees) or as {values[1]}"
        f" (first heading {headings[1]:.0f} degrees) and stands equally well as both",
        "a motion that tells them apart",
        f"say which with {flag} {values[0]} or {flag} {values[1]}",
    )


def _heading(quat: np.ndarray) -> float:
    """Return the yaw [degrees] of one quaternion, xyzw."""
    x, y, z, w = quat
    return float(np.degrees(np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)))) + 0.0
