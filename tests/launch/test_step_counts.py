# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Operators, bytes, launches and waits by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import warp as wp
from torch._C._autograd import DeviceType

from isaac_tracking.launch.step_counts import count_operators, count_syncs, profile_gpu, sum_events


def test_operators_and_bytes_by_hand():
    a, b = torch.ones(10), torch.ones(10)

    def work() -> None:
        total = a + b
        total.view(2, 5)[0].mul_(2.0)

    found = count_operators(work)
    # An addition reads 40 bytes twice and writes 40; the product reads and writes 20. Views are free.
    assert (found["torch_ops"], found["torch_bytes"]) == (2, 120 + 40)
    assert found["host_waits"] == {} and found["warp_launches"] == 0


def test_where_a_host_would_wait():
    mask = torch.tensor([True, False, True])

    def work() -> None:
        mask.nonzero()
        mask.any().item()
        torch.arange(3)[mask]
        # An index of whole numbers needs no look at its values.
        torch.arange(3)[torch.tensor([0])]

    waits = count_operators(work)["host_waits"]
    assert waits == {"aten::_local_scalar_dense": 1, "aten::index": 1, "aten::nonzero": 1}


@wp.kernel
def _add_one(values: wp.array[float]):
    values[wp.tid()] += 1.0


def test_launches_of_warp():
    values = wp.zeros(3, dtype=float, device="cpu")

    def work() -> None:
        for _ in range(2):
            wp.launch(_add_one, dim=3, inputs=[values], device="cpu")
        values.numpy()

    launch = wp.launch
    found = count_operators(work)
    assert found["warp_launches"] == 2 and found["host_waits"] == {"warp.array.numpy": 1}
    assert wp.launch is launch and values.numpy().tolist() == [2.0, 2.0, 2.0]


def test_launches_are_not_counted_any_more_after_a_mistake():
    launch = wp.launch
    with pytest.raises(ZeroDivisionError):
        count_operators(lambda: 1 / 0)  # type: ignore[arg-type]
    assert wp.launch is launch


class Event:
    """An event of the profiler."""

    def __init__(self, name: str, on_gpu: bool = True, nbytes: int = 0, remark: bool = False) -> None:
        self._values = name, DeviceType.CUDA if on_gpu else DeviceType.CPU, nbytes, remark

    def name(self) -> str:
        return self._values[0]

    def device_type(self) -> Any:
        return self._values[1]

    def nbytes(self) -> int:
        return self._values[2]

    def is_user_annotation(self) -> bool:
        return self._values[3]

    def duration_ns(self) -> int:
        return 500_000


def test_sums_over_a_profile():
    events = [Event("gemm"), Event("Memcpy DtoD", nbytes=64), Event("Memset", nbytes=8), Event("step", remark=True)]
    sums = sum_events([*events, Event("aten::add", on_gpu=False)])
    assert sums == {"kernels": 1, "copies": 2, "copied_bytes": 72, "busy_ms": pytest.approx(1.5)}


def test_events_of_the_real_profiler_have_what_is_asked_for():
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        torch.ones(3).add(1.0)
    events = list(profile.profiler.kineto_results.events())  # type: ignore[union-attr]
    assert events and sum_events(events)["kernels"] == 0
    assert events[0].nbytes() >= 0 and events[0].duration_ns() >= 0 and not events[0].is_user_annotation()


def test_a_cpu_has_nothing_to_wait_for():
    assert count_syncs(lambda: None, "cpu") is None
    assert profile_gpu(lambda: None, "cpu") is None


def test_replays_of_torch_are_launches_of_graphs(monkeypatch: pytest.MonkeyPatch):
    replayed: list[int] = []
    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", lambda graph: replayed.append(1))
    graph: Any = "one that a CPU cannot make"
    assert count_operators(lambda: torch.cuda.CUDAGraph.replay(graph))["graph_launches"] == 1
    torch.cuda.CUDAGraph.replay(graph)
    assert len(replayed) == 2
