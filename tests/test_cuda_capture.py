# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is left behind by a capture that fails; captures that succeed need a GPU."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from isaac_tracking.cuda_capture import CaptureError, captured


class FakeTorch:
    """A GPU's part of torch, as far as a capture uses it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.stream, self.fails, self.draws = "usual", False, True
        patch.setattr(torch.cuda, "CUDAGraph", lambda: "graph")
        patch.setattr(torch.cuda, "current_stream", lambda device: self.stream)
        patch.setattr(torch.cuda, "set_stream", lambda stream: setattr(self, "stream", stream))
        patch.setattr(torch.cuda, "graph", self.graph)
        patch.setattr(torch, "rand", self.rand)

    @contextlib.contextmanager
    def graph(self, graph: str, stream: str | None, capture_error_mode: str) -> Iterator[None]:
        """As torch's, which does not leave its stream if the end of a capture fails."""
        assert (graph, capture_error_mode) == ("graph", "thread_local")
        self.stream = stream or "torch's"
        with contextlib.suppress(RuntimeError):
            yield
        if self.fails:
            raise RuntimeError("operation failed due to a previous error during capture\nCUDA kernel errors")
        self.stream = "usual"

    def rand(self, size: int, device: torch.device) -> None:
        if not self.draws:
            raise RuntimeError("Offset increment outside graph capture encountered unexpectedly.")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeTorch:
    return FakeTorch(monkeypatch)


def test_nothing_is_collected_during_a_capture(fake: FakeTorch):
    collects: list[bool] = []
    work: Any = lambda: collects.append(gc.isenabled())  # noqa: E731
    assert captured(work, torch.device("cuda")) == "graph"
    assert collects == [False] and gc.isenabled()


def test_a_capture_that_fails_leaves_its_stream(fake: FakeTorch):
    fake.fails = True
    with pytest.raises(CaptureError, match="previous error during capture CUDA kernel errors"):
        captured(lambda: None, torch.device("cuda"))
    assert fake.stream == "usual" and gc.isenabled()


def test_a_gpu_that_cannot_go_on_is_told_with_what_helps(fake: FakeTorch):
    fake.fails, fake.draws = True, False
    with pytest.raises(RuntimeError) as error:
        captured(lambda: None, torch.device("cuda"))
    assert not isinstance(error.value, CaptureError)
    assert "start again with env.step_graph=off agent.algorithm.cuda_graph=false" in str(error.value)
    assert "Offset increment outside graph capture" in str(error.value)
