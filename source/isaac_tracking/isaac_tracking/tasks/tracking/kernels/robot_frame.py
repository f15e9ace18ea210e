# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robots' state as a frame, in two kernels: :func:`isaac_tracking.motion.robot_frame.robot_frame`."""

from __future__ import annotations

import torch

from ....motion.frame import MotionFrame
from ....motion.robot_frame import RobotState
from .launching import Bools, Floats2, Floats3, Longs, bools, floats, launch, longs, wp


@wp.kernel(enable_backward=False)
def _check(
    body_ids: Longs,
    body_pose: Floats3,
    body_vel: Floats3,
    joint_pos: Floats2,
    joint_vel: Floats2,
    finite: Bools,
):
    """Write whether all numbers of a robot that will be copied are finite: a sum is not, if a summand is not."""
    env = wp.tid()
    total = float(0)
    for row in range(body_ids.shape[0]):
        body = int(body_ids[row])
        for part in range(7):
            total += body_pose[env, body, part]
        for part in range(6):
            total += body_vel[env, body, part]
    for joint in range(joint_pos.shape[1]):
        total += joint_pos[env, joint] + joint_vel[env, joint]
    finite[env] = wp.isfinite(total)


@wp.kernel(enable_backward=False)
def _copy(
    body_ids: Longs,
    body_pose: Floats3,
    body_vel: Floats3,
    joint_pos: Floats2,
    joint_vel: Floats2,
    finite: Bools,
    pose: Floats3,
    vel: Floats3,
    joints: Floats2,
):
    """Copy a body, or, after an environment's bodies, a joint; zeros where the robot is not finite."""
    env, row = wp.tid()
    num_bodies = body_ids.shape[0]
    # No factor: a zero times NaN is NaN.
    sound = finite[env]
    if row < num_bodies:
        body = int(body_ids[row])
        for part in range(7):
            pose[env, row, part] = wp.where(sound, body_pose[env, body, part], 0.0)
        for part in range(6):
            vel[env, row, part] = wp.where(sound, body_vel[env, body, part], 0.0)
    else:
        joint = row - num_bodies
        joints[env, joint] = wp.where(sound, joint_pos[env, joint], 0.0)
        joints[env, joint_pos.shape[1] + joint] = wp.where(sound, joint_vel[env, joint], 0.0)


def fused_robot_frame(state: RobotState, body_ids: torch.Tensor) -> tuple[MotionFrame, torch.Tensor]:
    """Copy some bodies and all joints of robots; zeros, also as quaternions, where any number of them is not finite.

    Args:
        state: What the simulator says.
        body_ids: Numbers of the frame's bodies, in its order, int64, shape (B,).

    Returns:
        The frame, and whether each robot's numbers were finite, shape (N,).
    """
    num, num_joints = state.joint_pos.shape
    num_bodies, device = len(body_ids), state.joint_pos.device
    finite = torch.empty(num, dtype=torch.bool, device=device)
    pose, vel = torch.empty(num, num_bodies, 7, device=device), torch.empty(num, num_bodies, 6, device=device)
    joints = torch.empty(num, 2 * num_joints, device=device)
    inputs = [longs(body_ids), *(floats(part) for part in state), bools(finite)]
    launch(_check, num, inputs, device)
    launch(_copy, (num, num_bodies + num_joints), [*inputs, floats(pose), floats(vel), floats(joints)], device)
    joint_pos, joint_vel = joints.chunk(2, dim=-1)
    frame = MotionFrame(joint_pos, joint_vel, pose[..., :3], pose[..., 3:], vel[..., :3], vel[..., 3:])
    return frame, finite
