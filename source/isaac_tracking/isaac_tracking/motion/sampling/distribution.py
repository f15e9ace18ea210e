# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From scores of bins to probabilities with a floor and a cap; pure functions that never wait for the device."""

from __future__ import annotations

import math

import torch

from .bins import Bins
from .settings import SamplerSettings


def base_probabilities(
    bins: Bins, clip_weights: torch.Tensor, length_neutral: bool, resident: torch.Tensor | None = None
) -> torch.Tensor:
    """Return how likely a start in each bin is without any evidence, shape (num_bins,), sum 1.

    Args:
        bins: The bins.
        clip_weights: Weights of the clips, shape (num_clips,), at least one above 0.
        length_neutral: Whether a clip's share is its weight, rather than its weight times its length.
        resident: Clips that may be drawn, bool, shape (num_clips,); None for all.
    """
    weights = clip_weights if resident is None else clip_weights * resident
    share = bins.steps.to(weights.dtype)
    if length_neutral:
        share = share / bins.sum_per_clip(share)[bins.clip_of_bin]
    share = share * weights[bins.clip_of_bin]
    return share / share.sum()


def smooth(score: torch.Tensor, bins: Bins, settings: SamplerSettings) -> torch.Tensor:
    """Return the weighted mean of each bin's score and those that follow it in its clip, shape (num_bins,).

    After a clip's last bin its score is repeated, as at BeyondMimic's end of the clip.
    """
    if settings.kernel_size == 1:
        return score
    index, last = torch.arange(len(score), device=score.device), bins.last[bins.clip_of_bin]
    weights = [settings.kernel_decay**step for step in range(settings.kernel_size)]
    total = torch.zeros_like(score)
    for step, weight in enumerate(weights):
        total += weight * score[torch.minimum(index + step, last)]
    return total / math.fsum(weights)


def mixture(score: torch.Tensor, base: torch.Tensor, bins: Bins, settings: SamplerSettings) -> torch.Tensor:
    """Return the probability of a start in each bin, shape (num_bins,), sum 1.

    Every bin keeps ``uniform_share`` of its base probability, and none exceeds its caps.

    Args:
        score: How hard each bin is, at least 0, shape (num_bins,).
        base: Probabilities without any evidence, shape (num_bins,), sum 1; 0 for bins that must not be drawn.
        bins: The bins.
        settings: Constants.
    """
    score = smooth(score, bins, settings)
    if settings.softmax:
        # exp(score / T) with T = 1 / log(1 + N); the largest is taken out so that nothing overflows.
        likelihood = torch.exp((score - score.max()) * math.log1p(len(score)))
    else:
        likelihood = settings.reference_score + score
    adaptive = base * likelihood
    total = adaptive.sum()
    adaptive = torch.where(total > 0.0, adaptive / total.clamp_min(1e-30), base)
    cap = (base * settings.max_over_mean).clamp_max(settings.max_bin_probability)
    # A cap below the base could not be kept by all.
    cap = torch.where(base > 0.0, torch.maximum(cap, base), 0.0)
    adaptive = _pour(adaptive.clamp_max(cap), cap, 1.0)
    if settings.max_clip_probability < 1.0:
        adaptive = _cap_clips(adaptive, cap, base, bins, settings.max_clip_probability)
    return (1.0 - settings.uniform_share) * adaptive + settings.uniform_share * base


def _pour(level: torch.Tensor, cap: torch.Tensor, total: float) -> torch.Tensor:
    """Raise levels by an equal part of the room under their caps until they sum up to a total."""
    room = cap.clamp_max(1.0) - level
    missing = (total - level.sum()).clamp_min(0.0)
    return level + room * (missing / room.sum().clamp_min(1e-30)).clamp_max(1.0)


def _cap_clips(
    probability: torch.Tensor, cap: torch.Tensor, base: torch.Tensor, bins: Bins, limit: float
) -> torch.Tensor:
    """Move what clips have above their cap to the others, without a bin exceeding its own."""
    clip_base, clip_now = bins.sum_per_clip(base), bins.sum_per_clip(probability)
    clip_room = bins.sum_per_clip(cap.clamp_max(1.0))
    clip_cap = torch.minimum(torch.maximum(torch.full_like(clip_base, limit), clip_base), clip_room)
    kept = torch.minimum(clip_now, clip_cap)
    wanted = _pour(kept, clip_cap, 1.0)
    shrink = kept / clip_now.clamp_min(1e-30)
    level = probability * shrink[bins.clip_of_bin]
    room = cap.clamp_max(1.0) - level
    fill = (wanted - kept) / bins.sum_per_clip(room).clamp_min(1e-30)
    return level + room * fill.clamp_max(1.0)[bins.clip_of_bin]
