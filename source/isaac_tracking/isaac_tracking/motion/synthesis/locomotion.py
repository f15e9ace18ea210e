# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions that take steps. Each starts and ends in the default stance, at rest."""

from __future__ import annotations

import numpy as np

from .plan import Plan
from .profiles import hold
from .robot import RobotModel
from .standing import FPS
from .stepping import Foothold, Gait, stepping_plan


def march(model: RobotModel) -> Plan:
    """Step in place, lifting the feet high, with the arms swinging."""
    gait = Gait(
        single=0.5, double=0.26, clearance=0.09, half_width=0.105, drop=0.02, toe_off=0.25, toe_up=0.0, lean=0.0
    )
    wide = _default_width(model)
    steps = [Foothold(i % 2, 0.0) for i in range(6)] + [Foothold(i % 2, 0.0, half_width=wide) for i in range(2)]
    plan = stepping_plan(model, steps, gait, FPS)
    for side, opposite in ((0, "right"), (1, "left")):
        knee = np.clip(plan.foot_pos[:, side, 2] - model.foot_height, 0.0, None)
        plan.add(f"{opposite}_shoulder_pitch", -3.0 * knee)
        plan.add(f"{opposite}_elbow", -1.5 * knee)
    return plan


def walk(model: RobotModel) -> Plan:
    """Walk forward: eleven steps of 0.38 m between a start and a stop."""
    return _straight_walk(model, steps=11, length=0.38, gait=Gait(half_width=0.10))


def walk_slow(model: RobotModel) -> Plan:
    """Walk forward slowly: nine short steps."""
    gait = Gait(single=0.52, double=0.24, half_width=0.105, drop=0.03, clearance=0.06, toe_off=0.3)
    return _straight_walk(model, steps=9, length=0.22, gait=gait)


def walk_back(model: RobotModel) -> Plan:
    """Walk backward in eight short steps."""
    gait = Gait(
        single=0.50, double=0.26, half_width=0.105, drop=0.03, clearance=0.06, toe_off=0.0, toe_up=0.0,
        zmp_travel=(0.045, 0.020), lean=0.02,
    )  # fmt: skip
    return _straight_walk(model, steps=8, length=-0.20, gait=gait)


def walk_curve(model: RobotModel) -> Plan:
    """Walk a quarter circle to the left."""
    gait = Gait(single=0.52, double=0.18, half_width=0.105, drop=0.035, toe_off=0.4)
    steps, length, total = 9, 0.26, 0.5 * np.pi
    radius = (steps - 1.5) * length / total
    angles = [min((i + 0.5) / (steps - 1.5), 1.0) * total for i in range(steps)]
    angles[-1] = angles[-2] = total
    return stepping_plan(
        model,
        [
            Foothold(i % 2, radius * np.sin(a), radius * (1.0 - np.cos(a)), a, _last_two(model, i, steps))
            for i, a in enumerate(angles)
        ],
        gait,
        FPS,
    )


def side_step(model: RobotModel) -> Plan:
    """Go six strides of 0.11 m to the left."""
    gait = Gait(
        single=0.48, double=0.20, clearance=0.06, half_width=0.09, toe_off=0.0, toe_up=0.0, zmp_travel=(0.032, 0.032)
    )
    places = [(side, 0.11 * (i + 1)) for i in range(6) for side in (0, 1)]
    return stepping_plan(
        model, [Foothold(side, 0.0, y, 0.0, _last_two(model, i, 12)) for i, (side, y) in enumerate(places)], gait, FPS
    )


def turn(model: RobotModel) -> Plan:
    """Turn in place by 180 degrees to the left in eight steps."""
    gait = Gait(single=0.50, double=0.28, clearance=0.06, drop=0.03, toe_off=0.0, toe_up=0.0, zmp_travel=(0.03, 0.034))
    total, pairs = np.pi, 5
    yaws = [total * (i + 1) / pairs for i in range(pairs)]
    return stepping_plan(model, [Foothold(side, 0.0, 0.0, yaw) for yaw in yaws for side in (0, 1)], gait, FPS)


def lunge(model: RobotModel) -> Plan:
    """Step forward with the left foot, sink, rise, and step back; then the same with the right foot."""
    gait = Gait(
        single=0.50, double=1.6, clearance=0.06, drop=0.05, toe_off=0.15, toe_up=0.0, roll=0.12,
        zmp_travel=(0.03, 0.034), half_width=0.10, arm_swing=0.8, pelvis_swing=0.0,
    )  # fmt: skip
    steps = [
        Foothold(side, x, half_width=w) for side in (0, 1) for x, w in ((0.25, None), (0.0, _default_width(model)))
    ]
    plan = stepping_plan(model, steps, gait, FPS)
    # The chest leans over the lone foot, so that the pelvis has less far to go.
    plan.add("waist_roll", -0.7 * plan.zmp[:, 1])
    for side in (0, 1):
        landing = gait.rest + gait.shift + gait.single + 2 * side * (gait.single + gait.double)
        # The foot that steps back is the one that came: the weight has to come between the feet in the meantime.
        weight = hold(plan.time, landing, landing + 0.6, landing + 1.0, landing + gait.double)
        plan.zmp += 0.4 * weight[:, None] * (plan.foot_pos[:, side, :2] - plan.foot_pos[:, 1 - side, :2])
        # Leaning keeps the hip behind the weight, and so the ankle of the rear, flat foot within its limit.
        sink = hold(plan.time, landing + 0.1, landing + 0.75, landing + 0.8, landing + 1.5)
        plan.pelvis_height -= 0.05 * sink
        plan.pelvis_rpy[:, 1] += 0.28 * sink
    return plan


def _straight_walk(model: RobotModel, steps: int, length: float, gait: Gait) -> Plan:
    """Return a walk whose first step is half as long as the others and whose last one closes the feet."""
    places = [length * (i + 0.5) for i in range(steps - 1)]
    places.append(places[-1])
    return stepping_plan(
        model, [Foothold(i % 2, x, half_width=_last_two(model, i, steps)) for i, x in enumerate(places)], gait, FPS
    )


def _last_two(model: RobotModel, step: int, steps: int) -> float | None:
    """Return the default width for the last two steps, so that the motion ends in the default stance."""
    return _default_width(model) if step >= steps - 2 else None


def _default_width(model: RobotModel) -> float:
    return float(abs(model.default_feet[0, 1]))
