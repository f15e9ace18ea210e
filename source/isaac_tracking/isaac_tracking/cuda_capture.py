# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Capturing work as a CUDA graph, for all rooms; what calls it decides when, and what happens without one."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch


class CaptureError(RuntimeError):
    """Work cannot be captured. It was not done, and all else is as before."""


def captured(
    work: Callable[[], None], device: torch.device, stream: torch.cuda.Stream | None = None
) -> torch.cuda.CUDAGraph:
    """Record work of torch, which is not done thereby.

    Args:
        work: It asks for no number of the device; other threads may.
        device: The GPU.
        stream: Where it is recorded; None for torch's own.

    Raises:
        CaptureError: If it cannot be recorded.
        RuntimeError: If the attempt leaves a GPU on which nothing more can be done; it names the settings that help.
    """
    graph = torch.cuda.CUDAGraph()
    before = torch.cuda.current_stream(device)
    collects = gc.isenabled()
    # A collection could free what belongs to another stream.
    gc.disable()
    try:
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            work()
    except RuntimeError as error:
        # Where the end of a capture is an error too, torch stays in its stream, and its generator may as well.
        torch.cuda.set_stream(before)
        reason = _one_line(error)
        try:
            torch.rand(1, device=device)
        except RuntimeError as left:
            raise RuntimeError(
                f"a CUDA graph could not be captured ({reason}), and the GPU is of no use after it ({_one_line(left)});"
                " start again with env.step_graph=off agent.algorithm.cuda_graph=false"
            ) from error
        raise CaptureError(reason) from error
    finally:
        if collects:
            gc.enable()
    return graph


def _one_line(error: RuntimeError) -> str:
    return " ".join(str(error).split())
