# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Normalization whose memory fades, and that stands still where the policy behind it does."""

from __future__ import annotations

import torch
from torch import nn

MODES = ("train", "eval")
"""Statistics that follow the observations, and statistics that stay as they were loaded."""


class VecNorm(nn.Module):
    """Subtract the mean and divide by the standard deviation of what was seen, the latest counting most.

    The statistics of each control step weigh ``decay`` times those of the next, as in torchrl's ``VecNorm``, which
    HDMI (decay 0.9999) and the three-stage tracker (Axellwppr/motion_tracking) use. With several ranks every rank has
    the statistics of all of them.

    Args:
        size: Numbers in an observation.
        decay: Weight of a control step's statistics after one more step [-].
        eps: Added to the deviation, so that constants stay finite; rsl_rl's value.
    """

    def __init__(self, size: int, decay: float = 0.9999, eps: float = 1e-2) -> None:
        super().__init__()
        self.decay, self.eps = decay, eps
        self.moving = True
        """Whether :meth:`update` does anything."""
        # Said here and not in the class, where TorchScript would stumble over them.
        self.mean: torch.Tensor
        self.var: torch.Tensor
        self.count: torch.Tensor
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return normalized observations, shape (..., size)."""
        return (x - self.mean) / (self.var.sqrt() + self.eps)

    @torch.no_grad()
    def update(self, x: torch.Tensor, steps: int) -> None:
        """Take in observations, unless the statistics stand still.

        Args:
            x: Observations of all environments over some control steps, shape (N, size).
            steps: Number of these control steps, by which what is known already fades.
        """
        if not self.moving:
            return
        count = torch.full_like(self.count, len(x))
        mean = x.mean(dim=0)
        square = (x - mean).square().mean(dim=0)
        if torch.distributed.is_initialized():
            count, mean, square = _over_ranks(count, mean, square)
        kept = self.count * self.decay**steps
        self.count.copy_(kept + count)
        rate = count / self.count
        delta = mean - self.mean
        self.mean += rate * delta
        self.var += rate * (square - self.var + delta * (mean - self.mean))


def _over_ranks(
    count: torch.Tensor, mean: torch.Tensor, square: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return count, mean and mean square deviation over all ranks, in two exchanges."""
    sums = torch.cat([count[None], mean * count])
    torch.distributed.all_reduce(sums)
    everyone, mean_of_all = sums[0], sums[1:] / sums[0]
    squares = count * (square + (mean - mean_of_all).square())
    torch.distributed.all_reduce(squares)
    return everyone, mean_of_all, squares / everyone
