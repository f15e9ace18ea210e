# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measuring a task in a process of its own, and whether a size of it fits before it is tried."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .child_process import child_environment
from .errors import OptionError
from .memory_fit import free_memory, need_room
from .terminal import print_line

if TYPE_CHECKING:
    from .measured_task import Job

_MEASURE = "import sys; from isaac_tracking.launch.measured_task import main; sys.exit(main(sys.argv[1:]))"
"""Program that measures one size."""


def need_room_for(job: Job, processes: int = 1) -> None:
    """Refuse a size that does not fit, after measuring two small ones, unless it is so small that it surely does.

    Args:
        job: Task, settings, device and size.
        processes: How many that share the device are to have this size.

    Raises:
        OptionError: If it does not fit; says the largest that does.
    """

    def memory_of(num_envs: int) -> float:
        print_line(f"measuring the memory of {num_envs} environments, to tell whether {job.num_envs} fit")
        return 1e9 * measure_apart(dataclasses.replace(job, num_envs=num_envs, only="start"))["memory"]

    need_room(job.num_envs, job.device, free_memory(job.device) / processes, memory_of)


def measure_apart(job: Job, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Measure in a process of its own: engines do not give their memory back.

    Args:
        job: What to measure.
        variables: Variables of its environment besides ours.

    Raises:
        OptionError: If the process fails.
    """
    from .measured_task import arguments_of

    with tempfile.TemporaryDirectory(prefix="isaac_tracking_benchmark_") as folder:
        file = Path(folder) / "row.json"
        arguments = arguments_of(dataclasses.replace(job, begun=time.time()))
        command = [sys.executable, "-c", _MEASURE, str(file), *arguments]
        environment = child_environment(variables)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=environment)
        if done.returncode or not file.is_file():
            end = " ".join((done.stderr or done.stdout).split())[-300:]
            raise OptionError(
                f"{job.num_envs} environments cannot be measured; give fewer with --num_envs, or look at: {end}"
            )
        return json.loads(file.read_text())
