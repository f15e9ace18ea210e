# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files that are written come back exactly, and are what other projects expect."""

from __future__ import annotations

import numpy as np
import pytest

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.formats import WRITE_FORMATS, output_name, read_motions, write_motion
from isaac_tracking.motion.formats.raw import breadth_first


@pytest.mark.parametrize("format", WRITE_FORMATS)
def test_every_shipped_clip_comes_back_from_every_format(format, robot, tmp_path, assert_same_motion):
    for path in shipped_clips().values():
        clip = Clip.load(path)
        target = tmp_path / output_name(clip.name, clip.fps, format)
        write_motion(clip, target, format, robot)
        found = read_motions(target, robot)[0]
        assert_same_motion(found, clip)
        assert found.fps == clip.fps


@pytest.mark.parametrize("format", ["beyondmimic", "mjlab", "unitree_csv"])
@pytest.mark.parametrize("order", ["xyzw", "wxyz"])
def test_either_quaternion_order_comes_back(format, order, shipped, robot, tmp_path, assert_same_motion):
    target = tmp_path / output_name("walk", 50.0, format, order)
    write_motion(shipped("walk"), target, format, robot, order)
    assert_same_motion(read_motions(target, robot)[0], shipped("walk"))


def test_beyondmimic_members_are_what_its_loader_reads(shipped, robot, tmp_path):
    """Members, shapes, the list of one frame rate and wxyz: whole_body_tracking's csv_to_npz.py and commands.py."""
    clip = shipped("walk")
    write_motion(clip, tmp_path / "walk.npz", "beyondmimic", robot)
    with np.load(tmp_path / "walk.npz") as file:
        content = dict(file)
    frames = clip.num_frames
    shapes = {
        "fps": (1,),
        "joint_pos": (frames, 29),
        "joint_vel": (frames, 29),
        "body_pos_w": (frames, 30, 3),
        "body_quat_w": (frames, 30, 4),
        "body_lin_vel_w": (frames, 30, 3),
        "body_ang_vel_w": (frames, 30, 3),
    }
    assert {key: array.shape for key, array in content.items()} == shapes
    assert content["fps"][0] == 50 and content["fps"].dtype.kind == "i"
    joints, bodies = breadth_first(robot)
    knee, torso = joints.index("left_knee_joint"), bodies.index("torso_link")
    source = clip.joint_indices(["left_knee_joint"])[0], clip.body_indices(["torso_link"])[0]
    np.testing.assert_array_equal(content["joint_pos"][:, knee], clip.joint_pos[:, source[0]])
    np.testing.assert_array_equal(content["body_pos_w"][:, torso], clip.body_pos_w[:, source[1]])
    np.testing.assert_array_equal(content["body_quat_w"][:, torso, 0], clip.body_quat_w[:, source[1], 3])
    step = (clip.joint_pos[11, source[0]] - clip.joint_pos[9, source[0]]) * 25.0
    assert content["joint_vel"][10, knee] == pytest.approx(step, abs=1e-4)
    step = (clip.body_pos_w[11, source[1]] - clip.body_pos_w[9, source[1]]) * 25.0
    np.testing.assert_allclose(content["body_lin_vel_w"][10, torso], step, atol=1e-4)


def test_a_csv_is_plain_rows_of_36_numbers(shipped, robot, tmp_path):
    write_motion(shipped("walk"), tmp_path / "walk.csv", "unitree_csv", robot)
    rows = np.loadtxt(tmp_path / "walk.csv", delimiter=",")
    assert rows.shape == (488, 36)
    np.testing.assert_allclose(rows[:, 3:7], shipped("walk").body_quat_w[:, 0], atol=1e-8)


@pytest.mark.parametrize(
    ("stem", "format", "order", "name"),
    [
        ("walk", "unitree_csv", None, "walk_xyzw_50fps.csv"),
        ("walk_wxyz_30fps", "unitree_csv", None, "walk_xyzw_50fps.csv"),
        ("a/b:c", "unitree_csv", "wxyz", "a_b_c_wxyz_50fps.csv"),
        ("a__b", "unitree_csv", None, "a__b_xyzw_50fps.csv"),
        ("walk_30fps", "mjlab", None, "walk_30fps.npz"),
        ("..", "clip", None, "clip.npz"),
    ],
)
def test_names_of_files(stem, format, order, name):
    assert output_name(stem, 50.0, format, order) == name


def test_what_cannot_be_written_is_refused(make_clip, shipped, robot, tmp_path):
    with pytest.raises(ClipError, match="cannot be written"):
        write_motion(shipped("walk"), tmp_path / "a", "bvh", robot)  # type: ignore[arg-type]
    with pytest.raises(ClipError, match="always xyzw"):
        write_motion(shipped("walk"), tmp_path / "a", "clip", robot, "wxyz")
    for format in ("beyondmimic", "unitree_csv"):
        with pytest.raises(ClipError, match="missing"):
            write_motion(make_clip(), tmp_path / "a", format, robot)
    assert list(tmp_path.iterdir()) == []
