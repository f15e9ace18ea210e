# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starts that do not depend on what the policy can do: at the start of a clip, or anywhere.

A start is a clip and a step at the control rate. Draws are made on the device of the library, without a copy to the
host, and all random numbers come from torch's generator of that device.
"""

from __future__ import annotations

import torch


class _Unheeding:
    """What samplers have in common whose starts depend on nothing that happens."""

    def record(
        self,
        clip_ids: torch.Tensor,
        steps: torch.Tensor,
        failed: torch.Tensor,
        similarity: torch.Tensor | None = None,
    ) -> None:
        """Take note of a step; where an episode starts does not depend on it."""

    def note(
        self,
        clip_ids: torch.Tensor,
        steps: torch.Tensor,
        failed: torch.Tensor,
        similarity: torch.Tensor | None = None,
    ) -> None:
        """Take note of a step on the device; where an episode starts does not depend on it."""

    def count_step(self) -> None:
        """Count a step on the host; nothing is ever due."""

    def metrics(self) -> dict[str, torch.Tensor]:
        """Return nothing to log."""
        return {}

    def synchronize(self) -> None:
        """Share nothing between ranks."""


class StartSampler(_Unheeding):
    """Every episode starts at a clip's first frame; clips take turns, so that none is left out.

    Args:
        num_frames: Frames of each clip, shape (num_clips,).
        num_envs: Number of environments.
    """

    def __init__(self, num_frames: torch.Tensor, num_envs: int) -> None:
        self._clips = torch.arange(len(num_frames), device=num_frames.device)
        self._next = torch.arange(num_envs, device=num_frames.device)
        self._stride = num_envs

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        starting = torch.zeros_like(self._next, dtype=torch.bool).index_fill_(0, env_ids, True)
        clip_ids, steps = self.sample_where(starting)
        return clip_ids[env_ids], steps[env_ids]

    def sample_where(self, starting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return starts for all environments, of which those that do not start go on waiting for their turn.

        Args:
            starting: Whether each environment starts, bool, shape (num_envs,).
        """
        clip_ids = self._clips[self._next % len(self._clips)]
        self._next.add_(starting * self._stride)
        return clip_ids, torch.zeros_like(clip_ids)

    def set_resident(self, resident: torch.Tensor) -> None:
        """Let only some clips take turns.

        Args:
            resident: Whether a clip is on the device, bool, shape (num_clips,).

        Raises:
            ValueError: If no clip is.
        """
        self._clips = check_resident(resident).nonzero().flatten()

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return whose turn it is in each environment."""
        return {"next": self._next.clone()}

    def load_state_dict(self, state: dict) -> None:
        """Restore whose turn it is; a state of another sampler or number of environments is left aside."""
        if "next" in state and state["next"].shape == self._next.shape:
            self._next.copy_(state["next"])


class UniformSampler(_Unheeding):
    """Every frame of every clip is as likely a start as any other, but for each clip's last one.

    Args:
        num_frames: Frames of each clip, shape (num_clips,).
        clip_weights: Weights of the clips, shape (num_clips,), on any device; None for equal ones.
        length_neutral: Whether a clip's share is its weight alone, whatever its length.

    Raises:
        ValueError: If the weights are not one number per clip, at least 0 and not all 0.
    """

    def __init__(
        self, num_frames: torch.Tensor, clip_weights: torch.Tensor | None = None, length_neutral: bool = False
    ) -> None:
        self._starts = num_frames.long() - 1
        weights = check_weights(clip_weights, num_frames).double()
        self._shares = weights if length_neutral else weights * self._starts
        self._cumulative = self._shares.cumsum(0)

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        clip_ids = draw(self._cumulative, len(env_ids))
        return clip_ids, draw_below(self._starts[clip_ids])

    def sample_where(self, starting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return starts for all environments; those that do not start may ignore theirs.

        Args:
            starting: Whether each environment starts, bool, shape (num_envs,).
        """
        # What is drawn depends only on for how many.
        return self.sample(starting)

    def set_resident(self, resident: torch.Tensor) -> None:
        """Draw only from some clips.

        Args:
            resident: Whether a clip is on the device, bool, shape (num_clips,).

        Raises:
            ValueError: If no clip is, or only clips of weight 0 are.
        """
        shares = self._shares * check_resident(resident, self._shares)
        self._cumulative.copy_(shares.cumsum(0))

    def clip_probabilities(self) -> torch.Tensor:
        """Return how likely each clip would be if all were resident, shape (num_clips,), sum 1."""
        return (self._shares / self._shares.sum()).float()

    def clip_difficulty(self) -> torch.Tensor:
        """Return 1 for each clip that has a share of the starts, and 0 for the others, shape (num_clips,)."""
        return (self._shares > 0.0).float()

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return nothing: there is no memory."""
        return {}

    def load_state_dict(self, state: dict) -> None:
        """Restore nothing: there is no memory."""


def draw(cumulative: torch.Tensor, count: int) -> torch.Tensor:
    """Draw indices in proportion to shares, shape (count,).

    Cheaper than :func:`torch.multinomial`, which goes through all the shares at every call and takes at most 2^24.

    Args:
        cumulative: Cumulative sums of the shares, float64, shape (num,); their last need not be 1.
        count: Number of draws.
    """
    total = cumulative[-1]
    at = torch.rand(count, device=cumulative.device, dtype=torch.float64) * total
    # The product can round up to the total, which is beyond the last share.
    at = torch.minimum(at, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, at, right=True)


def draw_below(limits: torch.Tensor) -> torch.Tensor:
    """Draw whole numbers from 0 to below limits of shape (N,), shape (N,)."""
    numbers = (torch.rand(len(limits), device=limits.device, dtype=torch.float64) * limits).long()
    return torch.minimum(numbers, limits - 1)


def check_weights(clip_weights: torch.Tensor | None, num_frames: torch.Tensor) -> torch.Tensor:
    """Return clip weights as float32 on the device of the library, shape (num_clips,).

    Raises:
        ValueError: If they are not one number per clip, at least 0 and not all 0.
    """
    if clip_weights is None:
        return torch.ones(len(num_frames), device=num_frames.device)
    weights = clip_weights.to(num_frames.device, torch.float32)
    if weights.shape != num_frames.shape:
        raise ValueError(
            f"sampler: {tuple(weights.shape)} clip weights; expected one for each of {len(num_frames)} clips"
        )
    if not bool(weights.isfinite().all() & (weights >= 0.0).all() & (weights > 0.0).any()):
        raise ValueError("sampler: clip weights must be finite numbers from 0, and not all 0; check the manifest")
    return weights


def check_resident(resident: torch.Tensor, shares: torch.Tensor | None = None) -> torch.Tensor:
    """Return a mask of clips that may be drawn.

    Raises:
        ValueError: If it holds no clip, or only clips without a share.
    """
    if not bool((resident if shares is None else resident.to(shares.device) & (shares > 0.0)).any()):
        raise ValueError(
            "sampler: no clip is on the device, or only clips of weight 0; load at least one that may be drawn"
        )
    return resident if shares is None else resident.to(shares.device)
