# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Work of torch and Warp on a GPU that is captured once and then replayed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
import warp as wp

from ...cuda_capture import captured

EAGER_CALLS = 4
"""Calls before a capture, in which kernels are loaded and constants uploaded; they do their work like all others."""


class Graph:
    """Some work on a GPU that the host only starts, after a few calls in which it is done as always.

    The work must read and write memory that stays where it is. What it returns lies in the graph's memory from the
    capture on, and every replay overwrites it.

    Args:
        work: The work; called with nothing, and with the same effect at every call.
        device: The GPU; on any other device the work is done as always.
        guard: Makes a context that is open during the capture.
    """

    def __init__(
        self,
        work: Callable[[], None],
        device: str | torch.device,
        guard: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._work, self._device, self._guard = work, torch.device(device), guard
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        # torch's and Warp's name of one stream; Warp forgets the stream with its name, so it is kept.
        self._streams: tuple[torch.cuda.Stream, wp.Stream] | None = None

    @property
    def captured(self) -> bool:
        """Whether the work is replayed."""
        return self._graph is not None

    def __call__(self) -> None:
        """Do the work.

        Raises:
            CaptureError: If it cannot be captured; it was not done.
        """
        if self._graph is None:
            self._calls += 1
            if self._calls <= EAGER_CALLS or self._device.type != "cuda":
                self._work()
                return
            self._graph = self._capture()
        self._graph.replay()

    def forget(self) -> None:
        """Do the work as always again, because something has changed; later it is captured anew."""
        self._graph, self._calls = None, 0

    def give_up(self) -> None:
        """Do the work as always from now on."""
        self._graph, self._device = None, torch.device("cpu")

    def _capture(self) -> torch.cuda.CUDAGraph:
        if self._streams is None:
            stream = torch.cuda.Stream(self._device)
            self._streams = stream, wp.stream_from_torch(stream)
        stream, warps_stream = self._streams
        stream.wait_stream(torch.cuda.current_stream(self._device))
        # Warp first: it waits for its own stream, which a stream that is being captured must not.
        with self._guard(), wp.ScopedStream(warps_stream):
            graph = captured(self._work, self._device, stream)
        torch.cuda.current_stream(self._device).wait_stream(stream)
        return graph
