# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One run as a user does it, on a CPU: train, Ctrl-C, --resume, play with a film; and Isaac Lab's own command."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isaac_tracking.inference.film import check_film
from isaac_tracking.learning.checkpoint import read_checkpoint
from isaac_tracking.learning.runs import being_trained, checkpoints

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SIZE = ["--device", "cpu", "--num_envs", "16", "--motion", "stand", "squat"]
SIZE += [
    "env.commands.motion.sampler.mode=adaptive",
    "agent.num_steps_per_env=8",
    "agent.save_interval=1000",
    "agent.actor.hidden_dims=[32]",
]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "source" / "isaac_tracking"), "PYTHONUNBUFFERED": "1"}


def rows(run: Path) -> list[dict[str, str]]:
    if not (run / "logs.csv").is_file():
        return []
    with (run / "logs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def interrupted(checkout) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run that was stopped with Ctrl-C after some iterations, and what it printed."""
    process = checkout.start("train.sh", [*SIZE, "--max_iterations", "500"])
    deadline = time.monotonic() + 240
    while True:
        found = list(checkout.folder.glob("logs/rsl_rl/g1_tracking/*/logs.csv"))
        if found and len(rows(found[0].parent)) >= 3:
            break
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.1)
    # A new run is locked as well as one that goes on: scripts/watch.py tells by it that there is more to come.
    assert being_trained(found[0].parent)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert not being_trained(found[0].parent)
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    return found[0].parent, done


@pytest.fixture(scope="module")
def resumed(checkout, interrupted) -> tuple[Path, subprocess.CompletedProcess[str], int]:
    """The same run after two more iterations, with a short film, and its number of rows before."""
    run, _ = interrupted
    before = len(rows(run))
    film = ["--video", "--video_length", "6", "--video_interval", "8"]
    return run, checkout.call("train.sh", "--device", "cpu", "--resume", "--max_iterations", "2", *film), before


def test_ctrl_c_saves_and_says_how_to_go_on(interrupted):
    run, done = interrupted
    assert done.returncode == 130, done.stderr
    assert done.stdout.splitlines()[-1].endswith("stopped as asked; go on with: bash train.sh --resume")
    assert len(rows(run)) < 500
    newest = checkpoints(run)[-1]
    assert newest.name == f"model_{rows(run)[-1]['iteration']}.pt"
    infos = read_checkpoint(newest)["infos"]["run"]
    record = json.loads((run / "params" / "run.json").read_text())
    assert infos["task"] == record["task"] == "Isaac-Tracking-G1-v0" and infos["overrides"] == record["overrides"]
    assert record["planned"] == 500 and len(record["clips"]) == len(set(record["clips"])) > 0


def test_newcomer_sees_a_header_and_progress_and_no_tables(interrupted):
    run, done = interrupted
    for words in (
        "task         Isaac-Tracking-G1-v0",
        "engine       Newton (MJWarp) on cpu",
        "environments 16",
        "Ctrl-C",
    ):
        assert f"[isaac_tracking] {words}" in done.stdout
    assert "motions      stand, squat (2, " in done.stdout and str(run) in done.stdout
    assert re.search(r"^iteration 1/500 \| .*\d+ steps/s \| .* left$", done.stdout, re.MULTILINE)
    for noise in ("Active", "Actor Model", "git repository", "[INFO]", "Warning:"):
        assert noise not in done.stdout + done.stderr, noise
    assert len(done.stdout.splitlines()) < 40


def test_resume_goes_on_in_the_same_folder(resumed):
    run, done, before = resumed
    assert done.returncode == 0, done.stderr
    assert [path.name for path in run.parent.iterdir()] == [run.name]
    assert [int(row["iteration"]) for row in rows(run)] == list(range(before + 2))
    assert [int(row["total_steps"]) for row in rows(run)] == [16 * 8 * (index + 1) for index in range(before + 2)]
    assert f"at iteration {before}, 2 to go" in done.stdout
    assert f"iteration {before + 2}/{before + 2}" in done.stdout
    assert checkpoints(run)[-1].name == f"model_{before + 1}.pt"
    state = read_checkpoint(checkpoints(run)[-1])
    assert state["samplers"]["motion"]["visits"].sum() > 0
    assert not list(run.rglob("*.part"))


def test_film_while_training(resumed):
    run, done, before = resumed
    for step in (8 * before, 8 * (before + 1)):
        assert check_film(run / "videos" / "train" / f"step_{step}.mp4", frames=3).fps == pytest.approx(25.0)
    assert "training waits while" in done.stdout


def test_play_says_how_each_episode_ended_and_films(checkout, resumed):
    run, _, before = resumed
    done = checkout.call("test.sh", "--device", "cpu", "--video", "--video_length", "20")
    assert done.returncode == 0, done.stderr
    assert f"model_{before + 1}.pt" in done.stdout
    episodes = re.findall(r"episode +\d+ \| (\w+) +\| +(\d+) steps \| reward [\d.-]+ a step \| body error", done.stdout)
    assert sorted(name for name, _ in episodes) == ["squat", "stand"]
    assert re.search(r"\d of 2 episodes \(\d+\.\d %\) reached the clip's end; mean body error", done.stdout)
    report = check_film(run / "videos" / "play" / f"model_{before + 1}.mp4", frames=10)
    assert report.fps == pytest.approx(25.0)
    assert "Active" not in done.stdout


def test_isaac_labs_own_train_command_works(tmp_path: Path):
    code = (
        "import sys, isaac_tracking.tasks; from isaaclab_rl.entrypoints import run_train_cli; sys.exit(run_train_cli())"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "--rl_library",
        "rsl_rl",
        "--task",
        "Isaac-Tracking-G1-v0",
        "--device",
        "cpu",
    ]
    command += ["--num_envs", "16", "--max_iterations", "1", "agent.device=cpu", "agent.num_steps_per_env=4"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    (checkpoint,) = tmp_path.glob("logs/rsl_rl/g1_tracking/*/model_0.pt")
    assert {"samplers", "random"} <= read_checkpoint(checkpoint).keys()


def test_listing_tasks_is_quick_and_starts_no_simulator():
    code = (
        "import sys, gymnasium, isaac_tracking.tasks; print(sum('Tracking-G1' in name for name in gymnasium.registry));"
    )
    code += "print([name for name in ('torch', 'isaaclab', 'warp', 'newton', 'pxr') if name in sys.modules])"
    times = []
    for _ in range(2):
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
        )
        times.append(time.monotonic() - start)
    assert done.stdout == "18\n[]\n"
    assert min(times) < 3.0
