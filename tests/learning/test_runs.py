# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which run and which checkpoint is the newest, and what a record may hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isaac_tracking.learning import runs
from isaac_tracking.learning.runs import (
    RunError,
    checkpoints,
    clean_parts,
    latest_run,
    read_record,
    resolve_checkpoint,
    set_aside_after,
    write_record,
)


def make_run(experiment: Path, name: str, *iterations: int) -> Path:
    run = experiment / name
    (run / "params").mkdir(parents=True)
    for iteration in iterations:
        (run / f"model_{iteration}.pt").write_bytes(b"x")
    return run


def test_newest_run_is_by_name_and_has_a_checkpoint(tmp_path: Path):
    old = make_run(tmp_path, "2026-01-01_00-00-00", 5)
    new = make_run(tmp_path, "2026-02-01_00-00-00_mine", 999, 1000, 20)
    empty = make_run(tmp_path, "2026-03-01_00-00-00")
    (empty / "model_5.pt").mkdir()  # a folder is no checkpoint
    (tmp_path / "2026-04-01_00-00-00").write_text("a file")
    os.utime(new, (1, 1))
    os.utime(old)
    assert latest_run(tmp_path) == new
    assert resolve_checkpoint("latest", tmp_path, tmp_path).name == "model_1000.pt"


def test_checkpoints_are_by_number_and_unfinished_ones_are_ignored(tmp_path: Path):
    run = make_run(tmp_path, "run", 999, 1000, 2)
    for name in (".model_2000.pt.17.part", "model_best.pt", "model_3000.pt.bak", "policy.onnx"):
        (run / name).write_bytes(b"x")
    assert [path.name for path in checkpoints(run)] == ["model_2.pt", "model_999.pt", "model_1000.pt"]
    clean_parts(run)
    assert not (run / ".model_2000.pt.17.part").exists() and (run / "model_best.pt").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("latest", "no run with a checkpoint in .* train one first"),
        ("no.pt", "does not exist"),
        (".", "holds no model_"),
    ],
)
def test_checkpoint_that_is_not_there_is_named(tmp_path: Path, name: str, words: str):
    with pytest.raises(RunError, match=words) as error:
        resolve_checkpoint(name, tmp_path / "experiment", tmp_path)
    assert "\n" not in str(error.value)


def test_checkpoint_is_a_file_or_a_folder_relative_to_the_caller(tmp_path: Path):
    run = make_run(tmp_path, "run", 9, 10)
    assert resolve_checkpoint("run", tmp_path, tmp_path) == run / "model_10.pt"
    assert resolve_checkpoint("run/model_9.pt", tmp_path, tmp_path) == run / "model_9.pt"
    assert resolve_checkpoint(str(run), tmp_path, Path("/")) == run / "model_10.pt"


def test_record_round_trip(tmp_path: Path):
    assert read_record(tmp_path) == {}
    write_record(tmp_path, {"task": "T", "overrides": ["a=1"], "planned": 3})
    assert read_record(tmp_path) == {"task": "T", "overrides": ["a=1"], "planned": 3}
    assert [path.name for path in (tmp_path / "params").iterdir()] == ["run.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"overrides": 3}', '{"planned": "many"}', '"text"'])
def test_damaged_record_is_one_line(tmp_path: Path, text: str):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"run\.json' is damaged") as error:
        read_record(tmp_path)
    assert "\n" not in str(error.value)


def test_later_checkpoints_are_set_aside_never_lost(tmp_path: Path):
    run = make_run(tmp_path, "run", 1, 2, 3)
    (run / "logs.csv").write_text("iteration\n1\n2\n3\n")
    assert set_aside_after(run / "model_3.pt") == []
    moved = set_aside_after(run / "model_1.pt")
    assert [path.name for path in moved] == ["model_2.pt", "model_3.pt"] and all(path.is_file() for path in moved)
    assert (moved[0].parent / "logs.csv").read_text() == "iteration\n1\n2\n3\n"
    assert [path.name for path in checkpoints(run)] == ["model_1.pt"]
    (run / "model_2.pt").write_bytes(b"again")
    assert set_aside_after(run / "model_1.pt")[0].parent != moved[0].parent


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path):
    held = runs.lock_run(tmp_path)
    with pytest.raises(RunError, match="is being trained by another process") as error:
        runs.lock_run(tmp_path)
    assert "\n" not in str(error.value)
    os.close(held)
    os.close(runs.lock_run(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_finding_runs_needs_no_torch():
    code = "import sys, isaac_tracking.learning.runs; print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(runs.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
