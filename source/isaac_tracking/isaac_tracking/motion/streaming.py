# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clips that come and go: which of them are on the device, and copying their rows there from a bundle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .bundle import Bundle, DamagedBundleError

_STAGING_BYTES = 32 * 2**20
"""Size of each of the two buffers through which rows go to a GPU; large enough for its full transfer rate."""
_MOVED_ROWS = 1 << 16
"""Rows that are moved at once when clips close up; they need as much memory again."""


@dataclass(frozen=True, eq=False)
class SwapPlan:
    """Which clips a swap takes off the device and which ones it puts there."""

    leaving: torch.Tensor
    """Whether a clip is on the device and will leave it, bool, shape (num_clips,), on the device."""

    entering: torch.Tensor
    """Whether a clip will be put on the device, bool, shape (num_clips,), on the device."""

    staying_ids: np.ndarray
    """Clips that are and stay on the device, in the order of their rows there."""

    entering_ids: np.ndarray
    """Clips that will be put on the device, in the order of the bundle."""

    turn: int
    """Number of swaps before this one; the plan holds for no other state."""


def draw_clips(
    probabilities: np.ndarray, num_frames: np.ndarray, capacity: int, generator: torch.Generator | None = None
) -> np.ndarray:
    """Draw clips without replacement until no further one fits; return them in the order in which they were drawn.

    Args:
        probabilities: How likely each clip is drawn next, in any measure; clips with zero are not drawn.
        num_frames: Length of each clip, shape (num_clips,).
        capacity: Frames that fit.
        generator: Source of the random numbers; torch's own if None.
    """
    device = "cpu" if generator is None else generator.device
    draw = torch.rand(len(probabilities), generator=generator, device=device, dtype=torch.float64).cpu().numpy()
    candidates = np.flatnonzero(probabilities > 0.0)
    # The order of exponential waiting times is that of drawing one by one without replacement.
    waiting = -np.log1p(-draw[candidates]) / probabilities[candidates]
    chosen, left = [], capacity
    for clip in candidates[np.argsort(waiting, kind="stable")]:
        if num_frames[clip] <= left:
            chosen.append(clip)
            left -= int(num_frames[clip])
    return np.array(chosen, dtype=np.int64)


def close_up(rows: torch.Tensor, first: np.ndarray, lengths: np.ndarray) -> int:
    """Move clips to the beginning of a buffer, one after another, in place.

    Args:
        rows: Buffer, shape (capacity, width).
        first: First row of each clip, ascending.
        lengths: Rows of each clip.

    Returns:
        Number of rows in use.
    """
    total = int(lengths.sum())
    target = np.cumsum(lengths) - lengths
    still = int(np.argmax(first != target)) if (first != target).any() else len(first)
    begin = int(target[still]) if still < len(first) else total
    source = np.repeat(first - target, lengths) + np.arange(total)
    # A row only ever moves forward, so that no chunk overwrites what a later one reads.
    for at in range(begin, total, _MOVED_ROWS):
        chunk = torch.from_numpy(source[at : at + _MOVED_ROWS]).to(rows.device)
        rows[at : at + len(chunk)] = rows[chunk]
    return total


def copy_clips(bundle: Bundle, clip_ids: np.ndarray, target: torch.Tensor, columns: Sequence[int] | None) -> None:
    """Copy the rows of clips, one after another, to a device.

    Args:
        bundle: Where the rows come from.
        clip_ids: Clips, in any order; ascending is fastest.
        target: Where the rows go, shape (frames of these clips, width).
        columns: Which of a row's first columns become these columns, see :meth:`.Packing.joint_columns`; None to leave
            them as they are.

    Raises:
        DamagedBundleError: If the rows of a clip are not those that were written.
    """
    if len(clip_ids) == 0:
        return
    lengths = bundle.num_frames[clip_ids]
    source = np.repeat(bundle.first_row[clip_ids], lengths) + _counting(lengths)
    order = None if columns is None else torch.tensor(columns, device=target.device)
    sums = torch.empty(len(target), dtype=torch.int64, device=target.device)
    lanes = _Lanes(bundle, target.device)
    os.posix_fadvise(bundle.file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    for at in range(0, len(target), lanes.size):
        rows = target[at : at + lanes.size]
        lanes.send(source[at : at + lanes.size], rows)
        torch.sum(rows.view(torch.int64), dim=1, out=sums[at : at + lanes.size])
        if order is not None:
            rows[:, : len(order)] = rows[:, order]
    ends = torch.from_numpy(np.cumsum(lengths) - 1).to(target.device)
    of_clip = torch.diff(sums.cumsum(0)[ends], prepend=sums.new_zeros(1)).cpu().numpy()
    wrong = np.flatnonzero(of_clip != bundle.sums[clip_ids])
    if len(wrong):
        raise DamagedBundleError(f"the frames of '{bundle.names[clip_ids[wrong[0]]]}' were changed")


class _Lanes:
    """The way from the file to the device; to a GPU through two buffers, one of which is filled while one is sent."""

    def __init__(self, bundle: Bundle, device: torch.device) -> None:
        self._bundle = bundle
        self.size = max(1, _STAGING_BYTES // bundle.packing.row_bytes)
        """Rows that can be sent at once."""
        self._buffers: list[torch.Tensor] = []
        if device.type == "cuda":
            shape, kind = (self.size, bundle.packing.width), bundle.packing.dtype
            self._buffers = [torch.empty(shape, dtype=kind, pin_memory=True) for _ in range(2)]
            self._sent = [torch.cuda.Event() for _ in self._buffers]
        self._turn = 0

    def send(self, source: np.ndarray, target: torch.Tensor) -> None:
        """Copy rows of the file to the device."""
        if not self._buffers:
            self._fill(target.numpy(), source)
            return
        buffer, sent = self._buffers[self._turn][: len(source)], self._sent[self._turn]
        sent.synchronize()
        self._fill(buffer.numpy(), source)
        target.copy_(buffer, non_blocking=True)
        sent.record(torch.cuda.current_stream(target.device))
        self._turn = 1 - self._turn

    def _fill(self, buffer: np.ndarray, source: np.ndarray) -> None:
        """Read rows in runs: neighbours in the file in one go."""
        starts = np.flatnonzero(np.diff(source, prepend=source[0] - 2) != 1)
        for start, end in zip(starts, [*starts[1:], len(source)], strict=True):
            self._bundle.read_rows(int(source[start]), buffer[start:end])


def _counting(lengths: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2, ... anew for each length."""
    total = int(lengths.sum())
    return np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
