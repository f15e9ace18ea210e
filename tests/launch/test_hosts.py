# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several hosts train as one; here they are folders of one machine."""

from __future__ import annotations

import csv
import re
import socket
from pathlib import Path

import pytest

from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.hosts import Hosts, need_hosts
from isaac_tracking.launch.rank import plan_of_rank
from isaac_tracking.launch.ranks import run_ranks
from isaac_tracking.launch.train_plan import TrainPlan
from isaac_tracking.learning.runs import RunError


def test_one_host_needs_nothing():
    assert need_hosts(1, 0, None) == Hosts(1, 0, "127.0.0.1", 0)


def test_hosts_meet_at_an_address():
    assert need_hosts(4, 3, "10.0.0.1:29500") == Hosts(4, 3, "10.0.0.1", 29500)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((1, 1, None), "give --nnodes N as well"),
        ((1, 0, "a:1"), "give --nnodes N as well"),
        ((2, 2, "a:1"), "--node_rank 2: 2 hosts are 0 to 1"),
        ((2, 0, None), "--master is missing: --nnodes 2 needs ADDRESS:PORT"),
        ((2, 0, "10.0.0.1"), "--master 10.0.0.1: --nnodes 2 needs ADDRESS:PORT"),
        ((2, 0, "a:70000"), "--master a:70000: --nnodes 2 needs"),
        ((2, 0, ":29500"), "--master :29500: --nnodes 2 needs"),
    ],
)
def test_a_mistake_says_what_to_give(asked: tuple, words: str):
    with pytest.raises(OptionError, match=re.escape(words)):
        need_hosts(*asked)


def test_ranks_are_counted_through_the_hosts(tmp_path: Path):
    hosts = Hosts(2, 1, "10.0.0.1", 29500)
    whole = TrainPlan("task", "cuda:0", tmp_path, ["agent.seed=7"], 2, 2, gpus=4, hosts=hosts, seed=7)
    assert whole.ranks == 8
    assert whole.ranks_options == " --gpus 4 --nnodes 2 --node_rank 1 --master 10.0.0.1:29500"
    mine = [plan_of_rank(whole, index, tmp_path / "scratch") for index in range(4)]
    assert [plan.rank for plan in mine] == [4, 5, 6, 7]
    assert [plan.device for plan in mine] == ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]
    assert [plan.overrides for plan in mine] == [[f"agent.seed={seed}"] for seed in (11, 12, 13, 14)]


def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        hosts = Hosts(2, 0, "127.0.0.1", port)
        plan = TrainPlan("task", "cpu", tmp_path, [], 1, 1, gpus=1, hosts=hosts)
        with pytest.raises(RunError, match=f"--master 127.0.0.1:{port} cannot be opened here .* a free port"):
            run_ranks(plan, print)  # type: ignore[arg-type]


@pytest.mark.slow
def test_two_hosts_train_one_policy(tmp_path: Path, checkout):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hosts, started = [], []
    for index in (0, 1):
        (tmp_path / str(index)).mkdir()
        hosts.append(type(checkout)(tmp_path / str(index)))
        options = ["--device", "cpu", "--num_envs", "4", "--max_iterations", "2", "agent.num_steps_per_env=4"]
        options += ["--nnodes", "2", "--master", f"127.0.0.1:{port}", "--node_rank", str(index)]
        started.append(hosts[-1].start("train.sh", options))
    (first, errors), (second, _) = (process.communicate(timeout=300) for process in started)
    assert [process.returncode for process in started] == [0, 0], errors
    assert "1 processes on each of 2 hosts x 4 environments = 8" in first
    assert "host 1 of 2: host 0 says how training goes" in second and "iteration" not in second
    assert not (hosts[1].folder / "logs").exists()
    # At its checkpoints the networks of both were compared bit by bit.
    (run,) = (hosts[0].folder / "logs" / "rsl_rl" / "g1_tracking").iterdir()
    assert (run / "model_1.pt").is_file()
    assert len(list(csv.DictReader((run / "logs.csv").open()))) == 2
