# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The scale benchmark, at a small size: real and stand-in files, both precisions, and its mistakes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from isaac_tracking.launch import benchmark_motions
from isaac_tracking.launch.main import main


def test_everything_is_measured_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(benchmark_motions, "REAL_FILES", 2)
    monkeypatch.setattr(benchmark_motions, "_TIMED", 5)
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    # 8 clips of 2 s.
    # As every result: a kill while it is written leaves the old file whole.
    (tmp_path / "out.json").write_text("of another day")
    os.link(tmp_path / "out.json", tmp_path / "old.json")
    options = ["--clips", "2", "8", "--hours", str(16 / 3600), "--envs", "16", "--device", "cpu"]
    assert main("benchmark_motions", [*options, "--folder", ".", "--json", "out.json"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"out.json", "old.json"}
    assert (tmp_path / "old.json").read_text() == "of another day"
    rows = json.loads((tmp_path / "out.json").read_text())["measurements"]
    assert [(row["clips"], row["precision"], row["files"]) for row in rows] == [
        (2, "fp16", "real"), (8, "fp16", "stand-in"), (2, "fp32", "real"), (8, "fp32", "stand-in"),
    ]  # fmt: skip
    assert [row["hours"] * 3600 for row in rows] == pytest.approx([4, 16, 4, 16])
    # 100 frames a clip and one row of NaN; 496 or 960 bytes a row.
    assert [row["device_bytes"] for row in rows] == [201 * 496, 801 * 496, 201 * 960, 801 * 960]
    assert rows[0]["bytes_per_hour"] == 496 * 180000
    for row in rows:
        assert 0 < row["both_ms"][0] <= row["both_ms"][1] <= row["both_ms"][2]
    assert rows[1]["swap_bytes"] % (100 * 496) == 0 and rows[1]["swap_bytes"] > 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " | fp" in line]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--clips", "0"), "not a whole number above 0"),
        (("--precision", "fp8"), "invalid choice: 'fp8'"),
        (("--hours", "-1"), "-1 hours are too short for 10000 clips"),
        (("--hours", "1e9"), "GB are needed"),
        (("--json", "nowhere/out.json"), "nowhere' of --json does not exist"),
        (("--folder", "nowhere"), "nowhere' of --folder does not exist"),
    ],
)
def test_a_mistake_is_one_line(options, words: str, capsys: pytest.CaptureFixture) -> None:
    assert main("benchmark_motions", [*options, "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and words in error and error.count("\n") == 1


def test_a_cache_that_is_not_used_is_an_error(tmp_path: Path) -> None:
    benchmark_motions._make(tmp_path / "clips", tmp_path / "cache", 2, 50, "fp16")
    benchmark_motions._open(tmp_path / "clips", tmp_path / "cache", "fp16", "cpu")
    with pytest.raises(benchmark_motions.OptionError, match=r"the cache in .* was not used"):
        benchmark_motions._open(tmp_path / "clips", tmp_path / "cache", "fp32", "cpu")
