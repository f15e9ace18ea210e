# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Feet raised by their own legs: inverse kinematics of all frames at once, the rest of the body stays where it is."""

from __future__ import annotations

import numpy as np
import torch

from ..kinematics import KinematicTree, forward_kinematics
from ..quaternion import quat_apply, quat_conjugate, quat_mul, quat_to_axis_angle
from ..robot import Robot
from .poses import Poses

_ITERATIONS = 12
_DAMPING = 0.02
"""Damping of the least squares [m]: a straight leg has no velocity that shortens it, and must not be thrown about."""

_TOLERANCE = 1e-5
"""Error of a foot's weighted pose that is as good as none [m]."""

_LEVER = 0.1
"""Error of position [m] that weighs as much as an error of orientation of 1 rad: about half a foot's length."""

_LIMIT_ROUNDS = 3
"""How often a step is solved again without the joints that it would push over a limit."""

SMOOTH_TIME = 0.12
"""Time over which the change of the legs is smoothed [s]."""

_SMALL = 1e-4
"""Lifts below this are left undone [m]."""


def lift_feet(poses: Poses, robot: Robot, lifts: np.ndarray, fps: float) -> Poses:
    """Return poses whose feet are higher by so much, in the same place and orientation otherwise.

    Only the joints between base and foot move, and within their limits (or as far beyond as the poses already are):
    what a leg cannot do stays undone. The change of the angles is smoothed over :data:`SMOOTH_TIME`, since a leg at its
    limit finds another solution from one frame to the next.

    Args:
        poses: T frames.
        robot: The robot.
        lifts: How far to raise the left and right foot [m], shape (T, 2).
        fps: Frames per second [1/s].
    """
    joint_pos = poses.joint_pos.copy()
    for foot, lift in zip(robot.foot_body_names, lifts.T, strict=True):
        frames = np.flatnonzero(lift > _SMALL)
        if len(frames):
            some = Poses(poses.root_pos[frames], poses.root_quat[frames], joint_pos[frames])
            change = np.zeros_like(joint_pos)
            change[frames] = _raised(some, robot, robot.body_names.index(foot), lift[frames]) - some.joint_pos
            joint_pos += bell_average(change, max(1, round(0.5 * SMOOTH_TIME * fps)))
    low, high = robot.joint_pos_limits.T
    joint_pos = np.clip(joint_pos, np.minimum(low, poses.joint_pos), np.maximum(high, poses.joint_pos))
    return Poses(poses.root_pos, poses.root_quat, joint_pos)


def bell_average(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the average of each row and as many neighbours on both sides, weighted by a bell, shape (T, ...)."""
    bell = np.hanning(2 * reach + 3)[1:-1]
    ends = [(reach, reach)] + [(0, 0)] * (values.ndim - 1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, ends, mode="edge"), 2 * reach + 1, axis=0)
    return windows @ (bell / bell.sum())


def _raised(poses: Poses, robot: Robot, foot: int, lift: np.ndarray) -> np.ndarray:
    """Return joint angles with one foot raised, shape (T, J)."""
    tree, joints = _leg(robot.tree.to(dtype=torch.float64), foot)
    root_pos, root_quat, start = map(torch.from_numpy, (poses.root_pos, poses.root_quat, poses.joint_pos[:, joints]))
    low, high = torch.from_numpy(robot.joint_pos_limits[joints]).unbind(-1)
    low, high = torch.minimum(low, start), torch.maximum(high, start)
    pos, quat = forward_kinematics(tree, root_pos, root_quat, start)
    goal_pos, goal_quat = pos[:, -1].clone(), quat[:, -1].clone()
    goal_pos[:, 2] += torch.from_numpy(lift)
    angles = start.clone()
    for _ in range(_ITERATIONS):
        turn = quat_to_axis_angle(quat_mul(goal_quat, quat_conjugate(quat[:, -1])))
        error = torch.cat([goal_pos - pos[:, -1], _LEVER * turn], dim=-1)
        if error.abs().max() < _TOLERANCE:
            break
        angles = _step(_jacobian(tree, pos, quat), error, angles, low, high)
        pos, quat = forward_kinematics(tree, root_pos, root_quat, angles)
    joint_pos = poses.joint_pos.copy()
    joint_pos[:, joints] = angles.numpy()
    return joint_pos


def _leg(tree: KinematicTree, foot: int) -> tuple[KinematicTree, list[int]]:
    """Return the chain from base to foot as a tree of its own, the foot last, and its joints in the whole tree."""
    chain = [foot]
    while chain[0] != 0:
        chain.insert(0, tree.parents[chain[0]])
    joints = [tree.joint_of_body[body] for body in chain if tree.joint_of_body[body] >= 0]
    leg = KinematicTree(
        body_names=tuple(tree.body_names[body] for body in chain),
        joint_names=tuple(tree.joint_names[joint] for joint in joints),
        parents=tuple(range(-1, len(chain) - 1)),
        joint_of_body=tuple(
            joints.index(tree.joint_of_body[body]) if tree.joint_of_body[body] >= 0 else -1 for body in chain
        ),
        offsets=tree.offsets[chain],
        quats=tree.quats[chain],
        axes=tree.axes[joints],
        anchors=tree.anchors[joints],
    )
    return leg, joints


def _step(
    jacobian: torch.Tensor, error: torch.Tensor, angles: torch.Tensor, low: torch.Tensor, high: torch.Tensor
) -> torch.Tensor:
    """Return the angles after one step of damped least squares, shape (T, K); joints at a limit leave it to the rest.

    Args:
        jacobian: Change of the weighted pose with the joints, shape (T, 6, K).
        error: What the weighted pose lacks, shape (T, 6).
        angles: Joint angles [rad], shape (T, K).
        low: Lower limits [rad], shape (T, K).
        high: Upper limits [rad], shape (T, K).
    """
    damping = _DAMPING**2 * torch.eye(error.shape[-1], dtype=error.dtype)
    free = torch.ones_like(angles)
    for _ in range(_LIMIT_ROUNDS):
        moving = jacobian * free.unsqueeze(1)
        force = torch.linalg.solve(moving @ moving.mT + damping, error.unsqueeze(-1))
        step = (moving.mT @ force).squeeze(-1)
        stuck = ((angles + step < low) & (angles <= low)) | ((angles + step > high) & (angles >= high))
        free = free * (~stuck)
    return torch.minimum(torch.maximum(angles + step * free, low), high)


def _jacobian(tree: KinematicTree, pos: torch.Tensor, quat: torch.Tensor) -> torch.Tensor:
    """Return how the weighted pose of a chain's last body follows its J joints, shape (T, 6, J)."""
    bodies = [tree.joint_of_body.index(joint) for joint in range(len(tree.joint_names))]
    axes = quat_apply(quat[:, bodies], tree.axes.expand(len(pos), -1, -1))
    anchors = pos[:, bodies] + quat_apply(quat[:, bodies], tree.anchors.expand(len(pos), -1, -1))
    linear = torch.linalg.cross(axes, pos[:, -1:] - anchors)
    return torch.cat([linear, _LEVER * axes], dim=-1).mT
