# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The G1 in the simulator is the G1 of the MJCF with the motors of the table: order, kinematics, masses, limits, gains.

Newton reads a USD that was converted from the MJCF; MuJoCo reads the MJCF itself. Agreement of the two proves the
conversion, the order of joints and bodies, the frames and the quaternions at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
import torch

from isaac_tracking.motion.kinematics import KinematicTree, forward_kinematics
from isaac_tracking.motion.quaternion import quat_error_magnitude
from isaac_tracking.robots import g1

pytestmark = pytest.mark.slow

POSITION = 1e-4
ANGLE = 1e-3


@pytest.fixture(scope="module")
def solver_model(_simulator: Any) -> Any:
    """The arrays that MuJoCo Warp computes with."""
    from isaaclab_newton.physics import NewtonManager

    return NewtonManager._solver.mjw_model


def random_state(model: Any, num: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Root pose, root velocity, joint angles within their limits and joint speeds, high above the ground."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(num, *shape, generator=generator)

    quat = torch.nn.functional.normalize(draw(4), dim=-1)
    root_pose = torch.cat([draw(3) + torch.tensor([0.0, 0.0, 10.0]), quat], dim=-1)
    limits = torch.tensor(model.jnt_range[1:], dtype=torch.float)
    share = torch.rand(num, 29, generator=generator)
    return root_pose, draw(6), limits[:, 0] + share * (limits[:, 1] - limits[:, 0]), 3.0 * draw(29)


def mujoco_state(model: Any, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses (xyzw) and velocities (linear, angular, of the bodies' origins, in the world) as MuJoCo has them."""
    data = mujoco.MjData(model)
    poses, velocities = [], []
    for root_pose, root_vel, joint_pos, joint_vel in zip(*(part.double().numpy() for part in state), strict=True):
        data.qpos[:] = np.concatenate([root_pose[:3], root_pose[[6, 3, 4, 5]], joint_pos])
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, data.qpos[3:7])
        # MuJoCo's free joint holds its angular velocity in the body's own frame.
        local = rotation.reshape(3, 3).T @ root_vel[3:]
        data.qvel[:] = np.concatenate([root_vel[:3], local, joint_vel])
        mujoco.mj_forward(model, data)
        velocity = np.zeros((30, 6))
        for body in range(30):
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body + 1, velocity[body], 0)
        poses.append(np.concatenate([data.xpos[1:], data.xquat[1:][:, [1, 2, 3, 0]]], axis=-1))
        velocities.append(velocity[:, [3, 4, 5, 0, 1, 2]])
    return tuple(torch.tensor(np.stack(part), dtype=torch.float) for part in (poses, velocities))


def assert_poses(actual: torch.Tensor, expected: torch.Tensor) -> None:
    distance = (actual[..., :3] - expected[..., :3]).norm(dim=-1)
    angle = quat_error_magnitude(actual[..., 3:], expected[..., 3:])
    for body, name in enumerate(g1.BODY_NAMES):
        assert distance[:, body].max() < POSITION, name
        assert angle[:, body].max() < ANGLE, name


"""
Order.
"""


def test_joints_and_bodies_are_in_the_pinned_order(sim: Any) -> None:
    assert tuple(sim.robot.joint_names) == g1.JOINT_NAMES
    assert tuple(sim.robot.body_names) == g1.BODY_NAMES


def test_the_mjcf_has_the_same_order(g1_model: Any) -> None:
    assert tuple(g1_model.joint(i + 1).name for i in range(29)) == g1.JOINT_NAMES
    assert tuple(g1_model.body(i + 1).name for i in range(30)) == g1.BODY_NAMES


"""
Kinematics.
"""


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_poses_and_velocities_that_are_written_are_those_of_mujoco(sim: Any, g1_model: Any, seed: int) -> None:
    state = random_state(g1_model, sim.env.num_envs, seed)
    sim.write(*state)
    poses, velocities = mujoco_state(g1_model, state)
    assert_poses(sim.robot.data.body_link_pose_w.torch, poses)
    assert torch.allclose(sim.robot.data.body_link_vel_w.torch, velocities, atol=1e-3)


def test_each_joint_alone_moves_what_it_moves_in_mujoco(sim: Any, g1_model: Any) -> None:
    # One joint at a time tells an exchanged pair or a turned axis from a small error.
    num = sim.env.num_envs
    limits = torch.tensor(g1_model.jnt_range[1:], dtype=torch.float)
    for first in range(0, 29, num):
        joint_pos, joints = torch.zeros(num, 29), range(first, min(first + num, 29))
        for env, joint in enumerate(joints):
            joint_pos[env, joint] = 0.7 * limits[joint, 1]
        root_pose = torch.tensor([0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 1.0]).repeat(num, 1)
        state = (root_pose, torch.zeros(num, 6), joint_pos, torch.zeros(num, 29))
        sim.write(*state)
        assert_poses(sim.robot.data.body_link_pose_w.torch, mujoco_state(g1_model, state)[0])


def test_poses_after_physics_belong_to_the_joints(sim: Any, g1_model: Any) -> None:
    sim.start("walk", step=100)
    sim.env.step(0.5 * torch.randn_like(sim.still))
    data = sim.robot.data
    state = (data.root_link_pose_w, data.root_link_vel_w, data.joint_pos, data.joint_vel)
    poses, velocities = mujoco_state(g1_model, tuple(part.torch for part in state))
    assert_poses(data.body_link_pose_w.torch, poses)
    assert torch.allclose(data.body_link_vel_w.torch, velocities, atol=1e-3)


def test_our_own_forward_kinematics_is_mujocos(g1_model: Any, g1_mjcf: Path) -> None:
    state = random_state(g1_model, 20, seed=5)
    pos, quat = forward_kinematics(KinematicTree.from_mjcf(g1_mjcf), state[0][:, :3], state[0][:, 3:], state[2])
    assert_poses(torch.cat([pos, quat], dim=-1), mujoco_state(g1_model, state)[0])


"""
Masses and shapes.
"""


def test_masses(sim: Any, g1_model: Any, solver_model: Any) -> None:
    expected = g1_model.body_mass[1:]
    assert expected.sum() == pytest.approx(33.341142, abs=1e-6)
    assert pytest.approx(33.341142, abs=1e-6) == g1.MASS
    for actual in (sim.robot.data.body_mass.torch.numpy(), solver_model.body_mass.numpy()[:, 1:]):
        assert actual.shape == (sim.env.num_envs, 30)
        assert np.allclose(actual, expected, rtol=1e-5)


def test_centers_of_mass_and_inertias(g1_model: Any, solver_model: Any) -> None:
    assert np.allclose(solver_model.body_ipos.numpy()[:, 1:], g1_model.body_ipos[1:], atol=1e-6)

    def inertia(quat: np.ndarray, principal: np.ndarray) -> np.ndarray:
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, quat.astype(np.float64))
        rotation = rotation.reshape(3, 3)
        return rotation @ np.diag(principal) @ rotation.T

    quats, principals = solver_model.body_iquat.numpy()[0], solver_model.body_inertia.numpy()[0]
    for body in range(1, 31):
        expected = inertia(g1_model.body_iquat[body], g1_model.body_inertia[body])
        actual = inertia(quats[body], principals[body])
        assert np.allclose(actual, expected, rtol=1e-3, atol=1e-4 * np.trace(expected)), g1.BODY_NAMES[body - 1]


def test_each_body_collides_with_the_same_others(g1_model: Any, _simulator: Any) -> None:
    from isaaclab_newton.physics import NewtonManager

    def pairs(model: Any) -> set[tuple[int, int]]:
        """Pairs of bodies whose shapes may touch: MuJoCo's rules, without the world."""
        excluded = {(int(code) >> 16, int(code) & 0xFFFF) for code in model.exclude_signature}
        shapes = [g for g in range(model.ngeom) if model.geom_contype[g] or model.geom_conaffinity[g]]
        found = set()
        for a in shapes:
            for b in shapes:
                body_a, body_b = int(model.geom_bodyid[a]), int(model.geom_bodyid[b])
                allowed = model.geom_contype[a] & model.geom_conaffinity[b] | (
                    model.geom_contype[b] & model.geom_conaffinity[a]
                )
                near = model.body_parentid[body_b] == body_a or (body_a, body_b) in excluded
                if 0 < body_a < body_b and allowed and not near:
                    found.add((body_a, body_b))
        return found

    expected = pairs(g1_model)
    assert len(expected) > 100
    assert pairs(NewtonManager._solver.mj_model) == expected


"""
Joints and motors.
"""


def test_joint_limits(sim: Any, g1_model: Any, solver_model: Any) -> None:
    expected = torch.tensor(g1_model.jnt_range[1:], dtype=torch.float)
    assert torch.allclose(sim.robot.data.joint_pos_limits.torch, expected.expand(sim.env.num_envs, 29, 2), atol=1e-5)
    assert np.allclose(solver_model.jnt_range.numpy()[:, 1:], expected.numpy(), atol=1e-5)
    assert solver_model.jnt_limited_slide_hinge_adr.shape[0] == 29  # every hinge is limited
    middle, half = expected.mean(dim=-1), (expected[:, 1] - expected[:, 0]) / 2
    soft = torch.stack([middle - 0.9 * half, middle + 0.9 * half], dim=-1)
    assert torch.allclose(sim.robot.data.soft_joint_pos_limits.torch[0], soft, atol=1e-5)


@pytest.mark.parametrize(
    ("array", "attribute"),
    [
        ("joint_stiffness", "stiffness"),
        ("joint_damping", "damping"),
        ("joint_armature", "armature"),
        ("joint_effort_limits", "effort_limit"),
        ("joint_vel_limits", "velocity_limit"),
    ],
)
def test_motor_numbers_of_the_articulation(sim: Any, array: str, attribute: str) -> None:
    expected = torch.tensor([getattr(g1.motor_of(name), attribute) for name in g1.JOINT_NAMES])
    actual = getattr(sim.robot.data, array).torch
    assert actual.shape == (sim.env.num_envs, 29)
    assert torch.allclose(actual, expected, rtol=1e-5)


def test_motor_numbers_of_the_solver(solver_model: Any) -> None:
    joint_of = solver_model.actuator_trnid.numpy()[:, 0] - 1  # MuJoCo's joint 0 is the floating base
    gain, bias = solver_model.actuator_gainprm.numpy(), solver_model.actuator_biasprm.numpy()
    assert (solver_model.actuator_gear.numpy()[..., 0] == 1.0).all()
    for joint, name in enumerate(g1.JOINT_NAMES):
        motor = g1.motor_of(name)
        mine = joint_of == joint
        # Newton gives each joint a position actuator and a velocity actuator; their sums are the gains.
        assert np.allclose(bias[:, mine, 1].sum(axis=-1), -motor.stiffness, rtol=1e-5), name
        assert np.allclose(bias[:, mine, 2].sum(axis=-1), -motor.damping, rtol=1e-5), name
        assert np.allclose(bias[:, mine, 0], 0.0), name
        assert np.allclose(gain[:, mine, 0].sum(axis=-1), motor.stiffness + motor.damping, rtol=1e-5), name
        assert np.allclose(solver_model.dof_armature.numpy()[:, 6 + joint], motor.armature, rtol=1e-5), name
        limit = solver_model.jnt_actfrcrange.numpy()[:, 1 + joint]
        assert np.allclose(limit, [-motor.effort_limit, motor.effort_limit]), name
    assert (solver_model.jnt_actfrclimited.numpy()[1:] != 0).all()


def test_no_motor_gives_more_than_its_torque(sim: Any) -> None:
    from isaaclab_newton.physics import NewtonManager

    sim.start("stand")
    sim.env.step(torch.full_like(sim.still, 20.0))
    torque = torch.from_numpy(NewtonManager._solver.mjw_data.qfrc_actuator.numpy()[:, 6:]).abs()
    limit = torch.tensor([g1.motor_of(name).effort_limit for name in g1.JOINT_NAMES])
    assert (torque <= limit * (1.0 + 1e-5)).all()
    assert (torque > 0.999 * limit).any()


def test_nothing_but_the_motors_acts_on_the_joints(solver_model: Any) -> None:
    assert np.allclose(solver_model.dof_damping.numpy(), 0.0)
    assert np.allclose(solver_model.dof_frictionloss.numpy(), 0.0)
    assert np.allclose(solver_model.jnt_stiffness.numpy(), 0.0)
    assert np.allclose(solver_model.dof_armature.numpy()[:, :6], 0.0)


def test_the_simulator_has_the_default_pose(sim: Any) -> None:
    expected = torch.tensor([g1.default_joint_pos(name) for name in g1.JOINT_NAMES])
    assert torch.allclose(sim.robot.data.default_joint_pos.torch, expected.expand(sim.env.num_envs, 29))
    assert torch.allclose(sim.robot.data.default_root_pose.torch[:, 2], torch.tensor(0.76))


def test_an_action_of_one_moves_each_target_by_its_scale(sim: Any) -> None:
    sim.start("stand")
    sim.env.action_manager.process_action(torch.ones_like(sim.still))
    targets = sim.env.action_manager.get_term("joint_pos").processed_actions
    scale = torch.tensor([g1.motor_of(name).action_scale for name in g1.JOINT_NAMES])
    assert torch.allclose(targets - sim.robot.data.default_joint_pos.torch, scale.expand_as(targets), atol=1e-6)


def test_the_physics_is_that_of_the_task(solver_model: Any) -> None:
    option = solver_model.opt
    assert np.allclose(option.timestep.numpy(), 0.005)
    assert np.allclose(option.gravity.numpy(), [0.0, 0.0, -9.81])
    assert int(option.integrator) == int(mujoco.mjtIntegrator.mjINT_IMPLICITFAST)
    assert int(option.cone) == int(mujoco.mjtCone.mjCONE_PYRAMIDAL)
    assert (option.iterations, option.ls_iterations) == (50, 50)
