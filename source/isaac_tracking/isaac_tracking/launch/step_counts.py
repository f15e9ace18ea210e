# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a step asks of a machine, in counts, which unlike times are the same on a busy one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._C._autograd import DeviceType
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_WAITING = ("aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero")
"""Operators of which the host needs the result, or its size: on a GPU it waits there."""
_VIEWS = ("aten::detach", "aten::alias", "aten::lift_fresh", "aten::empty", "aten::sym_size")
"""Beginnings of operators that move nothing, though their results are no views."""


class OperatorCounter(TorchDispatchMode):
    """Counts torch's operators, the bytes that they read and write, and where the host would wait for a GPU.

    Views count for nothing. Bytes are those of all tensors that go in and come out, each time: what a machine without
    caches would move, of torch alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operators = 0
        """Operators that compute or copy."""
        self.bytes = 0
        """Bytes that they read and write."""
        self.waits: dict[str, int] = {}
        """Where the host would wait, by operator."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Run an operator, and count it."""
        result = func(*args, **(kwargs or {}))
        name = func._schema.name
        # An indexing by a mask looks for the true elements first.
        mask = name.startswith("aten::index") and any(_is_mask(leaf) for leaf in tree_leaves(args[1:2]))
        if name in _WAITING or mask:
            self.waits[name] = self.waits.get(name, 0) + 1
        if not func.is_view and not name.startswith(_VIEWS):
            self.operators += 1
            self.bytes += sum(_bytes(leaf) for leaf in tree_leaves((args, kwargs, result)))
        return result


def count_operators(work: Callable[[], None]) -> dict[str, Any]:
    """Return what some work asks of torch and Warp.

    Returns:
        ``torch_ops``, ``torch_bytes``, ``host_waits`` by operator, ``warp_launches`` and ``graph_launches``, of which
        each stands for all launches in it.
    """
    counter = OperatorCounter()
    with _counted_launches() as launches, counter:
        work()
    waits = dict(sorted(counter.waits.items()))
    if launches["numpy"]:
        waits["warp.array.numpy"] = launches["numpy"]
    return {
        "torch_ops": counter.operators,
        "torch_bytes": counter.bytes,
        "host_waits": waits,
        "warp_launches": launches["launch"] + launches["launch_tiled"] + launches["recorded"],
        "graph_launches": launches["capture_launch"] + launches["replay"],
    }


def count_syncs(work: Callable[[], None], device: str) -> int | None:
    """Return how often torch waits for the device during some work; None where there is no GPU."""
    if device == "cpu":
        return None
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def profile_gpu(work: Callable[[], None], device: str) -> dict[str, float] | None:
    """Return what a GPU does during some work, graphs unrolled; None where there is none.

    Returns:
        ``kernels``, ``copies`` (with fills), ``copied_bytes``, and ``busy_ms``, the sum of their times.
    """
    if device == "cpu":
        return None
    torch.cuda.synchronize(device)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work()
        torch.cuda.synchronize(device)
    results: Any = profile.profiler
    return sum_events(results.kineto_results.events())


def sum_events(events: Any) -> dict[str, float]:
    """Return the sums of :func:`profile_gpu` over the events of the profiler that are of the device."""
    sums = {"kernels": 0.0, "copies": 0.0, "copied_bytes": 0.0, "busy_ms": 0.0}
    for event in events:
        if event.device_type() != DeviceType.CUDA or event.is_user_annotation():
            continue
        copy = event.name().startswith(("Memcpy", "Memset"))
        sums["copies" if copy else "kernels"] += 1
        sums["copied_bytes"] += event.nbytes() if copy else 0
        sums["busy_ms"] += event.duration_ns() / 1e6
    return sums


def _is_mask(leaf: Any) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.dtype == torch.bool


def _bytes(leaf: Any) -> int:
    return leaf.numel() * leaf.element_size() if isinstance(leaf, torch.Tensor) else 0


@contextmanager
def _counted_launches() -> Iterator[dict[str, int]]:
    """Count Warp's launches while open, whoever asks for them."""
    import warp as wp

    targets = {
        "launch": (wp, "launch"),
        "launch_tiled": (wp, "launch_tiled"),
        "recorded": (wp.Launch, "launch"),
        "capture_launch": (wp, "capture_launch"),
        "replay": (torch.cuda.CUDAGraph, "replay"),
        "numpy": (wp.array, "numpy"),
    }
    counts = dict.fromkeys(targets, 0)
    originals = {name: getattr(*target) for name, target in targets.items()}

    def counting(name: str, original: Callable) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return original(*args, **kwargs)

        return call

    for name, (target, attribute) in targets.items():
        setattr(target, attribute, counting(name, originals[name]))
    try:
        yield counts
    finally:
        for name, (target, attribute) in targets.items():
            setattr(target, attribute, originals[name])
