# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where episodes start: every clip, every frame, and more often where failures were, but never only there."""

from __future__ import annotations

import io
import math

import pytest
import torch

from isaac_tracking.motion.sampler import AdaptiveSampler, StartSampler, UniformSampler

RATE = 50.0
LENGTHS = torch.tensor([126, 51, 2, 231])  # 2.5 s, 1 s, one step and 4.6 s
BINS = [3, 1, 1, 5]
NUM_BINS = sum(BINS)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def adaptive(**kwargs: float) -> AdaptiveSampler:
    return AdaptiveSampler(LENGTHS, RATE, **kwargs)


def visit(sampler: AdaptiveSampler, places: list[tuple[int, int, bool]], repeat: int = 1) -> None:
    """Record one step of environments that are each at (clip, step) and have failed or not."""
    clip_ids, steps, failed = zip(*(places * repeat), strict=True)
    sampler.record(torch.tensor(clip_ids), torch.tensor(steps), torch.tensor(failed))


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


"""
Adaptive.
"""


def test_bins_are_one_second_long_and_never_cross_clips() -> None:
    sampler = adaptive()
    assert sampler.num_bins == NUM_BINS
    clip_ids, steps = sampler.sample(torch.arange(50_000))
    for clip, length in enumerate(LENGTHS.tolist()):
        mine = steps[clip_ids == clip]
        assert mine.min() == 0
        assert mine.max() == length - 2  # every frame but the last
        seconds = torch.bincount(mine // 50)
        assert len(seconds) == BINS[clip]


def test_before_any_failure_every_bin_is_as_likely() -> None:
    sampler = adaptive()
    assert torch.allclose(sampler.probabilities(), torch.full((NUM_BINS,), 1 / NUM_BINS))
    visit(sampler, [(0, 10, False), (3, 100, False)])
    assert torch.allclose(sampler.probabilities(), torch.full((NUM_BINS,), 1 / NUM_BINS))


def test_draws_follow_the_probabilities() -> None:
    sampler = adaptive()
    visit(sampler, [(0, 60, True), (3, 10, True), (3, 10, True)])
    clip_ids, steps = sampler.sample(torch.arange(100_000))
    first = torch.tensor([0, 3, 4, 5])
    shares = torch.bincount(first[clip_ids] + steps // 50, minlength=NUM_BINS) / 100_000
    assert torch.allclose(shares, sampler.probabilities(), atol=0.01)


def test_failures_make_their_bin_likelier() -> None:
    sampler = adaptive()
    visit(sampler, [(3, 120, True), (0, 0, False)])
    probabilities = sampler.probabilities()
    assert probabilities.argmax() == 5 + 2
    # The only bin with failures takes all but the uniform share.
    assert probabilities[7].item() == pytest.approx(0.9 + 0.1 / NUM_BINS, abs=1e-5)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_every_bin_keeps_its_share_whatever_fails(share: float) -> None:
    sampler = adaptive(uniform_share=share)
    for _ in range(3000):
        visit(sampler, [(3, 10, True)])
    probabilities = sampler.probabilities()
    assert probabilities.min() >= share / NUM_BINS - 1e-7
    assert probabilities.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert probabilities.isfinite().all()


def test_a_failure_on_the_last_frame_counts_for_the_last_bin() -> None:
    sampler = adaptive()
    visit(sampler, [(0, 125, True), (1, 50, True), (2, 1, True)])
    assert (sampler.failures > 0).nonzero().flatten().tolist() == [2, 3, 4]


def test_two_failures_in_one_bin_in_one_step_are_two() -> None:
    once, twice = adaptive(), adaptive()
    visit(once, [(3, 10, True), (3, 11, False), (0, 0, False)])
    visit(twice, [(3, 10, True), (3, 11, True), (0, 0, False)])
    assert once.failures[5].item() == pytest.approx(1 / 3)
    assert twice.failures[5].item() == pytest.approx(2 / 3)
    assert twice.visits[5].item() == pytest.approx(2 / 3)


def test_failures_of_earlier_steps_are_kept_and_fade() -> None:
    sampler = adaptive(horizon=20.0)
    visit(sampler, [(3, 10, True)])
    visit(sampler, [(0, 10, True)])
    fade = math.exp(-1.0 / 1000.0)
    assert sampler.failures[5].item() == pytest.approx(fade, rel=1e-5)
    for _ in range(999):
        visit(sampler, [(0, 10, False)])
    assert sampler.failures[5].item() == pytest.approx(math.exp(-1.0), rel=1e-3)


@pytest.mark.parametrize("repeat", [10, 400])
def test_the_number_of_environments_does_not_matter(repeat: int) -> None:
    few, many = adaptive(), adaptive()
    generator = torch.Generator().manual_seed(1)
    for _ in range(50):
        step = int(torch.randint(120, (1,), generator=generator))
        places = [(3, step, step < 30), (0, step, step % 2 == 0), (1, 20, False), (3, 200, step > 100)]
        visit(few, places)
        visit(many, places, repeat)
    assert torch.allclose(few.probabilities(), many.probabilities(), rtol=1e-3)
    assert few.probabilities().max() > 2.0 / NUM_BINS  # there was something to learn


def test_a_bin_is_scored_by_how_often_it_fails_not_by_how_often_it_is_drawn() -> None:
    sampler = adaptive()
    for i in range(3000):
        # The second clip is visited nine times as often as the third; each fails at one visit in nine.
        visit(sampler, [(1, 10, False)] * 8 + [(1, 10, True), (2, 0, i % 9 == 0)])
    probabilities = sampler.probabilities()
    assert sampler.visits[3] > 8.9 * sampler.visits[4]
    # Not quite equal, because a bin that was seldom seen is trusted a little less.
    assert probabilities[3].item() == pytest.approx(probabilities[4].item(), rel=0.15)


def test_one_bin_gives_finite_numbers() -> None:
    sampler = AdaptiveSampler(torch.tensor([30]), RATE)
    for failed in (False, True):
        visit(sampler, [(0, 3, failed)])
        metrics = sampler.metrics()
        assert metrics["sampling_entropy"].item() == 1.0
        assert metrics["sampling_top1_prob"].item() == pytest.approx(1.0)
    clip_ids, steps = sampler.sample(torch.arange(500))
    assert set(clip_ids.tolist()) == {0}
    assert set(steps.tolist()) == set(range(29))


def test_entropy_is_one_at_first_and_less_when_starts_crowd() -> None:
    sampler = adaptive()
    assert sampler.metrics()["sampling_entropy"].item() == pytest.approx(1.0, abs=1e-5)
    visit(sampler, [(3, 10, True)])
    probabilities = sampler.probabilities()
    expected = -(probabilities * probabilities.log()).sum() / math.log(NUM_BINS)
    assert sampler.metrics()["sampling_entropy"].item() == pytest.approx(expected.item(), abs=1e-5)
    assert sampler.metrics()["sampling_entropy"] < 0.5
    assert sampler.metrics()["sampling_top1_prob"] == probabilities.max()


def test_what_was_learned_survives_a_file() -> None:
    sampler, restored = adaptive(), adaptive()
    visit(sampler, [(0, 60, True), (3, 10, True), (3, 100, False)])
    file = io.BytesIO()
    torch.save(sampler.state_dict(), file)
    file.seek(0)
    restored.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(restored.probabilities(), sampler.probabilities())
    assert torch.equal(restored.visits, sampler.visits)
    assert restored.failures.data_ptr() != sampler.failures.data_ptr()


def test_a_saved_state_does_not_change_afterwards() -> None:
    sampler = adaptive()
    visit(sampler, [(0, 60, True)])
    state = sampler.state_dict()
    kept = {name: value.clone() for name, value in state.items()}
    visit(sampler, [(3, 10, True)])
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_a_state_of_other_clips_is_left_aside() -> None:
    sampler, other = adaptive(), AdaptiveSampler(torch.tensor([500, 500]), RATE)
    visit(sampler, [(0, 60, True)])
    other.load_state_dict(sampler.state_dict())
    assert other.failures.sum() == 0
