# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clips cut into bins of time, and what was seen in them."""

from __future__ import annotations

import math

import torch


class Bins:
    """Every clip's starts, cut into bins that never cross clips; a clip's last frame is no start.

    Args:
        num_frames: Frames of each clip, shape (num_clips,).
        bin_steps: Steps of a bin; the last bin of a clip holds what is left.
        min_steps: A rest with fewer steps than this joins the bin before it.
    """

    def __init__(self, num_frames: torch.Tensor, bin_steps: int, min_steps: int = 1) -> None:
        self._bin_steps = bin_steps
        # An episode that started on the last frame would end at once.
        starts = num_frames.long() - 1
        rest = starts % bin_steps
        self.per_clip = (starts.div(bin_steps, rounding_mode="floor") + (rest >= max(1, min_steps))).clamp_min(1)
        """Number of bins of each clip, shape (num_clips,)."""
        self.first = self.per_clip.cumsum(0) - self.per_clip
        """Index of each clip's first bin, shape (num_clips,)."""
        self.last = self.first + self.per_clip - 1
        """Index of each clip's last bin, shape (num_clips,)."""
        self.clip_of_bin = torch.repeat_interleave(torch.arange(len(starts), device=starts.device), self.per_clip)
        """Clip of each bin, shape (num_bins,)."""
        index = torch.arange(len(self.clip_of_bin), device=starts.device)
        self.first_step = (index - self.first[self.clip_of_bin]) * bin_steps
        """First step of each bin in its clip, shape (num_bins,)."""
        end = torch.where(index == self.last[self.clip_of_bin], starts[self.clip_of_bin], self.first_step + bin_steps)
        self.steps = end - self.first_step
        """Number of starts in each bin, shape (num_bins,)."""

    def __len__(self) -> int:
        """Return the number of bins over all clips."""
        return len(self.clip_of_bin)

    def at(self, clip_ids: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """Return the bin of each place, shape (N,); a clip's last frame belongs to its last bin."""
        in_clip = steps.div(self._bin_steps, rounding_mode="floor")
        return torch.minimum(self.first[clip_ids] + in_clip, self.last[clip_ids])

    def sum_per_clip(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sums over each clip's bins of values of shape (num_bins,), shape (num_clips,)."""
        return torch.zeros_like(self.first, dtype=values.dtype).index_add_(0, self.clip_of_bin, values)


class Evidence:
    """Loss and exposure of each bin as fading sums per environment.

    A step adds the mean over the environments, so that their number does not matter. Fading is put off until
    :meth:`settle`: until then later steps weigh more instead, and a step costs nothing for bins that nobody is in.

    Args:
        num_bins: Number of bins.
        horizon: Steps after which evidence has faded to 1/e.
        device: Where the sums are kept.
    """

    def __init__(self, num_bins: int, horizon: float, device: torch.device) -> None:
        self._growth = math.exp(1.0 / horizon)
        self._sums = torch.zeros(num_bins, 2, device=device)
        # How much more a step weighs for the fading that was put off; on the device, so that a CUDA graph may count.
        self._weight = torch.ones((), dtype=torch.float64, device=device)
        self._num_envs = 1

    def add(self, bins: torch.Tensor, loss: torch.Tensor, exposure: torch.Tensor) -> None:
        """Add one step of N environments.

        Args:
            bins: Bin of each environment, shape (N,).
            loss: What went wrong, shape (N,): failures, or one minus the similarity.
            exposure: What it is counted against, shape (N,): steps or passages.
        """
        self._num_envs = len(bins)
        self._weight.mul_(self._growth)
        weight = (self._weight / len(bins)).float()
        self._sums.index_add_(0, bins, torch.stack((loss, exposure), dim=-1) * weight)

    def settle(self) -> None:
        """Let the sums fade by the time that has passed."""
        self._sums.div_(self._weight.float())
        self._weight.fill_(1.0)

    @property
    def loss(self) -> torch.Tensor:
        """Faded sum of the loss in each bin per environment, shape (num_bins,)."""
        self.settle()
        return self._sums[:, 0]

    @property
    def exposure(self) -> torch.Tensor:
        """Faded sum of the exposure of each bin per environment, shape (num_bins,)."""
        self.settle()
        return self._sums[:, 1]

    def set(self, loss: torch.Tensor, exposure: torch.Tensor) -> None:
        """Replace the sums, each of shape (num_bins,)."""
        self._weight.fill_(1.0)
        self._sums.copy_(torch.stack((loss, exposure), dim=-1))

    def synchronize(self) -> None:
        """Take the mean over the ranks of torch.distributed, weighted by their numbers of environments.

        The sums are means over environments, and fading is linear: after this they are what one process with all the
        environments would have. Called twice it changes nothing more, so nothing is ever counted twice.
        """
        distributed = torch.distributed
        if not (distributed.is_available() and distributed.is_initialized()):
            return
        self.settle()
        # Doubles, so that many repetitions do not add up rounding.
        ones = torch.ones(1, dtype=torch.float64, device=self._sums.device)
        message = torch.cat((self._sums.double().flatten(), ones)) * self._num_envs
        distributed.all_reduce(message)
        self._sums.copy_((message[:-1] / message[-1]).view_as(self._sums))
