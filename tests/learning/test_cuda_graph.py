# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When work is captured, and what happens if it cannot be; the captures themselves need a GPU."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from isaac_tracking.cuda_capture import CaptureError
from isaac_tracking.learning import cuda_graph
from isaac_tracking.learning.cuda_graph import CapturedWork


class Graph:
    def __init__(self) -> None:
        self.replays = 0

    def replay(self) -> None:
        self.replays += 1


def test_work_is_captured_after_three_calls(monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    work, graph = CapturedWork(lambda: None, "cuda"), Graph()
    monkeypatch.setattr(work, "_work_beside", lambda: done.append("eagerly"))
    monkeypatch.setattr(cuda_graph, "captured", lambda *_: done.append("captured") or graph)
    for _ in range(6):
        work()
    assert done == ["eagerly"] * 3 + ["captured"]
    assert graph.replays == 3


def test_work_that_cannot_be_captured_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    done: list[str] = []

    def refuse(*_: object) -> None:
        raise CaptureError("operation not permitted when stream is capturing")

    work = CapturedWork(lambda: None, "cuda")
    monkeypatch.setattr(work, "_work_beside", lambda: done.append("eagerly"))
    monkeypatch.setattr(cuda_graph, "captured", refuse)
    with caplog.at_level(logging.WARNING):
        for _ in range(6):
            work()
    assert done == ["eagerly"] * 6
    assert caplog.text.count("is not captured (operation not permitted when stream is capturing)") == 1


def test_work_that_reads_what_other_work_makes_waits_for_its_graph(monkeypatch: pytest.MonkeyPatch):
    """The optimizer's step reads gradients, which lie elsewhere at each call of work that is not captured."""
    done: list[str] = []

    def capture(work: Callable[[], None], device: object) -> Graph:
        work()
        return Graph()

    def refuse() -> None:
        raise CaptureError("it asks for a number")

    monkeypatch.setattr(cuda_graph, "captured", capture)
    monkeypatch.setattr(CapturedWork, "_work_beside", lambda self: done.append(self._work.__name__))
    first = CapturedWork(refuse, "cuda")
    second = CapturedWork(lambda: None, "cuda", after=first)
    for _ in range(6):
        first()
        second()
    assert done == ["refuse", "<lambda>"] * 6
    third = CapturedWork(print, "cuda")
    fourth = CapturedWork(print, "cuda", after=third)
    for _ in range(4):
        third()
        fourth()
    assert third.captured and fourth.captured
