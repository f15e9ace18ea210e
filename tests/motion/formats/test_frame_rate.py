# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The frame rate of files that do not state it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.motion.formats import ReadOptions, read_motions
from isaac_tracking.motion.formats.frame_rate import Pendulum, estimate_frame_rate, frame_rate_in_name
from isaac_tracking.motion.processing import resample

WALKING = ("walk", "walk_curve", "walk_back", "march", "turn", "side_step")


def parts(clip):
    arrays = clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos
    return [np.asarray(array, dtype=np.float64) for array in arrays]


@pytest.mark.parametrize("name", WALKING)
@pytest.mark.parametrize("fps", [25.0, 30.0, 50.0, 60.0, 100.0, 120.0])
def test_gravity_tells_the_rate_of_consistent_dynamics(name, fps, shipped, robot):
    """Our own walks were made with balance in mind: the sway over one foot gives the rate they are resampled to."""
    found = estimate_frame_rate(robot, *parts(resample(shipped(name), robot, fps)))
    assert found.fps == fps and found.sure and "sway over one foot" in found.sentence


def test_the_rate_by_gravity_is_a_measurement(shipped, robot):
    """Between the candidates as well: the same walk played at 42 fps is measured as 42 fps."""
    pendulum = Pendulum(robot, *parts(resample(shipped("walk"), robot, 42.0)))
    assert pendulum.frame_rate(42.0) == pytest.approx(42.0, rel=0.06)
    assert pendulum.correlation(42.0) > 0.9


@pytest.mark.parametrize("name", ["stand", "squat", "bow"])
def test_motions_that_do_not_tell_get_the_convention_and_say_so(name, shipped, robot):
    found = estimate_frame_rate(robot, *parts(shipped(name)))
    assert not found.sure and found.sentence.startswith("assumed") and "--fps decides" in found.sentence


def test_a_motion_that_stands_stock_still_gets_the_convention(robot):
    joint_pos = np.tile(np.array(robot.default_joint_pos), (60, 1))
    pos, quat = np.tile((0.0, 0.0, 0.76), (60, 1)), np.tile((0.0, 0.0, 0.0, 1.0), (60, 1))
    found = estimate_frame_rate(robot, pos, quat, joint_pos)
    assert found.fps == 30.0 and not found.sure


@pytest.mark.parametrize("frames", [2, 3, 9, 20])
def test_short_motions_get_some_answer(frames, shipped, robot):
    found = estimate_frame_rate(robot, *(array[:frames] for array in parts(shipped("walk"))))
    assert found.fps in (25.0, 30.0, 50.0, 60.0, 100.0, 120.0)


@pytest.mark.parametrize(
    ("path", "fps"),
    [
        ("walk_30fps.csv", 30.0),
        ("a/06_root_waypoints_qpos_wxyz_30fps.csv", 30.0),
        ("fps120_run.csv", 120.0),
        ("run-59.94 Hz.csv", 59.94),
        ("lafan_60fps/walk1.csv", 60.0),
        ("a_60fps/walk_30fps.csv", 30.0),
        ("x_30fps_to_50fps.csv", 50.0),
        ("walk.csv", None),
        ("take_30.csv", None),
        ("0fps.csv", None),
    ],
)
def test_names_may_state_it(path, fps):
    found = frame_rate_in_name(Path(path))
    assert (found.fps if found else None) == fps


def test_what_was_given_comes_first(robot, walk_rows, write_rows):
    path = write_rows(walk_rows, "walk_30fps.csv")
    assert read_motions(path, robot, ReadOptions(fps=50.0))[0].fps == 50.0
    assert read_motions(path, robot)[0].fps == 30.0
    clip = read_motions(write_rows(walk_rows, "walk.csv"), robot)[0]
    assert clip.fps == 50.0 and "rather than" in clip.history[-1]


def test_the_folder_that_one_is_in_may_state_it(tmp_path, monkeypatch):
    (tmp_path / "walks_60fps" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "walks_60fps")
    assert frame_rate_in_name(Path("x.csv")).fps == 60.0
    monkeypatch.chdir(tmp_path / "walks_60fps" / "deep")
    assert frame_rate_in_name(Path("../x.csv")).fps == 60.0
