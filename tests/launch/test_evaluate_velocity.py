# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/evaluate.py`` with policies that follow velocities, as a user calls it: an untrained one, on a CPU."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from isaac_tracking.inference.film import check_film
from isaac_tracking.inference.velocity.metrics import METRICS
from isaac_tracking.launch.main import main
from warm_process import SCRIPTS, WarmProcess

FLAT, ROUGH = "Isaac-Velocity-Flat-Unitree-Go1-v0", "Isaac-Velocity-Rough-Unitree-Go1-v0"
SHORT = "env.episode_length_s=0.4"
TINY = "agent.actor.hidden_dims=[16]", "agent.critic.hidden_dims=[16]", "agent.num_steps_per_env=2"


def run(script: str, *arguments: object, cwd: Path) -> None:
    done = WarmProcess(SCRIPTS / f"{script}.py", *arguments, cwd=cwd).wait()
    assert done.returncode == 0, done.stderr


def trained(task: str, home: Path, *settings: str) -> Path:
    """Train one iteration in few environments, and return the checkpoint."""
    size = ["--device", "cpu", "--num_envs", 2, "--max_iterations", 1]
    run("train", "--task", task, *size, *TINY, *settings, cwd=home)
    return next(home.glob("logs/rsl_rl/*/*/model_*.pt"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(FLAT, tmp_path_factory.mktemp("flat"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_file(checkpoint: Path, tmp_path: Path) -> None:
    """A whole grid with all that is random, in two processes of nothing in common; one films the worst command."""
    given = [checkpoint, "--setting", "pushed", "--seed", 5, "--device", "cpu", SHORT]
    command = [sys.executable, SCRIPTS / "evaluate.py", *given, "--output", tmp_path / "a"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(list(map(str, command)), cwd=tmp_path, **pipes) as other:
        run("evaluate", *given, "--output", tmp_path / "b", "--video", "--worst", 1, cwd=tmp_path)
        printed, errors = other.communicate(timeout=300)
    assert other.returncode == 0, errors
    texts = [(tmp_path / name / "metrics.json").read_text() for name in "ab"]
    assert texts[0] == re.sub(r'"film": ".+?"', '"film": null', texts[1])
    assert json.loads(texts[1])["film"] == "film.mp4"
    assert check_film(tmp_path / "b" / "film.mp4", may_stand_still=True).frames <= 10
    content = json.loads(texts[0])
    assert content["checkpoint"]["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert content["task"] == FLAT.replace("-v0", "-Play-v0") and content["ground"] == "plane"
    # The Go1's range goes to both sides on all three axes.
    assert content["all"]["episodes"] == len(content["commands"]) == 33
    for row in content["commands"]:
        assert [each["repeat"] for each in row["each"]] == [0] and set(row["each"][0]["metrics"]) == set(METRICS)
        assert 1 <= row["each"][0]["steps"] <= 20
    assert sum(content["all"]["outcomes"].values()) == 33
    assert content["terrains"] == [] and content["level_reached"] is None
    # mjlab's Go1, give or take what the task varies.
    assert 8.0 < content["mass"] < 18.0
    assert "forward left" in printed and "falls: " in printed
    assert (tmp_path / "a" / "report.html").read_text().startswith("<!doctype html>")


def test_one_command_and_no_randomness(checkpoint: Path, tmp_path: Path) -> None:
    """Nothing is random, so that two repeats are the same."""
    given = [checkpoint, "--command", 0.5, 0, -0.5, "--repeats", 2, "--device", "cpu", "--output", "out", SHORT]
    run("evaluate", *given, cwd=tmp_path)
    content = json.loads((tmp_path / "out" / "metrics.json").read_text())
    (row,) = content["commands"]
    assert row["command"] == {"x": 0.5, "y": 0.0, "yaw": -0.5} and content["commands_chosen_by"] == "--command"
    first, second = row["each"]
    known = {name: value for name, value in first["metrics"].items() if value is not None}
    assert known == pytest.approx({name: second["metrics"][name] for name in known}, rel=1e-2, abs=1e-3)


@pytest.mark.slow
def test_rough_ground(tmp_path: Path) -> None:
    """Every kind of ground at two levels, and the film shows one of them."""
    levels = "env.scene.terrain.terrain_generator.num_rows=2"
    checkpoint = trained(ROUGH, tmp_path, levels, "env.scene.terrain.terrain_generator.num_cols=2")
    given = [checkpoint, "--command", 1, 0, 0, "--episodes", "--device", "cpu", "--output", "out", SHORT, levels]
    run("evaluate", *given, cwd=tmp_path)
    content = json.loads((tmp_path / "out" / "metrics.json").read_text())
    kinds, levels = content["ground"]["kinds"], content["ground"]["levels"]
    assert len(kinds) >= 5 and levels == 2 and content["all"]["episodes"] == 2 * len(kinds)
    each = content["commands"][0]["each"]
    assert {(one["terrain"], one["level"]) for one in each} == {(kind, level) for kind in kinds for level in (0, 1)}
    assert [row["name"] for row in content["terrains"]] == sorted(kinds)
    assert 0.0 <= content["level_reached"] <= 2.0
    (filmed,) = [one for one in each if one["film"] is not None]
    assert filmed["level"] == 1 and (tmp_path / "out" / filmed["film"]).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--command", "9", "0", "0"], "9 m/s forward is outside the trained range; give a number from -1 to 1"),
        (["--command", "nan", "0", "0"], "--command: nan m/s forward is outside the trained range"),
        (["--trajectories", "t"], "--trajectories is for policies that follow clips"),
        (["--every", "2"], "--every is for policies that follow clips"),
        (["--motion", "stand"], "--motion is for tracking tasks"),
        (["--engines", "newton"], "only policies that follow clips are compared"),
        (["--task", "Isaac-Tracking-G1-v0"], f"is of task '{FLAT}', not"),
    ],
)
def test_a_mistake_is_one_line(checkpoint, tmp_path, monkeypatch, capsys, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    assert main("evaluate", [str(checkpoint), *arguments, "--output", "out"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("Error: ") and message in error[0]
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_are_not_watched(checkpoint, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    assert main("watch", [str(checkpoint.parent), "--once"]) == 2
    assert "only policies that follow clips are watched" in capsys.readouterr().err
