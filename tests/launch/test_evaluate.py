# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/evaluate.py`` as a user calls it: the same numbers twice, whole files, and one line for a mistake."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from isaac_tracking.inference.film import check_film
from isaac_tracking.inference.metrics import METRICS
from isaac_tracking.launch.main import main
from isaac_tracking.learning.runs import write_record
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from warm_process import SCRIPTS, WarmProcess

TASK = "Isaac-Tracking-G1-v0"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, _simulator) -> Path:
    """The checkpoint of a policy that never learned anything, as training writes it."""
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

    from isaac_tracking.launch.overrides import resolve_config
    from isaac_tracking.learning.runner import Runner

    agent_cfg = handle_deprecated_rsl_rl_cfg(resolve_config(TASK, [])[1], check_rsl_rl_version())
    runner = Runner(RslRlVecEnvWrapper(_simulator), to_dict(agent_cfg), device="cpu")
    path = tmp_path_factory.mktemp("run") / "model_0.pt"
    runner.save(str(path))
    write_record(path.parent, {"task": TASK, "overrides": [], "planned": 1, "clips": ["stand"]})
    return path


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPTS / "evaluate.py"), *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def count_pictures(path: Path) -> int:
    return check_film(path, may_stand_still=True).frames


@pytest.mark.slow
def test_the_same_seed_gives_the_same_file(checkpoint: Path, tmp_path: Path) -> None:
    """With all that is random, in two processes that have nothing in common, not even the order of sets."""
    given = [checkpoint, "--motion", "stand", "--setting", "pushed", "--repeats", 2, "--seed", 5, "--device", "cpu"]
    given += ["--num_envs", 2]
    other = start(*given, "--output", tmp_path / "a", "--trajectories", tmp_path / "t", cwd=tmp_path)
    film = ["--video", "--episodes", "--worst", 1]
    done = WarmProcess(SCRIPTS / "evaluate.py", *given, "--output", tmp_path / "b", *film, cwd=tmp_path).wait()
    assert done.returncode == 0, done.stderr
    printed, errors = other.communicate(timeout=300)
    assert other.returncode == 0, errors
    texts = [(tmp_path / name / "metrics.json").read_text() for name in "ab"]
    # But for the films, which the second made of the same episodes.
    assert texts[0] == re.sub(r'"film": ".+?"', '"film": null', texts[1])
    filmed = json.loads(texts[1])
    assert [filmed["film"], *(each["film"] for each in filmed["clips"][0]["each"])] == [
        "film.mp4", "films/stand_0.mp4", "films/stand_1.mp4",
    ]  # fmt: skip
    assert [count_pictures(tmp_path / "b" / each["film"]) for each in filmed["clips"][0]["each"]] == [
        math.ceil(each["steps"] / 2) for each in filmed["clips"][0]["each"]
    ]
    assert (tmp_path / "b" / "film.mp4").is_file()
    content = json.loads(texts[0])
    assert content["checkpoint"]["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert content["task"] == "Isaac-Tracking-G1-Play-v0" and content["setting"] == "pushed" and content["seed"] == 5
    row = content["clips"][0]
    assert row["name"] == "stand" and [each["repeat"] for each in row["each"]] == [0, 1]
    assert row["content_hash"] == Clip.load(shipped_clips()["stand"]).content_hash
    # Other noise, other numbers.
    assert row["each"][0]["metrics"]["mpjpe_global"] != row["each"][1]["metrics"]["mpjpe_global"]
    assert set(METRICS) == set(row["metrics"])
    assert "stand" in printed and "success: " in printed
    assert f"wrote 1 trajectory to {tmp_path / 't'}; scripts/replay.py shows what is there\n" in printed
    assert (tmp_path / "a" / "report.html").read_text().startswith("<!doctype html>")
    trajectory = Clip.load(tmp_path / "t" / "stand.npz")
    assert trajectory.num_frames == row["each"][0]["steps"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["metrics.json", "report.html"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.pt"], "checkpoint 'none.pt' does not exist"),
        (["CHECKPOINT", "--motion", "nosuch"], "motion 'nosuch' is neither a shipped clip"),
        (["CHECKPOINT", "--repeats", "0"], "--repeats is 0; give a whole number above 0"),
        (["CHECKPOINT", "--worst", "3"], "--worst 3 chooses what is filmed, and no film is asked for"),
        (["CHECKPOINT", "--command", "1", "0", "0"], "--command is for policies that follow velocities"),
        (["CHECKPOINT", "--every", "0"], "--every is 0; give a whole number above 0"),
        (["CHECKPOINT", "--trajectories", __file__], "test_evaluate.py' is a file; give a folder"),
        (["CHECKPOINT", "--trajectories", f"{__file__}/t"], "test_evaluate.py', which is a file; give a folder"),
        (["CHECKPOINT", "--seed", "-1"], "'-1' is not a whole number from 0"),
        (["CHECKPOINT", "--device", "cuda:9"], "device 'cuda:9' is not on this machine"),
        (["CHECKPOINT", "env.nosuch=1"], "setting 'env.nosuch' does not exist"),
        (["CHECKPOINT", "--task", "Isaac-Tracking-G1-NoStateEst-v0"], f"is of task '{TASK}', not"),
    ],
)
def test_a_mistake_is_one_line(checkpoint, tmp_path, monkeypatch, capsys, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    given = [str(checkpoint) if text == "CHECKPOINT" else text for text in arguments]
    assert main("evaluate", [*given, "--output", "out"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("Error: ") and message in error[0]
    assert list(tmp_path.iterdir()) == []
