# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From a plan to joint angles: differential inverse kinematics with mink, and balance of the whole body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .dynamics import pendulum_com, zero_moment_point
from .plan import Plan
from .robot import RobotModel

if TYPE_CHECKING:
    import mink

_FOOT_COST, _COM_COST, _PELVIS_COST, _POSTURE_COST = 100.0, 30.0, 10.0, 1.0
_MAX_ITERATIONS = 30
_STEP_TOLERANCE = 1e-6
"""Largest change of a joint angle [rad] in the last iteration; balance needs second differences of the result."""


def solve(model: RobotModel, plan: Plan, passes: int = 3) -> np.ndarray:
    """Return the motion that follows a plan and whose whole-body zero-moment point is the planned one.

    The centre of mass is first that of a point-mass pendulum. What limbs and rotations add is then measured by
    inverse dynamics and given back to the pendulum as a correction, a few times.

    Args:
        model: The robot.
        plan: What the motion asks for.
        passes: How often the correction is made.

    Returns:
        MuJoCo's generalized positions, shape (T, nq).

    Raises:
        ValueError: If a pose of the plan cannot be reached.
    """
    height = float(model.default_com[2])
    com, zmp = pendulum_com(plan.zmp, height, plan.fps)
    for _ in range(passes):
        qpos = inverse_kinematics(model, plan, com)
        actual, _ = zero_moment_point(model, qpos, plan.fps)
        com = com + pendulum_com(zmp - actual, height, plan.fps)[0]
    return inverse_kinematics(model, plan, com)


def inverse_kinematics(model: RobotModel, plan: Plan, com: np.ndarray) -> np.ndarray:
    """Return poses with the feet, pelvis, waist and arms of the plan and a given centre of mass.

    Args:
        model: The robot.
        plan: The targets.
        com: Horizontal centre of mass [m], shape (T, 2).

    Returns:
        MuJoCo's generalized positions, shape (T, nq).

    Raises:
        ValueError: If the iterations of a frame do not settle, or a foot misses its place by more than 1 mm.
    """
    import mink

    tasks = _tasks(model)
    limits = [mink.ConfigurationLimit(model.mujoco)]
    configuration = mink.Configuration(model.mujoco, model.default_qpos)
    qpos = np.empty((len(com), model.mujoco.nq))
    for frame, where in enumerate(com):
        _set_targets(model, plan, frame, where, tasks)
        for _ in range(_MAX_ITERATIONS):
            # Only the pelvis' height is asked for: its place follows from the centre of mass.
            base = np.array([*configuration.q[:2], plan.pelvis_height[frame]])
            tasks[2].set_target(_pose(plan.pelvis_rpy[frame], base))
            step = mink.solve_ik(configuration, tasks, 1.0, "daqp", damping=1e-9, limits=limits)
            configuration.integrate_inplace(step, 1.0)
            if np.abs(step).max() < _STEP_TOLERANCE:
                break
        else:
            raise ValueError(f"no pose found at {plan.time[frame]:.2f} s (last step {np.abs(step).max():.1e} rad)")
        miss = max(np.linalg.norm(task.compute_error(configuration)[:3]) for task in tasks[:2])
        if miss > 1e-3:
            raise ValueError(f"a foot misses its place by {1e3 * miss:.1f} mm at {plan.time[frame]:.2f} s")
        qpos[frame] = configuration.q
    return qpos


def _tasks(model: RobotModel) -> list[mink.BaseTask]:
    """Return the tasks: left foot, right foot, pelvis, centre of mass, posture."""
    import mink

    feet = [mink.FrameTask(name, "body", _FOOT_COST, _FOOT_COST) for name in model.robot.foot_body_names]
    pelvis = mink.FrameTask(model.robot.body_names[0], "body", [0.0, 0.0, _PELVIS_COST], _PELVIS_COST)
    com = mink.ComTask([_COM_COST, _COM_COST, 0.0])
    # Legs follow from feet and pelvis; to ask for their angles too would pull both from their places.
    cost = np.full(model.mujoco.nv, 1e-4)
    free = [i for i, name in enumerate(model.robot.joint_names) if not _is_leg(name)]
    cost[[model.mujoco.jnt_dofadr[_joint_id(model, i)] for i in free]] = _POSTURE_COST
    return [*feet, pelvis, com, mink.PostureTask(model.mujoco, cost)]


def _set_targets(model: RobotModel, plan: Plan, frame: int, com: np.ndarray, tasks: list[mink.BaseTask]) -> None:
    """Give the tasks of feet, centre of mass and posture their targets of one frame."""
    left, right, _, center, posture = tasks
    for side, task in enumerate((left, right)):
        task.set_target(_pose(plan.foot_rpy[frame, side], plan.foot_pos[frame, side]))
    center.set_target(np.array([com[0], com[1], 0.0]))
    qpos = model.default_qpos.copy()
    qpos[model.joint_adr] = plan.joint_pos[frame]
    posture.set_target(qpos)


def _pose(rpy: np.ndarray, pos: np.ndarray) -> mink.SE3:
    import mink

    return mink.SE3.from_rotation_and_translation(mink.SO3.from_rpy_radians(*rpy), pos)


def _is_leg(joint: str) -> bool:
    return any(part in joint for part in ("hip", "knee", "ankle"))


def _joint_id(model: RobotModel, index: int) -> int:
    return int(np.flatnonzero(model.mujoco.jnt_qposadr == model.joint_adr[index])[0])
