# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the ranks of a distributed training settle among themselves; every rank must call these at the same place.

Nothing is sent but a few numbers: rsl_rl averages gradients, and each rank takes the same step with them. So the ranks'
networks stay equal bit by bit, or something is wrong that no later iteration would mend.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from .runs import RunError


def agreed_signal(number: int | None, device: str) -> int | None:
    """Return the signal that any rank has received, the same one on all of them; None if none has.

    Without this one rank would stop and the others wait for it forever.

    Args:
        number: Signal that this rank received.
        device: Where the collective runs.
    """
    flag = torch.tensor(number or 0, device=device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return int(flag) or None


def check_ranks_agree(saved: Mapping[str, Any], device: str) -> None:
    """Compare networks and normalizers of all ranks, bit by bit, through a checksum of each tensor.

    Args:
        saved: What an algorithm saves; its entries ``*_state_dict`` are compared, but for optimizers.
        device: Where the collectives run.

    Raises:
        RunError: If a tensor differs; on every rank alike.
    """
    tensors = dict(_tensors(saved))
    names = torch.tensor([zlib.crc32("\n".join(tensors).encode()), len(tensors)], device=device)
    if _differing(names).any():
        raise RunError("ranks disagree: they train networks of other layers; start all of them with the same settings")
    sums = torch.stack([checksum(value).to(device) for value in tensors.values()])
    differing = _differing(sums).any(dim=-1).nonzero()
    if len(differing):
        name = list(tensors)[int(differing[0])]
        raise RunError(
            f"ranks disagree: '{name}' is not the same on all of them ({len(differing)} of {len(tensors)} differ);"
            " go on from the checkpoint before, and report this with the run's params/run.json"
        )


def checksum(value: torch.Tensor) -> torch.Tensor:
    """Return two whole numbers that tell whether tensors are equal bit by bit, int64, shape (2,).

    The second one weighs every word by its place, so that words that changed places are seen too.
    """
    flat = value.detach().contiguous().flatten()
    words = flat.view(torch.uint8 if flat.element_size() % 4 else torch.int32).long()
    places = torch.arange(1, len(words) + 1, device=words.device)
    return torch.stack([words.sum(), (words * places).sum()])


def _tensors(saved: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for key, state in saved.items():
        if key.endswith("_state_dict") and "optimizer" not in key:
            for name, value in state.items():
                if isinstance(value, torch.Tensor):
                    yield f"{key.removesuffix('_state_dict')}.{name}", value


def _differing(mine: torch.Tensor) -> torch.Tensor:
    """Return where whole numbers are not the same on all ranks, bool, of the same shape."""
    least, most = mine.clone(), mine.clone()
    torch.distributed.all_reduce(least, op=torch.distributed.ReduceOp.MIN)
    torch.distributed.all_reduce(most, op=torch.distributed.ReduceOp.MAX)
    return least != most
