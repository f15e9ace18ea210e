# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Another rate: exact at the frames, smooth between them, and frames that were stored twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.processing import drop_repeats, repeat_count, resample
from isaac_tracking.motion.processing.resampling import _cubic, _turn
from isaac_tracking.motion.quaternion import quat_error_magnitude, quat_from_axis_angle
from isaac_tracking.motion.robot import Robot


def test_same_rate_is_the_same_clip(robot: Robot, shipped: Callable[[str], Clip]) -> None:
    clip = shipped("walk")
    assert resample(clip, robot, 50.0) is clip


@pytest.mark.parametrize("fps", [20.0, 29.88, 30.0, 60.0, 100.0, 120.0])
def test_frames_are_at_their_times_and_none_is_beyond_the_end(robot, shipped, fps: float) -> None:
    clip = shipped("walk")
    other = resample(clip, robot, fps)
    assert other.fps == fps
    assert other.num_frames == int(clip.duration * fps + 1e-6) + 1
    assert clip.duration - 1.0 / fps - 1e-6 <= other.duration <= clip.duration + 1e-6
    # At times that both rates have, the poses are the frames themselves.
    ours, theirs = (np.arange(n) / rate for n, rate in ((other.num_frames, fps), (clip.num_frames, clip.fps)))
    common = [(i, j) for i, t in enumerate(ours) for j in np.flatnonzero(np.abs(theirs - t) < 1e-9)]
    assert common[0] == (0, 0) and (fps == 29.88 or len(common) > 50)
    for i, j in common:
        assert np.abs(other.joint_pos[i] - clip.joint_pos[j]).max() < 1e-6
        assert np.abs(other.body_pos_w[i] - clip.body_pos_w[j]).max() < 2e-5


def test_bodies_agree_with_the_joints(robot, shipped) -> None:
    clip = resample(shipped("turn"), robot, 37.0)
    again = robot.clip("again", 37.0, clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos)
    assert np.abs(again.body_pos_w - clip.body_pos_w).max() < 1e-5


def test_quadratic_is_followed_exactly() -> None:
    """Catmull-Rom reproduces parabolas inside: x = t^2 at 1.5 is 2.25, where a straight line gives 2.5."""
    values = np.arange(5.0)[:, None] ** 2
    assert _cubic(values, np.array([1]), np.array([[0.5]]))[0, 0] == pytest.approx(2.25)


def test_constant_turning_is_followed_exactly() -> None:
    """At 0.4 rad a frame about an oblique axis, 1.3 frames are 0.52 rad."""
    axis = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64) / 3.0
    quats = quat_from_axis_angle(axis * 0.4 * torch.arange(5, dtype=torch.float64)[:, None]).numpy()
    found = _turn(quats, np.array([1]), np.array([[0.3]]))
    wanted = quat_from_axis_angle(axis * 0.52)
    assert float(quat_error_magnitude(torch.from_numpy(found[0]), wanted)) < 1e-9


def test_velocity_has_no_steps_at_the_frames(robot, shipped) -> None:
    """From 25 to 200 Hz: straight lines would change their slope at every eighth frame only, and by much."""
    coarse = resample(shipped("walk"), robot, 25.0)
    fine = resample(coarse, robot, 200.0)
    bend = np.abs(np.diff(fine.joint_pos.astype(np.float64), n=2, axis=0)).max(axis=1) * 200.0**2
    line = np.abs(np.diff(coarse.joint_pos.astype(np.float64), n=2, axis=0)).max() * 25.0 * 200.0
    assert bend.max() < 0.35 * line


def test_cubic_is_nearer_to_the_truth_than_lines(robot, shipped) -> None:
    """Every other frame of the walk left out and found again."""
    clip = shipped("walk")
    half = robot.clip("half", 25.0, clip.body_pos_w[::2, 0], clip.body_quat_w[::2, 0], clip.joint_pos[::2])
    frames = 2 * (half.num_frames - 1) + 1
    error = np.abs(resample(half, robot, 50.0).joint_pos[1::2] - clip.joint_pos[1:frames:2])
    line = np.abs(0.5 * (half.joint_pos[1:] + half.joint_pos[:-1]) - clip.joint_pos[1:frames:2])
    assert np.sqrt((error**2).mean()) < 0.5 * np.sqrt((line**2).mean())


def test_limits_are_not_overshot(robot: Robot, standing) -> None:
    """A knee that stops at its limit: the curve through 4 frames would go beyond it."""
    clip = standing(np.zeros(6), fps=25.0)
    joints = clip.joint_pos.copy()
    knee = robot.joint_names.index("left_knee_joint")
    limit = robot.joint_pos_limits[knee, 1]
    joints[:, knee] = limit - np.array([1.0, 0.5, 0.0, 0.0, 0.5, 1.0])
    clip = robot.clip("knee", 25.0, clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], joints)
    free = _cubic(joints[:, [knee]].astype(float), np.array([2]), np.array([[0.5]]))
    assert free[0, 0] > limit + 0.05
    assert resample(clip, robot, 100.0).joint_pos[:, knee].max() <= np.float32(limit)


def test_contacts_are_those_of_the_nearest_frame(robot, standing) -> None:
    states = np.array([[True], [False], [True]])
    clip = standing(np.zeros(3), fps=10.0, contact_names=("left_ankle_roll_link",), contacts=states)
    assert resample(clip, robot, 40.0).contacts[:, 0].tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf"), 0.01])
def test_impossible_rates_are_refused_in_one_line(robot, shipped, fps: float) -> None:
    with pytest.raises(ClipError, match="walk") as error:
        resample(shipped("walk"), robot, fps)
    assert "\n" not in str(error.value)


def test_history_says_it(robot, shipped) -> None:
    assert resample(shipped("stand"), robot, 30.0).history[-1] == "Resampled from 50 to 30 fps by cubic interpolation."


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(0, 5), st.integers(12, 40))
def test_repeats_are_found_whatever_their_count_and_phase(count: int, start: int, frames: int) -> None:
    rows = np.repeat(np.arange(frames)[:, None], count, axis=0)[start % count :]
    assert repeat_count(rows) == (count, -(start % count) % count)


def test_motion_with_pauses_is_not_repeated() -> None:
    rows = np.array([0, 0, 0, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 9])[:, None]
    assert repeat_count(rows)[0] == 1
    assert repeat_count(np.zeros((50, 3)))[0] == 1
    assert repeat_count(np.repeat(np.arange(4), 2)[:, None])[0] == 1, "too few to tell"


@pytest.mark.parametrize("cut", [0, 1])
def test_frames_stored_twice_are_halved(robot, shipped, cut: int) -> None:
    clip = shipped("walk")
    twice = [np.repeat(a, 2, axis=0)[cut:] for a in (clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos)]
    contacts = np.repeat(clip.contacts, 2, axis=0)[cut:]
    doubled = robot.clip("walk", 100.0, *twice, contact_names=clip.contact_names, contacts=contacts)
    single = drop_repeats(doubled, robot)
    assert single.fps == 50.0 and np.array_equal(single.joint_pos, clip.joint_pos)
    assert np.array_equal(single.contacts, clip.contacts)
    assert "stored 2 times" in single.history[-1] and drop_repeats(single, robot) is single
