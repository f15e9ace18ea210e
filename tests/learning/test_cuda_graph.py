# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When work is captured, and what happens if it cannot be; the captures themselves need a GPU."""

from __future__ import annotations

import logging

import pytest

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
    monkeypatch.setattr(work, "_capture", lambda: done.append("captured") or graph)
    for _ in range(6):
        work()
    assert done == ["eagerly"] * 3 + ["captured"]
    assert graph.replays == 3


def test_work_that_cannot_be_captured_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    done: list[str] = []

    def refuse() -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    work = CapturedWork(lambda: None, "cuda")
    monkeypatch.setattr(work, "_work_beside", lambda: done.append("eagerly"))
    monkeypatch.setattr(work, "_capture", refuse)
    with caplog.at_level(logging.WARNING):
        for _ in range(6):
            work()
    assert done == ["eagerly"] * 6
    assert caplog.text.count("is not captured (operation not permitted when stream is capturing)") == 1
