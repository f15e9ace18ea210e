# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py convert`` from end to end, on shipped clips written as CSV."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.launch.main import main
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.launch.motion_tools.convert_plan import MIRRORED
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.processing import lead_in, resample, trim

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "motions.py"
SURE = ("--fps", "50", "--quaternion-order", "xyzw")


def _csv(path: Path, name: str = "walk", end: float = 3.0, rows: slice = slice(None)) -> Path:
    """Write the beginning of a shipped clip as Unitree CSV."""
    clip = trim(Clip.load(shipped_clips()[name]), 0.0, end)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = np.hstack([clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos])
    np.savetxt(path, table[rows], fmt="%.7f", delimiter=",")
    return path


def _convert(*args: object) -> int:
    return main("motions", ["convert", *map(str, args)])


def _record(folder: Path) -> dict[str, dict]:
    lines = (folder / "convert.jsonl").read_text().splitlines()
    return {entry["key"]: entry for entry in map(json.loads, lines)}


def test_folder_keeps_its_places_and_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _csv(tmp_path / "in" / "a" / "walk.csv")
    _csv(tmp_path / "in" / "b" / "walk.csv", "squat")
    (tmp_path / "in" / "readme.md").write_text("no motion")
    out = tmp_path / "out"
    assert _convert(tmp_path / "in", out, *SURE) == 0
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*.npz")) == ["a/walk.npz", "b/walk.npz"]
    text = capsys.readouterr().out
    assert (
        "50 fps, 3.00 s, a/walk.npz | " in text
        and "Unitree CSV" in text
        and "2 converted (2 clips, 6.0 s of motion)" in text
    )
    source, clip = Clip.load(shipped_clips()["walk"]), Clip.load(out / "a" / "walk.npz")
    assert np.abs(clip.joint_pos - source.joint_pos[:151]).max() < 1e-5
    assert np.abs(clip.body_pos_w[0, 0, :2]).max() < 1e-5 and clip.contact_names
    assert (clip.name, clip.fps, clip.robot) == ("walk", 50.0, "unitree_g1")
    assert [p.name for p in out.rglob(".*")] == []


def test_second_call_skips_what_is_done_and_only_that(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name in ("walk", "squat", "bow"):
        _csv(tmp_path / "in" / f"{name}.csv", name)
    out = tmp_path / "out"
    assert _convert(tmp_path / "in", out, *SURE) == 0
    times = {p.name: p.stat().st_mtime_ns for p in out.glob("*.npz")}
    assert _convert(tmp_path / "in", out, *SURE) == 0
    assert "0 converted (0 clips, 0.0 s of motion), 3 skipped as done, 0 failed" in capsys.readouterr().out
    assert times == {p.name: p.stat().st_mtime_ns for p in out.glob("*.npz")}
    # One input changes, one output is lost: these two are made again.
    _csv(tmp_path / "in" / "walk.csv", "walk", 2.0)
    (out / "bow.npz").unlink()
    assert _convert(tmp_path / "in", out, *SURE) == 0
    assert "2 converted" in capsys.readouterr().out
    assert (out / "squat.npz").stat().st_mtime_ns == times["squat.npz"]
    assert Clip.load(out / "walk.npz").duration == pytest.approx(2.0)
    # Another option makes all of them again, and so does --force.
    assert _convert(tmp_path / "in", out, *SURE, "--fps-out", 25) == 0
    assert "3 converted" in capsys.readouterr().out and Clip.load(out / "bow.npz").fps == 25.0
    assert _convert(tmp_path / "in", out, *SURE, "--fps-out", 25, "--force") == 0
    assert "3 converted" in capsys.readouterr().out
    assert len((out / "convert.jsonl").read_text().splitlines()) == 3


def test_cut_off_record_is_no_obstacle(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """As after a power cut: an output whose end was not noted, and half a line."""
    _csv(tmp_path / "walk.csv")
    out = tmp_path / "out"
    assert _convert(tmp_path / "walk.csv", out, *SURE) == 0
    entry = _record(out)["walk"] | {"done": False}
    (out / "convert.jsonl").write_text(json.dumps(entry) + "\n" + '{"key": "squ')
    assert _convert(tmp_path / "walk.csv", out, *SURE) == 0
    assert "1 converted" in capsys.readouterr().out.splitlines()[-1]
    assert _record(out)["walk"]["done"]


def test_bad_files_are_named_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "in"
    _csv(folder / "good.csv")
    (folder / "words.csv").write_text("this is no motion at all\n")
    (folder / "empty.csv").write_text("")
    (folder / "broken.npz").write_bytes(b"PK not really")
    _csv(folder / "one_frame.csv", rows=slice(0, 1))
    os.symlink(tmp_path / "gone", folder / "gone.csv")
    for name in ("odd1.csv", "odd2.csv"):
        (folder / name).write_text("1,2,3\n4,5,6\n7,8,9\n")
    assert _convert(folder, tmp_path / "out", *SURE) == 1
    streams = capsys.readouterr()
    text = streams.out
    assert [p.name for p in (tmp_path / "out").glob("*.npz")] == ["good.npz"]
    for name in ("words.csv", "empty.csv", "broken.npz", "one_frame.csv", "gone.csv", "odd1.csv", "odd2.csv"):
        assert name in text, name
    assert "1 converted" in text and "7 failed" in text and "Traceback" not in text + streams.err
    # The same fault of two files is told once.
    assert sum("odd1.csv" in line and "odd2.csv" in line and "2 x" in line for line in text.splitlines()) == 1


def test_a_file_that_is_no_motion_is_told_all_endings(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n")
    assert _convert(tmp_path / "notes.md", tmp_path / "out") == 1
    failed, last = (line.removeprefix("[isaac_tracking] ") for line in capsys.readouterr().out.splitlines())
    assert failed == (
        f"failed, 1 x: motion file '{tmp_path / 'notes.md'}' has an unknown ending;"
        " expected .csv, .txt, .npz, .pkl, .joblib, .npy, .bvh; give motion files"
    )
    assert last.endswith("1 failed; nothing was written") and not (tmp_path / "out").exists()


def test_same_place_is_refused_before_anything_is_done(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _csv(tmp_path / "a" / "walk.csv")
    _csv(tmp_path / "b" / "walk.csv")
    assert _convert(tmp_path / "a" / "walk.csv", tmp_path / "b" / "walk.csv", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert "a/walk.csv" in error and "b/walk.csv" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
    # Folders get a folder each.
    assert _convert(tmp_path / "a", tmp_path / "b", tmp_path / "out", *SURE) == 0
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.npz")) == [
        "a/walk.npz",
        "b/walk.npz",
    ]


def test_mirrored_twin(tmp_path: Path) -> None:
    _csv(tmp_path / "step.csv", "side_step", 5.0)
    assert _convert(tmp_path / "step.csv", tmp_path / "out", *SURE, "--mirror") == 0
    clip, twin = (Clip.load(tmp_path / "out" / f"{name}.npz") for name in ("step", "step_mirrored"))
    assert twin.name == "step_mirrored" and twin.body_pos_w[:, 0, 1] == pytest.approx(
        -clip.body_pos_w[:, 0, 1], abs=1e-5
    )
    assert np.abs(clip.body_pos_w[:, 0, 1]).max() > 0.1
    # A file of that name would be written over.
    _csv(tmp_path / "both" / "step.csv")
    _csv(tmp_path / "both" / "step_mirrored.csv")
    assert _convert(tmp_path / "both", tmp_path / "two", "--mirror") == 2


def test_what_was_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _csv(tmp_path / "walk.csv")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "walk.npz").write_bytes(b"precious")
    assert _convert(tmp_path / "walk.csv", tmp_path / "out", *SURE) == 1
    assert "--force" in capsys.readouterr().out
    assert (tmp_path / "out" / "walk.npz").read_bytes() == b"precious"
    assert _convert(tmp_path / "walk.csv", tmp_path / "out", *SURE, "--force") == 0
    assert Clip.load(tmp_path / "out" / "walk.npz").num_frames == 151


def test_one_file_to_one_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _csv(tmp_path / "walk.csv")
    target = tmp_path / "my_walk.npz"
    assert _convert(tmp_path / "walk.csv", target, *SURE) == 0
    assert Clip.load(target).name == "my_walk"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my_walk.npz", "walk.csv"]
    assert _convert(tmp_path / "walk.csv", target, *SURE) == 1
    assert _convert(tmp_path / "walk.csv", target, *SURE, "--force") == 0
    assert _convert(target, tmp_path / "again.npz") == 0, "beside its input, under another name"
    assert _convert(target, target) == 2
    assert "is input and output" in capsys.readouterr().err


def test_options_reach_the_clip(tmp_path: Path) -> None:
    _csv(tmp_path / "squat.csv", "squat", 9.0)
    options = ("--trim", 0.0, 4.1, "--loop", 2, "--lead-in", 1, "--lead-out", 0.5, "--source", "me", "--license", "MIT")
    assert _convert(tmp_path / "squat.csv", tmp_path / "out", *SURE, *options) == 0
    clip = Clip.load(tmp_path / "out" / "squat.npz")
    assert clip.duration == pytest.approx(2 * 4.1 + 1.5) and (clip.source, clip.license) == ("me", "MIT")
    said = " ".join(clip.history)
    for word in ("Trimmed", "Repeated 2 times", "Put on the ground", "labelled", "Led in", "Led out"):
        assert word in said, word
    bare = ("--ground", "none", "--no-normalize")
    assert _convert(tmp_path / "squat.csv", tmp_path / "bare", *SURE, *bare) == 0
    clip = Clip.load(tmp_path / "bare" / "squat.npz")
    assert (
        clip.contacts is None and np.abs(clip.body_pos_w - Clip.load(shipped_clips()["squat"]).body_pos_w).max() < 1e-5
    )


def test_own_clips_of_another_rate_and_twice_stored_frames(tmp_path: Path) -> None:
    """A clip of ours at 30 fps, and a CSV of 60 rows a second of which every other one is new."""
    robot = motion_robot()
    clip = resample(Clip.load(shipped_clips()["walk"]), robot, 30.0)
    clip.save(tmp_path / "in" / "own.npz")
    table = np.hstack([clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos])
    np.savetxt(tmp_path / "in" / "twice.csv", np.repeat(table, 2, axis=0), fmt="%.7f", delimiter=",")
    np.savetxt(tmp_path / "in" / "once.csv", table, fmt="%.7f", delimiter=",")
    assert _convert(tmp_path / "in" / "own.npz", tmp_path / "out") == 0
    assert _convert(tmp_path / "in" / "once.csv", tmp_path / "out", "--fps", 30, "--quaternion-order", "xyzw") == 0
    assert _convert(tmp_path / "in" / "twice.csv", tmp_path / "out", "--fps", 60, "--quaternion-order", "xyzw") == 0
    own, once, twice = (Clip.load(tmp_path / "out" / f"{name}.npz") for name in ("own", "once", "twice"))
    assert own.fps == once.fps == twice.fps == 50.0 and own.num_frames == once.num_frames == twice.num_frames
    assert np.abs(own.joint_pos - once.joint_pos).max() < 1e-5
    assert np.abs(twice.joint_pos - once.joint_pos).max() < 1e-6
    assert own.license == "BSD-3-Clause", "kept from the source"


def test_output_within_the_input_is_not_read_again(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _csv(tmp_path / "walk.csv")
    for _ in range(2):
        assert _convert(tmp_path, tmp_path / "clips", *SURE) == 0
    assert "0 converted" in capsys.readouterr().out.splitlines()[-1]
    assert [p.name for p in (tmp_path / "clips").glob("*.npz")] == ["walk.npz"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("in",), "give the files or folders to convert, and last the folder"),
        (("nowhere", "out"), "'nowhere' does not exist"),
        (("hollow", "out"), "holds no motion file"),
        (("in", "out", "--fps-out", "0"), "--fps-out is 0"),
        (("in", "out", "--trim", "3", "1"), "--trim is 3 1"),
        (("in", "out", "--lead-in", "-1"), "--lead-in is -1"),
        (("in", "out", "--loop", "0"), "--loop is 0"),
        (("in", "out", "--jobs", "0"), "--jobs is 0"),
        (("in", "out", "--fps", "nan"), "fps is nan"),
        (("in", "in/walk.csv"), "is a file; give a folder"),
        (("in", "one.npz"), "is one file, the inputs are several"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, args: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _csv(tmp_path / "in" / "walk.csv", end=0.5)
    (tmp_path / "hollow").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert _convert(*args) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and words in error and error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_several_motions_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """NAME_MOTION.npz each; one that cannot be used does not stop the others; a taken name is refused."""
    from isaac_tracking.motion import formats

    robot = motion_robot()
    good = trim(Clip.load(shipped_clips()["walk"]), 0.0, 2.0)
    still = lead_in(good, robot, 0.1)

    def read(path, robot, options):
        from dataclasses import replace

        return [
            replace(good, name="a/b c"),
            replace(trim(good, 0.0, 0.02), name="short"),
            replace(still, name="many_x"),
        ]

    monkeypatch.setattr(formats, "read_outcomes", read)
    (tmp_path / "many.pkl").write_bytes(b"x")
    assert _convert(tmp_path / "many.pkl", tmp_path / "out", "--trim", 0.5, 9.0) == 1
    assert sorted(p.name for p in (tmp_path / "out").glob("*.npz")) == ["many_a_b_c.npz", "many_x.npz"]
    text = capsys.readouterr().out
    assert "nothing is left" in text and "many_a_b_c.npz and 1 more" in text
    assert not _record(tmp_path / "out")["many"]["done"]
    (tmp_path / "many_x.csv").write_text("1")
    assert _convert(tmp_path / "many.pkl", tmp_path / "many_x.csv", tmp_path / "new") == 1
    assert "another file has that name" in capsys.readouterr().out


def _twist2(clip: Clip) -> dict:
    pose = {"root_pos": clip.body_pos_w[:, 0], "root_rot": clip.body_quat_w[:, 0], "dof_pos": clip.joint_pos}
    return {"fps": clip.fps, **pose}


def test_good_motions_of_a_file_are_kept_and_bad_ones_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    good = _twist2(trim(Clip.load(shipped_clips()["walk"]), 0.0, 2.0))
    content = {"good": good, "short": good | {key: good[key][:1] for key in ("root_pos", "root_rot", "dof_pos")}}
    (tmp_path / "many.pkl").write_bytes(pickle.dumps(content))
    out = tmp_path / "out"
    assert _convert(tmp_path / "many.pkl", out, "--quaternion-order", "xyzw") == 1
    # Named as if the other one were good, so that the name stays when it is.
    assert [p.name for p in out.glob("*.npz")] == ["many_good.npz"]
    lines = capsys.readouterr().out.splitlines()
    assert any("failed, 1 x: " in line and "motion 'short'" in line and "1 frame" in line for line in lines)
    assert "1 converted (1 clips, 2.0 s of motion), 0 skipped as done, 1 failed" in lines[-1]
    entry = _record(out)["many"]
    assert not entry["done"] and len(entry["faults"]) == 1
    # Not done: a second call tries again, and once the file is whole it is done.
    (tmp_path / "many.pkl").write_bytes(pickle.dumps({"good": good, "short": good}))
    assert _convert(tmp_path / "many.pkl", out, "--quaternion-order", "xyzw") == 0
    assert sorted(p.name for p in out.glob("*.npz")) == ["many_good.npz", "many_short.npz"]
    (tmp_path / "none.pkl").write_bytes(pickle.dumps({"a": content["short"], "b": content["short"]}))
    capsys.readouterr()
    assert _convert(tmp_path / "none.pkl", out) == 1
    text = capsys.readouterr().out
    assert "motion 'a'" in text and "motion 'b'" in text and "0 converted" in text


def test_a_file_of_another_folder_takes_nobodys_place(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out"
    first, second = (_csv(tmp_path / who / "walk.csv", name) for who, name in (("one", "walk"), ("two", "squat")))
    assert _convert(first, out, *SURE) == 0
    made = (out / "walk.npz").read_bytes()
    assert _convert(second, out, *SURE) == 1
    assert "was not made by this command from this file" in capsys.readouterr().out
    assert (out / "walk.npz").read_bytes() == made and _record(out)["walk"]["path"] == str(first)
    # The same file may be made again when it has changed.
    _csv(first, "bow")
    assert _convert(first, out, *SURE) == 0
    assert (out / "walk.npz").read_bytes() != made


def test_a_twin_writes_over_no_motion_of_its_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    walk, squat = (_twist2(trim(Clip.load(shipped_clips()[name]), 0.0, 2.0)) for name in ("walk", "squat"))
    (tmp_path / "many.pkl").write_bytes(pickle.dumps({"step": walk, f"step{MIRRORED}": squat}))
    for _ in range(2):
        assert _convert(tmp_path / "many.pkl", tmp_path / "out", "--quaternion-order", "xyzw", "--mirror") == 1
        assert "which another of its motions became" in capsys.readouterr().out
        assert sorted(p.name for p in (tmp_path / "out").glob("*.npz")) == ["many_step.npz", f"many_step{MIRRORED}.npz"]


def test_names_may_be_of_any_language(tmp_path: Path) -> None:
    walk = _twist2(trim(Clip.load(shipped_clips()["walk"]), 0.0, 2.0))
    (tmp_path / "many.pkl").write_bytes(pickle.dumps({"走路": walk, "跑步": walk}))
    assert _convert(tmp_path / "many.pkl", tmp_path / "out", "--quaternion-order", "xyzw") == 0
    assert sorted(p.name for p in (tmp_path / "out").glob("*.npz")) == ["many_走路.npz", "many_跑步.npz"]


def test_what_an_export_assumes_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The file that it writes states the rate as a fact."""
    _csv(tmp_path / "walk.csv", "bow", 5.0)
    flags = ["--read.quaternion-order", "xyzw", "--output", str(tmp_path / "out")]
    assert main("motions", ["export", str(tmp_path / "walk.csv"), "--format", "beyondmimic", *flags]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "assumed" in line]
    assert len(said) == 1 and "fps" in said[0] and "walk.csv: " in said[0]


def test_a_bad_first_frame_is_dropped_unless_it_is_to_be_kept(tmp_path: Path) -> None:
    path = _csv(tmp_path / "walk.csv")
    rows = np.loadtxt(path, delimiter=",")
    rows[0, 0] += 0.5
    np.savetxt(path, rows, fmt="%.7f", delimiter=",")
    assert _convert(path, tmp_path / "out", *SURE) == 0
    assert _convert(path, tmp_path / "kept", *SURE, "--keep-ends") == 0
    dropped, kept = Clip.load(tmp_path / "out" / "walk.npz"), Clip.load(tmp_path / "kept" / "walk.npz")
    assert (kept.num_frames, dropped.num_frames) == (151, 150)
    assert np.array_equal(dropped.joint_pos, kept.joint_pos[1:])
    assert any("1 at the start" in line for line in dropped.history)
    assert not any("Dropped" in line for line in kept.history)


def _running(group: int) -> list[str]:
    """Return the names of a group's processes; those that ended but were not waited for are left out."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            name, _, rest = path.read_text().rpartition(")")
            state, _, pgrp = rest.split()[:3]
            if pgrp == str(group) and state != "Z":
                found.append(name)
    return found


@pytest.mark.slow
def test_ctrl_c_stops_two_processes_as_well(tmp_path: Path) -> None:
    """As a terminal sends it: to the command and to its processes at once."""
    for i in range(40):
        _csv(tmp_path / "in" / f"{i}.csv", "walk", 9.0)
    out = tmp_path / "out"
    command = [sys.executable, str(SCRIPT), "convert", str(tmp_path / "in"), str(out), *SURE, "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60.0
        while len(list(out.glob("*.npz"))) < 3 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        asked = time.monotonic()
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in error and "Stopped by Ctrl-C" in error
    assert time.monotonic() - asked < 10.0
    while (left := _running(process.pid)) and time.monotonic() - asked < 10.0:
        time.sleep(0.05)
    assert not left
    made = list(out.glob("*.npz"))
    assert 3 <= len(made) < 40
    for path in made:
        Clip.load(path)
    assert [p.name for p in out.glob(".*npz*")] == []


@pytest.mark.slow
def test_ctrl_c_stops_soon_and_leaves_no_half_file(tmp_path: Path) -> None:
    for i in range(40):
        _csv(tmp_path / "in" / f"{i}.csv", "walk", 9.0)
    command = [sys.executable, str(SCRIPT), "convert", str(tmp_path / "in"), str(tmp_path / "out"), *SURE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out = tmp_path / "out"
    deadline = time.monotonic() + 60.0
    while len(list(out.glob("*.npz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in error and "Stopped by Ctrl-C" in error
    made = list(out.glob("*.npz"))
    assert 3 <= len(made) < 40
    for path in made:
        Clip.load(path)
    assert [p.name for p in out.glob(".*npz*")] == []
    assert main("motions", ["convert", str(tmp_path / "in"), str(out), *SURE]) == 0
    assert len(list(out.glob("*.npz"))) == 40


@pytest.mark.slow
def test_two_processes_make_the_same_clips(tmp_path: Path) -> None:
    for name in ("walk", "bow", "arms"):
        _csv(tmp_path / "in" / f"{name}.csv", name, 2.0)
    assert _convert(tmp_path / "in", tmp_path / "one", *SURE) == 0
    assert _convert(tmp_path / "in", tmp_path / "two", *SURE, "--jobs", 2) == 0
    for path in (tmp_path / "one").glob("*.npz"):
        one, two = Clip.load(path), Clip.load(tmp_path / "two" / path.name)
        # Sums in another order on another number of threads differ in the last digit.
        assert np.abs(one.joint_pos - two.joint_pos).max() < 1e-6, path.name
    assert set(_record(tmp_path / "one")) == set(_record(tmp_path / "two")) == {"walk", "bow", "arms"}


def test_output_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    _csv(tmp_path / "walk.csv", end=0.5)
    assert _convert(tmp_path / "walk.csv", tmp_path / "walk.csv" / "out", *SURE) == 1
    text = capsys.readouterr().out
    assert "1 failed" in text and "Not a directory" in text
    (tmp_path / "out" / "convert.jsonl").mkdir(parents=True)
    assert _convert(tmp_path / "walk.csv", tmp_path / "out", *SURE) == 2
    assert "cannot be read (Is a directory)" in capsys.readouterr().err
