# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From targets to joint angles: differential inverse kinematics with mink, frame after frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ..clip import ClipError
from .humanoid import Humanoid
from .targets import Targets

if TYPE_CHECKING:
    import mink

_FOOT = (100.0, 30.0)
"""Costs of position [1/m] and orientation [1/rad] of the feet; they decide over slide and contact."""
_PELVIS = (20.0, 10.0)
_TORSO = 10.0
_KNEE, _ELBOW, _WRIST = 1.0, 5.0, 8.0
_POSTURE, _WRIST_POSTURE = 0.1, 1.0
"""Pull of most joints and of the wrists' towards the default pose [1/rad]: it decides what no target decides, like the
turn of a straight arm. The wrists have no target, and must not flee from a collision in place of the arm."""

_DAMPING = 1e-3
_ITERATIONS = 6
_FIRST_ITERATIONS = 200
_TOLERANCE = 1e-4
"""Largest change of a joint angle [rad] in the last iteration."""

_SPEED = 0.95
"""Largest joint speed as a share of the motor's peak speed [-]."""

_SMOOTHING = 0.02
"""Standard deviation of the bell with which the joints of waist and arms are smoothed [s]."""

_DISTANCE = 0.005
"""Least distance between the collision shapes of arms, legs and trunk [m]."""

_SHAPES = {
    "trunk": ("pelvis", "torso"),
    "leg": ("hip", "knee"),
    "arm": ("shoulder_yaw", "elbow", "wrist"),
}
"""Parts of the body whose shapes are kept apart, by words in the names of bodies. Feet are left where they stand."""


def solve(targets: Targets, body: Humanoid) -> np.ndarray:
    """Return the poses that come nearest to the targets within the limits of the joints' positions and speeds.

    Args:
        targets: Where the parts should be.
        body: The robot.

    Returns:
        MuJoCo's generalized positions, shape (T, nq).

    Raises:
        ClipError: If the solver finds no pose.
    """
    import mink

    model, robot = body.model.mujoco, body.model.robot
    tasks = _Tasks(body)
    # Every iteration is a step of unit time to mink: only so do its limits mean displacements.
    limits: list[mink.Limit] = [mink.ConfigurationLimit(model), *_apart(model)]
    # A frame's time is shared by its iterations, and with it the way that a joint may go.
    share = _SPEED / (targets.fps * _ITERATIONS)
    ways = {
        name: share * speed
        for name, speed in zip(robot.joint_names, robot.joint_speed_limits, strict=bool(robot.joint_speed_limits))
    }
    configuration = mink.Configuration(model, _start(targets, body))
    qpos = np.empty((len(targets.pelvis_pos), model.nq))
    for frame in range(len(qpos)):
        tasks.set_targets(targets, frame)
        iterations = _ITERATIONS if frame else _FIRST_ITERATIONS
        if frame == 1 and ways:
            limits.append(mink.VelocityLimit(model, ways))
        for _ in range(iterations):
            try:
                step = mink.solve_ik(configuration, tasks.all, 1.0, "daqp", damping=_DAMPING, limits=limits)
            except mink.NoSolutionFound as error:
                time = frame / targets.fps
                raise ClipError(f"no pose of the robot was found at {time:.2f} s; cut the motion there") from error
            configuration.integrate_inplace(step, 1.0)
            if np.abs(step[6:]).max() < _TOLERANCE:
                break
        qpos[frame] = configuration.q
    return _smoothed(qpos, targets.fps, body)


def _smoothed(qpos: np.ndarray, fps: float, body: Humanoid) -> np.ndarray:
    """Return the motion with waist and arms smoothed; a straight arm may jerk about its own axis.

    The legs keep the feet in their places. A weighted mean of what is within limits of position
    and speed is within them as well.
    """
    robot = body.model.robot
    legs = ("hip", "knee", "ankle")
    columns = [
        adr
        for adr, name in zip(body.model.joint_adr, robot.joint_names, strict=True)
        if not any(part in name for part in legs)
    ]
    qpos[:, columns] = gaussian_filter1d(qpos[:, columns], _SMOOTHING * fps, axis=0, mode="nearest")
    return qpos


def _apart(model) -> list[mink.Limit]:
    """Return the limit that keeps arms from the body and from each other, and the legs from each other."""
    import mink

    shapes: dict[str, list[int]] = {}
    for geom in range(model.ngeom):
        if model.geom_contype[geom] or model.geom_conaffinity[geom]:
            name = model.body(model.geom_bodyid[geom]).name
            part = next((part for part, words in _SHAPES.items() if any(word in name for word in words)), None)
            side = next((f"{side} " for side in ("left", "right") if name.startswith(side)), "")
            if part is not None:
                shapes.setdefault(f"{side}{part}", []).append(geom)
    pairs = [
        (shapes.get(one, []), [geom for other in others for geom in shapes.get(other, [])])
        for one, others in (
            ("left arm", ("trunk", "left leg", "right leg", "right arm")),
            ("right arm", ("trunk", "left leg", "right leg")),
            ("left leg", ("right leg",)),
        )
    ]
    return [mink.CollisionAvoidanceLimit(model, pairs, 0.5, _DISTANCE, _DISTANCE + 0.03)]


class _Tasks:
    """The tasks of all parts, in mink's terms."""

    def __init__(self, body: Humanoid) -> None:
        import mink

        def pairs(names: tuple[str, str], *cost: float) -> list[mink.FrameTask]:
            position, orientation = cost
            return [mink.FrameTask(name, "body", position, orientation) for name in names]

        model = body.model.mujoco
        self.pelvis = mink.FrameTask(body.pelvis, "body", *_PELVIS)
        self.torso = mink.FrameTask(body.torso, "body", 0.0, _TORSO)
        self.feet = pairs(body.ankle, *_FOOT)
        self.points = [*pairs(body.knee, _KNEE, 0.0), *pairs(body.elbow, _ELBOW, 0.0), *pairs(body.wrist, _WRIST, 0.0)]
        cost = np.full(model.nv, _POSTURE)
        cost[:6] = 0.0
        for name in body.model.robot.joint_names:
            if "wrist" in name:
                cost[model.joint(name).dofadr] = _WRIST_POSTURE
        posture = mink.PostureTask(model, cost)
        posture.set_target(body.model.default_qpos)
        self.all: list[mink.BaseTask] = [self.pelvis, self.torso, *self.feet, *self.points, posture]

    def set_targets(self, targets: Targets, frame: int) -> None:
        """Give the tasks their targets of one frame."""
        self.pelvis.set_target(_pose(targets.pelvis[frame], targets.pelvis_pos[frame]))
        self.torso.set_target(_pose(targets.torso[frame], np.zeros(3)))
        for side, task in enumerate(self.feet):
            task.set_target(_pose(targets.feet[side][frame], targets.ankle_pos[frame, side]))
        points = np.concatenate((targets.knee_pos[frame], targets.elbow_pos[frame], targets.wrist_pos[frame]))
        for point, task in zip(points, self.points, strict=True):
            task.set_target(_pose(Rotation.identity(), point))


def _start(targets: Targets, body: Humanoid) -> np.ndarray:
    """Return the default pose where the motion starts."""
    qpos = body.model.default_qpos.copy()
    qpos[:3] = targets.pelvis_pos[0]
    qpos[3:7] = targets.pelvis[0].as_quat()[[3, 0, 1, 2]]
    return qpos


def _pose(rotation: Rotation, pos: np.ndarray) -> mink.SE3:
    import mink

    return mink.SE3(np.concatenate((rotation.as_quat()[[3, 0, 1, 2]], pos)))
