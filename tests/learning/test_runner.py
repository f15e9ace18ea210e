# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A run goes on as if it had not stopped, stops when asked, and survives being killed."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_env import NUM_ENVS, STEPS, ToyEnv, make_runner

from isaac_tracking.learning import runner as runner_module
from isaac_tracking.learning.checkpoint import read_checkpoint
from isaac_tracking.learning.runs import RunError, checkpoints

ROOT = Path(__file__).resolve().parents[2]


def seed(number: int) -> None:
    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)


def iterations(run: Path) -> list[int]:
    with (run / "logs.csv").open(newline="") as file:
        return [int(row["iteration"]) for row in csv.DictReader(file)]


def column(run: Path, name: str) -> list[float]:
    with (run / "logs.csv").open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def assert_same(first: object, second: object, path: str = "") -> None:
    assert type(first) is type(second), path
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), path
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), path
        for key in first:
            assert_same(first[key], second[key], f"{path}/{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), path
        for index, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{path}/{index}")
    else:
        assert first == second, path


def test_two_and_two_iterations_are_four(tmp_path: Path):
    seed(1)
    make_runner(tmp_path / "whole").learn(4)
    seed(1)
    make_runner(tmp_path / "halves").learn(2)
    seed(99)  # what a new process would bring
    resumed = make_runner(tmp_path / "halves")
    resumed.load(str(tmp_path / "halves" / "model_1.pt"))
    assert resumed.current_learning_iteration == 2
    resumed.learn(2)
    whole, halves = (read_checkpoint(tmp_path / name / "model_3.pt") for name in ("whole", "halves"))
    assert whole["log"].pop("total_time") > 0 and halves["log"].pop("total_time") > 0
    assert_same(whole, halves)
    assert whole["samplers"]["motion"]["visits"].min() > 0
    assert whole["optimizer_state_dict"]["param_groups"][0]["lr"] != 1.0e-3  # the adaptive rate has moved
    assert iterations(tmp_path / "halves") == [0, 1, 2, 3]
    steps = STEPS * NUM_ENVS
    assert column(tmp_path / "halves", "total_steps") == [steps, 2 * steps, 3 * steps, 4 * steps]
    for name in ("mean_reward", "loss/value", "learning_rate", "Metrics/motion/error_body_pos"):
        assert column(tmp_path / "whole", name) == column(tmp_path / "halves", name)


def test_going_back_drops_the_rows_past_the_checkpoint(tmp_path: Path):
    make_runner(tmp_path, save_interval=1).learn(4)
    again = make_runner(tmp_path)
    again.load(str(tmp_path / "model_1.pt"))
    again.learn(1)
    assert iterations(tmp_path) == [0, 1, 2]


def test_run_leaves_table_events_and_curves(tmp_path: Path):
    make_runner(tmp_path).learn(2)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path))
    events.Reload()
    scalars = events.Tags()["scalars"]
    assert {"Metrics/motion/error_body_pos", "Episode/number", "Loss/value", "Train/mean_reward"} <= set(scalars)
    assert [event.step for event in events.Scalars("Metrics/motion/error_body_pos")] == [0, 1]
    assert events.Scalars("Episode/number")[0].value == 1.0
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_stock_checkpoint_without_our_state_goes_on(tmp_path: Path):
    make_runner(tmp_path).learn(2)
    saved = read_checkpoint(tmp_path / "model_1.pt")
    for key in ("samplers", "random", "log", "infos"):
        del saved[key]
    torch.save(saved, tmp_path / "stock.pt")
    runner = make_runner(tmp_path)
    assert runner.load(str(tmp_path / "stock.pt")) == {}
    assert runner.current_learning_iteration == 2
    assert runner.logger.tot_timesteps == 2 * STEPS * NUM_ENVS


@pytest.mark.parametrize("change", [{"hidden": (16, 9)}, {"env": ToyEnv(size=4)}])
def test_checkpoint_of_other_networks_is_refused_in_one_line(tmp_path: Path, change: dict):
    make_runner(tmp_path).learn(1)
    with pytest.raises(RunError, match="is of other networks") as error:
        make_runner(None, **change).load(str(tmp_path / "model_0.pt"))
    assert "\n" not in str(error.value)


def test_learning_that_breaks_down_saves_nothing_broken(tmp_path: Path):
    env = ToyEnv()
    runner = make_runner(tmp_path, env, save_interval=1)
    runner.learn(2)
    env.broken = True
    with pytest.raises(RunError, match=r"broke down: .*; go on with --checkpoint .*model_1\.pt"):
        runner.learn(3)
    assert [path.name for path in checkpoints(tmp_path)] == ["model_0.pt", "model_1.pt"]
    read_checkpoint(tmp_path / "model_1.pt")


@pytest.fixture
def breaking() -> Callable[..., object]:
    """Make a runner whose update leaves weights that are not finite after some iterations, and losses that are."""

    def make(run: Path, after: int, **changes):
        runner = make_runner(run, **changes)
        update = runner.alg.update

        def update_and_break() -> dict[str, float]:
            losses = update()
            if runner.alg.updates > after:
                # As after a last minibatch whose gradient is infinite: the next rollout would show it.
                with torch.no_grad():
                    next(runner.alg.critic.parameters())[0, 0] = float("nan")
            return losses

        runner.alg.update = update_and_break
        return runner

    return make


@pytest.mark.parametrize(("interval", "kept"), [(1, [0, 1]), (2, [0]), (100, [0])])
def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path, breaking, interval: int, kept: list[int]):
    """In the third iteration, which is the last one; no loss shows it."""
    with pytest.raises(RunError, match=rf"weights are not finite; go on with --checkpoint .*model_{kept[-1]}\.pt"):
        breaking(tmp_path, 2, save_interval=interval).learn(3)
    assert [path.name for path in checkpoints(tmp_path)] == [f"model_{iteration}.pt" for iteration in kept]


def test_a_signal_saves_no_weights_that_are_not_finite(tmp_path: Path, breaking):
    runner = breaking(tmp_path, 1)
    log = runner.logger.log

    def log_and_ask_to_stop(**kwargs) -> None:
        log(**kwargs)
        if kwargs["it"] == 1:
            signal.raise_signal(signal.SIGTERM)

    runner.logger.log = log_and_ask_to_stop
    with pytest.raises(RunError, match="weights are not finite"):
        runner.learn(50)
    assert [path.name for path in checkpoints(tmp_path)] == ["model_0.pt"]


def test_weights_are_looked_at_only_where_a_checkpoint_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for run, looks in ((tmp_path, [0, 2, 4]), (None, [])):
        runner, looked = make_runner(run, save_interval=2), []

        def look(runner=runner, looked=looked) -> bool:
            looked.append(runner.current_learning_iteration)
            return True

        monkeypatch.setattr(runner, "_weights_are_finite", look)
        runner.learn(5)
        assert looked == looks


def test_full_disk_is_one_line_and_leaves_earlier_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_runner(tmp_path).learn(1)
    before = (tmp_path / "model_0.pt").read_bytes()

    def full(saved: object, file: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    runner = make_runner(tmp_path)
    with pytest.raises(RunError, match=r"No space left on device.*free disk space"):
        runner.save(str(tmp_path / "model_0.pt"))
    assert (tmp_path / "model_0.pt").read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_table_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "logs.csv").mkdir()
    with pytest.raises(RunError, match="training cannot write to"):
        make_runner(tmp_path).learn(1)


def test_a_picture_that_cannot_be_written_ends_no_training(tmp_path: Path, monkeypatch, caplog):
    def full(table: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner_module, "plot_curves", full)
    runner = make_runner(tmp_path)
    runner.learn(2)
    (told,) = [record.getMessage() for record in caplog.records if record.name == runner_module.__name__]
    assert "logs.csv are not drawn ([Errno 28] No space left on device)" in told and "\n" not in told
    assert checkpoints(tmp_path)[-1].name == "model_1.pt" and runner.stop_signal is None


class InterruptedEnv(ToyEnv):
    """A signal comes in the second step."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def step(self, actions: torch.Tensor):
        if self.steps == 1:
            signal.raise_signal(self.number)
        return super().step(actions)


@pytest.mark.parametrize(("number", "trained"), [(signal.SIGINT, [0, 1]), (signal.SIGTERM, [0])])
def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path, number: int, trained: list[int]):
    """As that of a terminal for ``train.sh &`` in a script, which heeds SIGTERM alone."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        runner = make_runner(tmp_path, InterruptedEnv(number))
        runner.learn(2)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert iterations(tmp_path) == trained
    assert runner.stop_signal == (None if number == signal.SIGINT else number)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a training in a process of its own, and wait until it has saved some checkpoints."""
    processes = []

    def begin(pause: float = 0.0, saved: int = 2) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "source" / "isaac_tracking")}
        command = [sys.executable, str(Path(__file__).with_name("toy_env.py")), str(tmp_path), str(pause)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert "ready\n" in iter(process.stdout.readline, "")
        deadline = time.monotonic() + 60
        while len(checkpoints(tmp_path)) < saved:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_after_the_iteration_with_a_checkpoint(tmp_path: Path, start, number: signal.Signals):
    process = start()
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and out.splitlines()[-1] == f"stopped {int(number)}"
    last = iterations(tmp_path)[-1]
    assert checkpoints(tmp_path)[-1].name == f"model_{last}.pt"
    assert iterations(tmp_path) == list(range(last + 1))
    assert read_checkpoint(checkpoints(tmp_path)[-1])["iter"] == last


def test_second_ctrl_c_stops_at_once(tmp_path: Path, start):
    process = start(pause=0.0, saved=1)
    process.kill()
    process.communicate()
    process = start(pause=2.0, saved=1)  # an iteration would take 16 s
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT


def test_kill_at_any_moment_leaves_a_run_that_goes_on(tmp_path: Path, start):
    process = start(saved=3)
    time.sleep(0.137)
    process.kill()
    process.communicate()
    for name in (".model_7.pt.1.part", ".logs.csv.1.part", "params/.run.json.1.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"half")
    with (tmp_path / "logs.csv").open("a") as file:
        file.write("100000,12,3")  # cut off
    newest = checkpoints(tmp_path)[-1]
    runner = make_runner(tmp_path)
    runner.load(str(newest))
    runner.learn(2)
    last = read_checkpoint(newest)["iter"] + 2
    assert iterations(tmp_path) == list(range(last + 1))
    steps = column(tmp_path, "total_steps")
    assert steps == [STEPS * NUM_ENVS * (index + 1) for index in range(last + 1)]
    assert list(tmp_path.rglob(".*.part")) == []
