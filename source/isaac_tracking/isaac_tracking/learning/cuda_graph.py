# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Work on a GPU that the host starts with one launch."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from ..cuda_capture import CaptureError, captured

_logger = logging.getLogger(__name__)

_EAGER_CALLS = 3
"""Calls before a capture, in which libraries set themselves up; they do their work like all others."""


class CapturedWork:
    """Some work on a GPU that is captured as a CUDA graph once and then replayed.

    Args:
        work: It reads and writes tensors that stay where they are, and asks for no number of the device. Numbers that
            Python holds are those of the capture.
        device: The GPU.
        after: Work whose new tensors this one reads; without its graph they do not stay where they are.
    """

    def __init__(self, work: Callable[[], None], device: str, after: CapturedWork | None = None) -> None:
        self._work, self._device, self._after = work, torch.device(device), after
        self._calls, self._capturable = 0, True
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream: torch.cuda.Stream | None = None

    @property
    def captured(self) -> bool:
        """Whether the work is replayed."""
        return self._graph is not None

    def __call__(self) -> None:
        """Do the work once; kernel by kernel for good if it cannot be captured, which is told."""
        self._calls += 1
        if self._is_due:
            try:
                self._graph = captured(self._work, self._device)
            except CaptureError as error:
                self._capturable = False
                _logger.warning("%s is not captured (%s); it runs kernel by kernel", self._work, error)
        if self._graph is not None:
            self._graph.replay()
        else:
            self._work_beside()

    @property
    def _is_due(self) -> bool:
        if self._graph is not None or not self._capturable or self._calls <= _EAGER_CALLS:
            return False
        return self._after is None or self._after.captured

    def _work_beside(self) -> None:
        """Do the work on another stream, as torch wants it before a capture."""
        if self._stream is None:
            # Always the same: torch keeps memory for each of its streams.
            self._stream = torch.cuda.Stream(self._device)
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            self._work()
        torch.cuda.current_stream(self._device).wait_stream(self._stream)
