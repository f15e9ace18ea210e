# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Work on a GPU that the host starts with one launch."""

from __future__ import annotations

from collections.abc import Callable

import torch

_EAGER_CALLS = 3
"""Calls before a capture, in which libraries set themselves up; they do their work like all others."""


class CapturedWork:
    """Some work on a GPU that is captured as a CUDA graph once and then replayed.

    Args:
        work: It reads and writes tensors that stay where they are, and asks for no number of the device. Numbers that
            Python holds are those of the capture.
        device: The GPU.
    """

    def __init__(self, work: Callable[[], None], device: str) -> None:
        self._work, self._device = work, torch.device(device)
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Do the work once."""
        self._calls += 1
        if self._calls <= _EAGER_CALLS:
            # On another stream, as torch wants it before a capture.
            stream = torch.cuda.Stream(self._device)
            stream.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(stream):
                self._work()
            torch.cuda.current_stream(self._device).wait_stream(stream)
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._work()
        self._graph.replay()
