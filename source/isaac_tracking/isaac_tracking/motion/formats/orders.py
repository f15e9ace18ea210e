# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""In which order a file without names lists joints and bodies: forward kinematics must meet the stored poses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..clip import ClipError
from ..kinematics import forward_kinematics
from ..robot import Robot
from .options import ReadOptions
from .probing import to_xyzw
from .raw import RawMotion, arrange_joints, breadth_first, robot_joints

_FRAMES = 40
"""Frames that are looked at, spread over the motion."""

_LIMIT = 0.05
"""Largest mean distance between stored and computed bodies [m]; other models of one robot differ by 1 to 2 cm."""

_ORDERS = ("depth_first", "breadth_first")


@dataclass(frozen=True, eq=False)
class BodyReading:
    """One way to read joints, bodies and quaternions."""

    joint_order: str
    body_order: str
    quaternion_order: str
    joint_names: tuple[str, ...]
    error: float
    """Mean distance between stored and computed bodies [m]."""

    pose: np.ndarray
    """Computed body positions by the robot's order, to see whether two readings are the same motion."""


def read_body_orders(raw: RawMotion, robot: Robot, options: ReadOptions) -> tuple[BodyReading, list[str]]:
    """Return the reading whose forward kinematics meets the stored bodies, and what was found out.

    Args:
        raw: A motion with body poses.
        robot: The robot.
        options: What the user knows.

    Raises:
        ClipError: If no order fits, or two different ones do.
    """
    readings = sorted(_readings(raw, robot, options), key=lambda reading: reading.error)
    best = readings[0]
    if best.error > _LIMIT:
        raise raw.fault(
            f"its {raw.body_pos.shape[1] if raw.body_pos is not None else 0} bodies are {best.error:.2f} m off the"
            " poses that its joints give, in the best of all known orders",
            f"the {len(robot.body_names)} bodies of {robot.name}, depth first or breadth first",
            "give a motion of that robot, or one with names inside",
        )
    for rival in readings[1:]:
        close = rival.error <= 1.5 * best.error + 0.002
        if close and np.abs(rival.pose - best.pose).max() > 0.005:
            raise _ambiguous(raw, best, rival)
    notes = []
    if len(readings) > 1:
        rest = [r.error for r in readings if np.abs(r.pose - best.pose).max() > 0.005]
        against = f", against {min(rest):.3f} m in the next order" if rest else ""
        notes.append(
            f"joints {_words(best.joint_order)}, bodies {_words(best.body_order)}, quaternions"
            f" {best.quaternion_order}: joints and bodies meet within {best.error:.4f} m{against}"
        )
    return best, notes


def _words(order: str) -> str:
    return order.replace("_", " ")


def _readings(raw: RawMotion, robot: Robot, options: ReadOptions) -> list[BodyReading]:
    frames = np.unique(np.linspace(0, len(raw.joint_pos) - 1, _FRAMES).astype(int))
    stored = raw.body_pos[frames] if raw.body_pos is not None else np.zeros((len(frames), 0, 3))
    joint_orders = ("by name",) if raw.joint_names else _choices(options.order("joint"))
    quaternion_orders = (options.quaternion_order,) if options.quaternion_order else ("xyzw", "wxyz")
    readings = []
    for joint_order in joint_orders:
        names = robot_joints(raw, robot, joint_order)
        joint_pos = arrange_joints(raw, robot, names, raw.joint_pos[frames])
        for quaternion_order in quaternion_orders:
            quat = to_xyzw(raw.root_quat[frames], quaternion_order)
            tree = robot.tree.to(dtype=torch.float64)
            origin = torch.zeros(len(frames), 3, dtype=torch.float64)
            pose = forward_kinematics(tree, origin, torch.from_numpy(quat), torch.from_numpy(joint_pos))[0].numpy()
            relative = stored - raw.root_pos[frames][:, None]
            relative = relative * _scale(relative, pose)
            for body_order, error in _body_errors(raw, robot, options, pose, relative):
                readings.append(BodyReading(joint_order, body_order, quaternion_order, names, error, pose))
    return readings


def _choices(stated: str | None) -> tuple[str, ...]:
    return (stated,) if stated else _ORDERS


def _body_errors(
    raw: RawMotion, robot: Robot, options: ReadOptions, pose: np.ndarray, stored: np.ndarray
) -> list[tuple[str, float]]:
    """Return the mean distance between computed and stored bodies, for each order of bodies."""
    if raw.body_names is not None:
        common = [name for name in robot.body_names if name in raw.body_names]
        computed = pose[:, [robot.body_names.index(name) for name in common]]
        return [("by name", _distance(computed, stored[:, [raw.body_names.index(name) for name in common]]))]
    if stored.shape[1] == len(robot.body_names):
        names = {"depth_first": robot.body_names, "breadth_first": breadth_first(robot)[1]}
        return [
            (order, _distance(pose[:, [robot.body_names.index(name) for name in names[order]]], stored))
            for order in _choices(options.order("body"))
        ]
    if stored.shape[1] < len(robot.body_names):
        raise raw.fault(
            f"it has {stored.shape[1]} bodies and no names", f"{len(robot.body_names)} of {robot.name}", "name them"
        )
    # A model with further fixed bodies: the stored body that stays nearest is the one.
    between = np.linalg.norm(pose[:, :, None] - stored[:, None], axis=-1).mean(axis=0)
    return [("of another model", float(between.min(axis=1).mean()))]


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b, axis=-1).mean())


def _scale(stored: np.ndarray, pose: np.ndarray) -> float:
    """Return the factor to metres, by how far the bodies are from the base."""
    ratio = np.linalg.norm(stored, axis=-1).mean() / max(np.linalg.norm(pose, axis=-1).mean(), 1e-9)
    return 1.0 if ratio < 20.0 else 0.01 if ratio < 400.0 else 0.001


def _ambiguous(raw: RawMotion, best: BodyReading, rival: BodyReading) -> ClipError:
    """Return the refusal with the two readings and the flag that decides."""
    for flag, field in (("--joint-order", "joint_order"), ("--quaternion-order", "quaternion_order")):
        a, b = getattr(best, field), getattr(rival, field)
        if a != b:
            return raw.fault(
                f"its joints meet its bodies within {best.error:.3f} m as {_words(a)} and within {rival.error:.3f} m"
                f" as {_words(b)}",
                "a motion that tells them apart",
                f"say which with {flag} {a} or {flag} {b}",
            )
    return raw.fault("its order of bodies is open", "one that fits", "say which with --body-order")
