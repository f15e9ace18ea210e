# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py doctor``: what it prints, writes and returns, and that one bad file stops nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.launch import main as entry
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips

EVIL = "<script>alert(1)</script>\x1b[31m"


def short(name: str = "stand", frames: int = 60, **changes: object) -> Clip:
    """Return a part of a shipped clip, quickly judged."""
    clip = Clip.load(shipped_clips()[name])
    arrays = {key: getattr(clip, key)[:frames] for key in ("joint_pos", "body_pos_w", "body_quat_w", "contacts")}
    return replace(clip, **(arrays | changes))


def low(clip: Clip, depth: float) -> Clip:
    return replace(clip, body_pos_w=clip.body_pos_w - np.array([0.0, 0.0, depth], dtype=np.float32))


def doctor(*args: str | Path) -> int:
    return entry.main("motions", ["doctor", *map(str, args)])


def test_table_is_sorted_and_faults_are_said_below_it(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    short().save(tmp_path / "good.npz")
    low(short(name="stand"), 0.05).save(tmp_path / "low.npz")
    replace(low(short(), 0.2), name="deep").save(tmp_path / "deep.npz")
    assert doctor(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["clip", "verdict", "s"]
    assert lines[2].startswith("deep ") and "reject" in lines[2]
    assert "low.npz" in lines[3] and "warn" in lines[3]
    assert "good.npz" in lines[4] and " ok " in lines[4]
    assert lines[5].startswith("deep: penetration 0.2 m at ") and "limit 0.1" in lines[5]
    assert "penetration 0.05 m" in lines[6] and "limit 0.01" in lines[6]
    assert lines[-1] == "3 motions, 4 s: 1 ok, 1 warn, 1 reject; 0 files not read"


def test_shipped_clip_by_name_and_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert doctor("stand") == 0
    assert "stand " in capsys.readouterr().out
    low(short(), 0.05).save(tmp_path / "low.npz")
    assert doctor(tmp_path / "low.npz") == 0
    assert doctor(tmp_path / "low.npz", "--strict") == 1


def test_broken_files_are_named_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    short().save(tmp_path / "good.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 half of a file")
    (tmp_path / "empty.npz").write_bytes(b"")
    assert doctor(tmp_path, "--json", tmp_path / "out" / "report.json", "--html", tmp_path / "report.html") == 1
    text = capsys.readouterr().out
    assert "broken.npz: not read: " in text and "empty.npz: not read: " in text
    assert text.endswith("1 motions, 1 s: 1 ok, 0 warn, 0 reject; 2 files not read\n")
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [Path(entry["file"]).name for entry in content["not_read"]] == ["broken.npz", "empty.npz"]
    (clip,) = content["clips"]
    assert (Path(clip["file"]).name, clip["name"], clip["verdict"]) == ("good.npz", "stand", "ok")
    page = (tmp_path / "report.html").read_text()
    assert "Not read" in page and "broken.npz" in page and page.count("<svg") == 12


def test_names_of_strangers_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    low(short(), 0.05).save(tmp_path / "good.npz")
    replace(low(short(), 0.05), name=EVIL, robot="[red]robot\x1b").save(tmp_path / "evil.npz")
    assert doctor(tmp_path, "--html", tmp_path / "report.html") == 1
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "<script>alert(1)</script>\\x1b[31m: robot: the clip is of '[red]robot\\x1b'" in text
    page = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in page and "\x1b" not in page


def test_a_foreign_file_is_judged_too(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    clip = Clip.load(shipped_clips()["walk"])
    table = np.concatenate((clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos), axis=1)
    np.savetxt(tmp_path / "walk_50fps.csv", table, delimiter=",")
    assert doctor(tmp_path / "walk_50fps.csv") == 0
    assert "1 motions, 10 s: 1 ok" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere",), "'nowhere'"),
        (("stand", "--jobs", "0"), "--jobs 0 must be 1 or more"),
        (("stand", "--html", "."), "--html '.' is a folder"),
        (("stand", "--html", "a", "--json", "a"), "--html and --json are both 'a'"),
    ],
)
def test_mistakes_are_one_line(
    args: tuple[str, ...], words: str, capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctor(*args) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("Error: ") and words in written.err and written.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_report_that_cannot_be_written_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    short().save(tmp_path / "good.npz")
    assert doctor(tmp_path / "good.npz", "--json", tmp_path / "good.npz" / "report.json") == 2
    assert "cannot be written" in capsys.readouterr().err
