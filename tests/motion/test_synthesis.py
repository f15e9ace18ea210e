# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The shipped clips are what the code makes, and what a robot on flat ground can follow."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.kinematics import KinematicTree, forward_kinematics
from isaac_tracking.motion.robot import Robot
from isaac_tracking.motion.synthesis import CLIP_NAMES, synthesize
from isaac_tracking.motion.synthesis.dynamics import GRAVITY, pendulum_com, support_margin, zero_moment_point
from isaac_tracking.motion.synthesis.plan import standing_plan
from isaac_tracking.motion.synthesis.profiles import bump, glide, hold, oscillation, ramp
from isaac_tracking.motion.synthesis.quality import ClipQuality, generalized_positions, measure
from isaac_tracking.motion.synthesis.robot import RobotModel
from isaac_tracking.robots import g1
from isaac_tracking.robots.mjcf import mjcf_path

STEPPING = ("march", "walk", "walk_slow", "walk_back", "walk_curve", "side_step", "turn", "lunge")
SPEED_LIMITS = {name: g1.motor_of(name).velocity_limit for name in g1.JOINT_NAMES}


@pytest.fixture(scope="module")
def robot() -> Robot:
    return Robot(
        name="unitree_g1",
        mjcf=mjcf_path(*g1.MODEL),
        joint_names=g1.JOINT_NAMES,
        body_names=g1.BODY_NAMES,
        default_joint_pos=tuple(g1.default_joint_pos(name) for name in g1.JOINT_NAMES),
        foot_body_names=g1.FOOT_BODY_NAMES,
    )


@pytest.fixture(scope="module")
def model(robot: Robot) -> RobotModel:
    return RobotModel(robot)


@pytest.fixture(scope="module")
def tree(robot: Robot) -> KinematicTree:
    return KinematicTree.from_mjcf(robot.mjcf)


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    return {name: Clip.load(path) for name, path in shipped_clips().items()}


@pytest.fixture(scope="module")
def qualities(clips: dict[str, Clip], model: RobotModel) -> dict[str, ClipQuality]:
    return {name: measure(clip, model, SPEED_LIMITS) for name, clip in clips.items()}


def test_every_recipe_is_shipped() -> None:
    assert sorted(shipped_clips()) == sorted(CLIP_NAMES)
    assert len(CLIP_NAMES) >= 10
    assert sum(path.stat().st_size for path in shipped_clips().values()) < 4e6


@pytest.mark.parametrize("name", ["stand", "squat", "walk"])
def test_recipe_makes_the_shipped_clip(name: str, robot: Robot, clips: dict[str, Clip]) -> None:
    made, shipped = synthesize(name, robot), clips[name]
    assert np.abs(made.joint_pos - shipped.joint_pos).max() < 1e-3
    assert np.abs(made.body_pos_w - shipped.body_pos_w).max() < 1e-3
    assert np.abs(made.body_quat_w - shipped.body_quat_w).max() < 1e-3
    assert np.array_equal(made.contacts, shipped.contacts)


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_clip_says_what_it_is(name: str, clips: dict[str, Clip]) -> None:
    clip = clips[name]
    assert (clip.name, clip.fps, clip.robot) == (name, 50.0, "unitree_g1")
    assert (clip.source, clip.license) == ("isaac_tracking.motion.synthesis", "BSD-3-Clause")
    assert clip.joint_names == g1.JOINT_NAMES
    assert clip.body_names == g1.BODY_NAMES
    assert clip.contact_names == g1.FOOT_BODY_NAMES
    assert 6.0 <= clip.duration <= 12.0


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_planted_feet_neither_slide_nor_sink_nor_hover(name: str, qualities: dict[str, ClipQuality]) -> None:
    quality = qualities[name]
    assert quality.slide < 0.02
    assert quality.sink < 0.01
    assert quality.hover < 0.01


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_balance(name: str, qualities: dict[str, ClipQuality]) -> None:
    quality = qualities[name]
    # A sole is 5 cm wide, so that 2.5 cm is the most there is on one foot.
    assert quality.balance > 0.015
    assert quality.friction < 0.4
    if name not in STEPPING:
        assert quality.com_balance > 0.04


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_joints_stay_within_what_they_can(name: str, qualities: dict[str, ClipQuality]) -> None:
    quality = qualities[name]
    # The soft limits of the training leave out a twentieth of the range at each end.
    assert quality.joint_limit > 0.05
    assert quality.joint_speed < 0.5
    assert quality.self_contact < 0.005


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_begins_and_ends_at_rest_in_the_default_pose(
    name: str, clips: dict[str, Clip], qualities: dict[str, ClipQuality]
) -> None:
    clip = clips[name]
    default = np.array([g1.default_joint_pos(joint) for joint in g1.JOINT_NAMES])
    assert np.abs(clip.joint_pos[[0, -1]] - default).max() < 0.02
    assert abs(clip.body_pos_w[0, 0, 2] - g1.DEFAULT_ROOT_HEIGHT) < 0.01
    assert np.abs(clip.body_pos_w[0, 0, :2]).max() < 0.01
    assert clip.contacts[[0, -1]].all()
    assert qualities[name].end_speed < 0.01


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_bodies_are_where_the_joints_put_them(name: str, clips: dict[str, Clip], tree: KinematicTree) -> None:
    clip = clips[name]
    pos, quat = map(torch.tensor, (clip.body_pos_w, clip.body_quat_w))
    made, _ = forward_kinematics(tree, pos[:, 0], quat[:, 0], torch.tensor(clip.joint_pos))
    assert (made - pos).abs().max() < 1e-4


def test_walk_walks(clips: dict[str, Clip]) -> None:
    clip = clips["walk"]
    frames = np.flatnonzero(~clip.contacts.all(axis=1))
    time = (frames[-1] - frames[0]) / clip.fps
    distance = clip.body_pos_w[frames[-1], 0, 0] - clip.body_pos_w[frames[0], 0, 0]
    assert time > 4.0
    assert distance / time > 0.5
    assert abs(clip.body_pos_w[-1, 0, 1]) < 0.01
    left, right = clip.contacts.T
    steps = [np.flatnonzero(np.diff(foot.astype(int)) == -1) for foot in (left, right)]
    assert len(steps[0]) + len(steps[1]) == 11
    assert (left | right).all()
    ankle = clip.body_pos_w[:, clip.body_indices(g1.FOOT_BODY_NAMES), 2]
    assert ankle.max() > 0.09


@pytest.mark.parametrize(("name", "yaw"), [("turn", np.pi), ("walk_curve", 0.5 * np.pi)])
def test_turns_turn(name: str, yaw: float, clips: dict[str, Clip]) -> None:
    x, y, z, w = clips[name].body_quat_w[-1, 0]
    assert abs(abs(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))) - yaw) < 0.01


def test_quality_sees_faults(clips: dict[str, Clip], model: RobotModel) -> None:
    clip = clips["stand"]
    frames = clip.num_frames

    def altered(joint_pos: np.ndarray, shift: np.ndarray) -> ClipQuality:
        fields = {name: getattr(clip, name) for name in clip.__dataclass_fields__}
        pos = clip.body_pos_w + shift[:, None]
        return measure(Clip(**(fields | {"joint_pos": joint_pos, "body_pos_w": pos})), model, SPEED_LIMITS)

    still, ramp_x = np.zeros((frames, 3)), np.zeros((frames, 3))
    ramp_x[:, 0] = 0.1 * np.arange(frames) / clip.fps
    assert abs(altered(clip.joint_pos, ramp_x).slide - 0.1) < 1e-3
    up = np.full((frames, 3), [0.0, 0.0, 0.03])
    assert abs(altered(clip.joint_pos, -up).sink - 0.03) < 1e-4
    assert abs(altered(clip.joint_pos, up).hover - 0.03) < 1e-4
    arm_in = clip.joint_pos.copy()
    arm_in[:, clip.joint_indices(["left_shoulder_roll_joint"])] = -0.6
    assert altered(arm_in, still).self_contact > 0.02
    leaning = clip.joint_pos.copy()
    leaning[:, clip.joint_indices(["waist_roll_joint"])] = 0.6
    assert altered(leaning, still).joint_limit < 0.0
    jump = clip.joint_pos.copy()
    jump[100:, clip.joint_indices(["left_elbow_joint"])] += 1.0
    assert abs(altered(jump, still).joint_speed - 50.0 / 37.0) < 0.01
    assert altered(jump, still).balance < 0.0


def test_zero_moment_point_of_a_body_at_rest_is_below_its_centre_of_mass(model: RobotModel) -> None:
    zmp, force = zero_moment_point(model, np.tile(model.default_qpos, (3, 1)), 50.0)
    assert np.allclose(zmp, model.default_com[:2], atol=1e-9)
    assert np.allclose(force, [0.0, 0.0, g1.MASS * GRAVITY], atol=1e-6)


def test_zero_moment_point_of_a_body_pushed_as_a_whole(model: RobotModel) -> None:
    fps, acceleration = 50.0, 0.5
    qpos = np.tile(model.default_qpos, (41, 1))
    qpos[:, 0] += 0.5 * acceleration * (np.arange(41) / fps) ** 2
    zmp, force = zero_moment_point(model, qpos, fps)
    com = model.default_com[0] + qpos[20, 0] - qpos[0, 0]
    # A rigid body that accelerates: x - z a / g.
    assert abs(zmp[20, 0] - (com - model.default_com[2] * acceleration / GRAVITY)) < 1e-6
    assert abs(force[20, 0] - g1.MASS * acceleration) < 1e-6


def test_pendulum_obeys_its_equation_and_rests_at_both_ends() -> None:
    fps, height = 50.0, 0.7
    time = np.arange(301) / fps
    wanted = np.stack((0.1 * ramp(time, 2.0, 2.5), 0.05 * hold(time, 1.0, 1.3, 3.0, 3.4)), axis=1)
    com, zmp = pendulum_com(wanted, height, fps)
    acceleration = (com[2:] - 2 * com[1:-1] + com[:-2]) * fps**2
    assert np.allclose(com[1:-1] - height / GRAVITY * acceleration, zmp[1:-1], atol=1e-9)
    assert np.allclose(com[[0, -1]], wanted[[0, -1]], atol=1e-12)
    assert np.allclose(com[[1, -2]], com[[0, -1]], atol=1e-12)
    assert np.allclose(zmp[31:270], wanted[31:270])


def test_support_margin_by_hand() -> None:
    square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [1.0, 1.0], [1.0, 0.0]])
    assert support_margin(np.array([1.0, 0.75]), square) == pytest.approx(0.75)
    assert support_margin(np.array([2.5, 1.0]), square) == pytest.approx(-0.5)


def test_profiles_by_hand() -> None:
    t = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    assert np.allclose(ramp(t, 0.0, 1.0), [0, 0, 0.5, 1, 1])
    assert np.allclose(glide(t, 0.0, 1.0), [0, 0, 0.5, 1, 1])
    assert np.allclose(bump(t, 0.0, 1.0), [0, 0, 1, 0, 0])
    assert np.allclose(hold(t, 0.0, 0.25, 0.75, 1.0), [0, 0, 1, 0, 0])
    assert np.allclose(oscillation(np.array([0.0, 0.25, 0.5, 1.0]), 0.0, 1.0, 1.0, 0.25), [0, 1, 0, 0], atol=1e-12)


def test_profiles_have_continuous_acceleration() -> None:
    t = np.linspace(-0.2, 1.2, 14001)
    for profile in (ramp(t, 0.0, 1.0), glide(t, 0.0, 1.0), bump(t, 0.0, 1.0)):
        acceleration = np.diff(profile, 2) / (t[1] - t[0]) ** 2
        assert np.abs(np.diff(acceleration)).max() < 0.05
        assert abs(acceleration[0]) < 1e-3


def test_unknown_names_are_refused(robot: Robot, model: RobotModel) -> None:
    with pytest.raises(ValueError, match=r"motion 'fly' is unknown; choices are stand, squat"):
        synthesize("fly", robot)
    plan = standing_plan(model, 1.0, 50.0)
    with pytest.raises(ValueError, match="'left_wing_joint' is not one of the robot's"):
        plan.add("left_wing", np.zeros(51))


def test_generalized_positions_round_trip(clips: dict[str, Clip], model: RobotModel) -> None:
    clip = clips["turn"]
    qpos = generalized_positions(clip, model)
    model.set(qpos[300])
    assert np.abs(model.data.xpos[model.body_ids] - clip.body_pos_w[300]).max() < 1e-5
