# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is known about clips, carried over to a library with other clips."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch


def clip_keys(identities: Sequence[str]) -> torch.Tensor:
    """Return a number for each clip by which a checkpoint knows it again, int64, shape (num_clips,), on the CPU.

    Args:
        identities: Names of the clips or hashes of their contents: 64 bits of the SHA-256 of each.
    """
    digests = [hashlib.sha256(identity.encode()).digest()[:8] for identity in identities]
    return torch.tensor([int.from_bytes(digest, "big", signed=True) for digest in digests], dtype=torch.int64)


def matching_clips(
    keys: torch.Tensor, num_frames: torch.Tensor, saved_keys: torch.Tensor, saved_num_frames: torch.Tensor
) -> list[tuple[int, int]]:
    """Return pairs of indices of the same clip now and in a saved state.

    Clips match by key and number of frames: a clip that became longer or shorter is another one. Of several with the
    same key and length, the first is the first and so on.
    """
    places: dict[tuple[int, int], list[int]] = {}
    for index, identity in enumerate(zip(saved_keys.tolist(), saved_num_frames.tolist(), strict=True)):
        places.setdefault(identity, []).append(index)
    pairs = []
    for index, identity in enumerate(zip(keys.tolist(), num_frames.tolist(), strict=True)):
        if places.get(identity):
            pairs.append((index, places[identity].pop(0)))
    return pairs


def carried_bins(pairs: list[tuple[int, int]], per_clip: torch.Tensor, saved_per_clip: torch.Tensor) -> torch.Tensor:
    """Return for each bin its index in a saved state, or -1, shape (num_bins,), on the CPU.

    Args:
        pairs: The clips that are in both, as :func:`matching_clips` gives them.
        per_clip: Bins of each clip now, shape (num_clips,).
        saved_per_clip: Bins of each clip in the saved state, shape (num_saved_clips,).
    """
    per_clip, saved_per_clip = per_clip.cpu(), saved_per_clip.cpu()
    shift = torch.full_like(per_clip, -1)
    first, saved_first = per_clip.cumsum(0) - per_clip, saved_per_clip.cumsum(0) - saved_per_clip
    known = torch.zeros_like(per_clip, dtype=torch.bool)
    if pairs:
        mine, saved = torch.tensor(pairs).T
        same = per_clip[mine] == saved_per_clip[saved]
        known[mine[same]] = True
        shift[mine[same]] = (saved_first[saved] - first[mine])[same]
    index = torch.arange(int(per_clip.sum())) + shift.repeat_interleave(per_clip)
    return torch.where(known.repeat_interleave(per_clip), index, -1)
