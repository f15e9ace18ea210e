# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Forward kinematics and velocities against hand-computed values and MuJoCo."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from isaac_tracking.motion.kinematics import KinematicTree, forward_kinematics, joint_velocities, velocities
from isaac_tracking.motion.quaternion import quat_error_magnitude, quat_from_axis_angle, quat_mul
from isaac_tracking.robots.mjcf import mjcf_path

ARM = """
<mujoco>
  <worldbody>
    <geom type="plane" size="1 1 1"/>
    <body name="base"><freejoint/><geom size="0.1"/>
      <body name="upper" pos="0 0 1"><joint name="shoulder" axis="0 1 0"/><geom size="0.1"/>
        <body name="lower" pos="2 0 0"><joint name="elbow" axis="0 0 1" pos="-1 0 0"/><geom size="0.1"/></body>
        <body name="tool" pos="0 0 3" quat="0.7071067811865476 0 0 0.7071067811865476"><geom size="0.1"/></body>
      </body>
    </body>
    <body name="ball" pos="5 0 0"><freejoint/><geom size="0.1"/></body>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def arm(tmp_path: Path) -> KinematicTree:
    path = tmp_path / "arm.xml"
    path.write_text(ARM)
    return KinematicTree.from_mjcf(path)


@pytest.fixture(scope="module")
def g1() -> KinematicTree:
    return KinematicTree.from_mjcf(mjcf_path("unitree_g1", "g1.xml"))


def test_tree_holds_the_robot_alone(arm: KinematicTree) -> None:
    assert arm.body_names == ("base", "upper", "lower", "tool")
    assert arm.joint_names == ("shoulder", "elbow")
    assert arm.parents == (-1, 0, 1, 1)
    assert arm.joint_of_body == (-1, 0, 1, -1)
    assert arm.levels() == [[1], [2, 3]]


def test_forward_kinematics_by_hand(arm: KinematicTree) -> None:
    root_quat = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).repeat(2, 1)
    joints = torch.tensor([[math.pi / 2, 0.0], [0.0, math.pi / 2]])
    pos, quat = forward_kinematics(arm, torch.tensor([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]]), root_quat, joints)
    # A quarter turn about y takes x to -z and z to x.
    assert torch.allclose(pos[0], torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 0, -1], [3, 0, 1]]), atol=1e-6)
    # The elbow's axis lies 1 m before the body's origin, which so swings around to the side.
    assert torch.allclose(pos[1, 2], torch.tensor([11.0, 1.0, 1.0]), atol=1e-6)
    half = math.sqrt(0.5)
    assert torch.allclose(quat[1, 2], torch.tensor([0.0, 0.0, half, half]), atol=1e-6)
    assert torch.allclose(quat[1, 3], torch.tensor([0.0, 0.0, half, half]), atol=1e-6)


def test_forward_kinematics_refuses_other_joints(arm: KinematicTree) -> None:
    with pytest.raises(ValueError, match=r"has 3 joints; the tree has 2"):
        forward_kinematics(arm, torch.zeros(1, 3), torch.zeros(1, 4), torch.zeros(1, 3))


def test_forward_kinematics_is_mujocos(g1: KinematicTree) -> None:
    import mujoco

    model = mujoco.MjModel.from_xml_path(str(mjcf_path("unitree_g1", "g1.xml")))
    data = mujoco.MjData(model)
    qpos = np.random.default_rng(0).uniform(-1.0, 1.0, (20, model.nq))
    qpos[:, 3:7] /= np.linalg.norm(qpos[:, 3:7], axis=1, keepdims=True)
    q = torch.tensor(qpos)
    pos, quat = forward_kinematics(g1.to(dtype=torch.float64), q[:, :3], q[:, [4, 5, 6, 3]], q[:, 7:])
    for i in range(len(qpos)):
        data.qpos[:] = qpos[i]
        mujoco.mj_kinematics(model, data)
        # The model is read in single precision.
        assert np.abs(pos[i].numpy() - data.xpos[1:]).max() < 1e-6
        assert quat_error_magnitude(quat[i], torch.tensor(data.xquat[1:][:, [1, 2, 3, 0]])).max() < 1e-6


def test_tree_needs_a_floating_base_and_hinges(tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.xml"
    fixed.write_text('<mujoco><worldbody><body name="b"><joint/><geom size="1"/></body></worldbody></mujoco>')
    with pytest.raises(ValueError, match="no free joint"):
        KinematicTree.from_mjcf(fixed)
    slider = tmp_path / "slider.xml"
    slider.write_text(ARM.replace('axis="0 1 0"', 'axis="0 1 0" type="slide"'))
    with pytest.raises(ValueError, match="'upper' must have one hinge or none"):
        KinematicTree.from_mjcf(slider)


def test_velocities_of_uniform_motion() -> None:
    fps, frames = 50.0, 20
    time = torch.arange(frames) / fps
    velocity, spin = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.3, 4.0, -2.0])
    start = quat_from_axis_angle(torch.tensor([0.5, 0.5, 0.0]))
    pos = (time[:, None] * velocity)[:, None]
    # World-frame angular velocity multiplies from the left.
    quat = quat_mul(quat_from_axis_angle(time[:, None] * spin), start)[:, None]
    # The two quaternions of a rotation may alternate in a recording.
    quat[::3] *= -1.0
    lin, ang = velocities(pos, quat, fps)
    assert torch.allclose(lin, velocity.expand(frames, 1, 3), atol=1e-4)
    assert torch.allclose(ang, spin.expand(frames, 1, 3), atol=1e-3)


def test_velocities_are_central_with_one_sided_ends() -> None:
    x = torch.tensor([0.0, 1.0, 4.0, 9.0])
    assert torch.equal(joint_velocities(x, 10.0), torch.tensor([10.0, 20.0, 40.0, 50.0]))


def test_integrating_velocities_gives_the_poses_back() -> None:
    fps = 100.0
    time = torch.arange(301, dtype=torch.float64) / fps
    swing = torch.stack((torch.sin(3 * time), 0.5 * torch.cos(2 * time), 0.2 * time), dim=-1)
    quat = quat_mul(quat_from_axis_angle(swing), quat_from_axis_angle(swing.flip(-1)))
    lin, ang = velocities(swing, quat, fps)
    moved, turned = swing[0], quat[0]
    for i in range(len(time) - 1):
        moved = moved + 0.5 * (lin[i] + lin[i + 1]) / fps
        turned = quat_mul(quat_from_axis_angle(0.5 * (ang[i] + ang[i + 1]) / fps), turned)
    assert (moved - swing[-1]).abs().max() < 1e-3
    assert quat_error_magnitude(turned, quat[-1]) < 2e-3


def test_one_frame_has_no_velocity() -> None:
    with pytest.raises(ValueError, match="at least 2 frames"):
        joint_velocities(torch.zeros(1, 3), 50.0)
