# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several processes train as one: each with its own GPU and seed, one exit code, one line when one of them fails."""

from __future__ import annotations

import csv
import gc
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from isaac_tracking.launch import checks, garbage, ranks
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.rank import Ending, plan_of_rank
from isaac_tracking.launch.ranks import run_ranks
from isaac_tracking.launch.stop import TerminatedError
from isaac_tracking.launch.train_plan import FilmPlan, TrainPlan, make_plan
from isaac_tracking.learning.checkpoint import read_checkpoint
from isaac_tracking.learning.runs import RunError, checkpoints

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plan(tmp_path: Path) -> TrainPlan:
    return TrainPlan("task", "cpu", tmp_path, ["agent.seed=7", "env.scene.num_envs=4"], 2, 2, gpus=2, seed=7)


"""
What the ranks of these tests do; a new process finds it by its name.
"""


def note(plan: TrainPlan) -> int:
    places = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT")
    told = {"device": plan.device, "overrides": plan.overrides, "garbage": gc.get_threshold()}
    told |= {name: os.environ[name] for name in places}
    (plan.run / f"{plan.rank}.json").write_text(json.dumps(told))
    print(f"rank {plan.rank} prints")
    return 0 if plan.rank else 5


def fail(plan: TrainPlan) -> int:
    if plan.rank:
        raise RunError("a disk\nis full")
    time.sleep(60)
    return 0


def crash(plan: TrainPlan) -> int:
    # As when gloo loses the other rank: the second failure is not the one to tell of.
    crashed = plan.run / "crashed"
    if plan.rank:
        crashed.touch()
    else:
        while not crashed.exists():
            time.sleep(0.01)
        time.sleep(0.5)
    raise TypeError(f"rank {plan.rank} does not fit")


def die(plan: TrainPlan) -> int:
    if plan.rank:
        os.write(2, b"out of memory\n")
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return 0


def wait_to_be_stopped(plan: TrainPlan) -> int:
    (plan.run / f"{plan.rank}.started").touch()
    time.sleep(60)
    return 0


def stop_in_order(plan: TrainPlan) -> int:
    """As the runner does: the signal ends nothing by itself."""
    got: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: got.append(number))
    (plan.run / f"{plan.rank}.started").touch()
    while not got:
        time.sleep(0.01)
    (plan.run / f"{plan.rank}.saved").touch()
    return 128 + got[0]


@pytest.fixture
def send() -> Callable[[TrainPlan, int], None]:
    """Send a signal to this process once both ranks work."""

    def later(plan: TrainPlan, number: int) -> None:
        while len(list(plan.run.glob("*.started"))) < plan.gpus:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    return lambda plan, number: threading.Thread(target=later, args=(plan, number), daemon=True).start()


def test_each_rank_has_its_gpu_and_seed_and_the_first_alone_writes(tmp_path: Path):
    whole = TrainPlan("task", "cuda:0", tmp_path, ["agent.seed=7", "a=b"], 2, 2, gpus=2, seed=7, film=FilmPlan(1, 2))
    first, second = (plan_of_rank(whole, rank, tmp_path / "scratch") for rank in (0, 1))
    assert (first.device, first.rank, first.overrides, first.film) == ("cuda:0", 0, whole.overrides, FilmPlan(1, 2))
    assert (second.device, second.rank, second.overrides, second.film) == ("cuda:1", 1, ["agent.seed=8", "a=b"], None)
    assert first.isaaclab_folder is None and second.isaaclab_folder == tmp_path / "scratch" / "rank_1"
    assert first.run == second.run == tmp_path
    # Isaac Lab reads -1 as "any seed", and draws one for each.
    assert plan_of_rank(TrainPlan("t", "cpu", tmp_path, [], 1, 1, gpus=2, seed=-1), 1, tmp_path).overrides == []


def test_ranks_find_each_other_and_the_first_one_gives_the_exit_code(plan: TrainPlan, capfd: pytest.CaptureFixture):
    assert run_ranks(plan, note) == 5
    told = [json.loads((plan.run / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert [rank["RANK"] for rank in told] == [rank["LOCAL_RANK"] for rank in told] == ["0", "1"]
    assert {rank["WORLD_SIZE"] for rank in told} == {"2"} and told[0]["MASTER_PORT"] == told[1]["MASTER_PORT"]
    assert [rank["overrides"][0] for rank in told] == ["agent.seed=7", "agent.seed=8"]
    assert all(rank["garbage"] == list(garbage.THRESHOLDS) for rank in told)
    assert capfd.readouterr().out == "rank 0 prints\n"


@pytest.mark.parametrize(
    ("work", "line"),
    [
        (fail, r"a disk is full"),
        (die, r"rank 1 of 2 was killed by SIGKILL, and said last: out of memory; the others were stopped, .*--resume"),
        (crash, r"rank 1 of 2 failed \(TypeError: rank 1 does not fit\); the others were stopped, .*--resume"),
    ],
)
def test_rank_that_fails_ends_all_with_one_line(plan: TrainPlan, work, line: str, monkeypatch, capfd):
    monkeypatch.setattr(ranks, "_GRACE", 1.0)
    begin = time.monotonic()
    with pytest.raises(RunError) as error:
        run_ranks(plan, work)
    assert re.fullmatch(line, str(error.value))
    assert time.monotonic() - begin < 40.0  # the other one would sleep for longer
    trace = capfd.readouterr().err
    assert ("does not fit" in trace) == (work is crash) and "rank 0 does not fit" not in trace


@pytest.mark.usefixtures("warm_ranks")
@pytest.mark.parametrize(("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminatedError)])
def test_signal_before_training_ends_all(plan: TrainPlan, send, number: int, kind: type[KeyboardInterrupt]):
    send(plan, number)
    with pytest.raises(KeyboardInterrupt) as error:
        run_ranks(plan, wait_to_be_stopped)
    assert error.type is kind


@pytest.mark.usefixtures("warm_ranks")
def test_signal_lets_every_rank_finish(plan: TrainPlan, send):
    send(plan, signal.SIGTERM)
    assert run_ranks(plan, stop_in_order) == 128 + signal.SIGTERM
    assert {path.name for path in plan.run.glob("*.saved")} == {"0.saved", "1.saved"}


def test_words_for_an_end_without_a_message(tmp_path: Path):
    assert Ending(died=-signal.SIGSEGV).words(tmp_path / "none") == "was killed by SIGSEGV"
    (tmp_path / "output").write_text("first\nabort:  bad \n\n")
    assert Ending(died=3).words(tmp_path / "output") == "ended with exit code 3, and said last: abort: bad"


@pytest.mark.parametrize(
    ("gpus", "device", "gui", "words"),
    [
        (3, None, False, "--gpus 3 is more than there are here; give --gpus 2, or less"),
        (2, "cuda:1", False, "so --device cuda:1 does not fit"),
        (2, None, True, "--gui shows one GPU's environments"),
    ],
)
def test_gpus_that_cannot_be_had_are_refused(monkeypatch, gpus: int, device: str | None, gui: bool, words: str):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(OptionError, match=re.escape(words)):
        checks.need_gpus(gpus, device, gui)
    for good in ((1, "cuda:1", True), (2, None, False), (2, "cuda", False), (3, "cpu", False)):
        checks.need_gpus(*good)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OptionError, match="there is no GPU here; --device cpu starts 2 processes on the CPU"):
        checks.need_gpus(2, None, False)


def test_plan_says_how_many_environments_there_are(tmp_path: Path):
    import isaac_tracking.tasks  # noqa: F401

    plan = make_plan(
        ["--device", "cpu", "--gpus", "2", "--num_envs", "8", "--seed", "5", "--motion", "stand"], tmp_path
    )
    assert (plan.gpus, plan.seed, plan.rank) == (2, 5, 0) and "env.scene.num_envs=8" in plan.overrides
    assert plan.facts["environments"] == "2 processes x 8 environments = 16"
    assert plan.ranks_options == " --gpus 2 --device cpu"
    assert make_plan(["--device", "cpu", "--motion", "stand"], tmp_path).ranks_options == ""
    on_gpus = TrainPlan("task", "cuda:0", tmp_path, [], 1, 1, gpus=4)
    assert on_gpus.ranks_options == " --gpus 4"


def test_other_launchers_are_refused(monkeypatch):
    with pytest.raises(OptionError, match="--distributed is for processes of another launcher; give --gpus N"):
        checks.need_no_other_launcher(["--task", "x", "--distributed"])
    checks.need_no_other_launcher(["--gpus", "2"])
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(OptionError, match="WORLD_SIZE=4 says that another launcher started this"):
        checks.need_no_other_launcher([])


@pytest.mark.slow
def test_real_run_on_two_cpu_ranks(tmp_path: Path):
    options = ["--device", "cpu", "--gpus", "2", "--num_envs", "2", "--max_iterations", "2", "--motion", "stand"]
    options += ["agent.num_steps_per_env=4", "agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]"]
    options += ["agent.algorithm.num_mini_batches=2", "env.commands.motion.sampler.mode=adaptive"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), *options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "logs" / "rsl_rl" / "g1_tracking").iterdir()
    assert "environments 2 processes x 2 environments = 4" in done.stdout
    assert len(re.findall(r"^iteration 2/2 ", done.stdout, re.MULTILINE)) == 1 and "Synchronizing" not in done.stdout
    with (run / "logs.csv").open(newline="") as file:
        assert [row["total_steps"] for row in csv.DictReader(file)] == ["16", "32"]  # 2 x 2 environments, 4 steps
    assert [path.name for path in checkpoints(run)] == ["model_0.pt", "model_1.pt"]
    assert read_checkpoint(checkpoints(run)[-1])["samplers"]["motion"]["visits"].sum() > 0
    assert json.loads((run / "params" / "run.json").read_text())["gpus"] == 2
    assert not list(run.glob("rank_*")) and len(list(run.glob("events.*"))) == 1
