# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several processes on one host that train together, a GPU each: started, told of signals, and ended together.

torch's own launcher kills its processes half a minute after a signal, whatever they are doing, and a Ctrl-C reaches
them twice, from the terminal and from it. An iteration that is to be finished and saved needs other manners, so the
processes are Python's; what they meet through (torch's store, NCCL or gloo) is torch's.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ..learning.runs import RunError
from ..signals import STOPPING, handled_by
from .hosts import Hosts
from .rank import Ending, Meeting, run_rank
from .stop import raise_stop
from .train_plan import TrainPlan

if TYPE_CHECKING:
    from torch.distributed import TCPStore  # type: ignore[reportPrivateImportUsage]

_GRACE = 5.0
"""Time that the other ranks have to end by themselves once one has failed [s]; they may fail for the same reason."""
_LEAVE = 60.0
"""Time that the other ranks have to leave once the first one is done [s]."""


@dataclass
class _Rank:
    """A process, and how it ended."""

    process: BaseProcess
    messages: Connection
    ending: Ending | None = None
    """None also for one that was killed here, whose end says nothing."""


def run_ranks(plan: TrainPlan, work: Callable[[TrainPlan], int]) -> int:
    """Do a plan in ``plan.gpus`` processes and return the first one's exit code.

    Args:
        plan: What to do; each process gets its own copy with its ``rank``.
        work: What does it, a function of a module.

    Raises:
        RunError: If a rank failed; all have ended then.
        KeyboardInterrupt: If a signal came before training had begun, or twice.
    """
    hosts = plan.hosts
    store = _open_store(hosts) if hosts.index == 0 else None
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)) // plan.gpus)))
    # It would lift the block of signals under which the first rank starts.
    resource_tracker.ensure_running()
    with tempfile.TemporaryDirectory(prefix="isaac_tracking_ranks_") as scratch:
        port = hosts.port if store is None else store.port
        meeting = Meeting(plan.ranks, hosts.address, port, Path(scratch))
        with _forwarded_signals() as (signals, ranks):
            try:
                for index in range(plan.gpus):
                    ranks.append(_start(plan, index, meeting, work))
                _wait(ranks, signals)
            finally:
                _kill(ranks)
        return _verdict(ranks, signals, meeting, plan)


def _open_store(hosts: Hosts) -> TCPStore:
    """Open what all ranks meet at.

    Raises:
        RunError: If the port is taken.
    """
    # Heavy, and needed here alone.
    from torch.distributed import DistNetworkError, TCPStore  # type: ignore[reportPrivateImportUsage]

    # With one host the port is the system's choice, so that two trainings cannot meet.
    try:
        return TCPStore(hosts.address, hosts.port, is_master=True, wait_for_workers=False)
    except DistNetworkError as error:
        raise RunError(
            f"--master {hosts.address}:{hosts.port} cannot be opened here ({str(error).splitlines()[0][:120]}); give an"
            " address of this host and a free port"
        ) from error


def _start(plan: TrainPlan, index: int, meeting: Meeting, work: Callable[[TrainPlan], int]) -> _Rank:
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=run_rank, args=(plan, index, meeting, theirs, work), name=f"rank {index}")
    # The child inherits the block and lifts it once it can heed a signal; until then one waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    # The only other end is then the child's, and its end of file the child's end.
    theirs.close()
    return _Rank(process, mine)


@contextmanager
def _forwarded_signals() -> Iterator[tuple[list[int], list[_Rank]]]:
    """Hand Ctrl-C and SIGTERM on to the ranks, which are in sessions of their own and hear of neither otherwise.

    Yields:
        The signals so far, and the list to fill with the ranks.
    """
    signals: list[int] = []
    ranks: list[_Rank] = []

    def forward(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        for rank in ranks:
            _send(rank, number)

    with handled_by(forward):
        yield signals, ranks


def _send(rank: _Rank, number: int) -> None:
    if rank.ending is None and rank.process.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(rank.process.pid, number)


def _wait(ranks: Sequence[_Rank], signals: Sequence[int]) -> None:
    """Wait until all ranks have ended; once one has failed, not for longer than its companions need to say why."""
    deadline = float("inf")
    while open_ranks := {rank.messages: rank for rank in ranks if rank.ending is None}:
        if time.monotonic() > deadline:
            return
        for connection in wait(list(open_ranks), timeout=0.2):
            rank = open_ranks[connection]  # type: ignore[index]
            rank.ending = _read_ending(rank)
            failed = rank.ending.code is None
            if failed or rank is ranks[0]:
                deadline = min(deadline, time.monotonic() + (_GRACE if failed else _LEAVE))
        if signals.count(signal.SIGINT) > 1:
            deadline = min(deadline, time.monotonic() + _GRACE)


def _read_ending(rank: _Rank) -> Ending:
    try:
        return rank.messages.recv()
    except EOFError:
        rank.process.join()
        return Ending(died=rank.process.exitcode, time=time.monotonic())


def _kill(ranks: Sequence[_Rank]) -> None:
    """Wait for the ranks that have ended, and kill those that do not end."""
    for rank in ranks:
        rank.process.join(0.0 if rank.ending is None else _LEAVE)
        if rank.process.is_alive():
            rank.process.kill()
            rank.process.join()
        rank.messages.close()


def _verdict(ranks: Sequence[_Rank], signals: Sequence[int], meeting: Meeting, plan: TrainPlan) -> int:
    """Return the first rank's exit code, or say what went wrong first.

    Raises:
        RunError, KeyboardInterrupt: See :func:`run_ranks`.
    """
    first, before = ranks[0].ending, plan.hosts.index * plan.gpus
    failed = [
        (before + index, rank.ending) for index, rank in enumerate(ranks) if rank.ending and rank.ending.code is None
    ]
    if signals and (not first or first.code is None):
        raise_stop(signals[0])
    if not failed:
        if first is None or first.code is None:
            raise RunError(f"rank {before} of {meeting.size} did not end; run again with --verbose")
        return first.code
    # Whoever died without a word died first: the others fail because they lost it.
    index, ending = min(failed, key=lambda pair: (pair[1].died is None, pair[1].time))
    if ending.error:
        raise RunError(ending.error)
    sys.stderr.write(ending.trace)
    raise RunError(
        f"rank {index} of {meeting.size} {ending.words(meeting.output(index))}; the others were stopped,"
        " and checkpoints stay: go on with --resume"
    )
