# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ground and motors must do for a motion: inverse dynamics, and the ground's force shared out to the feet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..synthesis.dynamics import GRAVITY
from ..synthesis.robot import RobotModel
from .limits import Limits

_WRENCH_WEIGHT = 30.0
"""How much more a missing share of the ground's wrench counts than the same share of a motor's torque [-]."""

_LEVER = 0.1
"""Length that makes a moment comparable with a force [m]: half a foot."""


@dataclass(frozen=True, eq=False)
class Dynamics:
    """Forces of T frames."""

    force: np.ndarray
    """Force that the ground must supply [N], shape (T, 3)."""

    moment: np.ndarray
    """Its moment about the world's origin [N m], shape (T, 3)."""

    com: np.ndarray
    """Centre of mass [m], shape (T, 3)."""

    carried: np.ndarray
    """Whether the ground carries, bool, shape (T,)."""

    torque: np.ndarray
    """Least torques of the joints, shape (T, J) [N m]; zero where the ground does not carry."""

    def zero_moment_point(self, floor: float) -> np.ndarray:
        """Return where on a floor of that height [m] the ground must push, shape (T, 2); meaningless in flight."""
        force = self.force
        up = np.where(self.carried, force[:, 2], 1.0)
        return np.stack(
            ((floor * force[:, 0] - self.moment[:, 1]) / up, (floor * force[:, 1] + self.moment[:, 0]) / up), axis=1
        )


def frame_steps(model: Any, qpos: np.ndarray) -> np.ndarray:
    """Return the change from frame to frame, the base's rotation in its own frame, shape (T - 1, nv).

    Args:
        model: MuJoCo's model.
        qpos: MuJoCo's generalized positions, shape (T, nq), T at least 2.
    """
    import mujoco

    steps = np.zeros((len(qpos) - 1, model.nv))
    for i in range(len(steps)):
        mujoco.mj_differentiatePos(model, steps[i], 1.0, qpos[i], qpos[i + 1])
    return steps


def jumps(steps: np.ndarray) -> np.ndarray:
    """Return by how much each step differs from the mean of its neighbours; at the ends from the only neighbour.

    Args:
        steps: Steps between frames, shape (T - 1, N, D).

    Returns:
        Length of the difference, shape (T - 1, N); 0 where there is only one step.
    """
    if len(steps) < 2:
        return np.zeros(steps.shape[:2])
    around = np.concatenate((steps[1:2], steps, steps[-2:-1]))
    return np.linalg.norm(steps - 0.5 * (around[:-2] + around[2:]), axis=-1)


def bridged(steps: np.ndarray, limits: Limits) -> np.ndarray:
    """Return the steps without jumps: what the motion would be if it went on smoothly.

    A jump is a fault of its own; the forces that it would take say nothing. Where the base or any joint jumps by more
    than the limits warn at, all steps are interpolated between those around: parts of a bad frame are no better.

    Args:
        steps: Steps, base first, shape (T - 1, 6 + J).
        limits: When a step is a jump.
    """
    joint = jumps(steps[:, 6:, None]).max(axis=1, initial=0.0)
    bad = joint > limits.joint_jump.warn
    bad |= jumps(steps[:, None, :3])[:, 0] > limits.root_jump.warn
    bad |= jumps(steps[:, None, 3:6])[:, 0] > limits.root_turn.warn
    if bad.all() or not bad.any():
        return steps
    index = np.arange(len(steps))
    return np.stack([np.interp(index, index[~bad], column[~bad]) for column in steps.T], axis=1)


def filtered_derivatives(steps: np.ndarray, fps: float, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return velocities and accelerations for forces.

    Central differences, then a second-order Butterworth filter forwards and backwards, which shifts no phase. Nothing
    is filtered if the frame rate is below two and a half times the cut-off, or if there are fewer than five frames.

    Args:
        steps: Steps between frames, shape (T - 1, nv).
        fps: Frames per second [1/s].
        cutoff: Frequency at which half of the amplitude is left [Hz].

    Returns:
        Velocities and accelerations, each of shape (T, nv).
    """
    from scipy.signal import butter, sosfiltfilt

    frames = len(steps) + 1
    padded = np.concatenate((steps[:1], steps, steps[-1:])) * fps
    vel = 0.5 * (padded[1:] + padded[:-1])
    acc = (padded[1:] - padded[:-1]) * fps
    if frames > 2:
        acc[0], acc[-1] = acc[1], acc[-2]
    if fps > 2.5 * cutoff and frames >= 5:
        sections = butter(2, cutoff, fs=fps, output="sos")
        pad = min(int(fps / cutoff) + 3, frames - 1)
        vel, acc = (sosfiltfilt(sections, x, axis=0, padlen=pad) for x in (vel, acc))
    return vel, acc


def ground_reaction(
    model: RobotModel,
    qpos: np.ndarray,
    vel: np.ndarray,
    acc: np.ndarray,
    points: np.ndarray,
    touching: np.ndarray,
    point_bodies: np.ndarray,
    limits: Limits,
) -> Dynamics:
    """Return the forces of every frame.

    Inverse dynamics without contacts give a wrench at the base that no motor makes, and joint torques. The ground
    makes the wrench: forces within friction pyramids at the touching points, found by non-negative least squares
    as those that leave least of the wrench over and then load the motors least. Rotor inertia and friction in the
    gears are not in the model, so torques are what the motion needs at least.

    Args:
        model: The robot; joints must be hinges, one degree of freedom each.
        qpos: MuJoCo's generalized positions, shape (T, nq).
        vel: Generalized velocities, shape (T, nv).
        acc: Generalized accelerations, shape (T, nv).
        points: Collision points in the world [m], shape (T, P, 3).
        touching: Which of them may carry, bool, shape (T, P).
        point_bodies: The robot's body of each point, shape (P,).
        limits: Friction and what counts as carried.
    """
    import mujoco

    m, data, frames = model.mujoco, model.data, len(qpos)
    needed, moment, com = np.empty((frames, m.nv)), np.empty((frames, 3)), np.empty((frames, 3))
    torque, carried = np.zeros((frames, m.nv)), np.zeros(frames, dtype=bool)
    effort = np.ones(m.nv)
    dofs = [int(adr) - 1 for adr in model.joint_adr]
    effort[dofs] = model.robot.joint_effort_limits or 1.0
    ids, weight, base = np.array(model.body_ids), model.mass * GRAVITY, model.body_ids[0]
    for i in range(frames):
        data.qpos[:], data.qvel[:], data.qacc[:] = qpos[i], vel[i], acc[i]
        mujoco.mj_inverse(m, data)
        needed[i], com[i] = data.qfrc_inverse, data.subtree_com[base]
        turn = data.xmat[base].reshape(3, 3) @ needed[i, 3:6]
        moment[i] = turn + np.cross(data.xpos[base], needed[i, :3])
        carried[i] = needed[i, 2] > limits.carried * weight
        if carried[i]:
            at = np.flatnonzero(touching[i])
            push = _pushes(m, data, points[i, at], ids[point_bodies[at]], limits.friction)
            torque[i] = needed[i] - _share_out(push, needed[i], effort, weight)
    return Dynamics(needed[:, :3], moment, com, carried, torque[:, dofs])


def _pushes(m: Any, data: Any, points: np.ndarray, bodies: np.ndarray, friction: float) -> np.ndarray:
    """Return the generalized forces of unit pushes along the pyramids' edges, shape (nv, 4 * points)."""
    import mujoco

    edges = np.array([[friction, 0, 1], [-friction, 0, 1], [0, friction, 1], [0, -friction, 1]], dtype=float)
    jacobian = np.zeros((3, m.nv))
    columns = []
    for point, body in zip(points, bodies, strict=True):
        mujoco.mj_jac(m, data, jacobian, None, point, int(body))
        columns.append(jacobian.T @ edges.T)
    return np.concatenate(columns, axis=1)


def _share_out(push: np.ndarray, needed: np.ndarray, effort: np.ndarray, weight: float) -> np.ndarray:
    """Return the generalized force of the ground that fits best, shape (nv,)."""
    from scipy.optimize import nnls

    scale = 1.0 / effort
    scale[:3] = _WRENCH_WEIGHT / weight
    scale[3:6] = _WRENCH_WEIGHT / (weight * _LEVER)
    try:
        amount, _ = nnls(push * scale[:, None], needed * scale)
    except RuntimeError:
        # It did not converge. A frame that cannot be judged must not accuse a motor.
        return needed
    return push @ amount
