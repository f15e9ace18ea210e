# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where episodes start: at the start of a clip, anywhere, or more often where the policy fails.

A start is a clip and a step at the control rate. All work is done on the device of the library, without a copy to
the host, and all random numbers come from torch's generator of that device.
"""

from __future__ import annotations

import math

import torch


class StartSampler:
    """Every episode starts at a clip's first frame; clips take turns, so that none is left out.

    Args:
        num_frames: Frames of each clip, shape (num_clips,).
        num_envs: Number of environments.
    """

    def __init__(self, num_frames: torch.Tensor, num_envs: int) -> None:
        self._num_clips = len(num_frames)
        self._next = torch.arange(num_envs, device=num_frames.device)
        self._stride = num_envs

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        clip_ids = self._next[env_ids] % self._num_clips
        self._next[env_ids] += self._stride
        return clip_ids, torch.zeros_like(clip_ids)

    def record(self, clip_ids: torch.Tensor, steps: torch.Tensor, failed: torch.Tensor) -> None:
        """Take note of a step; where an episode starts does not depend on it."""

    def metrics(self) -> dict[str, torch.Tensor]:
        """Return nothing to log."""
        return {}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return whose turn it is in each environment."""
        return {"next": self._next.clone()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore whose turn it is; a state of another sampler or number of environments is left aside."""
        if "next" in state and state["next"].shape == self._next.shape:
            self._next.copy_(state["next"])


class UniformSampler:
    """Every frame of every clip is as likely a start as any other, but for each clip's last one.

    Args:
        num_frames: Frames of each clip, shape (num_clips,).
    """

    def __init__(self, num_frames: torch.Tensor) -> None:
        self._starts = num_frames - 1
        self._last = self._starts.cumsum(0)

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        draw = torch.rand(len(env_ids), device=self._last.device, dtype=torch.float64) * self._last[-1]
        clip_ids = torch.searchsorted(self._last, draw.long(), right=True).clamp_max(len(self._last) - 1)
        return clip_ids, draw.long() - (self._last - self._starts)[clip_ids]

    def record(self, clip_ids: torch.Tensor, steps: torch.Tensor, failed: torch.Tensor) -> None:
        """Take note of a step; where an episode starts does not depend on it."""

    def metrics(self) -> dict[str, torch.Tensor]:
        """Return nothing to log."""
        return {}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return nothing: there is no memory."""
        return {}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore nothing: there is no memory."""


class AdaptiveSampler:
    """Starts are drawn more often from the stretches in which episodes fail.

    Clips are cut into bins of one second, as in BeyondMimic. A bin's score is the share of the steps spent in it at
    which an episode failed, so that it depends neither on how often the bin was drawn nor on the number of
    environments. A share ``uniform_share`` of the starts stays uniform over all bins, which is a floor under every
    bin (SONIC mixes 0.9 and 0.1 as well).

    Args:
        num_frames: Frames of each clip, shape (num_clips,).
        rate: Control rate [Hz].
        bin_duration: Length of a bin [s].
        uniform_share: Share of starts that are uniform over the bins [-].
        horizon: Time over which failures are remembered [s of simulated time per environment].
    """

    def __init__(
        self,
        num_frames: torch.Tensor,
        rate: float,
        bin_duration: float = 1.0,
        uniform_share: float = 0.1,
        horizon: float = 20.0,
    ) -> None:
        self._bin_steps = max(1, round(bin_duration * rate))
        self._uniform_share = uniform_share
        self._decay = math.exp(-1.0 / (horizon * rate))
        # The last frame is no start: an episode would end at once.
        starts = num_frames - 1
        bins = (starts + self._bin_steps - 1).div(self._bin_steps, rounding_mode="floor").clamp_min(1)
        self._last_bin = bins.cumsum(0) - 1
        self._first_bin = self._last_bin + 1 - bins
        self._clip_of_bin = torch.repeat_interleave(torch.arange(len(bins), device=bins.device), bins)
        offset = torch.arange(len(self._clip_of_bin), device=bins.device) - self._first_bin[self._clip_of_bin]
        self._first_step = offset * self._bin_steps
        self._steps_in_bin = (starts[self._clip_of_bin] - self._first_step).clamp(1, self._bin_steps)
        self.failures = torch.zeros(len(offset), device=bins.device)
        """Decayed number of failures in each bin per environment, shape (num_bins,)."""
        self.visits = torch.zeros_like(self.failures)
        """Decayed number of steps in each bin per environment, shape (num_bins,)."""

    @property
    def num_bins(self) -> int:
        """Number of bins over all clips."""
        return len(self.failures)

    def probabilities(self) -> torch.Tensor:
        """Return how likely an episode starts in each bin, shape (num_bins,), sum 1."""
        # Some failure-free visits ahead keep the first few failures from taking everything.
        score = self.failures / (self.visits + self._prior())
        total = score.sum()
        uniform = torch.full_like(score, 1.0 / self.num_bins)
        adaptive = torch.where(total > 0, score / total.clamp_min(1e-12), uniform)
        return (1.0 - self._uniform_share) * adaptive + self._uniform_share * uniform

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        bins = torch.multinomial(self.probabilities(), len(env_ids), replacement=True)
        step = (torch.rand(len(bins), device=bins.device) * self._steps_in_bin[bins]).long()
        step = torch.minimum(step, self._steps_in_bin[bins] - 1)
        return self._clip_of_bin[bins], self._first_step[bins] + step

    def record(self, clip_ids: torch.Tensor, steps: torch.Tensor, failed: torch.Tensor) -> None:
        """Take note of where every environment is and which ones have just failed.

        Args:
            clip_ids: Clips, shape (num_envs,).
            steps: Steps in the clips, shape (num_envs,).
            failed: Whether the episode ended before its time, shape (num_envs,).
        """
        in_clip = steps.div(self._bin_steps, rounding_mode="floor")
        bins = torch.minimum(self._first_bin[clip_ids] + in_clip, self._last_bin[clip_ids])
        share = 1.0 / len(bins)
        self.failures.mul_(self._decay).index_add_(0, bins, failed.float(), alpha=share)
        self.visits.mul_(self._decay).index_add_(0, bins, torch.ones_like(bins, dtype=torch.float), alpha=share)

    def metrics(self) -> dict[str, torch.Tensor]:
        """Return the entropy of the starts relative to uniform, and the share of the likeliest bin (BeyondMimic)."""
        probabilities = self.probabilities()
        entropy = -(probabilities * probabilities.clamp_min(1e-12).log()).sum() / max(math.log(self.num_bins), 1e-12)
        entropy = entropy if self.num_bins > 1 else torch.ones_like(entropy)
        return {"sampling_entropy": entropy, "sampling_top1_prob": probabilities.max()}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the failures and visits of all bins."""
        return {"failures": self.failures.clone(), "visits": self.visits.clone()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore failures and visits; a state of another sampler or of other clips is left aside."""
        if "failures" in state and state["failures"].shape == self.failures.shape:
            self.failures.copy_(state["failures"])
            self.visits.copy_(state["visits"])

    def _prior(self) -> float:
        """Return the visits that a bin would have if steps were spread evenly over a tenth of the memory."""
        return 0.1 / (1.0 - self._decay) / self.num_bins
