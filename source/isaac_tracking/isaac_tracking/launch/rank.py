# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One of the processes that train together: what is its own, and how it tells whoever started it of its end."""

from __future__ import annotations

import dataclasses
import importlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from ..signals import STOPPING
from .errors import USER_ERRORS
from .garbage import look_seldom
from .overrides import merge_overrides
from .stop import heeded
from .train_plan import TrainPlan


@dataclass(frozen=True)
class Meeting:
    """Where the ranks find each other."""

    size: int
    """Number of ranks."""
    address: str
    """Address of the store."""
    port: int
    """Port of the store."""
    scratch: Path
    """Folder for what is not kept."""

    def output(self, rank: int) -> Path:
        """Return the file that gets what a rank other than the first prints."""
        return self.scratch / f"rank_{rank}.txt"


@dataclass(frozen=True)
class Ending:
    """How a rank ended; the first field that is set says it."""

    code: int | None = None
    """It did its work, and this is the exit code."""
    error: str = ""
    """One line for the user."""
    trace: str = ""
    """Traceback of an error that is ours."""
    interrupted: bool = False
    """A signal stopped it where there was nothing to finish."""
    died: int | None = None
    """It said nothing; exit code, or minus the signal that killed it."""
    time: float = 0.0
    """When it happened, on the clock that all processes of a host share [s]."""

    def words(self, output: Path) -> str:
        """Return what follows the rank's name in a message.

        Args:
            output: File with what the rank printed, if there is one.
        """
        if self.trace:
            return f"failed ({' '.join(self.trace.splitlines()[-1].split())[:200]})"
        if self.died is not None and self.died < 0:
            return f"was killed by {signal.Signals(-self.died).name}{_last_line(output)}"
        return f"ended with exit code {self.died}{_last_line(output)}"


def plan_of_rank(plan: TrainPlan, index: int, scratch: Path) -> TrainPlan:
    """Return a rank's copy of a plan: its GPU, and for all but the first random numbers of its own and no output.

    Seeds are Isaac Lab's for ``--distributed``: the run's plus the rank.

    Args:
        plan: The plan of all.
        index: Which of this host's ranks it is.
        scratch: Folder for what Isaac Lab writes in the name of ranks other than the first.
    """
    device = plan.device if plan.device == "cpu" else f"cuda:{index}"
    rank = plan.hosts.index * plan.gpus + index
    if rank == 0:
        return dataclasses.replace(plan, device=device)
    seeds = [] if plan.seed is None or plan.seed < 0 else [f"agent.seed={plan.seed + rank}"]
    return dataclasses.replace(
        plan,
        rank=rank,
        device=device,
        overrides=merge_overrides(plan.overrides, seeds),
        film=None,
        isaaclab_folder=scratch / f"rank_{rank}",
    )


def run_rank(
    plan: TrainPlan, index: int, meeting: Meeting, messages: Connection, work: Callable[[TrainPlan], int]
) -> None:
    """Be a rank: the main function of its process.

    Args:
        plan: The plan of all ranks.
        index: Which of this host's ranks this is.
        meeting: Where it finds the others.
        messages: Where its :class:`Ending` goes.
        work: What it does with its plan, returning an exit code.
    """
    look_seldom()
    # The terminal's Ctrl-C is for whoever started the ranks; it tells each of them once.
    os.setsid()
    with _Report(messages) as report, heeded():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        mine = plan_of_rank(plan, index, meeting.scratch)
        _settle_in(mine, index, meeting)
        report.code = work(mine)


class _Report:
    """Sends how the block ended, whatever ends it."""

    def __init__(self, messages: Connection) -> None:
        self._messages = messages
        self.code = 0
        """Exit code, if the block comes to its end."""

    def __enter__(self) -> _Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool:
        self._messages.send(dataclasses.replace(self._ending(error), time=time.monotonic()))
        self._messages.close()
        return True

    def _ending(self, error: BaseException | None) -> Ending:
        if error is None:
            return Ending(code=self.code)
        if isinstance(error, KeyboardInterrupt):
            return Ending(interrupted=True)
        if isinstance(error, SystemExit):
            return Ending(code=error.code if isinstance(error.code, int) else int(error.code is not None))
        if isinstance(error, USER_ERRORS):
            return Ending(error=" ".join(str(error).split()))
        return Ending(trace="".join(traceback.format_exception(error)))


def _settle_in(plan: TrainPlan, index: int, meeting: Meeting) -> None:
    os.environ |= {
        "RANK": str(plan.rank),
        "LOCAL_RANK": str(index),
        "WORLD_SIZE": str(meeting.size),
        "MASTER_ADDR": meeting.address,
        "MASTER_PORT": str(meeting.port),
        # The store is the parent's, as with torch's own launcher.
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    if meeting.address == "127.0.0.1":
        # All ranks are on this host; its name may lead nowhere.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if plan.rank:
        with meeting.output(plan.rank).open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    threading.Thread(target=_stop_without_parent, daemon=True).start()
    importlib.import_module("isaac_tracking.tasks")
    if plan.device != "cpu":
        from isaaclab.utils.device import set_cuda_device

        # As Isaac Lab does with --distributed, before anything takes memory of the first GPU.
        set_cuda_device(plan.device)


def _stop_without_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").split("\n") if output.is_file() else []
    last = next((" ".join(line.split())[:200] for line in reversed(lines) if line.strip()), "")
    return f", and said last: {last}" if last else ""
