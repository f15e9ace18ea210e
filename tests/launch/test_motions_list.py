# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py list``: tables and JSON of clips."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from isaac_tracking.launch.main import main
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips


def test_shipped_clips_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert main("motions", ["list"]) == 0
    text = capsys.readouterr().out
    for name in shipped_clips():
        assert f" {name} " in text, name
    assert "16 clips, " in text and "BSD-3-Clause" in text and "2 bodies" in text


def test_json_tells_all_of_a_clip(capsys: pytest.CaptureFixture) -> None:
    assert main("motions", ["list", "walk", "squ*", "--json"]) == 0
    clips = json.loads(capsys.readouterr().out)["clips"]
    assert [clip["name"] for clip in clips] == ["walk", "squat"]
    walk = Clip.load(shipped_clips()["walk"])
    assert clips[0]["frames"] == walk.num_frames == 488 and clips[0]["seconds"] == 9.74 and clips[0]["fps"] == 50.0
    assert clips[0]["content_hash"] == walk.content_hash and clips[0]["robot"] == "unitree_g1"


def test_unreadable_files_are_named_after_the_others(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    shutil.copy(shipped_clips()["walk"], tmp_path / "walk.npz")
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    assert main("motions", ["list", str(tmp_path)]) == 1
    streams = capsys.readouterr()
    assert "1 clips" in streams.out and "walk" in streams.out
    assert streams.err.count("\n") == 1 and "bad.npz" in streams.err and streams.err.startswith("Error: ")
    assert main("motions", ["list", str(tmp_path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["clips"]) == 1 and "bad.npz" in found["failed"][0]


def test_brackets_in_a_source_are_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    from dataclasses import replace

    replace(Clip.load(shipped_clips()["stand"]), source="[red]a [x](y)", license="").save(tmp_path / "a.npz")
    assert main("motions", ["list", str(tmp_path / "a.npz")]) == 0
    text = capsys.readouterr().out
    assert "[red]a [x](y)" in text and "unknown" in text


def test_mistakes_are_one_line(capsys: pytest.CaptureFixture) -> None:
    assert main("motions", ["list", "nowhere"]) == 2
    assert main("motions", ["list", "--jobs", "0"]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_doctor_gives_a_verdict(capsys: pytest.CaptureFixture) -> None:
    assert main("motions", ["list", "stand", "--doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clips"][0]["verdict"] in ("ok", "warn", "reject")
