# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From scores to probabilities: floors, caps, kernels, lengths, by hand and for random scores."""

from __future__ import annotations

import math

import pytest
import torch

from isaac_tracking.motion.sampling.bins import Bins, Evidence
from isaac_tracking.motion.sampling.distribution import base_probabilities, mixture, smooth
from isaac_tracking.motion.sampling.settings import SamplerSettings

LENGTHS = torch.tensor([126, 51, 2, 231])  # 125, 50, 1 and 230 starts
BINS = Bins(LENGTHS, 50)
PLAIN = {"prior_score": 0.0, "reference_score": 0.0, "max_over_mean": math.inf}


def base(bins: Bins = BINS, **changes) -> torch.Tensor:
    options = {"clip_weights": torch.ones(len(bins.per_clip)), "length_neutral": False} | changes
    return base_probabilities(bins, **options)


"""
Bins.
"""


def test_bins_never_cross_clips_and_hold_all_starts() -> None:
    assert BINS.per_clip.tolist() == [3, 1, 1, 5]
    assert BINS.clip_of_bin.tolist() == [0, 0, 0, 1, 2, 3, 3, 3, 3, 3]
    assert BINS.first_step.tolist() == [0, 50, 100, 0, 0, 0, 50, 100, 150, 200]
    assert BINS.steps.tolist() == [50, 50, 25, 50, 1, 50, 50, 50, 50, 30]
    assert BINS.sum_per_clip(BINS.steps).tolist() == [125, 50, 1, 230]


def test_a_short_rest_joins_the_bin_before_it() -> None:
    bins = Bins(LENGTHS, 50, min_steps=30)
    assert bins.per_clip.tolist() == [2, 1, 1, 5]  # a rest of 25 joins, one of 30 does not, and no clip is without
    assert bins.steps.tolist() == [50, 75, 50, 1, 50, 50, 50, 50, 30]
    assert bins.at(torch.tensor([0, 0, 3]), torch.tensor([124, 125, 230])).tolist() == [1, 1, 8]


def test_a_last_frame_belongs_to_the_last_bin() -> None:
    assert BINS.at(torch.tensor([0, 1, 2, 3]), torch.tensor([125, 50, 1, 230])).tolist() == [2, 3, 4, 9]


def test_evidence_fades_whether_or_not_somebody_looks() -> None:
    often, seldom = (Evidence(3, 10.0, torch.device("cpu")) for _ in range(2))
    for step in range(30):
        bins, loss = torch.tensor([0, 2]), torch.tensor([float(step == 3), 0.0])
        for evidence in (often, seldom):
            evidence.add(bins, loss, torch.ones(2))
        often.settle()
    expected = 0.5 * math.exp(-26 / 10)
    assert often.loss.tolist() == pytest.approx([expected, 0.0, 0.0], rel=1e-5)
    assert seldom.loss.tolist() == pytest.approx([expected, 0.0, 0.0], rel=1e-5)
    steps = 0.5 * sum(math.exp(-age / 10) for age in range(30))
    assert seldom.exposure.tolist() == pytest.approx([steps, 0.0, steps], rel=1e-5)


"""
Without evidence.
"""


def test_without_evidence_frames_count_alike() -> None:
    assert torch.allclose(base(), BINS.steps / 406)


def test_length_neutral_divides_by_the_clips_length() -> None:
    share = base(length_neutral=True)
    assert torch.allclose(BINS.sum_per_clip(share), torch.full((4,), 0.25))
    assert share[:3].tolist() == pytest.approx([0.1, 0.1, 0.05])


def test_weights_and_residency_scale_the_base() -> None:
    share = base(clip_weights=torch.tensor([2.0, 1.0, 1.0, 0.0]), resident=torch.tensor([True, True, False, True]))
    assert BINS.sum_per_clip(share).tolist() == pytest.approx([250 / 300, 50 / 300, 0.0, 0.0])


"""
With evidence.
"""


def test_the_kernel_looks_ahead_within_the_clip() -> None:
    settings = SamplerSettings(kernel_size=3, kernel_decay=0.5)
    score = torch.zeros(10)
    score[[2, 7]] = 7.0
    # Weights 4/7, 2/7, 1/7; after the clip's end its last score is repeated; nothing leaks into other clips.
    expected = [1.0, 3.0, 7.0, 0.0, 0.0, 1.0, 2.0, 4.0, 0.0, 0.0]
    assert smooth(score, BINS, settings).tolist() == pytest.approx(expected)
    assert torch.equal(smooth(score, BINS, SamplerSettings(kernel_size=1)), score)


def test_scores_of_zero_leave_the_base() -> None:
    for settings in (SamplerSettings(), SamplerSettings(**PLAIN), SamplerSettings(**PLAIN, softmax=True)):
        assert torch.allclose(mixture(torch.zeros(10), base(), BINS, settings), base())


def test_the_mixture_by_hand() -> None:
    bins = Bins(torch.tensor([201]), 50)
    score = torch.tensor([0.0, 0.1, 0.3, 0.0])
    got = mixture(score, base(bins), bins, SamplerSettings(**PLAIN, uniform_share=0.2))
    assert got.tolist() == pytest.approx([0.05, 0.25, 0.65, 0.05])
    # A reference of 0.1 adds as much to every bin: 1 : 2 : 4 : 1.
    settings = SamplerSettings(reference_score=0.1, uniform_share=0.0, max_over_mean=math.inf)
    assert mixture(score, base(bins), bins, settings).tolist() == pytest.approx([1 / 8, 2 / 8, 4 / 8, 1 / 8])


def test_the_softmax_has_the_temperature_of_the_number_of_bins() -> None:
    bins = Bins(torch.tensor([151]), 50)
    score = torch.tensor([0.0, 0.5, 1.0])
    # exp(score * log(1 + 3)) = 1, 2, 4.
    got = mixture(score, base(bins), bins, SamplerSettings(**PLAIN, softmax=True, uniform_share=0.0))
    assert got.tolist() == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    assert mixture(score * 1e4, base(bins), bins, SamplerSettings(**PLAIN, softmax=True)).isfinite().all()


def test_a_capped_bin_gives_what_it_has_too_much_to_the_others() -> None:
    bins = Bins(torch.tensor([501]), 50)
    score = torch.zeros(10)
    score[4] = 1.0
    settings = SamplerSettings(**(PLAIN | {"max_over_mean": 3.0}), uniform_share=0.1)
    got = mixture(score, base(bins), bins, settings)
    # The bin is cut to 0.3, the other nine share 0.7; then a tenth becomes uniform.
    assert got[4].item() == pytest.approx(0.9 * 0.3 + 0.01)
    assert torch.allclose(got[[0, 9]], torch.full((2,), 0.9 * 0.7 / 9 + 0.01))


def test_an_absolute_cap_never_forbids_what_is_uniform() -> None:
    bins = Bins(torch.tensor([501]), 50)
    score = torch.arange(10.0)
    got = mixture(score, base(bins), bins, SamplerSettings(max_bin_probability=0.01))
    assert torch.allclose(got, torch.full((10,), 0.1))
    got = mixture(score, base(bins), bins, SamplerSettings(max_bin_probability=0.15, uniform_share=0.0))
    assert got.max().item() == pytest.approx(0.15)


def test_a_capped_clip_gives_to_other_clips() -> None:
    score = torch.zeros(10)
    score[5:] = 1.0
    settings = SamplerSettings(**PLAIN, max_clip_probability=0.7, uniform_share=0.0)
    got = BINS.sum_per_clip(mixture(score, base(), BINS, settings))
    assert got.sum().item() == pytest.approx(1.0, abs=1e-6)
    assert got[3].item() == pytest.approx(0.7, abs=1e-6)
    assert (got[:3] > 0.0).all()


@pytest.mark.parametrize("seed", range(20))
def test_floor_caps_and_sum_hold_for_any_scores(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def number(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    bins = Bins(torch.randint(2, 900, (30,), generator=generator), 50)
    score = torch.rand(len(bins), generator=generator) ** number(1, 40) * number(0.0, 100.0)
    resident = torch.rand(30, generator=generator) < 0.7
    settings = SamplerSettings(
        uniform_share=number(0.0, 1.0),
        reference_score=number(0.0, 0.1),
        max_over_mean=number(1.0, 30.0),
        max_bin_probability=number(0.01, 0.3),
        max_clip_probability=number(0.05, 0.5),
        kernel_size=1 + seed % 3,
        softmax=seed % 4 == 3,
    )
    share = base(bins, resident=resident, clip_weights=torch.rand(30, generator=generator) + 0.1)
    got = mixture(score, share, bins, settings)
    assert got.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert (got >= settings.uniform_share * share - 1e-7).all()
    assert (got <= share * settings.max_over_mean + 1e-6).all()
    assert (got <= share.clamp_min(settings.max_bin_probability) + 1e-6).all()
    assert (got[~resident[bins.clip_of_bin]] == 0.0).all()
    per_clip, clip_share = bins.sum_per_clip(got), bins.sum_per_clip(share)
    assert (per_clip <= clip_share.clamp_min(settings.max_clip_probability) + 1e-5).all()
