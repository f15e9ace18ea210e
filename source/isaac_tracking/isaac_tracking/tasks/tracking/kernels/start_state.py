# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where episodes start, in three kernels: :func:`isaac_tracking.motion.start_state.start_state`."""

from __future__ import annotations

import torch

from ....motion.frame import MotionFrame
from ....motion.start_state import ROOT_DRAWS, Noise, StartState
from .launching import Floats, Floats2, Floats3, Quats, Vectors, floats, launch, quats, vectors, wp
from .lowest_point import LowestPoint
from .quaternion import Quat, Vector, product, vector_part

_ROOT_DRAWS = wp.constant(ROOT_DRAWS)


@wp.func
def _amount(draws: Floats2, half_widths: Floats, env: int, column: int) -> float:
    """Return noise from a number between 0 and 1."""
    return (2.0 * draws[env, column] - 1.0) * half_widths[column]


@wp.func
def _amounts(draws: Floats2, half_widths: Floats, env: int, column: int) -> Vector:
    """Return noise from three numbers."""
    return wp.vec3(
        _amount(draws, half_widths, env, column),
        _amount(draws, half_widths, env, column + 1),
        _amount(draws, half_widths, env, column + 2),
    )


@wp.func
def _from_euler(angles: Vector) -> Quat:
    """Return the rotation of roll, pitch and yaw, of which yaw is done last."""
    cr, cp, cy = wp.cos(0.5 * angles[0]), wp.cos(0.5 * angles[1]), wp.cos(0.5 * angles[2])
    sr, sp, sy = wp.sin(0.5 * angles[0]), wp.sin(0.5 * angles[1]), wp.sin(0.5 * angles[2])
    return wp.quat(
        cy * sr * cp - sy * cr * sp,
        cy * cr * sp + sy * sr * cp,
        sy * cr * cp - cy * sr * sp,
        cy * cr * cp + sy * sr * sp,
    )


@wp.kernel(enable_backward=False)
def _shake(
    noisy: int,
    draws: Floats2,
    half_widths: Floats,
    limits: Floats3,
    root_pos: Vectors,
    root_quat: Quats,
    root_lin_vel: Vectors,
    root_ang_vel: Vectors,
    joint_pos: Floats2,
    root_pose: Floats2,
    root_vel: Floats2,
    shaken_joint_pos: Floats2,
):
    """Write a joint with its noise, or, after an environment's joints, the root."""
    env, joint = wp.tid()
    if joint < joint_pos.shape[1]:
        angle = joint_pos[env, joint]
        if noisy == 1:
            angle += _amount(draws, half_widths, env, _ROOT_DRAWS + joint)
            # The upper limit has the last word, as with torch.
            angle = wp.min(wp.max(angle, limits[env, joint, 0]), limits[env, joint, 1])
        shaken_joint_pos[env, joint] = angle
    else:
        pos = root_pos[env]
        quat = root_quat[env]
        lin_vel = root_lin_vel[env]
        ang_vel = root_ang_vel[env]
        if noisy == 1:
            pos += _amounts(draws, half_widths, env, 0)
            turn = _from_euler(_amounts(draws, half_widths, env, 3))
            quat = product(vector_part(turn), turn[3], vector_part(quat), quat[3])
            lin_vel += _amounts(draws, half_widths, env, 6)
            ang_vel += _amounts(draws, half_widths, env, 9)
        for axis in range(3):
            root_pose[env, axis] = pos[axis]
            root_vel[env, axis] = lin_vel[axis]
            root_vel[env, 3 + axis] = ang_vel[axis]
        for part in range(4):
            root_pose[env, 3 + part] = quat[part]


@wp.kernel(enable_backward=False)
def _lift(heights: Floats2, origins: Vectors, root_pose: Floats2):
    """Lift robots out of the ground, and put them into their environments."""
    env = wp.tid()
    depth = float(0)
    for limb in range(heights.shape[0]):
        depth = wp.min(depth, heights[limb, env])
    root_pose[env, 0] = root_pose[env, 0] + origins[env][0]
    root_pose[env, 1] = root_pose[env, 1] + origins[env][1]
    root_pose[env, 2] = root_pose[env, 2] + origins[env][2] - depth


def fused_start_state(
    frame: MotionFrame, noise: Noise | None, origins: torch.Tensor, lowest: LowestPoint
) -> StartState:
    """Put robots on a reference, and higher where they would reach into the ground.

    Args:
        frame: References, with the clips' own origins, where the ground is at height 0; the first body is the root.
        noise: What is added to them; None for nothing, and then the joint limits do not matter either.
        origins: Where the environments lie in the world [m], shape (N, 3).
        lowest: Lowest point of the robot.
    """
    num, joints = frame.joint_pos.shape
    device = frame.joint_pos.device
    pose, vel = torch.empty(num, 7, device=device), torch.empty(num, 6, device=device)
    joint_pos = torch.empty(num, joints, device=device)
    # A kernel wants its arguments also where it does not look at them.
    of_noise = (pose, pose.flatten(), pose[None]) if noise is None else noise
    inputs = [int(noise is not None), *(floats(part) for part in of_noise)]
    inputs += [vectors(frame.body_pos_w[:, 0]), quats(frame.body_quat_w[:, 0])]
    inputs += [vectors(frame.body_lin_vel_w[:, 0]), vectors(frame.body_ang_vel_w[:, 0]), floats(frame.joint_pos)]
    launch(_shake, (num, joints + 1), [*inputs, floats(pose), floats(vel), floats(joint_pos)], device)
    heights = lowest.of_limbs(pose[:, :3], pose[:, 3:], joint_pos)
    launch(_lift, num, [floats(heights), vectors(origins), floats(pose)], device)
    return StartState(pose, vel, joint_pos, frame.joint_vel)
