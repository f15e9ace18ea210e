# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How long pieces of work take: CUDA events on a GPU, the clock on a CPU, and medians with their spread."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

Mark = Any
"""A moment: a CUDA event, or seconds."""


class Clock:
    """Marks moments of a device without waiting for it.

    On a GPU a moment is when the device gets there, so what the host does meanwhile counts only where the device
    waits for it. Warp's stream and torch's are blocking streams of CUDA, each of which waits for the other, so an
    event in torch's stands for both.

    Args:
        device: ``"cpu"`` or a GPU.
    """

    def __init__(self, device: str) -> None:
        self._device, self.on_gpu = device, device != "cpu"

    def mark(self) -> Mark:
        """Return this moment."""
        if not self.on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def wait(self) -> None:
        """Wait until the device has done everything."""
        if self.on_gpu:
            torch.cuda.synchronize(self._device)

    def milliseconds(self, start: Mark, end: Mark) -> float:
        """Return the time between two moments [ms]; on a GPU wait first."""
        return start.elapsed_time(end) if self.on_gpu else 1000.0 * (end - start)


def sampled(work: Callable[[int], None], count: int, clock: Clock) -> list[float]:
    """Return how long each of some pieces of work takes [ms], without waiting for the device between them.

    Args:
        work: Does the piece of a given number.
        count: How many pieces.
        clock: The device's.
    """
    clock.wait()
    marks = [clock.mark()]
    for index in range(count):
        work(index)
        marks.append(clock.mark())
    clock.wait()
    return [clock.milliseconds(*pair) for pair in itertools.pairwise(marks)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, 10th and 90th percentile (linear between samples), and mean of samples."""
    if len(values) == 1:
        return dict.fromkeys(("median", "p10", "p90", "mean"), float(values[0]))
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return {
        "median": statistics.median(values),
        "p10": tenths[0],
        "p90": tenths[-1],
        "mean": statistics.fmean(values),
    }


class Watches:
    """Adds up the time that named calls take in each step.

    Parts do not overlap: what one part calls of another is the first one's. Everything else counts for itself, whoever
    calls it.

    Args:
        clock: The device's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._marks: dict[str, list[tuple[Mark, Mark]]] = {}
        self._steps: list[dict[str, float]] = []
        self._parts: set[str] = set()
        self._in_part = False

    def attach(self, name: str, target: Any, attribute: str, part: bool = False) -> None:
        """Put a watch on a method of an object, or on any attribute that is called; several may share a name."""
        self._marks.setdefault(name, [])
        if part:
            self._parts.add(name)
        setattr(target, attribute, Watched(self, name, getattr(target, attribute)))

    def step(self, work: Callable[[], Any]) -> None:
        """Do a step; what is marked meanwhile is its, and what no part has is ``other``. Waits for the device."""
        start = self._clock.mark()
        work()
        end = self._clock.mark()
        self._clock.wait()
        spent = {name: sum(self._clock.milliseconds(*pair) for pair in marks) for name, marks in self._marks.items()}
        whole = self._clock.milliseconds(start, end)
        self._steps.append({**spent, "step": whole, "other": whole - sum(spent[name] for name in self._parts)})
        for marks in self._marks.values():
            marks.clear()

    def spreads(self) -> dict[str, dict[str, float]]:
        """Return median and spread of the time of each name in a step [ms], of those that ever took any."""
        names = [name for name in (*self._marks, "other", "step") if any(step[name] for step in self._steps)]
        return {name: spread([step[name] for step in self._steps]) for name in names}

    def run(self, name: str, call: Callable, args: tuple, kwargs: dict) -> Any:
        """Call and mark."""
        part = name in self._parts
        if part and self._in_part:
            return call(*args, **kwargs)
        self._in_part = self._in_part or part
        start = self._clock.mark()
        try:
            result = call(*args, **kwargs)
        finally:
            self._in_part = self._in_part and not part
        self._marks[name].append((start, self._clock.mark()))
        return result


class Watched:
    """A call under a watch; everything else about it is that of the call itself."""

    def __init__(self, watches: Watches, name: str, call: Callable) -> None:
        self._watches, self._name, self._call = watches, name, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call, timed."""
        return self._watches.run(self._name, self._call, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
