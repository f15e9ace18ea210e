# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""More starts where failures are, but never only there, and near uniform when failures are rare."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.plain import UniformSampler
from isaac_tracking.motion.sampling.settings import PRESETS, sampler_settings

RATE = 50.0
LENGTHS = torch.tensor([126, 51, 2, 231])  # 2.5 s, 1 s, one step and 4.6 s
BINS = [3, 1, 1, 5]
NUM_BINS = sum(BINS)
BASE = torch.tensor([50, 50, 25, 50, 1, 50, 50, 50, 50, 30]) / 406
"""Probabilities without evidence: starts of each bin over all starts."""


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def adaptive(preset: str = "default", lengths: torch.Tensor = LENGTHS, **changes) -> AdaptiveSampler:
    """Return a sampler whose draws follow each step at once."""
    return AdaptiveSampler(lengths, RATE, sampler_settings(preset, **({"refresh_steps": 1} | changes)))


def visit(sampler: AdaptiveSampler, places: Sequence[tuple[int, int, bool]], repeat: int = 1) -> None:
    """Record one step of environments that are each at (clip, step) and have failed or not."""
    clip_ids, steps, failed = zip(*(list(places) * repeat), strict=True)
    sampler.record(torch.tensor(clip_ids), torch.tensor(steps), torch.tensor(failed))


def entropy(sampler: AdaptiveSampler) -> float:
    return sampler.metrics()["sampling_entropy"].item()


def simulate(
    sampler: AdaptiveSampler, hazards: torch.Tensor, num_envs: int = 1024, steps: int = 2000, episode: int = 500
) -> None:
    """Let environments fail by chance.

    Args:
        sampler: Decides where episodes start.
        hazards: Failures per second in each second of each clip, shape (num_clips, seconds).
        num_envs: Number of environments.
        steps: Number of steps.
        episode: Longest episode, in steps.
    """
    lengths = sampler.state_dict()["num_frames"]
    clip_ids, at = sampler.sample(torch.arange(num_envs))
    age = torch.randint(0, episode, (num_envs,))
    for _ in range(steps):
        at, age = at + 1, age + 1
        failed = torch.rand(num_envs) < hazards[clip_ids, (at / RATE).long()] / RATE
        sampler.record(clip_ids, at, failed, torch.full((num_envs,), 0.8))
        done = (failed | (at >= lengths[clip_ids] - 1) | (age >= episode)).nonzero().flatten()
        clip_ids[done], at[done] = sampler.sample(done)
        age[done] = 0


"""
What is drawn.
"""


def test_draws_are_frames_but_the_last_of_each_clip() -> None:
    sampler = adaptive()
    assert sampler.num_bins == NUM_BINS
    clip_ids, steps = sampler.sample(torch.arange(50_000))
    for clip, length in enumerate(LENGTHS.tolist()):
        mine = steps[clip_ids == clip]
        assert mine.min() == 0
        assert mine.max() == length - 2
        assert len(torch.bincount(mine // 50)) == BINS[clip]


@pytest.mark.parametrize("preset", PRESETS)
def test_before_any_failure_starts_are_uniform(preset: str) -> None:
    sampler = adaptive(preset, length_neutral=False, bin_duration=1.0, min_bin_duration=0.02)
    assert torch.allclose(sampler.probabilities(), BASE)
    uniform = UniformSampler(LENGTHS)
    assert torch.allclose(sampler.clip_probabilities(), uniform.clip_probabilities())
    if preset in ("default", "beyondmimic", "axell"):
        visit(sampler, [(0, 10, False), (3, 100, False)])
        assert torch.allclose(sampler.probabilities(), BASE)


def test_draws_follow_the_probabilities() -> None:
    sampler = adaptive("beyondmimic")
    visit(sampler, [(0, 60, True), (3, 10, True), (3, 10, True)])
    clip_ids, steps = sampler.sample(torch.arange(100_000))
    first = torch.tensor([0, 3, 4, 5])
    shares = torch.bincount(first[clip_ids] + steps // 50, minlength=NUM_BINS) / 100_000
    assert torch.allclose(shares, sampler.probabilities(), atol=0.01)


def test_draws_wait_for_the_refresh() -> None:
    sampler = adaptive("beyondmimic", refresh_steps=3)
    for _ in range(3):
        assert (sampler.sample(torch.arange(1000))[0] == 0).float().mean() > 0.25
        assert entropy(sampler) > 0.9
        visit(sampler, [(3, 10, True)])
    assert entropy(sampler) < 0.5
    assert (sampler.sample(torch.arange(1000))[0] == 3).float().mean() > 0.9


"""
How hard a bin is.
"""


def test_the_failure_rate_is_per_second_with_a_prior() -> None:
    sampler = adaptive(horizon=20.0, prior_share=0.1)
    for step in range(100):
        visit(sampler, [(1, 10, step % 10 == 0), (3, 10, False)])
    failures = sum(math.exp(-(99 - step) / 1000) for step in range(0, 100, 10)) / 2
    visits = sum(math.exp(-age / 1000) for age in range(100)) / 2
    # A tenth of 1000 steps, of which 50 in 406 would fall on this bin; what is expected is the mean of both bins.
    prior = 100 * 50 / 406
    mean = failures / (2 * visits)
    assert sampler.failures[3].item() == pytest.approx(failures, rel=1e-4)
    assert sampler.visits[3].item() == pytest.approx(visits, rel=1e-4)
    assert sampler.scores()[3].item() == pytest.approx(50 * (failures + prior * mean) / (visits + prior), rel=1e-4)
    assert sampler.scores()[5].item() == pytest.approx(50 * prior * mean / (visits + prior), rel=1e-4)
    assert sampler.scores()[0].item() == pytest.approx(50 * mean, rel=1e-4)  # never seen


def test_failures_make_their_bin_likelier() -> None:
    sampler = adaptive("beyondmimic")
    visit(sampler, [(3, 120, True), (0, 0, False)])
    probabilities = sampler.probabilities()
    # The only bin with failures takes all but the uniform share.
    assert probabilities[7].item() == pytest.approx(0.9 + 0.1 * 50 / 406, abs=1e-5)


def test_a_failure_on_the_last_frame_counts_for_the_last_bin() -> None:
    sampler = adaptive()
    visit(sampler, [(0, 125, True), (1, 50, True), (2, 1, True)])
    assert (sampler.failures > 0).nonzero().flatten().tolist() == [2, 3, 4]


def test_two_failures_in_one_bin_in_one_step_are_two() -> None:
    once, twice = adaptive(), adaptive()
    visit(once, [(3, 10, True), (3, 11, False), (0, 0, False)])
    visit(twice, [(3, 10, True), (3, 11, True), (0, 0, False)])
    assert once.failures[5].item() == pytest.approx(1 / 3, rel=1e-5)
    assert twice.failures[5].item() == pytest.approx(2 / 3, rel=1e-5)
    assert twice.visits[5].item() == pytest.approx(2 / 3, rel=1e-5)


def test_failures_of_earlier_steps_are_kept_and_fade() -> None:
    sampler = adaptive(horizon=20.0)
    visit(sampler, [(3, 10, True)])
    visit(sampler, [(0, 10, True)])
    assert sampler.failures[5].item() == pytest.approx(math.exp(-1.0 / 1000.0), rel=1e-5)
    for _ in range(999):
        visit(sampler, [(0, 10, False)])
    assert sampler.failures[5].item() == pytest.approx(math.exp(-1.0), rel=1e-3)


def test_a_large_library_is_remembered_for_longer() -> None:
    # 1000 clips of 20.02 s: 0.5 % of 20 000 s are 100 s, 5000 steps.
    sampler = adaptive(lengths=torch.full((1000,), 1001))
    visit(sampler, [(3, 10, True)])
    for _ in range(500):
        visit(sampler, [(0, 10, False)])
    assert sampler.failures[60].item() == pytest.approx(math.exp(-0.1), rel=1e-3)


def test_the_failure_share_counts_passages() -> None:
    sampler = adaptive("sonic")
    # One environment goes through three bins and fails in the third; another stays where it is in its clip's end.
    for step in range(20, 120):
        visit(sampler, [(0, step, step == 119), (1, 50, False)])
    assert sampler.visits[:5].tolist() == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.0], rel=0.01)
    # The next episode starts where the last one failed: another passage. A third is elsewhere in the same bin.
    visit(sampler, [(0, 120, False), (1, 10, False)])
    visit(sampler, [(0, 105, False), (1, 11, False)])
    assert sampler.visits[2:4].tolist() == pytest.approx([1.5, 1.0], rel=0.01)
    assert sampler.failures[2].item() == pytest.approx(0.5, rel=0.01)


def test_the_similarity_counts_what_a_fall_leaves_undone() -> None:
    sampler = adaptive("wbc", horizon=1000.0, prior_share=0.0)
    for step in range(100):
        sampler.record(
            torch.tensor([3, 1]), torch.tensor([step, 0]), torch.tensor([step == 99, False]), torch.tensor([0.7, 0.9])
        )
    # The bin has 200 steps: 99 with 0.3 lost, the failing one and the 100 after it lost entirely.
    assert sampler.scores()[3].item() == pytest.approx((99 * 0.3 + 1 + 100) / 200, rel=1e-3)
    assert sampler.scores()[1].item() == pytest.approx(0.1, rel=1e-3)
    broken = torch.tensor([math.nan, 2.0])
    sampler.record(torch.tensor([3, 1]), torch.tensor([0, 0]), torch.tensor([False, False]), broken)
    assert sampler.scores().isfinite().all()


def test_the_similarity_must_be_given() -> None:
    with pytest.raises(ValueError, match="the score is the similarity"):
        visit(adaptive("wbc"), [(0, 0, False)])


"""
Neither the number of environments nor the number of draws matters.
"""


@pytest.mark.parametrize("repeat", [10, 400])
@pytest.mark.parametrize("preset", ["default", "beyondmimic", "sonic"])
def test_the_number_of_environments_does_not_matter(preset: str, repeat: int) -> None:
    few, many = adaptive(preset), adaptive(preset)
    generator = torch.Generator().manual_seed(1)
    for _ in range(50):
        step = int(torch.randint(120, (1,), generator=generator))
        places = [(3, step, step < 30), (0, step, step % 2 == 0), (1, 20, False), (3, 200, step > 100)]
        visit(few, places)
        visit(many, places, repeat)
    assert torch.allclose(few.probabilities(), many.probabilities(), rtol=1e-3)
    # There was something to learn.
    assert (few.probabilities() / adaptive(preset).probabilities()).max() > 1.2


@pytest.mark.parametrize("preset", ["default", "beyondmimic"])
def test_a_bin_is_scored_by_how_often_it_fails_not_by_how_often_it_is_drawn(preset: str) -> None:
    sampler = adaptive(preset, lengths=torch.tensor([51, 51, 51, 51]), refresh_steps=100)
    for i in range(3000):
        # The second clip is visited nine times as often as the third; each fails at one visit in nine.
        visit(sampler, [(1, 10, False)] * 8 + [(1, 10, True), (2, 0, i % 9 == 0), (0, 5, False), (3, 5, False)])
    probabilities = sampler.probabilities()
    assert sampler.visits[1] > 8.9 * sampler.visits[2]
    assert probabilities[1] > 2 * probabilities[0]
    # Not quite equal, because a bin that was seldom seen is trusted a little less.
    assert probabilities[1].item() == pytest.approx(probabilities[2].item(), rel=0.3)


"""
Floors, caps, and chance.
"""


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("preset", ["default", "beyondmimic", "sonic"])
def test_every_bin_keeps_its_share_whatever_fails(preset: str, share: float) -> None:
    sampler = adaptive(preset, uniform_share=share, refresh_steps=500)
    base = sampler.probabilities()
    for _ in range(1000):
        visit(sampler, [(3, 10, True)])
    probabilities = sampler.probabilities()
    assert (probabilities >= share * base - 1e-7).all()
    assert probabilities.sum().item() == pytest.approx(1.0, abs=1e-5)


SECONDS = torch.tensor([501, 351, 471, 422, 451, 529, 451, 301, 451, 508, 401, 487, 422, 437, 461, 401])
"""Frames of sixteen clips, as long as those that come with the project."""


def test_rare_failures_leave_the_starts_near_uniform() -> None:
    # One failure in 1000 s of motion, and ten times as many in three places: a policy that has learned its clips.
    hazards = torch.full((16, 12), 0.001)
    hazards[[2, 7, 11], [3, 1, 6]] = 0.01
    samplers = {name: adaptive(name, SECONDS, refresh_steps=24) for name in ("default", "beyondmimic")}
    for sampler in samplers.values():
        simulate(sampler, hazards)
    assert entropy(samplers["default"]) > 0.97
    assert samplers["default"].metrics()["sampling_top1_prob"] < 0.03
    # What this is about: rates alone put most starts where the last few failures happened to be.
    assert entropy(samplers["beyondmimic"]) < 0.8


def test_places_that_fail_always_get_up_to_the_cap() -> None:
    hazards = torch.full((16, 12), 0.001)
    hazards[[2, 7], [3, 1]] = 5.0
    sampler = adaptive("default", SECONDS, refresh_steps=24)
    base = sampler.probabilities().max()
    simulate(sampler, hazards)
    hard = sampler.probabilities().topk(3).values / base
    assert hard[:2].tolist() == pytest.approx([0.9 * 20 + 0.1] * 2, rel=0.02)
    assert hard[2] < 3.0
    assert entropy(sampler) > 0.8


def test_a_policy_that_fails_everywhere_starts_everywhere() -> None:
    sampler = adaptive("default", SECONDS, refresh_steps=24)
    simulate(sampler, torch.full((16, 12), 1.0))
    assert entropy(sampler) > 0.98


def test_what_fails_half_of_the_time_is_drawn_more_often_than_what_seldom_fails() -> None:
    hazards = torch.full((16, 12), 0.005)
    hazards[4, 2], hazards[9, 5] = 0.7, 0.1
    sampler = adaptive("default", SECONDS, refresh_steps=24)
    base = sampler.probabilities().max()
    simulate(sampler, hazards)
    ratio = sampler.probabilities() / base
    assert 8.0 < ratio.max() < 19.0  # 1 + 0.7 / 0.05, thinned by the prior and the floor
    assert 1.5 < ratio.topk(2).values[1] < 4.0  # 1 + 0.1 / 0.05


"""
Clips on the device.
"""


def test_only_clips_on_the_device_are_drawn_and_the_others_are_not_forgotten() -> None:
    sampler = adaptive("beyondmimic")
    visit(sampler, [(3, 10, True), (0, 10, True)])
    wanted = sampler.clip_probabilities()
    sampler.set_resident(torch.tensor([True, True, False, False]))
    assert set(sampler.sample(torch.arange(5000))[0].tolist()) == {0, 1}
    assert sampler.probabilities().sum().item() == pytest.approx(1.0, abs=1e-6)
    assert torch.equal(sampler.clip_probabilities(), wanted)
    assert wanted[3] > 0.4
    sampler.set_resident(torch.ones(4, dtype=torch.bool))
    assert sampler.probabilities()[5] > 0.4


def test_the_mask_may_change_under_its_owners_hands() -> None:
    sampler, mask = adaptive(), torch.tensor([True, False, False, False])
    sampler.set_resident(mask)
    mask[:] = torch.tensor([False, True, False, False])
    visit(sampler, [(0, 0, False)])
    assert set(sampler.sample(torch.arange(100))[0].tolist()) == {0}


def test_weights_scale_the_clips() -> None:
    sampler = AdaptiveSampler(LENGTHS, RATE, clip_weights=torch.tensor([2.0, 1.0, 0.0, 0.0]))
    assert sampler.clip_probabilities().tolist() == pytest.approx([250 / 300, 50 / 300, 0.0, 0.0])
    assert sampler.clip_difficulty().tolist() == pytest.approx([1.0, 1.0, 0.0, 0.0])
    for _ in range(200):
        visit(sampler, [(0, 10, False), (1, 10, True)])
    easy, hard, *_ = sampler.clip_difficulty().tolist()
    assert easy < 1.0 < hard
    assert sampler.clip_probabilities()[1] == pytest.approx(hard * 50 / 300)
    with pytest.raises(ValueError, match="only clips of weight 0"):
        sampler.set_resident(torch.tensor([False, False, True, True]))


"""
What is logged.
"""


def test_one_bin_gives_finite_numbers() -> None:
    sampler = adaptive(lengths=torch.tensor([30]))
    for failed in (False, True):
        visit(sampler, [(0, 3, failed)])
        assert entropy(sampler) == 1.0
        assert sampler.metrics()["sampling_top1_prob"].item() == pytest.approx(1.0)
    clip_ids, steps = sampler.sample(torch.arange(500))
    assert set(clip_ids.tolist()) == {0}
    assert set(steps.tolist()) == set(range(29))


def test_entropy_is_that_of_the_bins_that_can_be_drawn() -> None:
    sampler = adaptive("beyondmimic")
    visit(sampler, [(3, 10, True)])
    probabilities = sampler.probabilities()
    expected = -(probabilities * probabilities.log()).sum() / math.log(NUM_BINS)
    assert entropy(sampler) == pytest.approx(expected.item(), abs=1e-5)
    assert entropy(sampler) < 0.5
    assert sampler.metrics()["sampling_top1_prob"] == probabilities.max()
    sampler.set_resident(torch.tensor([False, True, False, False]))
    assert entropy(sampler) == 1.0
    even = adaptive(lengths=torch.tensor([101, 151]))
    assert entropy(even) == pytest.approx(1.0, abs=1e-6)


def test_the_hardest_clips_by_name() -> None:
    sampler = adaptive()
    names = ["walk", "run", "jump", "fall"]
    assert sampler.hardest(names) == []
    for step in range(10):
        visit(sampler, [(0, 60, step == 3), (1, 3, False), (3, 200, step in (5, 6))])
    (first, rate), (second, _), (third, least) = sampler.hardest(names)
    assert (first, second, third) == ("fall", "walk", "run")  # 'jump' was never visited
    assert rate == pytest.approx(2 / 10 * 50, rel=0.01)
    assert least == 0.0
    assert [name for name, _ in sampler.hardest(names, 1)] == ["fall"]
