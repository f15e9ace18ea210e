# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The benchmark's table, its comparison and its refusals; one real small measurement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from isaac_tracking.launch import benchmark, memory_fit, memory_probe
from isaac_tracking.launch.benchmark_report import flat, lines, size_of
from isaac_tracking.launch.main import main


def around(median: float) -> dict[str, float]:
    return {"median": median, "p10": 0.5 * median, "p90": 2.0 * median, "mean": median}


def row(num_envs: int = 64, slower: float = 1.0) -> dict[str, Any]:
    """Return what a measurement of a step of 12 ms looks like, 8 ms of which are physics."""
    return {
        "num_envs": num_envs,
        "start": {"import": 2.0, "scene": 3.0, "first_step": 1.0, "compiled_modules": 0, "compiling": 0.0},
        "step": around(12.0 * slower),
        "physics": around(8.0),
        "ratio": 1.5 * slower,
        "visits": 20,
        "counts": {
            "torch_ops": 200.0, "torch_bytes": 1e6, "warp_launches": 300.0, "graph_launches": 0.0,
            "host_waits": {"aten::nonzero": 3.0}, "syncs": None, "gpu": None,
        },
        "policy": around(0.1), "act": around(10.0), "learner": around(100.0), "iteration": around(400.0),
        "steps_per_iteration": 24,
        "parts": {"physics": around(9.0), "rewards": around(3.0 * slower), "step": around(12.0)},
        "terms": {"rewards/body_pos": around(1.0)},
        "resets_per_step": 0.5,
        "memory": 1.25,
        "solver": {"mean": 3.62, "p99.9": 8.0, "most": 10.0, "slowest": 8.64},
        "buffers": {
            "Physics/overflow_contacts": 0.0, "Physics/overflow_constraints": 7.0, "most_contacts": 30, "contacts": 64,
            "most_constraints": 9, "constraints": 8, "warning": "raise njmax",
        },
    }  # fmt: skip


def cells(text: list[str], title: str) -> list[str]:
    """Return what stands behind a title."""
    (line,) = [line for line in text if line.strip().startswith(title)]
    return line.strip().removeprefix(title).split()


def test_table_by_hand():
    text = list(lines(row()))
    assert cells(text, "full step / floor") == ["1.500"]
    assert cells(text, "physics alone (floor)") == ["8.000", "4.000", "16.000"]
    assert cells(text, "rewards ") == ["3.000", "1.500", "6.000", "25.0%"]
    (solver,) = [line for line in text if line.startswith("iterations of the solver: 3.6 on the mean, 99.9 %")]
    assert solver.endswith("at most 8, none above 10; the slowest robot of a step 8.6 on the mean")
    assert cells(text, "rewards/body_pos") == ["1.000", "0.500", "2.000", "8.3%"]
    # 64 / 12 ms, and 64 * 24 / 400 ms.
    assert cells(text, "env-steps/s") == ["5333"] and cells(text, "steps/s of training") == ["3840"]
    assert cells(text, "asked for by aten::nonzero") == ["3"]
    assert "constraints of a robot: at most 9, room for 8, dropped 7 times" in text
    assert text[-1] == "WARNING: raise njmax"


def test_comparison_says_how_many_times_as_much_it_is_now():
    text = list(lines(row(slower=2.0), row()))
    assert cells(text, "full step  ")[-1] == cells(text, "full step / floor")[-1] == "2.00"
    assert cells(text, "physics alone (floor)")[-1] == "1.00"
    assert cells(text, "rewards ")[-1] == "2.00"
    # Nothing to divide by.
    assert cells(text, "start: compiling [s]")[-1] == "-"


def test_numbers_by_path():
    numbers = flat(row())
    assert numbers["step"] == 12.0 and numbers["terms/rewards/body_pos"] == 1.0
    assert numbers["start/scene"] == 3.0 and "counts/syncs" not in numbers
    assert size_of({"sizes": [row(64), row(32)]}, 32) == row(32) and size_of(None, 32) is None


def test_sizes_files_and_comparison(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture):
    jobs = []

    def measure(job: Any, environment: dict[str, str] | None = None) -> dict[str, Any]:
        jobs.append((job.num_envs, job.only, sorted(environment or {})))
        return row(job.num_envs)

    monkeypatch.setattr(benchmark, "measure_apart", measure)
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    options = ["--num_envs", "8", "16", "--device", "cpu", "--cold"]
    assert main("benchmark", [*options, "--json", "now.json"]) == 0
    assert jobs == [(8, "all", []), (8, "start", ["WARP_CACHE_PATH"]), (16, "all", [])]
    written = json.loads((tmp_path / "now.json").read_text())
    assert [size["num_envs"] for size in written["sizes"]] == [8, 16]
    assert written["sizes"][0]["cold_start"]["scene"] == 3.0
    capsys.readouterr()
    velocity = ["--task", "Isaac-Velocity-Flat-Unitree-Go1-v0", "--num_envs", "8", "--device", "cpu"]
    assert main("benchmark", [*velocity, "--compare", "now.json"]) == 0
    printed = capsys.readouterr().out
    assert "compared with another task: Isaac-Tracking-G1-v0" in printed
    assert "      1.00\n" in printed


def test_a_size_that_does_not_fit_is_one_sentence(monkeypatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(memory_probe, "free_memory", lambda device: 5e9)
    # 1 GB, and 10 MB for each environment.
    monkeypatch.setattr(memory_probe, "measure_apart", lambda job: {"memory": 1.0 + 0.01 * job.num_envs})
    assert memory_fit.PROBES["cpu"] == (16, 256)
    assert main("benchmark", ["--num_envs", "1000", "--device", "cpu"]) == 2
    assert capsys.readouterr().err == (
        "Error: --num_envs 1000 needs about 11 GB and 'cpu' has 5 GB free; the largest that fits is about 400 (from 16"
        " and 256 environments)\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--task", "nope"), "task 'nope' is unknown"),
        (("--num_envs", "0"), "'0' is not a whole number above 0"),
        (("--device", "cuda:99"), "device 'cuda:99' is not on this machine"),
        (("--device", "cpu", "--compare", "missing.json"), "give a file that --json wrote"),
        (("--device", "cpu", "--compare", "empty.json"), "is no result of this benchmark"),
        (("--device", "cpu", "env.nope=1"), "setting 'env.nope' does not exist"),
        (("--device", "cpu", "physics=ovphysx"), "engine"),
    ],
)
def test_mistakes_are_one_line(
    options: tuple[str, ...], words: str, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture
):
    (tmp_path / "empty.json").write_text("{}")
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    assert main("benchmark", options) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("task", ["Isaac-Tracking-G1-v0", "Isaac-Velocity-Flat-Unitree-Go1-v0"])
def test_a_real_small_measurement(task: str, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    options = ["--task", task, "--num_envs", "4", "--steps", "5", "--device", "cpu", "--json", "now.json"]
    small = ["agent.num_steps_per_env=8", "agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]"]
    assert main("benchmark", [*options, *small]) == 0
    (size,) = json.loads((tmp_path / "now.json").read_text())["sizes"]
    assert size["ratio"] > 0.0 and size["visits"] == 5 and size["memory"] > 0.1
    # The same operators in each step but for the resets.
    # The physics is replayed, on a CPU as well: four calls in a step.
    assert size["counts"]["torch_ops"] > 50 and size["counts"]["warp_launches"] > 10
    assert size["counts"]["graph_launches"] == 4
    assert sum(size["counts"]["host_waits"].values()) >= 1
    parts = {name: value["mean"] for name, value in size["parts"].items()}
    assert sum(parts.values()) - parts["step"] == pytest.approx(parts["step"], rel=1e-6)
    managers = {name.partition("/")[0] for name in size["terms"]}
    assert {"actions", "commands", "rewards", "terminations", "observations"} <= managers
    assert size["buffers"]["Physics/overflow_contacts"] == size["buffers"]["Physics/overflow_constraints"] == 0.0
    assert size["buffers"]["warning"] is None
    solver = size["solver"]
    assert 1.0 <= solver["mean"] <= solver["slowest"] <= solver["most"] <= 10.0
