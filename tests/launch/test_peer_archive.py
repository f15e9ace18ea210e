# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Our clips as the file that mjlab and wbc-mjlab read: by hand, and against MuJoCo's own kinematics."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from isaac_tracking.launch.peers.archive import archive_arrays, write_archive
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.sources import load_clips
from isaac_tracking.robots import g1
from isaac_tracking.robots.mjcf import mjcf_path


def clip(name: str, angles: list[float], fps: float = 50.0) -> Clip:
    """Return a clip of a base that turns about z, and of an arm 1 m before it; its joints are in another order."""
    count = len(angles)
    turns = np.array([[0.0, 0.0, np.sin(angle / 2), np.cos(angle / 2)] for angle in angles])
    arms = np.array([[np.cos(angle), np.sin(angle), 0.5] for angle in angles])
    return Clip(
        name=name,
        fps=fps,
        joint_names=("b", "a"),
        body_names=("base", "arm"),
        joint_pos=np.array([[10.0 + angle, angle] for angle in angles]),
        body_pos_w=np.stack([np.tile([0.0, 0.0, 0.5], (count, 1)), arms], axis=1),
        body_quat_w=np.stack([turns, turns], axis=1),
    )


def test_arrays_by_hand():
    arrays = archive_arrays([clip("one", [0.0, 0.1, 0.2]), clip("two", [0.5, 0.5])], ("a", "b"), ("base", "arm"), 50.0)
    assert arrays["joint_names"].tolist() == ["a", "b"] and arrays["fps"].tolist() == [50.0]
    np.testing.assert_allclose(arrays["joint_pos"][1], [0.1, 10.1], rtol=1e-6)
    # 0.1 rad a frame at 50 Hz; the second clip stands still, and nothing leaks over the seam.
    np.testing.assert_allclose(arrays["joint_vel"][:, 0], [5.0, 5.0, 5.0, 0.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(arrays["body_ang_vel_w"][:, 0, 2], [5.0, 5.0, 5.0, 0.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(arrays["body_ang_vel_w"][:, :, :2], 0.0, atol=1e-4)
    # w first.
    np.testing.assert_allclose(arrays["body_quat_w"][2, 0], [np.cos(0.1), 0.0, 0.0, np.sin(0.1)], atol=1e-6)
    np.testing.assert_allclose(arrays["body_pos_w"][2, 1], [np.cos(0.2), np.sin(0.2), 0.5], atol=1e-6)
    assert arrays["segment_start_idx"].tolist() == [0, 3] and arrays["segment_length"].tolist() == [3, 2]
    assert arrays["segment_names"].tolist() == ["one", "two"]


def test_another_rate_is_interpolated_as_in_our_library():
    arrays = archive_arrays([clip("slow", [0.0, 0.2, 0.4], fps=25.0)], ("a", "b"), ("base", "arm"), 50.0)
    np.testing.assert_allclose(arrays["joint_pos"][:, 0], [0.0, 0.1, 0.2, 0.3, 0.4], atol=1e-6)
    np.testing.assert_allclose(arrays["body_quat_w"][1, 1], [np.cos(0.05), 0.0, 0.0, np.sin(0.05)], atol=1e-6)


def test_a_clip_of_another_robot_is_refused():
    with pytest.raises(ClipError, match="joint knee missing"):
        archive_arrays([clip("one", [0.0, 0.1])], ("a", "knee"), ("base", "arm"), 50.0)


def test_bodies_are_where_mujoco_puts_them(tmp_path: Path):
    arrays = archive_arrays(load_clips(["walk"]), g1.JOINT_NAMES, g1.BODY_NAMES, 50.0)
    write_archive(tmp_path / "clips.npz", arrays)
    model = mujoco.MjModel.from_xml_path(str(mjcf_path(*g1.MODEL)))
    data = mujoco.MjData(model)
    with np.load(tmp_path / "clips.npz", allow_pickle=False) as file:
        frames = {name: file[name][[0, 100, 300]] for name in ("joint_pos", "body_pos_w", "body_quat_w")}
    bodies = [model.body(name).id for name in g1.BODY_NAMES]
    for joints, pos, quat in zip(*frames.values(), strict=True):
        # MuJoCo's own order: position, quaternion (wxyz), joints in the order of the MJCF.
        data.qpos[:] = np.concatenate([pos[0], quat[0], joints])
        mujoco.mj_kinematics(model, data)
        np.testing.assert_allclose(data.xpos[bodies], pos, atol=1e-4)
        same = np.abs((data.xquat[bodies] * quat).sum(axis=-1))
        np.testing.assert_allclose(same, 1.0, atol=1e-5)
