# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whole-body balance: the zero-moment point of a motion, its support polygon, and the pendulum that links them."""

from __future__ import annotations

import numpy as np

from .robot import RobotModel

GRAVITY = 9.81
"""Acceleration of gravity [m/s^2]."""


def pendulum_com(zmp: np.ndarray, height: float, fps: float, ease: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return the motion of a linear inverted pendulum that begins and ends at rest above its zero-moment point.

    ``com - height / g * com'' = zmp`` is solved for all frames at once as a boundary value problem. A pendulum at
    rest can only leave if its zero-moment point first moves the other way, so one smooth bump is added to
    ``zmp`` at each end, as large as it takes for the speed to vanish there.

    Args:
        zmp: Wanted zero-moment point [m], shape (T, 2).
        height: Height of the centre of mass [m].
        fps: Frames per second [1/s].
        ease: Length of the bumps at both ends [s].

    Returns:
        Centre of mass [m] and the zero-moment point with the bumps [m], each of shape (T, 2).
    """
    frames = len(zmp)
    time = np.arange(frames) / fps
    phase = np.clip(np.stack((time, time[-1] - time), axis=1) / ease, 0.0, 1.0)
    bumps = 64.0 * (phase * (1.0 - phase)) ** 3
    com, free = _solve_pendulum(zmp, height, fps), _solve_pendulum(bumps, height, fps)
    ends = np.array([[1, 0], [-1, -2]])

    def speed(x: np.ndarray) -> np.ndarray:
        return x[ends[:, 0]] - x[ends[:, 1]]

    amount = np.linalg.solve(speed(free), -speed(com))
    return com + free @ amount, zmp + bumps @ amount


def _solve_pendulum(zmp: np.ndarray, height: float, fps: float) -> np.ndarray:
    """Solve the tridiagonal system of the pendulum with both ends at the zero-moment point."""
    frames = len(zmp)
    off = -height / GRAVITY * fps**2
    upper = np.zeros(frames)
    com = zmp.astype(float).copy()
    # Thomas algorithm: the matrix is diagonally dominant, so no pivoting is needed.
    for i in range(1, frames - 1):
        pivot = 1.0 - 2.0 * off - off * upper[i - 1]
        upper[i] = off / pivot
        com[i] = (zmp[i] - off * com[i - 1]) / pivot
    for i in range(frames - 2, 0, -1):
        com[i] -= upper[i] * com[i + 1]
    return com


def zero_moment_point(model: RobotModel, qpos: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where the ground must push for the whole body to move as it does.

    The multi-body inverse dynamics of every frame give the force and moment on the base that no motor can supply;
    angular momentum and vertical accelerations are in it. The body is taken to rest before and after the motion.

    Args:
        model: The robot.
        qpos: MuJoCo's generalized positions, shape (T, nq).
        fps: Frames per second [1/s].

    Returns:
        Zero-moment point on the ground [m], shape (T, 2), and ground reaction force [N], shape (T, 3).
    """
    import mujoco

    m, data = model.mujoco, model.data
    between = np.zeros((len(qpos) + 1, m.nv))
    for i in range(len(qpos) - 1):
        mujoco.mj_differentiatePos(m, between[i + 1], 1.0 / fps, qpos[i], qpos[i + 1])
    zmp, force = np.empty((len(qpos), 2)), np.empty((len(qpos), 3))
    for i, q in enumerate(qpos):
        data.qpos[:] = q
        data.qvel[:] = 0.5 * (between[i] + between[i + 1])
        data.qacc[:] = (between[i + 1] - between[i]) * fps
        mujoco.mj_inverse(m, data)
        force[i] = data.qfrc_inverse[:3]
        base = data.xpos[model.body_ids[0]]
        moment = data.xmat[model.body_ids[0]].reshape(3, 3) @ data.qfrc_inverse[3:6] + np.cross(base, force[i])
        zmp[i] = -moment[1] / force[i, 2], moment[0] / force[i, 2]
    return zmp, force


def support_margin(point: np.ndarray, corners: np.ndarray) -> float:
    """Return how far a point lies inside the convex hull of others [m]; negative outside.

    Args:
        point: Shape (2,).
        corners: Points of the soles on the ground [m], shape (K, 2), not all on one line.
    """
    hull = _convex_hull(corners)
    edge = np.roll(hull, -1, axis=0) - hull
    to_point = point - hull
    return float(np.min((edge[:, 0] * to_point[:, 1] - edge[:, 1] * to_point[:, 0]) / np.linalg.norm(edge, axis=1)))


def _convex_hull(points: np.ndarray) -> np.ndarray:
    """Return the corners of the convex hull, counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted(map(tuple, np.round(points, 9)))

    def chain(sequence: list[tuple[float, float]]) -> list[tuple[float, float]]:
        corners: list[tuple[float, float]] = []
        for x, y in sequence:
            while len(corners) > 1:
                (ax, ay), (bx, by) = corners[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 1e-12:
                    break
                corners.pop()
            corners.append((x, y))
        return corners[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))
