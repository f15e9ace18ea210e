# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A training that does not fit into memory is refused before it begins, and before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isaac_tracking.launch import memory_probe
from isaac_tracking.launch.main import main
from isaac_tracking.launch.measured_task import Job


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """A machine with 5 GB, on which a task takes 1 GB and 10 MB for each environment; what was measured there."""
    asked: list[Job] = []

    def measure(job: Job) -> dict[str, Any]:
        asked.append(job)
        return {"memory": 1.0 + 0.01 * job.num_envs}

    monkeypatch.setattr(memory_probe, "free_memory", lambda device: 5e9)
    monkeypatch.setattr(memory_probe, "measure_apart", measure)
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return asked


def test_a_training_that_does_not_fit(machine: list[Job], tmp_path: Path, capsys: pytest.CaptureFixture):
    options = ["--device", "cpu", "--num_envs", "1000", "--motion", "stand", "agent.actor.hidden_dims=[8]"]
    assert main("train", options) == 2
    assert capsys.readouterr().err == (
        "Error: --num_envs 1000 needs about 11 GB and 'cpu' has 5 GB free; the largest that fits is about 400 (from 16"
        " and 256 environments)\n"
    )
    assert [(job.num_envs, job.only) for job in machine] == [(16, "start"), (256, "start")]
    assert "agent.actor.hidden_dims=[8]" in machine[0].overrides
    assert not (tmp_path / "logs").exists()


def test_processes_of_a_cpu_share_it(machine: list[Job], capsys: pytest.CaptureFixture):
    assert main("train", ["--device", "cpu", "--gpus", "2", "--num_envs", "300", "--motion", "stand"]) == 2
    assert "'cpu' has 2.5 GB free; the largest that fits is about 150" in capsys.readouterr().err
