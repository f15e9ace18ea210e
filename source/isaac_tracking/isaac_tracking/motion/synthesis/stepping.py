# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From footholds to a plan: feet that swing and land, and a zero-moment point that always has a sole under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .plan import Plan, standing_plan
from .profiles import bump, glide, ramp
from .robot import RobotModel


@dataclass(frozen=True)
class Foothold:
    """Where a foot lands, told by the place of the body's centre between the feet."""

    side: int
    """0 is the left foot, 1 the right."""

    x: float
    """Place of the centre along the initial heading [m]."""

    y: float = 0.0
    """Place of the centre to the left of it [m]."""

    yaw: float = 0.0
    """Heading of the centre and of the foot [rad]."""

    half_width: float | None = None
    """Distance of the foot from the centre [m]; the gait's if ``None``."""


@dataclass(frozen=True)
class Gait:
    """How steps are made."""

    single: float = 0.52
    """Time that a foot is in the air [s]."""

    double: float = 0.14
    """Time from a landing to the next lift-off [s]."""

    shift: float = 0.8
    """Time to move the weight onto the first foot, and from the last one back [s]."""

    rest: float = 0.5
    """Time of standing still before and after [s]."""

    clearance: float = 0.055
    """Height of the lowest point of the sole at mid-swing [m]."""

    half_width: float | None = None
    """Distance of the feet from the centre [m]; that of the default stance if ``None``."""

    drop: float = 0.04
    """How much lower than in the default pose the pelvis is carried [m]."""

    zmp_travel: tuple[float, float] = (0.020, 0.050)
    """Where the zero-moment point is under a lone foot at its begin and end, ahead of the foot frame [m]."""

    toe_off: float = 0.4
    """How far a swinging foot tips forward after lift-off [rad]."""

    toe_up: float = 0.05
    """How far it tips back before landing [rad]."""

    roll: float = 0.10
    """How far it tips inward at mid-swing [rad]."""

    arm_swing: float = 0.8
    """Swing of the shoulders per distance between the feet [rad/m]."""

    pelvis_swing: float = 0.25
    """Turn of the pelvis per distance between the feet [rad/m]."""

    lean: float = 0.02
    """Forward lean of the pelvis [rad]."""


def stepping_plan(model: RobotModel, footholds: Sequence[Foothold], gait: Gait, fps: float) -> Plan:
    """Return the plan of taking steps from the default stance and coming to rest in it.

    Args:
        model: The robot.
        footholds: Where the feet land, one after the other, sides alternating. The last two must bring the feet
            side by side at the default width if the motion is to end in the default pose.
        gait: How steps are made.
        fps: Frames per second [1/s].
    """
    steps = len(footholds)
    duration = 2.0 * (gait.rest + gait.shift) + steps * gait.single + (steps - 1) * gait.double
    plan = standing_plan(model, np.ceil(duration * fps) / fps, fps)
    lift = gait.rest + gait.shift + np.arange(steps) * (gait.single + gait.double)
    for start, foothold in zip(lift, footholds, strict=True):
        _swing(model, plan, foothold, start, gait)
    _balance(model, plan, footholds, lift, gait)
    end = lift[-1] + gait.single
    active = ramp(plan.time, gait.rest, gait.rest + gait.shift) - ramp(plan.time, end, end + gait.shift)
    plan.pelvis_height -= gait.drop * active
    plan.pelvis_rpy[:, 1] += gait.lean * active
    _swing_upper_body(plan, gait)
    return plan


def _swing(model: RobotModel, plan: Plan, foothold: Foothold, start: float, gait: Gait) -> None:
    """Let one foot leave its place, fly, and stand on the foothold from then on."""
    side, end = foothold.side, start + gait.single
    width = foothold.half_width or gait.half_width or abs(model.default_feet[side, 1])
    offset = np.array([model.default_feet[side, 0], (1 - 2 * side) * width])
    target = np.array([foothold.x, foothold.y]) + _rotation(foothold.yaw) @ offset
    # The foot rises before it goes forward and is over its place before it lands: it must not scrape.
    travel = glide(plan.time, start + 0.03 * gait.single, end - 0.05 * gait.single)
    plan.foot_pos[:, side, :2] += travel[:, None] * (target - plan.foot_pos[-1, side, :2])
    plan.foot_rpy[:, side, 2] += travel * (foothold.yaw - plan.foot_rpy[-1, side, 2])
    # A flat foot behind the body would bend the ankle beyond its limit: it hangs, toes down, until it has passed.
    pitch = gait.toe_off * bump(plan.time, start, start + 0.8 * gait.single)
    pitch -= gait.toe_up * bump(plan.time, start + 0.55 * gait.single, end)
    plan.foot_rpy[:, side, 1] += pitch
    # The leg leans outward while the weight is on the other foot: the foot leans along to spare the ankle.
    roll = (1 - 2 * side) * gait.roll * bump(plan.time, start, end)
    plan.foot_rpy[:, side, 0] += roll
    x, y, z = model.soles[side].T[:, :, None]
    lowest = (-np.sin(pitch) * x + np.cos(pitch) * (np.sin(roll) * y + np.cos(roll) * z)).min(axis=0)
    plan.foot_pos[:, side, 2] += gait.clearance * bump(plan.time, start, end) - model.foot_height - lowest
    plan.contacts[(plan.time > start + 1e-6) & (plan.time < end - 1e-6), side] = False


def _balance(model: RobotModel, plan: Plan, footholds: Sequence[Foothold], lift: np.ndarray, gait: Gait) -> None:
    """Lead the zero-moment point from stance to stance foot, heel to toe under each, and back between the feet."""
    stand = model.default_com[:2] - model.default_feet[:, :2].mean(axis=0)
    keys, points = [0.0, gait.rest], [plan.zmp[0], plan.zmp[0]]
    for start, foothold in zip(lift, footholds, strict=True):
        stance, frame = 1 - foothold.side, int(np.searchsorted(plan.time, start - 1e-6))
        foot, turn = plan.foot_pos[frame, stance, :2], _rotation(plan.foot_rpy[frame, stance, 2])
        keys += [start, start + gait.single]
        points += [foot + turn @ np.array([ahead, 0.0]) for ahead in gait.zmp_travel]
    end = lift[-1] + gait.single
    heading = plan.foot_rpy[-1, :, 2].mean()
    keys.append(end + gait.shift)
    points.append(plan.foot_pos[-1, :, :2].mean(axis=0) + _rotation(heading) @ stand)
    plan.zmp[:] = points[0]
    for i in range(1, len(keys)):
        plan.zmp += ramp(plan.time, keys[i - 1], keys[i])[:, None] * (points[i] - points[i - 1])


def _swing_upper_body(plan: Plan, gait: Gait) -> None:
    """Turn pelvis, waist and shoulders with the feet: the arm opposite to the leading foot goes forward."""
    heading = _smooth(plan.foot_rpy[:, :, 2].mean(axis=1), plan.fps)
    apart = plan.foot_pos[:, 0, :2] - plan.foot_pos[:, 1, :2]
    ahead = _smooth(np.cos(heading) * apart[:, 0] + np.sin(heading) * apart[:, 1], plan.fps)
    plan.pelvis_rpy[:, 2] += heading - gait.pelvis_swing * ahead
    plan.add("waist_yaw", 1.5 * gait.pelvis_swing * ahead)
    plan.add("left_shoulder_pitch", gait.arm_swing * ahead)
    plan.add("right_shoulder_pitch", -gait.arm_swing * ahead)
    plan.add("left_elbow", -0.4 * gait.arm_swing * ahead)
    plan.add("right_elbow", 0.4 * gait.arm_swing * ahead)


def _smooth(x: np.ndarray, fps: float, width: float = 0.08) -> np.ndarray:
    """Return a profile convolved with a Gaussian of that standard deviation [s]; its ends stay."""
    reach = round(4.0 * width * fps)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (width * fps)) ** 2)
    return np.convolve(np.pad(x, reach, mode="edge"), kernel / kernel.sum(), mode="valid")


def _rotation(yaw: float) -> np.ndarray:
    return np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
