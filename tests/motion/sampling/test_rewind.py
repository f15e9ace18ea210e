# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starting again shortly before a failure."""

from __future__ import annotations

import pytest
import torch

from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.rewind import Rewind
from isaac_tracking.motion.sampling.settings import sampler_settings

LENGTHS = torch.tensor([301, 51])
MANY = 4000


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def failed_at(rewind: Rewind, clip: int, step: int, num_envs: int = MANY) -> None:
    place = torch.full((num_envs,), clip), torch.full((num_envs,), step)
    rewind.note(*place, torch.ones(num_envs, dtype=torch.bool))


def starts(rewind: Rewind, resident: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where all environments start; a draw without rewind is clip 1, step 7."""
    everyone = torch.arange(MANY)
    found = rewind.apply(torch.ones_like(everyone), torch.full_like(everyone, 7), resident, everyone)
    rewind.forget(everyone)
    return found


def test_a_start_lies_25_to_75_steps_before_the_failure() -> None:
    rewind = Rewind(1.0, (25, 75), LENGTHS)
    failed_at(rewind, 0, 200)
    clip_ids, steps = starts(rewind)
    assert set(clip_ids.tolist()) == {0}
    assert set(steps.tolist()) == set(range(125, 176))


def test_a_start_never_lies_before_the_clip_nor_on_its_last_frame() -> None:
    rewind = Rewind(1.0, (0, 75), LENGTHS)
    failed_at(rewind, 0, 30)
    assert set(starts(rewind)[1].tolist()) == set(range(31))
    failed_at(rewind, 1, 50)
    assert starts(rewind)[1].max() == 49


def test_a_share_of_failures_is_followed_by_a_rewind() -> None:
    rewind = Rewind(0.8, (25, 75), LENGTHS)
    failed_at(rewind, 0, 200)
    clip_ids, steps = starts(rewind)
    assert (clip_ids == 0).float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert set(steps[clip_ids == 1].tolist()) == {7}


def test_a_failure_is_gone_back_to_once() -> None:
    rewind = Rewind(1.0, (25, 75), LENGTHS)
    failed_at(rewind, 0, 200)
    starts(rewind)
    assert set(starts(rewind)[0].tolist()) == {1}


def test_only_the_environments_that_failed_go_back() -> None:
    rewind = Rewind(1.0, (10, 10), LENGTHS)
    clip_ids, steps = torch.zeros(4, dtype=torch.long), torch.tensor([100, 110, 120, 130])
    rewind.note(clip_ids, steps, torch.tensor([False, True, False, True]))
    rewind.note(clip_ids, steps + 1, torch.tensor([False, False, False, False]))
    drawn = torch.ones(3, dtype=torch.long), torch.full((3,), 7)
    got = rewind.apply(*drawn, None, torch.tensor([3, 0, 1]))
    assert (got[0].tolist(), got[1].tolist()) == ([0, 1, 0], [120, 7, 100])


def test_nobody_goes_back_to_a_clip_that_left_the_device() -> None:
    rewind = Rewind(1.0, (25, 75), LENGTHS)
    failed_at(rewind, 0, 200)
    assert set(starts(rewind, torch.tensor([False, True]))[0].tolist()) == {1}


@pytest.mark.parametrize(("preset", "share"), [("default", 0.0), ("axell", 0.8), ("sonic", 0.5)])
def test_presets_go_back_as_often_as_their_systems(preset: str, share: float) -> None:
    sampler = AdaptiveSampler(torch.tensor([10_001, 10_001]), 50.0, sampler_settings(preset))
    place = torch.zeros(MANY, dtype=torch.long), torch.full((MANY,), 5000)
    sampler.record(*place, torch.ones(MANY, dtype=torch.bool))
    clip_ids, steps = sampler.sample(torch.arange(MANY))
    near = (clip_ids == 0) & (steps <= 5000) & (steps >= 4800)
    assert near.float().mean().item() == pytest.approx(share, abs=0.06)
