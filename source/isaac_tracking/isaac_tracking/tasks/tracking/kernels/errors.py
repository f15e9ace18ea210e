# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""All errors between reference and robot in one kernel: :func:`isaac_tracking.motion.errors.tracking_errors`."""

from __future__ import annotations

import torch

from ....motion.errors import TrackingErrors
from ....motion.frame import MotionFrame
from .launching import Floats2, Floats3, Quats2, Vectors2, floats, launch, quats, vectors, wp
from .quaternion import Quat, product, rotate, vector_part


@wp.func
def _angle(a: Quat, b: Quat) -> float:
    """Return the angle of the shorter rotation between two orientations [rad]."""
    relative = product(-vector_part(a), a[3], vector_part(b), b[3])
    return 2.0 * wp.atan2(wp.length(vector_part(relative)), wp.abs(relative[3]))


@wp.func
def _upright(q: Quat) -> float:
    """Return the vertical component of a body's z axis [-]."""
    return 1.0 - 2.0 * (q[0] * q[0] + q[1] * q[1])


@wp.kernel(enable_backward=False)
def _compare(
    anchor: int,
    num_envs: int,
    num_bodies: int,
    reference_pos: Vectors2,
    reference_quat: Quats2,
    reference_lin_vel: Vectors2,
    reference_ang_vel: Vectors2,
    reference_joint_pos: Floats2,
    reference_joint_vel: Floats2,
    robot_pos: Vectors2,
    robot_quat: Quats2,
    robot_lin_vel: Vectors2,
    robot_ang_vel: Vectors2,
    robot_joint_pos: Floats2,
    robot_joint_vel: Floats2,
    of_env: Floats2,
    of_body: Floats3,
):
    """Write the errors of a body, or what an environment has once: those threads come after all bodies."""
    thread = wp.tid()
    if thread < num_envs * num_bodies:
        env = thread // num_bodies
        body = thread % num_bodies
        robot_anchor = robot_quat[env, anchor]
        reference_anchor = reference_quat[env, anchor]
        # The heading between the anchors.
        turn = product(vector_part(robot_anchor), robot_anchor[3], -vector_part(reference_anchor), reference_anchor[3])
        half = 0.5 * wp.atan2(
            2.0 * (turn[3] * turn[2] + turn[0] * turn[1]), 1.0 - 2.0 * (turn[1] * turn[1] + turn[2] * turn[2])
        )
        axis = wp.vec3(0.0, 0.0, wp.sin(half))
        cosine = wp.cos(half)
        origin = reference_pos[env, anchor]
        arm = rotate(axis, cosine, reference_pos[env, body] - origin)
        stand = robot_pos[env, anchor]
        offset = wp.vec3(stand[0], stand[1], origin[2]) + arm - robot_pos[env, body]
        due = reference_quat[env, body]
        of_body[0, env, body] = wp.length(offset)
        of_body[1, env, body] = wp.abs(offset[2])
        of_body[2, env, body] = _angle(product(axis, cosine, vector_part(due), due[3]), robot_quat[env, body])
        of_body[3, env, body] = wp.length(reference_lin_vel[env, body] - robot_lin_vel[env, body])
        of_body[4, env, body] = wp.length(reference_ang_vel[env, body] - robot_ang_vel[env, body])
    else:
        env = thread - num_envs * num_bodies
        distance = reference_pos[env, anchor] - robot_pos[env, anchor]
        of_env[0, env] = wp.length(distance)
        of_env[1, env] = _angle(reference_quat[env, anchor], robot_quat[env, anchor])
        of_env[2, env] = wp.abs(distance[2])
        of_env[3, env] = wp.abs(_upright(reference_quat[env, anchor]) - _upright(robot_quat[env, anchor]))
        joints = robot_joint_pos.shape[1]
        pos_sum = float(0)
        vel_sum = float(0)
        for joint in range(joints):
            pos = reference_joint_pos[env, joint] - robot_joint_pos[env, joint]
            vel = reference_joint_vel[env, joint] - robot_joint_vel[env, joint]
            pos_sum += pos * pos
            vel_sum += vel * vel
        of_env[4, env] = wp.sqrt(pos_sum / float(joints))
        of_env[5, env] = wp.sqrt(vel_sum / float(joints))


def fused_tracking_errors(reference: MotionFrame, robot: MotionFrame, anchor: int) -> TrackingErrors:
    """Compute every error between two frames whose joints and bodies have the same order.

    Args:
        reference: Where joints and bodies should be.
        robot: Where joints and bodies are.
        anchor: Index of the anchor body.

    Raises:
        ValueError: If the frames are not of the same environments, bodies and joints.
    """
    for name in ("body_pos_w", "joint_pos"):
        shapes = getattr(reference, name).shape, getattr(robot, name).shape
        if shapes[0] != shapes[1]:
            raise ValueError(f"{name} of the reference has shape {tuple(shapes[0])}, of the robot {tuple(shapes[1])}")
    num_envs, num_bodies = robot.body_pos_w.shape[:2]
    device = robot.body_pos_w.device
    of_env, of_body = torch.empty(6, num_envs, device=device), torch.empty(5, num_envs, num_bodies, device=device)
    inputs = [anchor, num_envs, num_bodies]
    for frame in (reference, robot):
        inputs += [vectors(frame.body_pos_w), quats(frame.body_quat_w)]
        inputs += [vectors(frame.body_lin_vel_w), vectors(frame.body_ang_vel_w)]
        inputs += [floats(frame.joint_pos), floats(frame.joint_vel)]
    launch(_compare, num_envs * (num_bodies + 1), [*inputs, floats(of_env), floats(of_body)], device)
    once = of_env.unbind()
    return TrackingErrors._make((*once[:4], *of_body.unbind(), *once[4:]))
