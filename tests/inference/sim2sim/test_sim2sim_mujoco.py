# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robot in MuJoCo: its state against Isaac Lab's, its motors, and its steps through a clip."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isaac_tracking.inference.episode_film import FilmEpisode
from isaac_tracking.inference.policy_contract import PolicyContract, PolicyError, parse_contract
from isaac_tracking.inference.recording import CLIP_END
from isaac_tracking.inference.sim2sim.mujoco_robot import MujocoRobot
from isaac_tracking.inference.sim2sim.report import ClipResult, Summary
from isaac_tracking.inference.sim2sim.rollout import Sim2Sim
from isaac_tracking.inference.sim2sim.settings import Limits, Mismatch
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.errors import tracking_errors
from isaac_tracking.motion.quaternion import quat_apply
from isaac_tracking.motion.sources import load_clips
from isaac_tracking.robots import g1

LIMITS = Limits(end_effectors=g1.END_EFFECTOR_BODY_NAMES)


@pytest.fixture(scope="session")
def contract(contract_values) -> PolicyContract:
    return parse_contract(json.dumps(contract_values), "test")


@pytest.fixture(scope="session")
def stand() -> Clip:
    return load_clips(["stand"])[0]


def changed(values: dict[str, Any], **changes: Any) -> PolicyContract:
    return parse_contract(json.dumps(copy.deepcopy(values) | changes), "test")


def still(contract: PolicyContract):
    return lambda obs: np.zeros((1, contract.num_actions))


def test_state_is_that_of_isaac_lab(sim, contract, g1_robot):
    """Frames of velocities, order of quaternions, and whose velocity it is: all bodies, thrown and turning."""
    generator = torch.Generator().manual_seed(5)
    num = sim.env.num_envs
    pose = torch.cat([torch.randn(num, 3, generator=generator), torch.randn(num, 4, generator=generator)], dim=-1)
    pose[:, 3:] = torch.nn.functional.normalize(pose[:, 3:], dim=-1)
    velocity = torch.randn(num, 6, generator=generator)
    joint_vel = torch.randn(num, 29, generator=generator)
    sim.write(pose, velocity, sim.robot.data.default_joint_pos.torch.clone(), joint_vel)
    data, command = sim.robot.data, sim.command
    body_ids = command._body_ids
    ours = MujocoRobot(contract, g1_robot, Mismatch())
    for env in range(num):
        joint_pos = data.joint_pos.torch[env].numpy()
        root = [part.numpy() for part in (*pose[env].split([3, 4]), *velocity[env].split([3, 3]))]
        ours.place(root[0], root[1], root[2], root[3], joint_pos, joint_vel[env].numpy())
        theirs, their_vel = data.body_link_pose_w.torch[env][body_ids], data.body_link_vel_w.torch[env][body_ids]
        assert ours.body_pos_w == pytest.approx(theirs[:, :3].numpy(), abs=1e-5)
        sign = np.sign((ours.body_quat_w * theirs[:, 3:].numpy()).sum(-1, keepdims=True))
        assert sign * ours.body_quat_w == pytest.approx(theirs[:, 3:].numpy(), abs=1e-5)
        assert ours.body_lin_vel_w == pytest.approx(their_vel[:, :3].numpy(), abs=2e-5)
        assert ours.body_ang_vel_w == pytest.approx(their_vel[:, 3:].numpy(), abs=2e-5)
        seen = quat_apply(pose[env, 3:], data.root_lin_vel_b.torch[env])
        assert ours.root_com_vel_w == pytest.approx(seen.numpy(), abs=1e-5)
        # Were it the frame's origin instead of the centre of mass, it would be seen here.
        assert np.linalg.norm(ours.root_com_vel_w - ours.body_lin_vel_w[0]) > 1e-3


def test_motors_are_springs_with_dampers_armature_and_limits(contract, g1_robot):
    robot = MujocoRobot(contract, g1_robot, Mismatch(gain_scale=0.5))
    knee = contract.joint_names.index("left_knee_joint")
    motor = g1.motor_of("left_knee_joint")
    assert robot.model.dof_armature[robot._qvel[knee]] == pytest.approx(motor.armature)
    pose, speed = np.array(contract.default_joint_pos), np.zeros(29)
    speed[knee] = 2.0
    root = np.array([0.0, 0.0, 3.0]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3)
    for offset in (0.1, 10.0):
        robot.place(*root, pose, speed)
        robot.data.ctrl[robot._actuators] = pose + offset
        robot._mujoco.mj_forward(robot.model, robot.data)
        expected = 0.5 * (motor.stiffness * offset - motor.damping * 2.0)
        assert robot.torques[knee] == pytest.approx(min(expected, motor.effort_limit), rel=1e-6)


def test_mismatch_changes_mass_friction_and_delay(contract, g1_robot):
    robot = MujocoRobot(contract, g1_robot, Mismatch(friction=0.4, mass_scale=1.1, delay=3))
    assert robot.mass == pytest.approx(1.1 * g1.MASS, rel=1e-5)
    ground = robot.model.geom("ground").id
    friction = robot.model.geom_friction[:, 0]
    # MuJoCo takes the larger one of a pair.
    assert {max(value, friction[ground]) for value in np.delete(friction, ground)} == {0.4}
    pose = np.array(contract.default_joint_pos)
    root = np.array([0.0, 0.0, 3.0]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3)
    robot.place(*root, pose, np.zeros(29))
    commanded = []
    for target in (1.0, 2.0):
        for _ in range(4):
            robot.step(np.full(29, target), 1)
            commanded.append(float(robot.data.ctrl[robot._actuators[0]]))
    assert commanded == [pose[0]] * 3 + [1.0] * 4 + [2.0]


@pytest.mark.parametrize(
    "wrong", [{"friction": -1.0}, {"mass_scale": 0.0}, {"delay": -1}, {"gain_scale": 0.0}, {"friction": float("nan")}]
)
def test_mismatches_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("_", "-")):
        Mismatch(**wrong)


def test_limits_are_those_of_the_play_task():
    from isaac_tracking.tasks.tracking.config.g1.g1_tracking_env_cfg import G1TrackingPlayEnvCfg

    terms = G1TrackingPlayEnvCfg().terminations
    assert LIMITS.anchor_height == terms.anchor_height.params["threshold"]
    assert LIMITS.anchor_tilt == terms.anchor_tilt.params["threshold"]
    assert LIMITS.end_effector_height == terms.end_effector_height.params["threshold"]
    assert list(LIMITS.end_effectors) == terms.end_effector_height.params["body_names"]


def test_limits_name_the_termination(make_frame):
    reference = make_frame(num=1)
    upright = torch.zeros_like(reference.body_quat_w)
    upright[..., 3] = 1.0
    reference = reference._replace(body_quat_w=upright)
    limits = Limits(end_effectors=("shin",))

    def failure(height: tuple[float, float, float] = (0.0, 0.0, 0.0), lean: float = 0.0) -> str | None:
        pos = reference.body_pos_w + torch.tensor(height)[:, None] * torch.tensor([0.0, 0.0, 1.0])
        quat = upright.clone()
        quat[:, 0] = torch.tensor([np.sin(lean / 2), 0.0, 0.0, np.cos(lean / 2)])
        robot = reference._replace(body_pos_w=pos, body_quat_w=quat)
        return limits.failure(tracking_errors(reference, robot, 0), [2])

    assert failure() is None
    # 1 - cos: 0.8 is reached at 78.5 degrees.
    assert failure(lean=np.deg2rad(78.0)) is None and failure(lean=np.deg2rad(79.0)) == "anchor_tilt"
    assert failure((0.24, 0.0, 0.0)) is None and failure((0.26, 0.0, 0.0)) == "anchor_height"
    assert failure((0.0, 1.0, 0.24)) is None and failure((0.0, 0.0, -0.26)) == "end_effector_height"


def test_a_held_pose_follows_a_standing_clip_for_a_while_and_is_recorded(contract, g1_robot, stand):
    """Actions that ask for the reference hold the robot up; the order of a step is that of the task."""
    seen: list[np.ndarray] = []
    scale, default = np.array(contract.action.scale), np.array(contract.default_joint_pos)

    def policy(obs: np.ndarray) -> np.ndarray:
        seen.append(obs[0].copy())
        return ((obs[0, :29] - default) / scale)[None]

    world = Sim2Sim(contract, policy, g1_robot, [stand], LIMITS)
    recording = world.run(0)
    assert recording.steps >= 50 and recording.steps == len(seen) and recording.clip_steps == 300
    assert recording.reference.joint_pos[0].numpy() == pytest.approx(seen[0][:29], abs=1e-6)
    # It stands on frame 0 and sees frame 1.
    assert seen[0][:29] + 0 == pytest.approx(stand.joint_pos[1], abs=1e-6)
    assert seen[0][73:102] == pytest.approx(stand.joint_pos[0] - default, abs=1e-6)
    assert seen[0][131:160] == pytest.approx(0.0)
    assert seen[1][131:160] == pytest.approx(recording.actions[0].numpy(), abs=1e-6)
    assert recording.targets.numpy() == pytest.approx(recording.reference.joint_pos.numpy(), abs=1e-5)
    assert recording.contacts is not None and bool(recording.contacts[:40].all())
    result = ClipResult.of(recording, contract.anchor_body_name)
    errors = tracking_errors(recording.reference, recording.robot, contract.body_names.index("torso_link"))
    assert result.body_pos_error == pytest.approx(float(errors.body_pos.mean()))
    poses, references = FilmEpisode.of(recording, g1_robot).poses(g1_robot)
    assert poses.shape == references.shape == (recording.steps, 30, 7)
    # Bodies found again by forward kinematics are where MuJoCo had them.
    tracked = [g1.BODY_NAMES.index(name) for name in recording.body_names]
    assert poses[:, tracked, :3] == pytest.approx(recording.robot.body_pos_w.numpy(), abs=1e-4)


def test_a_fall_ends_the_clip_with_the_terms_name(contract, g1_robot, stand):
    recording = Sim2Sim(contract, lambda obs: np.full((1, 29), 3.0), g1_robot, [stand], LIMITS).run(0)
    assert recording.steps < recording.clip_steps
    assert recording.outcome in ("anchor_height", "anchor_tilt", "end_effector_height")


def test_actions_that_are_not_numbers_end_the_clip_at_once(contract, g1_robot, stand):
    recording = Sim2Sim(contract, lambda obs: np.full((1, 29), np.nan), g1_robot, [stand], LIMITS).run(0)
    assert (recording.steps, recording.outcome) == (1, "non_finite")
    assert all(bool(torch.isfinite(part).all()) for part in (*recording.robot, recording.targets, recording.torques))


def test_reference_actions_and_their_clip(contract_values, g1_robot, stand):
    action = contract_values["action"] | {"kind": "reference_joint_position", "offset": None}
    world = Sim2Sim(changed(contract_values, action=action), lambda obs: np.ones((1, 29)), g1_robot, [stand], LIMITS)
    recording = world.run(0)
    added = recording.targets - recording.reference.joint_pos
    assert added[0].numpy() == pytest.approx(np.array(action["scale"]), abs=1e-5)
    clipped = changed(contract_values, action=action | {"clip": [[-0.1, 0.1]] * 29})
    recording = Sim2Sim(clipped, lambda obs: np.ones((1, 29)), g1_robot, [stand], LIMITS).run(0)
    assert float(recording.targets.abs().max()) <= 0.1 + 1e-6


def test_joints_in_another_order_give_the_same_motion(contract_values, contract, g1_robot, stand):
    order = np.random.default_rng(0).permutation(29)
    per_joint = ("joint_names", "default_joint_pos", "joint_pos_limits", "soft_joint_pos_limits", "joint_stiffness",
                 "joint_damping", "joint_armature", "joint_effort_limits", "joint_velocity_limits")  # fmt: skip
    values = {name: [contract_values[name][i] for i in order] for name in per_joint}
    action = dict(contract_values["action"])
    action |= {name: [action[name][i] for i in order] for name in ("joint_names", "scale", "offset")}
    shuffled = changed(contract_values, **values, action=action)
    one = Sim2Sim(contract, still(contract), g1_robot, [stand], LIMITS).run(0)
    other = Sim2Sim(shuffled, still(contract), g1_robot, [stand], LIMITS).run(0)
    assert other.steps == one.steps
    assert other.robot.joint_pos[:20].numpy() == pytest.approx(one.robot.joint_pos[:20, order].numpy(), abs=1e-5)
    assert other.robot.body_pos_w[:20].numpy() == pytest.approx(one.robot.body_pos_w[:20].numpy(), abs=1e-5)


def test_summary_weighs_by_steps():
    results = [ClipResult("a", 10, 10, 0.01, 0.1, CLIP_END), ClipResult("b", 30, 50, 0.03, 0.2, "anchor_tilt")]
    summary = Summary.of(results)
    assert (summary.clips, summary.completed, summary.steps) == (2, 1, 40)
    assert summary.body_pos_error == pytest.approx(0.025) and summary.anchor_pos_error == pytest.approx(0.175)


def test_policies_and_clips_of_other_robots_are_refused(contract_values, contract, g1_robot, stand, make_clip):
    def refused(contract: PolicyContract, clips: list[Clip], error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            Sim2Sim(contract, still(contract), g1_robot, clips, LIMITS)

    refused(contract, [make_clip(robot="other")], ClipError, "'tiny' is of robot 'other'; expected 'unitree_g1'")
    refused(changed(contract_values, robot="other"), [stand], PolicyError, "of robot 'other'")
    refused(changed(contract_values, robot_mass=35.0), [stand], PolicyError, "35.000 kg, and g1.xml 33.341 kg")
    joints = ["tail_joint", *contract_values["joint_names"][1:]]
    action = contract_values["action"] | {"joint_names": joints}
    other = changed(contract_values, joint_names=joints, action=action)
    refused(other, [stand], PolicyError, "joint 'left_hip_pitch_joint' is one that only the robot's model has")
    refused(changed(contract_values, body_names=["pelvis", "torso_link"]), [stand], PolicyError, "end effector")
    terms = copy.deepcopy(contract_values["observations"])
    terms[0]["function"] = "camera"
    refused(changed(contract_values, observations=terms), [stand], PolicyError, "'camera', which is unknown here")


def test_isaac_lab_is_not_needed():
    """What a policy's file says is enough: nothing of the simulator that it was trained in is imported."""
    package = Path(__file__).parents[3] / "source" / "isaac_tracking"
    code = (
        "import sys, isaac_tracking.inference.sim2sim.rollout, isaac_tracking.inference.sim2sim.report;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'isaaclab', 'newton', 'warp'}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=package, capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.strip() == "[]"
