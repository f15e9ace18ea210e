# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Left and right exchanged: twice is nothing, and the mirrored joints give the mirrored bodies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.mirror import AXIAL_SIGNS, POLAR_SIGNS, QUATERNION_SIGNS, mirror, mirror_map, partners
from isaac_tracking.motion.quaternion import quat_apply, quat_error_magnitude, quat_from_axis_angle
from isaac_tracking.motion.robot import Robot


@pytest.fixture(scope="module")
def robot() -> Robot:
    return motion_robot()


def _random(robot: Robot, frames: int = 40, seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    low, high = robot.joint_pos_limits.T
    joints = low + rng.random((frames, 29)) * (high - low)
    return robot.clip("wild", 50.0, rng.normal(size=(frames, 3)), rng.normal(size=(frames, 4)), joints)


def test_signs_are_those_of_the_peers(robot: Robot) -> None:
    """Minus on every roll and yaw joint, plus on pitch, knee and elbow (wbc-mjlab, robots/g1/symmetry.py)."""
    for name, sign in zip(robot.joint_names, mirror_map(robot).joint_signs, strict=True):
        assert sign == (-1.0 if "roll" in name or "yaw" in name else 1.0), name


def test_partners_are_the_other_side(robot: Robot) -> None:
    table = mirror_map(robot)
    for names, order in ((robot.joint_names, table.joint_permutation), (robot.body_names, table.body_permutation)):
        for name, other in zip(names, order, strict=True):
            swapped = name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
            assert names[other] == swapped
            assert (names[other] == name) == ("left" not in name and "right" not in name)


def test_mirrored_twice_is_the_motion(robot: Robot) -> None:
    clip = _random(robot)
    twin = mirror(clip, robot)
    back = mirror(twin, robot)
    assert np.array_equal(back.joint_pos, clip.joint_pos)
    assert np.abs(back.body_pos_w - clip.body_pos_w).max() < 1e-6
    angle = quat_error_magnitude(torch.tensor(back.body_quat_w), torch.tensor(clip.body_quat_w))
    assert float(angle.max()) < 1e-5
    assert (twin.name, back.name) == ("wild_mirrored", "wild")
    assert np.abs(twin.joint_pos - clip.joint_pos).max() > 1.0


def test_signs_of_vectors_are_involutions_of_a_reflection() -> None:
    """The image of a rotated vector is the image of the vector, rotated by the image of the rotation."""
    generator = torch.Generator().manual_seed(0)
    turn, vector = (torch.randn(50, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    quat = quat_from_axis_angle(turn)
    polar, axial, sign = (torch.tensor(s, dtype=torch.float64) for s in (POLAR_SIGNS, AXIAL_SIGNS, QUATERNION_SIGNS))
    image = quat_apply(quat * sign, vector * polar)
    assert (image - quat_apply(quat, vector) * polar).abs().max() < 1e-12
    assert (quat_from_axis_angle(turn * axial) - quat * sign).abs().max() < 1e-12


@pytest.mark.parametrize("seed", [0, 1])
def test_mirrored_joints_give_mirrored_bodies(robot: Robot, seed: int) -> None:
    """The model's sides differ by 0.01 mm at the shoulders; in wild poses that is all that is left."""
    clip = _random(robot, seed=seed)
    twin = mirror(clip, robot)
    order = list(mirror_map(robot).body_permutation)
    assert np.abs(twin.body_pos_w - clip.body_pos_w[:, order] * np.float32(POLAR_SIGNS)).max() < 5e-5
    image = torch.from_numpy(clip.body_quat_w[:, order] * np.float32(QUATERNION_SIGNS))
    assert float(quat_error_magnitude(torch.tensor(twin.body_quat_w), image).max()) < 1e-3


def test_a_step_to_the_left_becomes_one_to_the_right(robot: Robot) -> None:
    clip = Clip.load(shipped_clips()["side_step"])
    twin = mirror(clip, robot)
    assert twin.body_pos_w[:, 0, 1] == pytest.approx(-clip.body_pos_w[:, 0, 1], abs=1e-6)
    assert twin.body_pos_w[:, 0, 0] == pytest.approx(clip.body_pos_w[:, 0, 0], abs=1e-6)
    assert np.array_equal(twin.contacts, clip.contacts[:, ::-1]) and not np.array_equal(twin.contacts, clip.contacts)
    knees = [robot.joint_names.index(f"{side}_knee_joint") for side in ("left", "right")]
    assert np.array_equal(twin.joint_pos[:, knees], clip.joint_pos[:, knees[::-1]])


def test_a_missing_side_is_named() -> None:
    with pytest.raises(ValueError, match="'left_hip' has no counterpart 'right_hip'"):
        partners(("waist", "left_hip"))
    assert partners(("waist", "r_hip", "l_hip")) == (0, 2, 1)


def test_a_crooked_robot_has_no_mirror_image(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from isaac_tracking.motion import mirror as module

    axes = robot.tree.axes.clone()
    axes[robot.joint_names.index("left_knee_joint")] = torch.tensor([0.6, 0.8, 0.0])
    with pytest.raises(
        ValueError, match=r"'left_knee_joint' is not the mirror image of 'right_knee_joint': .* degrees"
    ):
        module._signs(replace(robot.tree, axes=axes), partners(robot.joint_names))
