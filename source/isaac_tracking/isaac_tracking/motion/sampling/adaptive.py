# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starts that are drawn more often from the stretches that the policy finds hard."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .bins import Bins, Evidence
from .distribution import base_probabilities, mixture
from .keys import carried_bins, matching_clips
from .plain import check_resident, check_weights, draw, draw_below
from .rewind import Rewind
from .settings import SamplerSettings


class AdaptiveSampler:
    """Draws starts from bins of time over the whole library, by how hard the bins are.

    A bin's score is loss over exposure, for instance failures over seconds spent in it, so that it depends neither on
    how often the bin was drawn nor on the number of environments. Scores are drawn towards a prior while there is
    little evidence, become probabilities with a floor and a cap (:func:`~.distribution.mixture`), and are used from
    the next refresh on: between two, a step costs two small additions and a draw a search in a table.

    :meth:`record` must come before the :meth:`sample` of the environments that failed in that step: a rewind needs to
    know where they failed.

    Args:
        num_frames: Frames of each clip, shape (num_clips,); its device is that of the sampler.
        rate: Control rate [Hz].
        settings: Constants.
        clip_weights: Weights of the clips, shape (num_clips,); None for equal ones.
        clip_keys: What :func:`~.keys.clip_keys` returns, so that a checkpoint's evidence follows the clips into
            another library; None if it is only to be used again with the same clips.

    Raises:
        ValueError: If the weights are not one number per clip, at least 0 and not all 0.
    """

    def __init__(
        self,
        num_frames: torch.Tensor,
        rate: float,
        settings: SamplerSettings | None = None,
        clip_weights: torch.Tensor | None = None,
        clip_keys: torch.Tensor | None = None,
    ) -> None:
        self.settings = settings = settings or SamplerSettings()
        self._bins = Bins(
            num_frames, max(1, round(settings.bin_duration * rate)), max(1, round(settings.min_bin_duration * rate))
        )
        self._num_frames, self._keys = num_frames, clip_keys
        # A failure rate is per second; the other scores are what a step or a passage gives.
        self._unit = rate if settings.score == "failure_rate" else 1.0
        self._weights = check_weights(clip_weights, num_frames)
        self._base = base_probabilities(self._bins, self._weights, settings.length_neutral)
        self._resident: torch.Tensor | None = None
        total_steps = float(self._bins.steps.sum())
        horizon = max(settings.horizon * rate, settings.horizon_per_length * total_steps)
        passages = settings.prior_share * horizon / total_steps
        self._prior = torch.full_like(self._base, passages)
        if settings.score != "failure_share":
            self._prior *= self._bins.steps
        self._evidence = Evidence(len(self._bins), horizon, num_frames.device)
        low, high = (round(time * rate) for time in settings.rewind_range)
        self._rewind = Rewind(settings.rewind_probability, (low, high), num_frames)
        self._last: tuple[torch.Tensor, ...] | None = None
        # What a refresh changes, it changes in place: a CUDA graph knows the memory, not the name.
        self._cumulative = torch.zeros_like(self._base, dtype=torch.float64)
        self._metrics = torch.zeros(2, device=num_frames.device)
        self.refresh()

    @property
    def num_bins(self) -> int:
        """Number of bins over all clips."""
        return len(self._bins)

    @property
    def failures(self) -> torch.Tensor:
        """Loss in each bin per environment, faded: failures or one minus similarity, shape (num_bins,)."""
        return self._evidence.loss

    @property
    def visits(self) -> torch.Tensor:
        """Exposure of each bin per environment, faded: steps or passages, shape (num_bins,)."""
        return self._evidence.exposure

    def scores(self) -> torch.Tensor:
        """Return how hard each bin is, in the unit of the score, shape (num_bins,)."""
        loss, exposure = self._evidence.loss, self._evidence.exposure
        if self.settings.prior_score is None:
            expected = loss.sum() / exposure.sum().clamp_min(1e-30)
        else:
            expected = torch.full_like(loss[0], self.settings.prior_score / self._unit)
        weight = exposure + self._prior
        score = torch.where(weight > 0.0, (loss + self._prior * expected) / weight.clamp_min(1e-30), expected)
        return score * self._unit

    def probabilities(self) -> torch.Tensor:
        """Return how likely an episode starts in each bin by the evidence so far, shape (num_bins,), sum 1.

        Rewinds come on top.
        """
        return mixture(self.scores(), self._resident_base(), self._bins, self.settings)

    def clip_probabilities(self) -> torch.Tensor:
        """Return how likely each clip would be if all were resident, shape (num_clips,), sum 1."""
        return self._bins.sum_per_clip(mixture(self.scores(), self._base, self._bins, self.settings))

    def clip_difficulty(self) -> torch.Tensor:
        """Return how many times as likely each clip is as by weight and length alone, shape (num_clips,)."""
        base = self._bins.sum_per_clip(self._base)
        return self.clip_probabilities() * base.sum() / base.clamp_min(1e-30)

    def refresh(self) -> None:
        """Bring the probabilities that are drawn from up to date with the evidence."""
        self._steps_until_refresh = int(self.settings.refresh_steps)
        probabilities = self.probabilities()
        self._cumulative.copy_(probabilities.cumsum(0, dtype=torch.float64))
        choices = (probabilities > 0.0).sum()
        entropy = torch.special.entr(probabilities).sum() / choices.log().clamp_min(1e-12)
        entropy = torch.where(choices > 1, entropy, torch.ones_like(entropy))
        self._metrics.copy_(torch.stack((entropy, probabilities.max())))

    def sample(self, env_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the clips and steps, each of shape (N,), at which the environments start their next episode."""
        starts = self._rewind.apply(*self._draw(len(env_ids)), self._resident, env_ids)
        self._rewind.forget(env_ids)
        return starts

    def sample_where(self, starting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return starts for all environments; what is known of the last episode is forgotten of those that start.

        Args:
            starting: Whether each environment starts, bool, shape (num_envs,).
        """
        starts = self._rewind.apply(*self._draw(len(starting)), self._resident)
        self._rewind.forget_where(starting)
        return starts

    def record(
        self,
        clip_ids: torch.Tensor,
        steps: torch.Tensor,
        failed: torch.Tensor,
        similarity: torch.Tensor | None = None,
    ) -> None:
        """Take note of where every environment is and which ones have just failed; once per step.

        Args:
            clip_ids: Clips, shape (num_envs,).
            steps: Steps in the clips, shape (num_envs,).
            failed: Whether the episode ended before its time, shape (num_envs,).
            similarity: How like the reference the robot is, from 0 to 1, shape (num_envs,); needed for that score.

        Raises:
            ValueError: If the score is the similarity and none is given.
        """
        self.note(clip_ids, steps, failed, similarity)
        self.count_step()

    def note(
        self,
        clip_ids: torch.Tensor,
        steps: torch.Tensor,
        failed: torch.Tensor,
        similarity: torch.Tensor | None = None,
    ) -> None:
        """Do the part of :meth:`record` that is on the device alone; :meth:`count_step` must follow."""
        bins = self._bins.at(clip_ids, steps)
        self._evidence.add(bins, *self._loss_and_exposure(bins, clip_ids, steps, failed, similarity))
        self._rewind.note(clip_ids, steps, failed)

    def count_step(self) -> None:
        """Count a step on the host, and refresh the probabilities if that is due."""
        self._steps_until_refresh -= 1
        if self._steps_until_refresh <= 0:
            self.refresh()

    def set_resident(self, resident: torch.Tensor) -> None:
        """Draw only from some clips; evidence about the others is kept.

        Args:
            resident: Whether a clip is on the device, bool, shape (num_clips,).

        Raises:
            ValueError: If no clip is, or only clips of weight 0 are.
        """
        resident = check_resident(resident, self._weights)
        if self._resident is None:
            self._resident = resident.clone()
        else:
            self._resident.copy_(resident)
        self.refresh()

    def metrics(self) -> dict[str, torch.Tensor]:
        """Return the entropy of the starts relative to uniform, and the share of the likeliest bin (BeyondMimic).

        Both are of the last refresh. The entropy is relative to the logarithm of the number of bins that can be drawn,
        and 1 if there is only one (BeyondMimic divides by zero then).
        """
        entropy, likeliest = self._metrics.clone().unbind()
        return {"sampling_entropy": entropy, "sampling_top1_prob": likeliest}

    def hardest(self, names: Sequence[str], count: int = 5) -> list[tuple[str, float]]:
        """Return the hardest clips with their scores, hardest first; for a log now and then, since it waits.

        Args:
            names: Names of all clips.
            count: Most clips to return; clips that were never visited are left out.

        Returns:
            Names and loss over exposure, without the prior, in the unit of the score.
        """
        loss, exposure = (self._bins.sum_per_clip(x) for x in (self._evidence.loss, self._evidence.exposure))
        score = torch.where(exposure > 0.0, loss / exposure.clamp_min(1e-30) * self._unit, -1.0)
        values, clips = score.topk(min(count, len(score)))
        pairs: list[tuple[int, float]] = list(zip(clips.tolist(), values.tolist(), strict=True))
        return [(names[clip], value) for clip, value in pairs if value >= 0.0]

    def synchronize(self) -> None:
        """Share the evidence between the ranks of torch.distributed; all of them must call it.

        SONIC does so every 200 iterations. Without a process group nothing happens. A second call counts nothing twice.
        """
        self._evidence.synchronize()
        self.refresh()

    def state_dict(self) -> dict:
        """Return the evidence, and which clips it is about, as tensors and text."""
        state = {
            "score": self.settings.score,
            "failures": self.failures.clone(),
            "visits": self.visits.clone(),
            "num_frames": self._num_frames.cpu().clone(),
            "bins_per_clip": self._bins.per_clip.cpu().clone(),
        }
        return state if self._keys is None else state | {"clip_keys": self._keys.clone()}

    def load_state_dict(self, state: dict) -> None:
        """Restore evidence: clip by clip where the state knows its clips, otherwise if there are as many bins.

        Clips that the state lacks, or has in another length, keep what is known of them here. A state of another
        sampler or of another score is left aside.
        """
        if not {"failures", "visits"} <= state.keys():
            return
        # Checkpoints from before there was a choice count failures per step.
        if state.get("score", "failure_rate") != self.settings.score:
            return
        loss, exposure = (state[name].to(self.failures.device) for name in ("failures", "visits"))
        if self._keys is not None and "clip_keys" in state:
            pairs = matching_clips(self._keys, self._num_frames, state["clip_keys"], state["num_frames"])
            places = carried_bins(pairs, self._bins.per_clip, state["bins_per_clip"]).to(loss.device)
            loss, exposure = (
                torch.where(places >= 0, saved[places.clamp_min(0)], mine)
                for saved, mine in ((loss, self.failures), (exposure, self.visits))
            )
        elif loss.shape != self.failures.shape:
            return
        self._evidence.set(loss, exposure)
        self.refresh()

    """
    Helpers.
    """

    def _draw(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw clips and steps, each of shape (count,), by how hard their bins are."""
        bins = draw(self._cumulative, count)
        return self._bins.clip_of_bin[bins], self._bins.first_step[bins] + draw_below(self._bins.steps[bins])

    def _resident_base(self) -> torch.Tensor:
        if self._resident is None:
            return self._base
        return base_probabilities(self._bins, self._weights, self.settings.length_neutral, self._resident)

    def _loss_and_exposure(
        self,
        bins: torch.Tensor,
        clip_ids: torch.Tensor,
        steps: torch.Tensor,
        failed: torch.Tensor,
        similarity: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what a step adds to the two sums, each of shape (num_envs,)."""
        if self.settings.score == "failure_rate":
            return failed.float(), torch.ones_like(failed, dtype=torch.float)
        if self.settings.score == "failure_share":
            return failed.float(), self._entered(bins, clip_ids, steps, failed).float()
        if similarity is None:
            raise ValueError(
                "sampler: the score is the similarity, but record() was given none; give it, or choose another"
            )
        # What a failed episode would have had to follow of the bin is lost as well (wbc-mjlab: of the clip); otherwise
        # one bad step would be all that a fall costs.
        rest = (self._bins.first_step[bins] + self._bins.steps[bins] - 1 - steps).clamp_min(0) * failed
        similarity = torch.where(failed, 0.0, similarity.nan_to_num(0.0).clamp(0.0, 1.0))
        return 1.0 - similarity + rest, 1.0 + rest

    def _entered(
        self, bins: torch.Tensor, clip_ids: torch.Tensor, steps: torch.Tensor, failed: torch.Tensor
    ) -> torch.Tensor:
        """Return which environments came into their bin in this step: by going on, or by a new episode."""
        now = (bins, clip_ids, steps, failed)
        if self._last is None or len(self._last[0]) != len(bins):
            with torch.inference_mode(False):
                # As if all had failed just now: nobody goes on.
                self._last = (*(torch.zeros_like(part) for part in now[:3]), torch.ones_like(failed))
        before = self._last
        # An episode goes on if the clip does; one that failed does not, wherever the next one starts.
        ahead = steps - before[2]
        goes_on = (clip_ids == before[1]) & (ahead >= 0) & (ahead <= 1) & ~before[3]
        entered = ~goes_on | (bins != before[0])
        for kept, part in zip(before, now, strict=True):
            kept.copy_(part)
        return entered
