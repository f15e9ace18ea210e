# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is written of an episode is read again to the last bit, and what is no episode is refused in a line."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isaac_tracking.inference.metrics import JointLimits, measure
from isaac_tracking.inference.recording import Recording
from isaac_tracking.inference.trajectory import is_trajectory, load_trajectory, played_clip, save_trajectory
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.robot import Robot


@pytest.fixture(scope="module")
def robot() -> Robot:
    return motion_robot()


def assert_equal(mine: Recording, other: Recording) -> None:
    for field in dataclasses.fields(Recording):
        a, b = getattr(mine, field.name), getattr(other, field.name)
        pairs = zip(a, b, strict=True) if field.name in ("robot", "reference") else [(a, b)]
        for x, y in pairs:
            assert torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y, field.name


def test_an_episode_is_read_as_it_was(make_recording, robot, tmp_path):
    recording = make_recording(steps=30)
    save_trajectory(recording, tmp_path / "walk.npz", robot)
    loaded = load_trajectory(tmp_path / "walk.npz", robot)
    assert_equal(loaded, recording)
    limits = JointLimits(torch.tensor(robot.joint_effort_limits), torch.tensor(robot.joint_speed_limits))
    metrics = measure(loaded, limits)
    assert metrics == measure(recording, limits) and None not in metrics.values()
    assert is_trajectory(tmp_path / "walk.npz") and not is_trajectory(shipped_clips()["walk"])


def test_an_episode_without_contacts_and_labels_is_read_too(make_recording, robot, tmp_path):
    recording = make_recording(contacts=None, feet_names=(), reference_contacts=None, outcome="clip_end", start=3)
    save_trajectory(recording, tmp_path / "walk.npz", robot)
    assert_equal(load_trajectory(tmp_path / "walk.npz", robot), recording)


def test_joints_in_another_order_come_back_in_the_robots(make_recording, robot, tmp_path):
    recording = make_recording()
    turned = torch.arange(28, -1, -1)
    others = {name: getattr(recording, name)[:, turned] for name in ("targets", "torques")}
    for name in ("robot", "reference"):
        frame = getattr(recording, name)
        others[name] = frame._replace(joint_pos=frame.joint_pos[:, turned], joint_vel=frame.joint_vel[:, turned])
    save_trajectory(
        dataclasses.replace(recording, joint_names=robot.joint_names[::-1], **others), tmp_path / "a.npz", robot
    )
    assert_equal(load_trajectory(tmp_path / "a.npz", robot), recording)


def test_every_third_instant_is_an_episode_at_a_third_of_the_rate(make_recording, robot, tmp_path):
    recording = make_recording(steps=20, clip_steps=20, outcome="clip_end")
    save_trajectory(recording, tmp_path / "walk.npz", robot, every=3)
    loaded = load_trajectory(tmp_path / "walk.npz", robot)
    # Instants 0, 3, ..., 18.
    assert (loaded.steps, loaded.clip_steps, loaded.start) == (7, 7, 0) and loaded.rate == pytest.approx(50 / 3)
    assert torch.equal(loaded.robot.body_pos_w, recording.robot.body_pos_w[::3])
    assert torch.equal(loaded.torques, recording.torques[::3]) and loaded.contacts is not None
    assert torch.equal(loaded.contacts, recording.contacts[::3])


def test_a_state_that_was_not_finite_does_not_spoil_the_file(make_recording, robot, tmp_path):
    recording = make_recording(outcome="non_finite")
    broken = recording.robot._replace(body_quat_w=recording.robot.body_quat_w.clone())
    broken.body_quat_w[-1] = 0.0
    recording = dataclasses.replace(recording, robot=broken)
    save_trajectory(recording, tmp_path / "walk.npz", robot)
    assert_equal(load_trajectory(tmp_path / "walk.npz", robot), recording)
    assert played_clip(recording, robot).body_quat_w[-1, 0].tolist() == [0.0, 0.0, 0.0, 1.0]


def rewritten(path: Path, drop: str = "", **changes: Any) -> None:
    with np.load(path) as file:
        content = {name: file[name] for name in file.files if name != drop}
    np.savez(path, **(content | changes))


def refused(path: Path, robot: Robot, message: str) -> None:
    with pytest.raises(ClipError, match=re.escape(message)) as caught:
        load_trajectory(path, robot)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)


def test_files_that_are_no_trajectories_are_refused(make_recording, robot, tmp_path):
    path = tmp_path / "it.npz"
    refused(path, robot, "does not exist")
    path.write_bytes(b"no zip")
    refused(path, robot, "not an npz")
    Clip.load(shipped_clips()["walk"]).save(path)
    refused(path, robot, "is a clip, no trajectory; expected a file of 'evaluate.py --trajectories'; look at a clip")
    refused(path, robot, "'motions.py view'")
    whole = tmp_path / "whole.npz"
    save_trajectory(make_recording(), whole, robot)
    path.write_bytes(whole.read_bytes()[:-4000])
    refused(path, robot, "not an npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop": "clip_steps"}, "lacks clip_steps; it is of another version"),
        ({"torques": np.zeros((20, 5), np.float32)}, "torques has shape (20, 5), not numbers of shape (20, 29)"),
        ({"targets": np.full((20, 29), np.nan, np.float32)}, "targets is not finite"),
        ({"actions": np.zeros(3, np.float32)}, "actions has shape (3,)"),
        ({"every": np.array(2)}, "which do not go together"),
        ({"every": np.array("two")}, "every is <U3"),
        ({"tracked_names": np.array(["pelvis"])}, "lacks its root or its feet"),
        ({"outcome": np.array(None)}, "is damaged (Object arrays cannot be loaded"),
    ],
)
def test_trajectories_that_were_changed_are_refused(changes, message, make_recording, robot, tmp_path):
    path = tmp_path / "it.npz"
    save_trajectory(make_recording(), path, robot)
    rewritten(path, **changes)
    refused(path, robot, message)


def test_a_trajectory_of_another_robot_is_refused(make_recording, robot, tmp_path):
    save_trajectory(make_recording(), tmp_path / "it.npz", dataclasses.replace(robot, name="other"))
    refused(tmp_path / "it.npz", robot, "is of robot 'other'; expected 'unitree_g1'")
