# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is logged is what the stock logger would log, without waiting for the device at every step."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from rsl_rl.utils.logger import Logger
from toy_env import runner_cfg

from isaac_tracking.learning import run_logger
from isaac_tracking.learning.run_logger import RunLogger, duration, mean_of_steps


class Terminal:
    """Standard output that remembers."""

    def __init__(self, terminal: bool) -> None:
        self.text, self._terminal = "", terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


class Scalars:
    """A writer that remembers."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add_scalar(self, name: str, value: float | torch.Tensor, step: int) -> None:
        self.values[name] = float(value)


def make(kind: type[Logger], run: Path | None = None, num_envs: int = 6) -> Logger:
    logger = kind(
        str(run) if run else None, copy.deepcopy(runner_cfg()), {}, num_envs, is_distributed=False,
        gpu_world_size=1, gpu_global_rank=0, device="cpu",
    )  # fmt: skip
    logger.writer = Scalars()
    return logger


def log(logger: Logger, it: int = 0, total: int = 10, rnd_weight: float | None = None) -> None:
    logger.log(
        it=it, start_it=0, total_it=total, collect_time=0.5, learn_time=0.5, loss_dict={"value": 1.5},
        learning_rate=1e-3, action_std=torch.ones(2), rnd_weight=rnd_weight,
    )  # fmt: skip


def feed(logger: Logger, steps: int) -> None:
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        rewards = torch.rand(6, generator=generator)
        dones = (torch.rand(6, generator=generator) < 0.3).long()
        extras = {"Episode_Reward/a": torch.rand((), generator=generator), "plain": 0.5 * step}
        if step % 3 == 0:
            extras["rare"] = torch.rand(2, generator=generator)
        logger.process_env_step(rewards, dones, {"log": extras}, None)


def test_same_values_as_the_stock_logger(capsys: pytest.CaptureFixture):
    ours, stock = make(RunLogger), make(Logger)
    for logger in (ours, stock):
        feed(logger, 24)
        log(logger)
        feed(logger, 24)
        log(logger, it=1)
    assert list(ours.rewbuffer) == pytest.approx(list(stock.rewbuffer)) and len(ours.rewbuffer) > 50
    assert list(ours.lenbuffer) == list(stock.lenbuffer)
    changing = {"Perf/total_fps", "Perf/collection_time", "Perf/learning_time"}
    assert ours.writer.values.keys() == stock.writer.values.keys()
    assert {"Episode_Reward/a", "Episode/plain", "Episode/rare"} <= ours.writer.values.keys()
    for name in stock.writer.values.keys() - changing:
        assert ours.writer.values[name] == pytest.approx(stock.writer.values[name]), name


class Moment:
    """A CUDA event of a GPU that does a step in 0.2 s, and what follows in 0.3 s."""

    now = 0.0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.at, self.reached = 0.0, False

    def record(self, stream: str) -> None:
        assert stream == "stream of cpu"
        Moment.now += 0.2
        self.at = Moment.now

    def synchronize(self) -> None:
        self.at = Moment.now = Moment.now + 0.1
        self.reached = True

    def elapsed_time(self, end: Moment) -> float:
        assert end.reached
        return 1000.0 * (end.at - self.at)


def test_times_are_those_of_the_gpu_which_is_behind_the_host(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "Event", Moment)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    logger = make(RunLogger)
    logger._collected = Moment(enable_timing=True)
    feed(logger, 3)
    log(logger)  # the host says 0.5 s and 0.5 s
    assert logger.writer.values["Perf/learning_time"] == pytest.approx(0.3)
    assert logger.writer.values["Perf/collection_time"] == pytest.approx(0.7)
    assert logger.writer.values["Perf/total_fps"] == 48


def with_rnd() -> Logger:
    cfg = runner_cfg()
    cfg["algorithm"]["rnd_cfg"] = {"weight": 1.0}
    logger = RunLogger(None, cfg, {}, 2, is_distributed=False, gpu_world_size=1, gpu_global_rank=0, device="cpu")
    logger.writer = Scalars()
    return logger


def test_a_resumed_run_with_rnd_knows_the_latest_episodes_by_both_rewards():
    logger, again, older = with_rnd(), with_rnd(), with_rnd()
    logger.process_env_step(torch.tensor([1.0, 2.0]), torch.tensor([1, 0]), {}, torch.tensor([0.5, 0.25]))
    logger.process_env_step(torch.tensor([4.0, 3.0]), torch.tensor([0, 1]), {}, torch.tensor([0.5, 0.75]))
    saved = logger.state_dict()
    again.load_state_dict(saved)
    log(again, rnd_weight=1.0)
    wanted = {"Rnd/mean_extrinsic_reward": 3.0, "Rnd/mean_intrinsic_reward": 0.75, "Train/mean_reward": 3.75}
    assert {name: again.writer.values[name] for name in wanted} == wanted
    # Checkpoints had the sum alone.
    older.load_state_dict({name: saved[name] for name in ("total_steps", "total_time", "rewards", "lengths")})
    log(older, rnd_weight=1.0)
    assert "Train/mean_reward" not in older.writer.values
    # And a run without RND has no use for the parts.
    plain = make(RunLogger)
    plain.load_state_dict(saved)
    assert list(plain.rewbuffer) == [1.5, 6.0] and list(plain.lenbuffer) == [1.0, 2.0]
    assert plain.state_dict().keys() == {"total_steps", "total_time", "rewards", "lengths"}


def test_mean_leaves_out_steps_that_lack_a_quantity():
    steps = [{"a": torch.tensor(1.0), "b": 2.0}, {"a": torch.tensor(3.0)}, {"b": 4, "c": torch.tensor([1.0, 2.0])}]
    assert mean_of_steps(steps) == pytest.approx({"a": 2.0, "b": 3.0, "c": 1.5})
    assert mean_of_steps([]) == {}
    mixed = [{"a": torch.tensor(1.0)}, {"a": torch.tensor(2.0, dtype=torch.float64)}, {"a": torch.tensor(3)}]
    assert mean_of_steps(mixed) == pytest.approx({"a": 2.0})


def test_an_iteration_is_read_from_the_device_in_one_go(monkeypatch: pytest.MonkeyPatch):
    stacks = []
    stack = torch.stack
    monkeypatch.setattr(run_logger.torch, "stack", lambda *args, **kwargs: stacks.append(1) or stack(*args, **kwargs))
    logger = make(RunLogger)
    for _ in range(24):
        extras = {f"key/{index}": torch.tensor(float(index)) for index in range(35)}
        logger.process_env_step(torch.zeros(6), torch.zeros(6), {"log": extras}, None)
    assert stacks == []
    log(logger)
    assert len(stacks) <= 5
    assert logger.ep_extras == [] and logger._ended == []


def test_line_says_how_it_goes(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal(True)
    monkeypatch.setattr(run_logger.sys, "stdout", terminal)
    logger = make(RunLogger)
    logger.rewbuffer.append(12.0)
    logger.lenbuffer.append(80.0)
    logger.ep_extras.append({"Metrics/motion/error_body_pos": torch.tensor(0.0634)})
    log(logger, it=3, total=10)
    assert terminal.text == (
        "\r\x1b[2Kiteration 4/10 | reward 12.00 | episode 80 steps | body error 63 mm | 48 steps/s | 0:01 left"
    )


def test_line_is_not_repeated_often_where_nobody_looks(monkeypatch: pytest.MonkeyPatch):
    pipe = Terminal(False)
    monkeypatch.setattr(run_logger.sys, "stdout", pipe)
    logger = make(RunLogger)
    for it in range(10):
        log(logger, it=it, total=10)
    assert [line.split(" |")[0] for line in pipe.text.splitlines()] == ["iteration 1/10", "iteration 10/10"]


def test_reader_that_leaves_does_not_stop_training(monkeypatch: pytest.MonkeyPatch):
    class Closed(Terminal):
        def write(self, text: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(run_logger.sys, "stdout", Closed(False))
    logger = make(RunLogger)
    log(logger)
    assert logger.tot_timesteps > 0


def test_duration():
    assert [duration(value) for value in (0, 61.9, 3600, 36061)] == ["0:00", "1:01", "1:00:00", "10:01:01"]


def test_readings_are_taken_once_an_iteration_and_logged(tmp_path: Path):
    logger, taken = make(RunLogger, tmp_path), []

    def read() -> dict[str, float]:
        taken.append(len(taken))
        return {"Physics/overflow_contacts": 2.0 + len(taken)}

    logger.readings.append(read)
    logger._table = run_logger.RunTable(tmp_path / "logs.csv")
    log(logger, it=0)
    log(logger, it=1)
    assert logger.writer.values["Physics/overflow_contacts"] == 4.0
    assert taken == [0, 1]
    text = (tmp_path / "logs.csv").read_text().splitlines()
    column = text[0].split(",").index("Physics/overflow_contacts")
    assert [line.split(",")[column] for line in text[1:]] == ["3", "4"]
