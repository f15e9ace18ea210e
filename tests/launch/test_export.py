# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py export``: files and folders in, files of other projects out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.launch.motion_tools.export import Export
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.formats import ReadOptions, read_motions


@pytest.fixture
def folder(tmp_path):
    """A folder with a good clip, one below it, and a broken file."""
    clips = shipped_clips()
    Clip.load(clips["walk"]).save(tmp_path / "in" / "walk.npz")
    Clip.load(clips["squat"]).save(tmp_path / "in" / "below" / "squat.npz")
    (tmp_path / "in" / "broken.csv").write_text("1,2,3\n")
    return tmp_path / "in"


def files(path):
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


def test_a_folder_is_written_and_what_fails_is_named(folder, tmp_path, capsys):
    output = tmp_path / "out"
    assert Export((folder,), output, "beyondmimic")() == 1
    assert files(output) == ["below/squat.npz", "walk.npz"]
    printed = capsys.readouterr().out
    assert "2 written, 0 skipped as they are there, 1 failed" in printed
    assert "failed: motion file" in printed and "broken.csv" in printed and "3 columns" in printed
    found = read_motions(output / "walk.npz", motion_robot())[0]
    np.testing.assert_allclose(found.joint_pos, Clip.load(folder / "walk.npz").joint_pos, atol=1e-5)


def test_a_second_call_skips_and_force_writes_again(folder, tmp_path, capsys):
    (folder / "broken.csv").unlink()
    output = tmp_path / "out"
    order = Export((folder,), output, "unitree_csv")
    assert order() == 0
    (output / "walk_xyzw_50fps.csv").write_text("mine")
    assert order() == 0
    assert (output / "walk_xyzw_50fps.csv").read_text() == "mine"
    assert "0 written, 2 skipped" in capsys.readouterr().out
    order.force = True
    assert order() == 0
    assert (output / "walk_xyzw_50fps.csv").read_text() != "mine"


def test_another_rate_and_quaternion_order(folder, tmp_path):
    output = tmp_path / "out"
    assert Export((folder / "walk.npz",), output, "unitree_csv", fps=30.0, quaternion_order="wxyz")() == 0
    assert files(output) == ["walk_wxyz_30fps.csv"]
    clip, source = read_motions(output / "walk_wxyz_30fps.csv", motion_robot())[0], Clip.load(folder / "walk.npz")
    assert clip.fps == 30.0 and clip.duration == pytest.approx(source.duration, abs=1 / 30)
    np.testing.assert_allclose(clip.body_pos_w[30], source.body_pos_w[50], atol=1e-4)


def test_several_processes_write_the_same(folder, tmp_path):
    (folder / "broken.csv").unlink()
    assert Export((folder,), tmp_path / "one", "mjlab")() == 0
    assert Export((folder,), tmp_path / "two", "mjlab", jobs=2)() == 0
    assert files(tmp_path / "one") == files(tmp_path / "two") == ["below/squat.npz", "walk.npz"]
    with np.load(tmp_path / "one" / "walk.npz") as one, np.load(tmp_path / "two" / "walk.npz") as two:
        for key in one.files:
            np.testing.assert_array_equal(one[key], two[key])


def test_an_ambiguous_file_names_the_flag_of_this_command(tmp_path, capsys):
    """Here --quaternion-order is that of the output."""
    robot = motion_robot()
    rows = np.tile(np.r_[0.0, 0.0, 0.76, 0.0, 0.0, 0.0, 1.0, robot.default_joint_pos], (30, 1))
    np.savetxt(tmp_path / "stand.csv", rows, delimiter=",")
    assert Export((tmp_path / "stand.csv",), tmp_path / "out", "mjlab")() == 1
    assert "--read.quaternion-order xyzw" in capsys.readouterr().out
    known = ReadOptions(quaternion_order="xyzw")
    assert Export((tmp_path / "stand.csv",), tmp_path / "out", "mjlab", read=known)() == 0


def test_names_patterns_and_manifests_stand_for_clips(folder, tmp_path):
    output = tmp_path / "out"
    assert Export((Path("turn"), Path("walk_*"), folder / "below"), output, "mjlab")() == 0
    assert files(output) == [*("squat.npz", "turn.npz"), *(f"walk_{name}.npz" for name in ("back", "curve", "slow"))]
    (folder / "library.toml").write_text('[[dataset]]\nname = "mine"\npath = "below"\n')
    assert Export((folder / "library.toml",), tmp_path / "listed", "mjlab")() == 0
    assert files(tmp_path / "listed") == ["squat.npz"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"fps": 0.0}, "--fps is 0"),
        ({"fps": float("nan")}, "--fps is nan"),
        ({"jobs": 0}, "--jobs is 0"),
        ({"format": "clip", "quaternion_order": "wxyz"}, "always xyzw"),
        ({"paths": ()}, "give the clips to export"),
        ({"paths": ("missing",)}, "'missing' is neither a shipped clip"),
    ],
)
def test_options_that_cannot_be_are_refused(options, reason, folder, tmp_path):
    values = {"paths": (folder,), "output": tmp_path / "out", "format": "mjlab"} | options
    values["paths"] = tuple(Path(path) for path in values["paths"])
    with pytest.raises((OptionError, ClipError), match=reason):
        Export(**values)()
    assert not (tmp_path / "out").exists()
