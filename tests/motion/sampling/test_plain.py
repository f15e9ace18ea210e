# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starts at the first frames in turn, and anywhere."""

from __future__ import annotations

import math

import pytest
import torch

from isaac_tracking.motion.sampling.plain import StartSampler, UniformSampler, draw, draw_below

LENGTHS = torch.tensor([126, 51, 2, 231])


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


"""
Start.
"""


@pytest.mark.parametrize("num_envs", [1, 3, 4, 7])
def test_start_gives_every_clip_its_turn(num_envs: int) -> None:
    sampler = StartSampler(LENGTHS, num_envs)
    everyone = torch.arange(num_envs)
    drawn = torch.cat([sampler.sample(everyone)[0] for _ in range(8)])
    assert torch.equal(drawn, torch.arange(8 * num_envs) % 4)


def test_start_gives_first_frames() -> None:
    assert StartSampler(LENGTHS, 5).sample(torch.arange(5))[1].tolist() == [0] * 5


def test_start_goes_on_in_the_environments_that_ask() -> None:
    sampler = StartSampler(LENGTHS, 3)
    sampler.sample(torch.arange(3))
    assert sampler.sample(torch.tensor([1]))[0].tolist() == [0]  # 1, 1 + 3 = 4, ...
    assert sampler.sample(torch.tensor([1, 2]))[0].tolist() == [3, 1]


def test_start_goes_on_after_a_restart() -> None:
    sampler, restored = StartSampler(LENGTHS, 3), StartSampler(LENGTHS, 3)
    sampler.sample(torch.arange(3))
    restored.load_state_dict(sampler.state_dict())
    assert restored.sample(torch.arange(3))[0].tolist() == [3, 0, 1]
    other = StartSampler(LENGTHS, 2)
    other.load_state_dict(sampler.state_dict())
    assert other.sample(torch.arange(2))[0].tolist() == [0, 1]


def test_start_gives_a_turn_to_those_on_the_device() -> None:
    sampler = StartSampler(LENGTHS, 2)
    sampler.set_resident(torch.tensor([False, True, False, True]))
    drawn = torch.cat([sampler.sample(torch.arange(2))[0] for _ in range(3)])
    assert drawn.tolist() == [1, 3] * 3


"""
Uniform.
"""


def test_uniform_never_gives_a_last_frame_and_covers_all_others() -> None:
    sampler = UniformSampler(torch.tensor([2, 4, 3]))
    drawn = set(zip(*(part.tolist() for part in sampler.sample(torch.arange(2000))), strict=True))
    assert drawn == {(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)}


def test_uniform_is_uniform_over_frames() -> None:
    sampler = UniformSampler(LENGTHS)
    first = (LENGTHS - 1).cumsum(0) - (LENGTHS - 1)
    clip_ids, steps = sampler.sample(torch.arange(200_000))
    counts = torch.bincount(first[clip_ids] + steps, minlength=406).double()
    assert len(counts) == 406
    expected = 200_000 / 406
    chi_square = ((counts - expected).square() / expected).sum()
    assert 280 < chi_square < 530  # 405 degrees of freedom, four standard deviations


def test_uniform_survives_a_draw_of_almost_one(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = torch.full((3,), 1.0 - 2.0**-53, dtype=torch.float64)
    monkeypatch.setattr(torch, "rand", lambda *args, **kwargs: largest)
    clip_ids, steps = UniformSampler(LENGTHS).sample(torch.arange(3))
    assert clip_ids.tolist() == [3] * 3
    assert steps.tolist() == [229] * 3


def test_a_draw_that_rounds_up_to_the_total_hits_the_last_share_that_is_not_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "rand", lambda *args, **kwargs: torch.ones(2, dtype=torch.float64))
    assert draw(torch.tensor([0.3, 1.0, 1.0], dtype=torch.float64), 2).tolist() == [1, 1]
    assert draw_below(torch.tensor([5, 1])).tolist() == [4, 0]


def test_draws_leave_out_shares_of_zero() -> None:
    shares = torch.tensor([0.0, 2.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    counts = torch.bincount(draw(shares.cumsum(0), 30_000), minlength=5)
    assert counts[[0, 2, 4]].sum() == 0
    assert counts[1] / 30_000 == pytest.approx(2 / 3, abs=0.02)


def test_length_neutral_gives_clips_the_same_share() -> None:
    sampler = UniformSampler(LENGTHS, length_neutral=True)
    assert sampler.clip_probabilities().tolist() == [0.25] * 4
    clip_ids, steps = sampler.sample(torch.arange(40_000))
    assert (torch.bincount(clip_ids) / 40_000).tolist() == pytest.approx([0.25] * 4, abs=0.01)
    assert steps[clip_ids == 3].max() == 229


def test_weights_multiply_the_frames() -> None:
    weights = torch.tensor([2.0, 0.0, 0.0, 1.0])
    sampler = UniformSampler(LENGTHS, weights)
    # 2 * 125 and 1 * 230 starts.
    assert sampler.clip_probabilities().tolist() == pytest.approx([250 / 480, 0.0, 0.0, 230 / 480])
    assert sampler.clip_difficulty().tolist() == [1.0, 0.0, 0.0, 1.0]
    clip_ids, _ = sampler.sample(torch.arange(40_000))
    assert torch.bincount(clip_ids, minlength=4)[0] / 40_000 == pytest.approx(250 / 480, abs=0.01)
    assert set(clip_ids.tolist()) == {0, 3}


def test_uniform_draws_only_from_clips_on_the_device() -> None:
    sampler = UniformSampler(LENGTHS)
    sampler.set_resident(torch.tensor([True, False, True, False]))
    clip_ids, _ = sampler.sample(torch.arange(10_000))
    assert set(clip_ids.tolist()) == {0, 2}
    assert sampler.clip_probabilities()[3] == pytest.approx(230 / 406)  # what is to be loaded is another matter
    sampler.set_resident(torch.ones(4, dtype=torch.bool))
    assert set(sampler.sample(torch.arange(10_000))[0].tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], r"\(2,\) clip weights; expected one for each of 4"),
        ([0.0] * 4, "not all 0"),
        ([1.0, -1.0, 1.0, 1.0], "from 0"),
        ([1.0, math.nan, 1.0, 1.0], "finite"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UniformSampler(LENGTHS, torch.tensor(weights))


def test_no_clip_on_the_device_is_refused() -> None:
    with pytest.raises(ValueError, match="no clip is on the device"):
        StartSampler(LENGTHS, 2).set_resident(torch.zeros(4, dtype=torch.bool))
    weighted = UniformSampler(LENGTHS, torch.tensor([1.0, 1.0, 1.0, 0.0]))
    with pytest.raises(ValueError, match="only clips of weight 0"):
        weighted.set_resident(torch.tensor([False, False, False, True]))
