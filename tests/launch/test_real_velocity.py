# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The Go1 on flat ground as a user does it, on a CPU: train 20 iterations, --resume, play, film."""

from __future__ import annotations

import csv
import re
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from isaac_tracking.inference.film import check_film
from isaac_tracking.learning.checkpoint import read_checkpoint
from isaac_tracking.learning.runs import checkpoints
from warm_process import SCRIPTS, WarmProcess

pytestmark = pytest.mark.slow

TASK = "Isaac-Velocity-Flat-Unitree-Go1-v0"
ON_CPU = ("--device", "cpu")


def call(checkout: Any, wrapper: str, *args: str) -> str:
    done = checkout.call(wrapper, *ON_CPU, *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def iterations(run: Path) -> list[int]:
    with (run / "logs.csv").open(newline="") as file:
        return [int(row["iteration"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def trained(checkout) -> tuple[Path, str]:
    """A run of 20 iterations with 64 environments, and what was printed."""
    printed = call(checkout, "train.sh", "--task", TASK, "--num_envs", "64", "--max_iterations", "20")
    (run,) = (checkout.folder / "logs" / "rsl_rl" / "unitree_go1_flat").iterdir()
    return run, printed


@pytest.fixture(scope="module")
def resumed(checkout, trained) -> tuple[Path, str]:
    """The same run after two more iterations, with a short film."""
    run, _ = trained
    film = ("--video", "--video_length", "8", "--video_interval", "48")
    return run, call(checkout, "train.sh", "--task", TASK, "--resume", "--max_iterations", "2", *film)


def test_training(trained):
    printed = trained[1]
    for words in (f"task         {TASK}", "environments 64", "ground       flat", "commands     x "):
        assert f"[isaac_tracking] {words}" in printed
    assert f"bash train.sh --resume --task {TASK} goes on" in printed and "motions" not in printed
    assert re.search(r"^iteration 20/20 \| ", printed, re.MULTILINE)
    assert f"bash test.sh --video --task {TASK}" in printed


def test_resume_goes_on_in_the_same_folder(resumed):
    run, printed = resumed
    assert [path.name for path in run.parent.iterdir()] == [run.name]
    assert iterations(run) == list(range(22)) and "at iteration 20, 2 to go" in printed
    assert checkpoints(run)[-1].name == "model_21.pt"
    assert read_checkpoint(checkpoints(run)[-1])["infos"]["run"]["task"] == TASK
    films = sorted((run / "videos" / "train").iterdir())
    assert films and all(check_film(film, frames=4, may_stand_still=True) for film in films)


def test_play_says_how_each_episode_went_and_films(checkout, resumed):
    """The newest run of a task that is named."""
    run, _ = resumed
    film = ("--video", "--video_length", "24", "--num_envs", "3", "env.episode_length_s=1.0")
    printed = call(checkout, "test.sh", "--task", TASK, *film)
    assert "model_21.pt" in printed
    line = r"episode +(\d) \| +\d+ steps \| reward [\d.-]+ a step \| error x [\d.]+ y [\d.]+ m/s turn [\d.]+ rad/s"
    assert re.findall(line, printed) == ["1", "2", "3"]
    assert re.search(r"\d of 3 episodes \(\d+\.\d %\) without a fall; mean reward", printed)
    report = check_film(run / "videos" / "play" / "model_21.mp4")
    assert report.fps == pytest.approx(25.0) and 6 <= report.frames <= 12


def test_an_interval_of_250_steps_gives_a_film_too(resumed):
    """Of a checkpoint that is named, without its task."""
    run, _ = resumed
    film = (
        "--video",
        "--video_length",
        "500",
        "--video_interval",
        "250",
        "--num_envs",
        "4",
        "env.episode_length_s=2.0",
    )
    given = (*ON_CPU, "--checkpoint", run / "model_19.pt")
    done = WarmProcess(SCRIPTS / "play.py", *given, *film, cwd=run.parents[3]).wait()
    assert done.returncode == 0, done.stderr
    assert "checkpoint of iteration 19" in done.stdout
    report = check_film(run / "videos" / "play" / "model_19.mp4", may_stand_still=True)
    assert 1 <= report.frames <= 2 and report.fps == pytest.approx(0.2)


@pytest.mark.usefixtures("trained")
def test_a_page_is_opened_to_drive_and_closed_by_ctrl_c(checkout):
    pytest.importorskip("viser")
    with checkout.start("test.sh", [*ON_CPU, "--task", TASK, "--keyboard", "--port", "0"]) as playing:
        assert playing.stdout is not None and playing.stderr is not None
        try:
            lines = iter(playing.stdout.readline, "")
            found = (re.search(r"drive the robot at (http://127\.0\.0\.1:\d+) \|", line) for line in lines)
            opened = next(match for match in found if match)
            with urllib.request.urlopen(opened[1], timeout=20.0) as answer:
                assert answer.status == 200 and b"<html" in answer.read().lower()
        finally:
            playing.send_signal(signal.SIGINT)
        assert playing.stderr.read().endswith("\nStopped by Ctrl-C.\n")
        assert playing.wait(timeout=60.0) == 130
