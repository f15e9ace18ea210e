# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions with both feet planted. Each starts and ends in the default pose, at rest."""

from __future__ import annotations

import numpy as np

from .plan import Plan, standing_plan
from .profiles import bump, hold, oscillation
from .robot import RobotModel

FPS = 50.0
"""Frame rate of all motions [1/s]: one frame per control step."""


def stand(model: RobotModel) -> Plan:
    """Stand still and breathe: pelvis and chest move by millimetres."""
    plan = standing_plan(model, 6.0, FPS)
    breath = 0.5 * (1.0 - np.cos(2.0 * np.pi * (np.clip(plan.time, 0.5, 5.5) - 0.5) / 2.5))
    breath *= hold(plan.time, 0.5, 1.5, 4.5, 5.5)
    plan.pelvis_height -= 0.004 * breath
    plan.add("waist_pitch", -0.015 * breath)
    plan.add_pair("shoulder_roll", 0.03 * breath, mirror=True)
    return plan


def squat(model: RobotModel) -> Plan:
    """Squat twice, the second time lower, with the arms forward as a counterweight."""
    plan = standing_plan(model, 9.0, FPS)
    for depth, times in ((0.12, (0.5, 2.0, 2.4, 3.9)), (0.20, (4.3, 6.0, 6.5, 8.3))):
        down = hold(plan.time, *times)
        plan.pelvis_height -= depth * down
        plan.pelvis_rpy[:, 1] += 1.6 * depth * down
        plan.add_pair("shoulder_pitch", -4.5 * depth * down)
        plan.add_pair("elbow", -1.0 * depth * down)
    return plan


def sway(model: RobotModel) -> Plan:
    """Shift the weight from side to side, far over each foot."""
    plan = standing_plan(model, 9.0, FPS)
    side = oscillation(plan.time, 0.6, 8.4, cycles=2.0, fade=1.5)
    plan.zmp[:, 1] += 0.09 * side
    plan.pelvis_height -= 0.03 * hold(plan.time, 0.4, 1.6, 7.4, 8.6)
    plan.pelvis_rpy[:, 0] += 0.04 * side
    plan.add("waist_roll", 0.06 * side)
    plan.add_pair("shoulder_roll", 0.15 * hold(plan.time, 0.6, 2.0, 7.0, 8.4), mirror=True)
    plan.add("left_shoulder_pitch", 0.15 * side)
    plan.add("right_shoulder_pitch", -0.15 * side)
    return plan


def bow(model: RobotModel) -> Plan:
    """Bow from the hips with the arms at the sides, stay, and rise."""
    plan = standing_plan(model, 7.0, FPS)
    down = hold(plan.time, 0.6, 2.6, 3.6, 5.8)
    plan.pelvis_rpy[:, 1] += 0.45 * down
    plan.pelvis_height -= 0.03 * down
    plan.add("waist_pitch", 0.25 * down)
    plan.add_pair("shoulder_pitch", -0.35 * down)
    plan.add_pair("elbow", 0.3 * down)
    return plan


def wave(model: RobotModel) -> Plan:
    """Raise the right hand beside the head, wave four times, and lower it."""
    plan = standing_plan(model, 8.0, FPS)
    up = hold(plan.time, 0.5, 2.2, 5.8, 7.5)
    beat = oscillation(plan.time, 2.2, 5.8, cycles=4.0, fade=0.6)
    plan.add("right_shoulder_pitch", -0.3 * up)
    plan.add("right_shoulder_roll", -1.2 * up - 0.1 * beat)
    plan.add("right_shoulder_yaw", -1.25 * up)
    plan.add("right_elbow", -0.5 * up + 0.4 * beat)
    plan.add("waist_yaw", -0.12 * up)
    plan.add("left_shoulder_roll", 0.08 * up)
    return plan


def arms(model: RobotModel) -> Plan:
    """Raise both arms to the front, open them to the sides, lower them; then circle them alternately."""
    plan = standing_plan(model, 10.0, FPS)
    front = hold(plan.time, 0.5, 2.0, 2.4, 3.9)
    side = hold(plan.time, 2.4, 3.9, 4.2, 5.6)
    plan.add_pair("shoulder_pitch", -1.5 * front - 0.2 * side)
    plan.add_pair("shoulder_roll", 1.2 * side, mirror=True)
    plan.add_pair("elbow", 0.7 * (front + side) * 0.6)
    for name, sign in (("left", 1.0), ("right", -1.0)):
        plan.add(f"{name}_shoulder_pitch", -0.5 * sign * oscillation(plan.time, 5.4, 9.5, cycles=2.0, fade=0.9))
    out = hold(plan.time, 5.4, 6.4, 8.5, 9.5)
    plan.add_pair("shoulder_roll", 0.25 * out, mirror=True)
    plan.add_pair("elbow", -0.2 * out)
    return plan


def twist(model: RobotModel) -> Plan:
    """Turn the upper body to the left and right with the arms swinging along."""
    plan = standing_plan(model, 8.0, FPS)
    turn = oscillation(plan.time, 0.5, 7.5, cycles=2.0, fade=1.2)
    plan.add("waist_yaw", 0.6 * turn)
    plan.pelvis_rpy[:, 2] += 0.12 * turn
    plan.pelvis_height -= 0.04 * hold(plan.time, 0.4, 1.6, 6.4, 7.6)
    plan.add_pair("shoulder_roll", 0.45 * hold(plan.time, 0.5, 1.8, 6.2, 7.5), mirror=True)
    plan.add("left_shoulder_pitch", -0.35 * turn)
    plan.add("right_shoulder_pitch", 0.35 * turn)
    return plan


def reach(model: RobotModel) -> Plan:
    """Reach low to the front with the left, then with the right hand, bending the knees."""
    plan = standing_plan(model, 9.0, FPS)
    for name, side, start in (("left", 1.0, 0.5), ("right", -1.0, 4.6)):
        down = hold(plan.time, start, start + 1.7, start + 2.1, start + 3.8)
        swing = bump(plan.time, start, start + 3.8)
        plan.pelvis_height -= 0.13 * down
        plan.pelvis_rpy[:, 1] += 0.3 * down
        plan.add("waist_yaw", -0.35 * side * down)
        plan.add("waist_pitch", 0.15 * down)
        plan.add(f"{name}_shoulder_pitch", -0.9 * down)
        plan.add(f"{name}_elbow", 0.5 * down)
        plan.add(f"{'right' if name == 'left' else 'left'}_shoulder_pitch", 0.3 * swing)
    return plan
