# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tables of numbers: layouts that are read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.formats import ReadOptions, read_motions

AT_50 = ReadOptions(fps=50.0)


def test_the_written_walk_comes_back(shipped, robot, walk_rows, write_rows, assert_same_motion):
    clip = read_motions(write_rows(walk_rows, "walk.csv"), robot, AT_50)[0]
    assert_same_motion(clip, shipped("walk"))
    assert clip.name == "walk" and clip.fps == 50.0
    assert "Unitree CSV" in clip.history[-1] and "quaternions xyzw" in clip.history[-1]


@pytest.mark.parametrize("delimiter", [",", ";", " ", "\t", ", "])
def test_columns_may_be_separated_in_several_ways(delimiter, robot, walk_rows, write_rows):
    path = write_rows(walk_rows, delimiter=delimiter)
    assert read_motions(path, robot, AT_50)[0].num_frames == len(walk_rows)


def test_a_header_comments_blank_lines_and_windows_line_ends_are_taken(robot, walk_rows, tmp_path):
    rows = ["# by hand", ",".join(f"column {i}" for i in range(36)), ""]
    rows += [",".join(f"{value:.7f}" for value in row) + "," for row in walk_rows]
    path = tmp_path / "walk.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())
    clip = read_motions(path, robot, AT_50)[0]
    assert clip.num_frames == len(walk_rows)
    np.testing.assert_allclose(clip.joint_pos, walk_rows[:, 7:], atol=1e-6)
    assert "its header was left out: it names no joint of" in clip.history[-1]


def test_a_title_row_needs_no_note(robot, walk_rows, tmp_path):
    path = tmp_path / "walk.csv"
    np.savetxt(path, walk_rows, delimiter=",", header="a walk", comments="")
    assert "header" not in read_motions(path, robot, AT_50)[0].history[-1]


@pytest.mark.parametrize("ending", ["", "_dof", "_joint", "_joint_dof"])
def test_a_header_names_joints_with_and_without_their_ending(ending, robot, walk_rows, tmp_path):
    order = np.random.default_rng(0).permutation(29)
    names = [robot.joint_names[i].removesuffix("_joint") + ending for i in order]
    rows = np.concatenate((walk_rows[:, :7], walk_rows[:, 7:][:, order]), axis=1)
    path = tmp_path / "walk.csv"
    np.savetxt(path, rows, delimiter=",", header=",".join(["x", "y", "z", "a", "b", "c", "d", *names]), comments="")
    clip = read_motions(path, robot, AT_50)[0]
    np.testing.assert_allclose(clip.joint_pos, walk_rows[:, 7:], atol=1e-6)
    assert "joints depth first" not in clip.history[-1]


def test_a_header_with_joint_names_decides_the_order(robot, walk_rows, tmp_path):
    order = np.random.default_rng(0).permutation(29)
    names = ["x", "y", "z", "qx", "qy", "qz", "qw", *(robot.joint_names[i] for i in order)]
    rows = np.concatenate((walk_rows[:, :7], walk_rows[:, 7:][:, order]), axis=1)
    path = tmp_path / "walk.csv"
    np.savetxt(path, rows, delimiter=",", header=",".join(names), comments="")
    np.testing.assert_allclose(read_motions(path, robot, AT_50)[0].joint_pos, walk_rows[:, 7:], atol=1e-6)


def test_without_wrists_they_stand_at_their_default(robot, walk_rows, write_rows):
    keep = [7 + i for i, name in enumerate(robot.joint_names) if "wrist" not in name]
    clip = read_motions(write_rows(walk_rows[:, [*range(7), *keep]]), robot, AT_50)[0]
    wrists = [i for i, name in enumerate(robot.joint_names) if "wrist" in name]
    assert len(keep) == 23
    assert (clip.joint_pos[:, wrists] == np.float32(robot.default_joint_pos)[wrists]).all()
    np.testing.assert_allclose(clip.joint_pos[:, [i - 7 for i in keep]], walk_rows[:, keep], atol=1e-6)
    assert "left_wrist_roll_joint" in clip.history[-1]


def test_a_column_of_times_gives_the_frame_rate(robot, walk_rows, write_rows):
    times = np.round(np.arange(len(walk_rows)) / 50.0, 3)[:, None]
    clip = read_motions(write_rows(np.concatenate((times, walk_rows), axis=1)), robot)[0]
    assert clip.fps == 50.0 and "times in its first column" in clip.history[-1]


@pytest.mark.parametrize(
    ("fps", "decimals"), [(30.0, 3), (60.0, 3), (60.0, 2), (29.97, 3), (120.0, 4), (120.0, 2), (60.0, 6), (60.0, 15)]
)
@pytest.mark.parametrize("start", [0.0, 12.5])
def test_rounded_times_give_the_frame_rate(fps, decimals, start, robot, walk_rows, write_rows):
    times = np.round(start + np.arange(len(walk_rows)) / fps, decimals)[:, None]
    clip = read_motions(write_rows(np.concatenate((times, walk_rows), axis=1)), robot)[0]
    assert clip.fps == pytest.approx(fps, rel=1e-4) and "times in its first column" in clip.history[-1]
    assert clip.fps == fps or fps != round(fps)
    np.testing.assert_allclose(clip.joint_pos, walk_rows[:, 7:], atol=1e-6)


@pytest.mark.parametrize(("fps", "decimals"), [(50.0, 0), (60.0, 0), (30.0, 0), (60.0, 3)])
def test_steps_of_milliseconds_give_the_frame_rate_and_say_so(fps, decimals, robot, walk_rows, write_rows):
    times = np.round(np.arange(len(walk_rows)) * 1000.0 / fps, decimals)[:, None]
    clip = read_motions(write_rows(np.concatenate((times, walk_rows), axis=1)), robot)[0]
    assert clip.fps == fps and "milliseconds; --fps decides" in clip.history[-1]
    np.testing.assert_allclose(clip.joint_pos, walk_rows[:, 7:], atol=1e-6)


@pytest.mark.parametrize("step", [2.0, 33333.0])
def test_steps_of_no_known_rate_are_left_out_and_named(step, robot, walk_rows, write_rows):
    numbers = step * np.arange(len(walk_rows))[:, None]
    clip = read_motions(write_rows(np.concatenate((numbers, walk_rows), axis=1)), robot, AT_50)[0]
    assert f"its first column grows by {step:g} a row" in clip.history[-1] and clip.fps == 50.0


@pytest.mark.parametrize("kind", ["constant", "jumps", "falls", "repeats"])
def test_a_column_too_many_that_is_no_clock_is_named(kind, robot, walk_rows, write_rows):
    rows = len(walk_rows)
    column = {
        "constant": np.zeros(rows),
        "jumps": np.arange(rows) / 50.0 + (np.arange(rows) > 60),
        "falls": -np.arange(rows) / 50.0,
        "repeats": np.arange(rows) // 2,
    }[kind]
    with pytest.raises(ClipError, match=r"30 joints .*, one too many, and its first column does not grow evenly"):
        read_motions(write_rows(np.concatenate((column[:, None], walk_rows), axis=1)), robot)


def test_a_column_of_frame_numbers_is_left_out(robot, walk_rows, write_rows):
    numbers = np.arange(len(walk_rows))[:, None]
    clip = read_motions(write_rows(np.concatenate((numbers, walk_rows), axis=1)), robot, AT_50)[0]
    np.testing.assert_allclose(clip.joint_pos, walk_rows[:, 7:], atol=1e-6)


@pytest.mark.parametrize("joints", [1, 12, 20, 21, 27, 30, 43])
def test_other_widths_are_refused_with_the_known_ones(joints, robot, write_rows):
    rows = np.zeros((9, 7 + joints))
    rows[:, 6] = 1.0
    with pytest.raises(ClipError, match=rf"has {joints} joints.*29, or 23 without the wrists") as error:
        read_motions(write_rows(rows), robot)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"\x93NUMPY\x00\x01\xff\xfe", "is not text"),
        (b"1,2,3\x00,4\n", "is not text"),
        (b"a,b,c\n", "header and no rows"),
        (b"1,2,3\n4,5,6\n", "3 columns"),
        (b"nothing here\nthat is a number\n", "columns"),
        (b",".join([b"1"] * 36) + b"\n" + b",".join([b"1"] * 35) + b"\n", "35 columns in row 2"),
        (b",".join([b"1"] * 36) + b"\n" + b",".join([b"1"] * 35 + [b"x"]) + b"\n", "no number in row 2"),
        (b",".join([b"0"] * 6 + [b"1"] + [b"0"] * 29) + b"\n", "1 frame "),
        (b"\n".join([b",".join([b"0"] * 36)] * 3), "quaternion"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(content, reason, robot, tmp_path):
    path = tmp_path / "motion.csv"
    path.write_bytes(content)
    with pytest.raises(ClipError, match=reason) as error:
        read_motions(path, robot)
    assert "\n" not in str(error.value) and "motion.csv" in str(error.value)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300"])
def test_numbers_that_are_none_are_named_by_frame(value, robot, walk_rows, tmp_path):
    lines = [",".join(f"{number:.6f}" for number in row) for row in walk_rows[:40]]
    lines[17] = ",".join([*lines[17].split(",")[:-1], value])
    path = tmp_path / "motion.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(ClipError, match="frame 17, column 28"):
        read_motions(path, robot)


def test_joints_of_another_robot_in_the_header_are_refused(robot, tmp_path):
    path = tmp_path / "motion.csv"
    names = ["x", "y", "z", "qx", "qy", "qz", "qw", *(f"leg_{i}_joint" for i in range(29))]
    path.write_text(",".join(names) + "\n" + ",".join(["0"] * 6 + ["1"] + ["0"] * 29))
    with pytest.raises(ClipError, match="another robot"):
        read_motions(path, robot)


@pytest.mark.parametrize("fps", [0.0, -30.0, 1e4, float("nan")])
def test_absurd_frame_rates_are_refused(fps):
    with pytest.raises(ClipError, match="expected 1 to 1000"):
        ReadOptions(fps=fps)


def test_paths_that_are_no_motion_files_are_refused(robot, tmp_path: Path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "human.npy").write_bytes(b"x")
    (tmp_path / "film.mp4").write_bytes(b"x")
    for name, reason in {
        "folder.csv": "is a folder",
        "missing.csv": "does not exist",
        "human.npy": "motions.py retarget",
        "film.mp4": "unknown ending",
    }.items():
        with pytest.raises(ClipError, match=reason):
            read_motions(tmp_path / name, robot)
