# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The Go1 in the simulator is the Go1 of the MJCF with the motors of the table, as ``test_g1.py`` shows of the G1."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
import pytest
import torch

from isaac_tracking.motion.quaternion import quat_error_magnitude
from isaac_tracking.robots import go1
from isaac_tracking.robots.mjcf import mjcf_path

FLAT = "Isaac-Velocity-Flat-Unitree-Go1-v0"


@pytest.fixture(scope="module")
def model() -> Any:
    """MuJoCo's own reading of the MJCF."""
    return mujoco.MjModel.from_xml_path(str(mjcf_path(*go1.MODEL)))


@pytest.fixture(scope="module")
def solver(probe: Callable) -> dict[str, torch.Tensor]:
    """The arrays that MuJoCo Warp computes with, bodies and joints in the pinned order."""
    # Newton sorts the legs by name, and Isaac Lab puts what it hands out into the pinned order.
    found, names = probe(FLAT), probe(FLAT)["stood"]["sensed"]
    assert sorted(names) == sorted(go1.BODY_NAMES) and names[0] == "trunk"
    order = torch.tensor([names.index(name) for name in go1.BODY_NAMES])
    joints = order[1:] - 1
    arrays = dict(found["robot"]["solver"])
    place = {int(joint): number for number, joint in enumerate(joints)}
    for name in ("body_mass", "body_ipos"):
        arrays[name] = arrays[name][:, 1:][:, order]
    for name in ("jnt_range", "jnt_actfrcrange"):
        arrays[name] = arrays[name][:, 1:][:, joints]
    for name in ("dof_armature", "dof_damping", "dof_frictionloss"):
        arrays[name] = arrays[name][:, 6:][:, joints]
    # MuJoCo's joint 0 is the floating base.
    arrays["joint_of"] = torch.tensor([place[int(joint) - 1] for joint in arrays["actuator_trnid"][:, 0]])
    return arrays


@pytest.fixture(scope="module")
def robot(probe: Callable) -> dict[str, Any]:
    return probe(FLAT)["robot"]


def mujoco_state(model: Any, state: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses (xyzw) and velocities (linear, angular, of the bodies' origins, in the world) as MuJoCo has them."""
    data, poses, velocities = mujoco.MjData(model), [], []
    names = ("root_link_pose_w", "root_link_vel_w", "joint_pos", "joint_vel")
    for root_pose, root_vel, joint_pos, joint_vel in zip(*(state[n].double().numpy() for n in names), strict=True):
        data.qpos[:] = np.concatenate([root_pose[:3], root_pose[[6, 3, 4, 5]], joint_pos])
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, data.qpos[3:7])
        # MuJoCo's free joint holds its angular velocity in the body's own frame.
        data.qvel[:] = np.concatenate([root_vel[:3], rotation.reshape(3, 3).T @ root_vel[3:], joint_vel])
        mujoco.mj_forward(model, data)
        velocity = np.zeros((13, 6))
        for body in range(13):
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body + 1, velocity[body], 0)
        poses.append(np.concatenate([data.xpos[1:], data.xquat[1:][:, [1, 2, 3, 0]]], axis=-1))
        velocities.append(velocity[:, [3, 4, 5, 0, 1, 2]])
    return torch.tensor(np.stack(poses), dtype=torch.float), torch.tensor(np.stack(velocities), dtype=torch.float)


"""
The MJCF and the table.
"""


def test_the_mjcf_has_the_same_order_and_mass(model: Any) -> None:
    assert tuple(model.joint(i + 1).name for i in range(12)) == go1.JOINT_NAMES
    assert tuple(model.body(i + 1).name for i in range(13)) == go1.BODY_NAMES
    assert model.body_mass.sum() == pytest.approx(go1.MASS, abs=1e-6)
    assert go1.JOINT_NAMES[:3] == ("FR_hip_joint", "FR_thigh_joint", "FR_calf_joint")
    assert (go1.BODY_NAMES[0], go1.FOOT_BODY_NAMES) == ("trunk", ("FR_calf", "FL_calf", "RR_calf", "RL_calf"))


def test_motors_have_isaac_labs_limits_and_mjlabs_inertia() -> None:
    # 0.000111842 kg m^2 behind 6 to 1 and 9 to 1, at 10 Hz and a damping ratio of 2.
    hip, knee = go1.motor_of("FR_thigh_joint"), go1.motor_of("RL_calf_joint")
    assert (hip.effort_limit, hip.velocity_limit) == (23.7, 30.1)
    assert (knee.effort_limit, knee.velocity_limit) == (35.55, 20.06)
    assert (hip.armature, knee.armature) == pytest.approx((0.004026312, 0.009059202))
    assert (hip.stiffness, knee.stiffness) == pytest.approx((15.8952, 35.7643), abs=1e-4)
    assert (hip.damping, knee.damping) == pytest.approx((1.01192, 2.27683), abs=1e-5)
    assert (hip.action_scale, knee.action_scale) == pytest.approx((0.372753, 0.248502), abs=1e-6)
    assert go1.motor_of("FL_hip_joint") is hip
    with pytest.raises(ValueError, match="'FR_knee_joint' is not one of the Go1's: FR_hip_joint"):
        go1.motor_of("FR_knee_joint")


def test_the_network_of_the_motors_is_isaac_labs() -> None:
    from isaaclab_assets.robots.unitree import GO1_ACTUATOR_CFG as THEIRS

    def by_joint(limits: dict[str, float]) -> list[float]:
        """The limit of each joint, whatever the patterns."""
        return [next(v for k, v in limits.items() if re.fullmatch(k, joint)) for joint in go1.JOINT_NAMES]

    ours = go1.ACTUATOR_NET_CFG
    for name in ("network_file", "pos_scale", "vel_scale", "torque_scale", "input_order", "input_idx"):
        assert getattr(ours, name) == getattr(THEIRS, name), name
    for name in ("actuator_effort_limit", "actuator_velocity_limit", "saturation_effort"):
        assert by_joint(getattr(ours, name)) == by_joint(getattr(THEIRS, name)), name


def test_default_pose_stands_on_its_feet(model: Any) -> None:
    data = mujoco.MjData(model)
    angles = [go1.default_joint_pos(name) for name in go1.JOINT_NAMES]
    assert angles[:3] == [-0.1, 0.8, -1.5] and angles[9:] == [0.1, 1.0, -1.5]
    assert (model.jnt_range[1:, 0] < angles).all() and (angles < model.jnt_range[1:, 1]).all()
    data.qpos[:] = [0.0, 0.0, go1.DEFAULT_ROOT_HEIGHT, 1.0, 0.0, 0.0, 0.0, *angles]
    mujoco.mj_forward(model, data)
    feet = data.site_xpos[[model.site(leg).id for leg in ("FR", "FL", "RR", "RL")]]
    # A sole is 23 mm below its site; the robot drops by some centimetres.
    assert (feet[:, 2] > 0.023).all() and (feet[:, 2] < 0.12).all()
    assert feet[0, 1] < 0.0 < feet[1, 1] and feet[0, 0] > 0.0 > feet[2, 0]


"""
The simulator.
"""


@pytest.mark.slow
def test_joints_and_bodies_are_in_the_pinned_order(robot: dict) -> None:
    assert tuple(robot["joint_names"]) == go1.JOINT_NAMES
    assert tuple(robot["body_names"]) == go1.BODY_NAMES


@pytest.mark.slow
def test_poses_and_velocities_that_are_written_are_those_of_mujoco(probe: Callable, model: Any) -> None:
    state = probe(FLAT)["written"]["state"]
    poses, velocities = mujoco_state(model, state)
    assert (state["body_link_pose_w"][..., :3] - poses[..., :3]).norm(dim=-1).max() < 1e-4
    assert quat_error_magnitude(state["body_link_pose_w"][..., 3:], poses[..., 3:]).max() < 1e-3
    assert torch.allclose(state["body_link_vel_w"], velocities, atol=1e-3)


@pytest.mark.slow
def test_masses_and_limits(robot: dict, solver: dict, model: Any) -> None:
    expected = torch.tensor(model.body_mass[1:], dtype=torch.float)
    assert torch.allclose(robot["body_mass"], expected.expand(8, 13), rtol=1e-5)
    assert torch.allclose(solver["body_mass"], expected.expand(8, 13), rtol=1e-5)
    centers = torch.tensor(model.body_ipos[1:], dtype=torch.float)
    assert torch.allclose(solver["body_ipos"], centers.expand(8, 13, 3), atol=1e-6)
    limits = torch.tensor(model.jnt_range[1:], dtype=torch.float)
    assert torch.allclose(robot["joint_pos_limits"], limits.expand(8, 12, 2), atol=1e-5)
    assert torch.allclose(solver["jnt_range"], limits.expand(8, 12, 2), atol=1e-5)
    middle, half = limits.mean(dim=-1), (limits[:, 1] - limits[:, 0]) / 2
    soft = torch.stack([middle - 0.9 * half, middle + 0.9 * half], dim=-1)
    assert torch.allclose(robot["soft_joint_pos_limits"][0], soft, atol=1e-5)


@pytest.mark.slow
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
def test_motor_numbers_of_the_articulation(robot: dict, array: str, attribute: str) -> None:
    expected = torch.tensor([getattr(go1.motor_of(name), attribute) for name in go1.JOINT_NAMES])
    assert torch.allclose(robot[array], expected.expand(8, 12), rtol=1e-5)


@pytest.mark.slow
def test_motor_numbers_of_the_solver(solver: dict) -> None:
    for joint, name in enumerate(go1.JOINT_NAMES):
        motor, mine = go1.motor_of(name), solver["joint_of"] == joint
        # Newton gives each joint a position actuator and a velocity actuator; their sums are the gains.
        bias = solver["actuator_biasprm"][:, mine].sum(dim=1)
        assert np.allclose(bias[:, 1], -motor.stiffness, rtol=1e-5), name
        assert np.allclose(bias[:, 2], -motor.damping, rtol=1e-5), name
        assert np.allclose(solver["dof_armature"][:, joint], motor.armature, rtol=1e-5), name
        limit = [-motor.effort_limit, motor.effort_limit]
        assert np.allclose(solver["jnt_actfrcrange"][:, joint], limit), name
    assert not solver["dof_damping"].any() and not solver["dof_frictionloss"].any()


@pytest.mark.slow
def test_default_pose_and_scale_of_actions(probe: Callable, robot: dict) -> None:
    expected = torch.tensor([go1.default_joint_pos(name) for name in go1.JOINT_NAMES])
    assert torch.allclose(robot["default_joint_pos"], expected.expand(8, 12))
    assert torch.allclose(robot["default_root_pose"][:, 2], torch.tensor(0.4))
    scale = torch.tensor([go1.motor_of(name).action_scale for name in go1.JOINT_NAMES])
    assert torch.allclose(probe(FLAT)["actions"], scale.expand(8, 12), atol=1e-6)


@pytest.mark.slow
def test_it_stands_on_its_four_feet(probe: Callable) -> None:
    stood = probe(FLAT)["stood"]
    assert not stood["reset"].any()
    height = stood["state"]["root_link_pose_w"][:, 2]
    assert (height > 0.27).all() and (height < 0.34).all()
    # All of the weight, on the calves alone: 12.743448 kg times 9.81 m/s^2.
    feet = [stood["sensed"].index(name) for name in go1.FOOT_BODY_NAMES]
    forces = stood["forces"]
    assert np.allclose(forces[:, feet, 2].sum(dim=1), 125.01, rtol=0.02)
    others = [index for index in range(13) if index not in feet]
    assert forces[:, others].abs().max() < 1e-3
