# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How torch's tensors get into a kernel, and the kernel into torch's stream."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
import warp

wp: Any = warp
"""Warp without types: what is in a kernel is its own language, not Python."""

if TYPE_CHECKING:
    Vectors = Vectors2 = Quats = Quats2 = Floats = Floats2 = Floats3 = Ints = Longs = Bools = Any
else:
    Vectors, Vectors2 = wp.array(dtype=wp.vec3), wp.array2d(dtype=wp.vec3)
    Quats, Quats2 = wp.array(dtype=wp.quat), wp.array2d(dtype=wp.quat)
    Floats, Floats2, Floats3 = wp.array(dtype=float), wp.array2d(dtype=float), wp.array3d(dtype=float)
    Ints, Longs, Bools = wp.array(dtype=int), wp.array(dtype=wp.int64), wp.array(dtype=wp.bool)

_BLOCK = 128
"""Threads of a block on a GPU: few, so that a few thousand environments keep all multiprocessors busy."""


def floats(tensor: torch.Tensor) -> Any:
    """Hand a tensor to a kernel as it lies, whatever its strides."""
    return wp.from_torch(tensor, wp.float32, requires_grad=False, return_ctype=True)


def vectors(tensor: torch.Tensor) -> Any:
    """Hand over a tensor of shape (..., 3), of which the last dimension is contiguous."""
    return wp.from_torch(tensor, wp.vec3, requires_grad=False, return_ctype=True)


def quats(tensor: torch.Tensor) -> Any:
    """Hand over quaternions, xyzw, of shape (..., 4), of which the last dimension is contiguous."""
    return wp.from_torch(tensor, wp.quat, requires_grad=False, return_ctype=True)


def longs(tensor: torch.Tensor) -> Any:
    """Hand over a tensor of int64."""
    return wp.from_torch(tensor, wp.int64, return_ctype=True)


def bools(tensor: torch.Tensor) -> Any:
    """Hand over a mask."""
    return wp.from_torch(tensor, wp.bool, return_ctype=True)


def launch(kernel: Any, dim: int | tuple[int, ...], inputs: Sequence[Any], device: torch.device) -> None:
    """Start a kernel after what torch has already started on that device; waits for nothing.

    Args:
        kernel: The kernel.
        dim: Number of threads.
        inputs: All arguments of the kernel.
        device: Where the tensors are.
    """
    if device.type == "cuda":
        stream = torch.cuda.current_stream(device)
        name = _stream(str(stream.device), stream.cuda_stream)
        wp.launch(kernel, dim, inputs, stream=name, record_tape=False, block_dim=_BLOCK)
    else:
        wp.launch(kernel, dim, inputs, device="cpu", record_tape=False)


@lru_cache(maxsize=32)
def _stream(device: str, handle: int) -> Any:
    """Return Warp's name of a stream of torch's; making one at each launch would cost more than the launch."""
    return wp.Stream(device, cuda_stream=handle)
