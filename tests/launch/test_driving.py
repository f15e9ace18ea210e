# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``test.sh --keyboard`` refuses before anything is started; tests/launch/test_real_velocity.py drives."""

from __future__ import annotations

import socket

import pytest

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch.driving import Address, read_address
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.play_plan import make_parser

pytest.importorskip("viser")

WALK, TRACK = "Isaac-Velocity-Flat-Unitree-Go1-Play-v0", "Isaac-Tracking-G1-Play-v0"


def read(*args: str, task: str = WALK) -> Address | None:
    return read_address(make_parser().parse_args(args), task)


def test_the_page_is_on_loopback_unless_told():
    assert read() is None and read(task=TRACK) is None
    assert read("--keyboard", "--port", "0") == Address("127.0.0.1", 0)
    assert read("--keyboard", "--host", "0.0.0.0", "--port", "0") == Address("0.0.0.0", 0)


@pytest.mark.parametrize(
    ("args", "task", "message"),
    [
        (["--keyboard"], TRACK, f"'{TRACK}' tracks motions; give a task such as --task Isaac-Velocity-"),
        (["--port", "9000"], WALK, "--port is of the page that --keyboard opens; give --keyboard"),
        (["--host", "0.0.0.0"], WALK, "--host is of the page that --keyboard opens"),
        (["--keyboard", "--video"], WALK, "--video films episodes, and --keyboard drives one robot"),
        (["--keyboard", "--num_envs", "4"], WALK, "--num_envs is for many robots, and --keyboard drives one"),
        (["--keyboard", "--port", "70000"], WALK, "port 70000 does not exist; ports go from 0 (any free one) to 65535"),
        (["--keyboard", "--port", "-1"], WALK, "'-1' is not a whole number from 0"),
        (["--keyboard", "--host", "nowhere.invalid", "--port", "0"], WALK, "host 'nowhere.invalid' is unknown"),
    ],
)
def test_what_cannot_be_driven_is_refused_in_a_line(args: list[str], task: str, message: str):
    with pytest.raises(OptionError) as refused:
        read(*args, task=task)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"port {port} of 127.0.0.1 is in use; choose another with --port"):
            read("--keyboard", "--port", str(port))
