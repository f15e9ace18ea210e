# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions made by our own code, so that nothing has to be downloaded to begin.

A recipe plans feet, balance, pelvis and arms; mink's inverse kinematics finds the joints; the whole-body
zero-moment point is made to follow the plan. See :func:`synthesize` and :data:`CLIP_NAMES`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..clip import Clip
from ..robot import Robot
from . import locomotion, standing
from .plan import Plan
from .robot import RobotModel
from .solver import solve

SYNTHESIZERS: dict[str, Callable[[RobotModel], Plan]] = {
    recipe.__name__: recipe
    for recipe in (
        standing.stand,
        standing.squat,
        standing.sway,
        standing.bow,
        standing.wave,
        standing.arms,
        standing.twist,
        standing.reach,
        locomotion.march,
        locomotion.walk,
        locomotion.walk_slow,
        locomotion.walk_back,
        locomotion.walk_curve,
        locomotion.side_step,
        locomotion.turn,
        locomotion.lunge,
    )
}
"""The recipes by clip name."""

CLIP_NAMES: tuple[str, ...] = tuple(SYNTHESIZERS)
"""Names of the motions that can be made."""


def synthesize(name: str, robot: Robot) -> Clip:
    """Make one motion; the same inputs give the same clip.

    Args:
        name: One of :data:`CLIP_NAMES`.
        robot: Facts about the robot; joint names are those of a humanoid with the G1's joints.

    Returns:
        The clip, with the contacts of the feet.

    Raises:
        ValueError: If there is no such motion, or the robot cannot do it.
    """
    if name not in SYNTHESIZERS:
        raise ValueError(f"motion '{name}' is unknown; choices are {', '.join(CLIP_NAMES)}")
    model = RobotModel(robot)
    plan = SYNTHESIZERS[name](model)
    qpos = solve(model, plan)
    pos, quat = np.empty((len(qpos), len(model.body_ids), 3)), np.empty((len(qpos), len(model.body_ids), 4))
    for frame, q in enumerate(qpos):
        model.set(q)
        pos[frame] = model.data.xpos[model.body_ids]
        quat[frame] = model.data.xquat[model.body_ids][:, [1, 2, 3, 0]]
    return Clip(
        name=name,
        fps=plan.fps,
        joint_names=robot.joint_names,
        body_names=robot.body_names,
        joint_pos=_rounded(qpos[:, model.joint_adr]),
        body_pos_w=_rounded(pos),
        body_quat_w=_rounded(quat),
        contact_names=robot.foot_body_names,
        contacts=plan.contacts,
        robot=robot.name,
        robot_mass=robot.mass,
        source=__name__,
        license="BSD-3-Clause",
    )


def _rounded(array: np.ndarray) -> np.ndarray:
    """Return multiples of 2^-20, about a micrometre: noise of the solver would not compress, nor repeat elsewhere."""
    return np.round(array * 2.0**20) / 2.0**20
