# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Garbage is looked for seldom, in every process that simulates. ``test_ranks.py`` looks at those of ``--gpus N``."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from isaac_tracking.launch import garbage, measured_task
from isaac_tracking.launch.main import main
from isaac_tracking.launch.peers import worker
from isaac_tracking.launch.peers.job import TASKS, PeerError, PeerJob


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """What the thresholds are set to."""
    found: list[tuple[int, ...]] = []
    monkeypatch.setattr(gc, "set_threshold", lambda *thresholds: found.append(thresholds))
    return found


def test_commands(set_to: list, capsys: pytest.CaptureFixture):
    assert main("benchmark", ["--help"]) == 0
    assert set_to == [garbage.THRESHOLDS] and set_to[0][0] >= 50_000
    assert "usage" in capsys.readouterr().out.lower()


def test_a_measurement_in_a_process_of_its_own(set_to: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    job = measured_task.Job("task", ("a=b",), "cpu", 4, 5, 6, 7.0)
    monkeypatch.setattr(measured_task, "measure", lambda asked: {"same": asked == job, "thresholds": set_to[-1]})
    assert measured_task.main([str(tmp_path / "row.json"), *measured_task.arguments_of(job)]) == 0
    row = json.loads((tmp_path / "row.json").read_text())
    assert row == {"same": True, "thresholds": list(garbage.THRESHOLDS)}


@pytest.mark.parametrize("who", TASKS)
def test_tasks_that_are_compared_are_all_treated_alike(set_to: list, tmp_path: Path, monkeypatch, who: str):
    seen = []

    @contextmanager
    def open_task(job: PeerJob) -> Iterator[None]:
        seen.append((job.who, set_to[-1]))
        raise PeerError("that is enough")
        yield

    module = "own_task" if who == "ours" else "mjlab_task"
    monkeypatch.setitem(sys.modules, f"{worker.__package__}.{module}", SimpleNamespace(open_task=open_task))
    monkeypatch.setattr("isaac_tracking.launch.errors.USER_ERRORS", (PeerError,))
    PeerJob(who, (), "", (), "cpu", 4, 0).save(tmp_path / "job.json")
    assert worker.main([str(tmp_path / "job.json"), str(tmp_path / "row.json")]) == 2
    assert seen == [(who, garbage.THRESHOLDS)]


def test_an_exit_does_not_look_for_garbage():
    """What is registered first runs last, after the freeze; then Python ends."""
    code = "import atexit, gc, sys; atexit.register(lambda: print('frozen', gc.get_freeze_count() > 10_000));"
    code += "from isaac_tracking.launch.main import main; main('benchmark', ['--help']); main('benchmark', ['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "frozen True"
