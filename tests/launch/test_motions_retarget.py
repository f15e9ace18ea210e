# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py retarget``: batches, what is done already, and mistakes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from isaac_tracking.launch import main as entry
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.motion_tools.retarget import Retarget
from isaac_tracking.motion.clip import Clip

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "motion" / "retarget"))

from human_files import poselib_content, save_poselib, walking_person


@pytest.fixture(scope="module")
def mocap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three good files and two broken ones."""
    folder = tmp_path_factory.mktemp("mocap")
    (folder / "day1").mkdir()
    (folder / "day1" / "walk.bvh").write_text(walking_person(1.0))
    (folder / "walk.bvh").write_text(walking_person(0.5))
    save_poselib(folder / "arm.npy", poselib_content(frames=10))
    (folder / "cut.bvh").write_text(walking_person(0.5)[:-200])
    (folder / "empty.npy").write_bytes(b"")
    (folder / "notes.txt").write_text("not a motion")
    return folder


def test_a_batch_goes_on_after_broken_files_and_can_be_taken_up_again(
    mocap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main("motions", ["retarget", str(mocap), str(tmp_path / "clips")]) == 1
    out = capsys.readouterr().out
    assert sorted(str(path.relative_to(tmp_path / "clips")) for path in (tmp_path / "clips").rglob("*.npz")) == [
        "arm.npz",
        "day1/walk.npz",
        "walk.npz",
    ]
    assert "3 retargeted, 0 there already, 2 failed" in out
    assert "cut.bvh" in out and "it may be truncated" in out and "empty.npy" in out
    assert "scale 0.798" in out and "frames/s" in out
    assert Clip.load(tmp_path / "clips" / "day1" / "walk.npz").fps == 50.0

    (tmp_path / "clips" / "arm.npz").unlink()
    before = (tmp_path / "clips" / "walk.npz").stat().st_mtime_ns
    assert entry.main("motions", ["retarget", str(mocap), str(tmp_path / "clips")]) == 1
    assert "1 retargeted, 2 there already, 2 failed" in capsys.readouterr().out
    assert (tmp_path / "clips" / "walk.npz").stat().st_mtime_ns == before


def test_one_file_becomes_the_clip_that_is_named(mocap: Path, tmp_path: Path) -> None:
    output = tmp_path / "stroll.npz"
    arguments = [str(mocap / "walk.bvh"), str(output), "--fps-out", "25", "--scale", "0.7", "--unit", "cm", "--up", "y"]
    assert entry.main("motions", ["retarget", *arguments]) == 0
    clip = Clip.load(output)
    assert (clip.fps, clip.num_frames) == (25.0, 12)
    assert "scaled by 0.700" in clip.history


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["walk.bvh"], "INPUT... and OUTPUT"),
        (["gone.bvh", "out"], "'gone.bvh' does not exist"),
        (["notes.txt", "out"], "not human motion capture"),
        (["walk.bvh", "day1/walk.bvh", "out"], "two of the files"),
        (["walk.bvh", "arm.npy", "out.npz"], "cannot go into one clip"),
        (["walk.bvh", "arm.npy"], "'arm.npy' is a file"),
        (["empty", "out"], "no .bvh or .npy file"),
    ],
)
def test_mistakes_are_said_before_anything_is_done(
    mocap: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(mocap)
    (mocap / "empty").mkdir(exist_ok=True)
    with pytest.raises(OptionError) as caught:
        Retarget(tuple(Path(argument) for argument in arguments))()
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"scale": "big"}, "--scale is 'big'"), ({"unit": "ell"}, "--unit is 'ell'"), ({"up": "x"}, "--up is 'x'")],
)
def test_words_that_are_no_choice_are_refused(mocap: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Retarget((mocap / "walk.bvh", mocap / "out"), **options)()


def test_a_missing_package_is_named(mocap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "daqp" else object())
    with pytest.raises(OptionError, match="retarget needs daqp; install"):
        Retarget((mocap / "walk.bvh", mocap / "out"))()
