# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the GPU benchmark reads from a run, and what it refuses; one real row. ``test_ranks.py`` trains in two ranks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isaac_tracking.launch import benchmark_gpus
from isaac_tracking.launch.main import main


def row(speed: float, reward: str = "") -> dict[str, str]:
    times = {"collection_time": str(speed / 10), "learning_time": "0.5"}
    return {"steps_per_second": str(speed), "mean_reward": reward, **times}


def test_the_last_iterations_count():
    rows = [row(1.0, "9.0"), row(10.0), row(30.0, "2.0"), row(20.0, "4.0")]
    assert benchmark_gpus.medians(rows, 3) == {
        "steps_per_second": 20.0,
        "collection_time": 2.0,
        "learning_time": 0.5,
        "mean_reward": 3.0,
    }
    assert benchmark_gpus.medians(rows[1:2], 20)["mean_reward"] is None


def test_table_and_json_compare_with_the_first_row(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture):
    def measure(args, overrides, gpus: int, seed: int) -> dict:
        assert overrides == ["agent.x=1"]
        numbers = benchmark_gpus.medians([row(100.0 * gpus**0.5 * seed, "1.5")], 1)
        return {"gpus": gpus, "num_envs": args.total_envs // gpus, "seed": seed, **numbers, "curve": [None, 1.5]}

    monkeypatch.setattr(benchmark_gpus, "_measure", measure)
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    options = ["--gpus", "1", "4", "--total_envs", "8", "--seed", "1", "3", "--device", "cpu", "--curve"]
    assert main("benchmark_gpus", [*options, "--json", "out.json", "agent.x=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1]) == json.loads((tmp_path / "out.json").read_text())
    assert [row["times"] for row in json.loads(lines[-1])["rows"]] == [1.0, 2.0, 1.0, 2.0]
    second, last = ([cell.strip() for cell in lines[at].partition("]")[2].split("|")] for at in (3, -2))
    assert second == ["4", "2", "1", "200", "2.00", "20.000", "0.500", "1.50"]
    assert last == ["1", *["1.50"] * 4]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--num_envs", "4", "--total_envs", "4"), "give one of them"),
        (("--gpus", "3", "--total_envs", "4", "--device", "cpu"), "cannot be shared evenly by 3 GPUs"),
        (("--task", "nope"), "task 'nope' is unknown"),
    ],
)
def test_mistakes_are_one_line(options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture):
    assert main("benchmark_gpus", options) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_row(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    options = ["--gpus", "1", "--num_envs", "2", "--iterations", "2", "--device", "cpu"]
    options += ['env.commands.motion.motions=["stand"]', "agent.num_steps_per_env=4", "agent.actor.hidden_dims=[8]"]
    assert main("benchmark_gpus", [*options, "agent.algorithm.num_mini_batches=2"]) == 0
    (row,) = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert (row["gpus"], row["num_envs"], row["times"]) == (1, 2, 1.0) and row["steps_per_second"] > 0
