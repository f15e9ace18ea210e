# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The same work on many files: in several processes, with a progress bar, and none of them stops the others."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
Result = TypeVar("Result")

FAULTS = (ValueError, OSError, MemoryError)
"""What one bad file may raise; :class:`~...motion.clip.ClipError` is a ``ValueError``."""


@dataclass(frozen=True)
class Outcome(Generic[Item]):
    """What became of one item: a result, or one line that says what is wrong."""

    item: Item
    result: Any = None
    fault: str | None = None
    """One line; ``None`` if the work was done."""


def run_batch(
    title: str, items: Sequence[Item], work: Callable[[Item], Result], jobs: int = 1, console: Console | None = None
) -> list[Outcome[Item]]:
    """Do the work on every item and return the outcomes in the order of the items.

    Args:
        title: What is done, e.g. ``"convert"``; stands before the progress bar.
        items: The items; with several jobs they are pickled.
        work: What to do; a module's function or a partial of one. Its :data:`FAULTS` become outcomes.
        jobs: Number of processes; one works in this process.
        console: Where the progress bar goes; standard error if None. It is shown on a terminal only.
    """
    console = console or Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(title, total=len(items))
        if jobs <= 1 or len(items) <= 1:
            outcomes = []
            for item in items:
                outcomes.append(_attempt(work, item))
                progress.advance(bar)
            return outcomes
        # Not forked: torch's threads do not survive that.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(items)), context, initializer=_prepare) as pool:
            futures: dict[Future, int] = {pool.submit(_attempt, work, item): i for i, item in enumerate(items)}
            found: dict[int, Outcome] = {}
            try:
                for future in as_completed(futures):
                    index = futures[future]
                    try:
                        found[index] = future.result()
                    except BrokenProcessPool:
                        found[index] = Outcome(items[index], fault="the process that worked on it was killed")
                    progress.advance(bar)
            except KeyboardInterrupt:
                # What is under way is finished, so that no half file is left; the rest is not begun.
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [found[i] for i in range(len(items))]


def _prepare() -> None:
    """Keep the processes from fighting over the cores, and Ctrl-C for the process that asked for the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _attempt(work: Callable[[Item], Result], item: Item) -> Outcome[Item]:
    try:
        return Outcome(item, result=work(item))
    except FAULTS as error:
        return Outcome(item, fault=" ".join(str(error).split()) or type(error).__name__)
