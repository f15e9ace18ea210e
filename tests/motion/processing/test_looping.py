# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Cycles: closed at the seam, carried on over the ground, and refused where the ends do not meet."""

from __future__ import annotations

import re

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.processing import find_cycle, loop, trim
from isaac_tracking.motion.processing.poses import Poses, poses_of, with_poses, yaw_of, yaw_turn


def test_standing_motion_is_repeated(robot, shipped) -> None:
    clip = shipped("squat")
    thrice = loop(clip, robot, 3)
    steps = clip.num_frames - 1
    assert thrice.num_frames == 3 * steps + 1
    for cycle in range(3):
        assert np.abs(thrice.joint_pos[cycle * steps : (cycle + 1) * steps + 1] - clip.joint_pos).max() < 2e-3
    assert np.array_equal(thrice.contacts[:steps], clip.contacts[:-1])
    assert "Repeated 3 times" in thrice.history[-1]


def test_place_and_heading_are_carried_on(robot, shipped) -> None:
    """A walk of 2.6 m in a curve: each cycle goes the same way, as seen from where it begins."""
    clip = shipped("walk_curve")
    steps = clip.num_frames - 1
    twice = loop(clip, robot, 2)
    first, second = poses_of(twice, robot)[: steps + 1], poses_of(twice, robot)[steps:]
    gain = yaw_of(clip.body_quat_w[-1, 0]) - yaw_of(clip.body_quat_w[0, 0])
    assert yaw_of(second.root_quat[-1]) == pytest.approx(yaw_of(first.root_quat[0]) + 2.0 * gain, abs=2e-3)

    def ahead(poses: Poses) -> np.ndarray:
        """Way from the first to the last frame, as seen in the first frame's heading."""
        yaw = yaw_of(poses.root_quat[0])
        x, y = poses.root_pos[-1, :2] - poses.root_pos[0, :2]
        return np.array([np.cos(yaw) * x + np.sin(yaw) * y, -np.sin(yaw) * x + np.cos(yaw) * y])

    assert np.linalg.norm(ahead(first)) > 1.0
    assert ahead(second) == pytest.approx(ahead(first), abs=5e-3)


def test_seam_has_no_step_in_pose_or_speed(robot, shipped) -> None:
    """A cycle from the middle of a walk, with errors of its own at the end."""
    walk = shipped("walk")
    start, end = 3.0, 3.0 + 1.32  # two steps of 0.52 s in the air and 0.14 s on both feet
    clip = trim(walk, start, end)
    assert np.abs(clip.joint_pos[-1] - clip.joint_pos[0]).max() < 0.3
    poses = poses_of(clip, robot)
    wrong = poses.joint_pos.copy()
    wrong[-10:, 20] += np.linspace(0.0, 0.1, 10)
    clip = with_poses(clip, robot, Poses(poses.root_pos, poses.root_quat, wrong), "bent")
    steps = clip.num_frames - 1
    long = loop(clip, robot, 4, blend=0.4)
    assert np.abs(long.joint_pos[0] - long.joint_pos[steps]).max() < 1e-6
    assert np.abs(long.joint_pos[0] - long.joint_pos[-1]).max() < 1e-6
    assert np.abs(long.body_pos_w[0, 0, 2] - long.body_pos_w[steps, 0, 2]) < 1e-6
    for values in (long.joint_pos, long.body_pos_w[:, 0]):
        speed = np.diff(values.astype(np.float64), axis=0) * 50.0
        jump = np.abs(speed[steps] - speed[steps - 1]).max()
        usual = np.abs(np.diff(speed[: steps - 25], axis=0)).max()
        assert jump < 1.1 * usual
    again = robot.clip("again", 50.0, long.body_pos_w[:, 0], long.body_quat_w[:, 0], long.joint_pos)
    assert np.abs(again.body_pos_w - long.body_pos_w).max() < 1e-4


def test_ends_that_differ_are_refused_with_the_amount_and_a_cycle(robot, shipped) -> None:
    clip = trim(shipped("squat"), 0.0, 2.2)
    with pytest.raises(ClipError, match=r"left_knee_joint|_joint by") as error:
        loop(clip, robot, 2)
    text = str(error.value)
    assert re.search(r"by \d\.\d+ rad \(at most 0.3\)", text) and "height of the base by 0.1" in text
    assert "\n" not in text


def test_suggested_cycle_can_be_looped(robot, shipped) -> None:
    clip = trim(shipped("walk"), 2.0, 5.3)
    found = find_cycle(clip, robot)
    assert found is not None
    cycle = trim(clip, *found)
    assert loop(cycle, robot, 3).num_frames == 3 * (cycle.num_frames - 1) + 1
    assert cycle.duration == pytest.approx(round(cycle.duration / 1.32) * 1.32, abs=0.1), "whole strides of 1.32 s"


def test_motion_that_never_comes_back_has_no_cycle(robot, standing) -> None:
    joints = np.tile(robot.default_joint_pos, (100, 1))
    joints[:, 15] += np.linspace(0.0, 3.0, 100)
    clip = standing(np.zeros(100))
    assert (
        find_cycle(with_poses(clip, robot, Poses(clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], joints), ""), robot)
        is None
    )


@pytest.mark.parametrize(("times", "blend"), [(0, 0.3), (-2, 0.3), (2, -1.0), (2, float("nan"))])
def test_impossible_numbers_are_refused(robot, shipped, times: int, blend: float) -> None:
    with pytest.raises(ClipError, match="cannot be repeated"):
        loop(shipped("squat"), robot, times, blend)


def test_once_is_the_same_clip(robot, shipped) -> None:
    clip = shipped("walk")
    assert loop(clip, robot, 1) is clip


def test_tilt_is_told_apart_from_heading(robot, standing) -> None:
    """Turned by 2 rad about the vertical is no difference; leaning by 0.3 rad is one."""
    clip = standing(np.zeros(20))
    quats = np.tile([0.0, 0.0, 0.0, 1.0], (20, 1))
    quats[-1] = yaw_turn(2.0)
    place = clip.body_pos_w[:, 0].astype(float)
    turned = with_poses(clip, robot, Poses(place, quats, clip.joint_pos.astype(float)), "")
    assert loop(turned, robot, 2).num_frames == 39
    quats[-1] = [0.0, np.sin(0.15), 0.0, np.cos(0.15)]
    leaning = with_poses(clip, robot, Poses(place, quats, clip.joint_pos.astype(float)), "")
    with pytest.raises(ClipError, match=r"tilt of the base by 0.30 rad"):
        loop(leaning, robot, 2)
