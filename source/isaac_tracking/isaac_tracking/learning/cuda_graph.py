# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Work on a GPU that the host starts with one launch."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

_logger = logging.getLogger(__name__)

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
        self._calls, self._capturable = 0, True
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Do the work once; kernel by kernel for good if it cannot be captured, which is told."""
        self._calls += 1
        if self._graph is None and self._calls > _EAGER_CALLS and self._capturable:
            try:
                self._graph = self._capture()
            except RuntimeError as error:
                self._capturable = False
                _logger.warning("%s is not captured (%s); it runs kernel by kernel", self._work, error)
        if self._graph is not None:
            self._graph.replay()
        else:
            self._work_beside()

    def _capture(self) -> torch.cuda.CUDAGraph:
        """Record the work, which is not done thereby."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._work()
        return graph

    def _work_beside(self) -> None:
        """Do the work on another stream, as torch wants it before a capture."""
        stream = torch.cuda.Stream(self._device)
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            self._work()
        torch.cuda.current_stream(self._device).wait_stream(stream)
