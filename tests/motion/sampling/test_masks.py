# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starts by a mask of all environments instead of the indices of some, and memory that stays where it is."""

from __future__ import annotations

import pytest
import torch

from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.bins import Evidence
from isaac_tracking.motion.sampling.plain import StartSampler, UniformSampler
from isaac_tracking.motion.sampling.rewind import Rewind
from isaac_tracking.motion.sampling.settings import PRESETS, sampler_settings

FRAMES = torch.tensor([126, 51, 2, 231])
NUM = 64
EVERYONE = torch.ones(NUM, dtype=torch.bool)


def learned(preset: str) -> AdaptiveSampler:
    """A sampler after three steps in which a third of the environments failed."""
    torch.manual_seed(1)
    sampler = AdaptiveSampler(FRAMES, 50.0, sampler_settings(preset, refresh_steps=2))
    for _ in range(3):
        clip_ids = torch.randint(4, (NUM,))
        steps = (torch.rand(NUM) * (FRAMES[clip_ids] - 1)).long()
        sampler.record(clip_ids, steps, torch.rand(NUM) < 0.3, torch.rand(NUM))
    return sampler


def sampler_of(kind: str) -> AdaptiveSampler | UniformSampler | StartSampler:
    if kind == "start":
        return StartSampler(FRAMES, NUM)
    return UniformSampler(FRAMES) if kind == "uniform" else learned(kind)


@pytest.mark.parametrize("kind", [*PRESETS, "uniform", "start"])
def test_a_mask_of_everyone_draws_what_the_indices_of_everyone_draw(kind: str) -> None:
    by_indices, by_mask = sampler_of(kind), sampler_of(kind)
    for _ in range(2):  # failures are forgotten after the first
        torch.manual_seed(2)
        expected = by_indices.sample(torch.arange(NUM))
        torch.manual_seed(2)
        found = by_mask.sample_where(EVERYONE)
        assert torch.equal(found[0], expected[0])
        assert torch.equal(found[1], expected[1])


def test_indices_in_any_order_take_turns_as_a_mask_does() -> None:
    by_indices, by_mask = StartSampler(FRAMES, 6), StartSampler(FRAMES, 6)
    some = torch.tensor([5, 0, 3])
    starting = torch.tensor([True, False, False, True, False, True])
    # Clips 0 to 3 and again 0 and 1 are first; six clips on is two on of four.
    for expected in ([1, 0, 3], [3, 2, 1]):
        assert by_indices.sample(some)[0].tolist() == expected
        assert by_mask.sample_where(starting)[0][some].tolist() == expected


def test_whoever_does_not_start_keeps_its_turn() -> None:
    sampler = StartSampler(FRAMES, 6)
    starting = torch.tensor([True, False, True, False, False, False])
    assert sampler.sample_where(starting)[0].tolist() == [0, 1, 2, 3, 0, 1]
    # Environments 0 and 2 have gone on by six clips, which is by two of four.
    assert sampler.sample_where(torch.ones(6, dtype=torch.bool))[0].tolist() == [2, 1, 0, 3, 0, 1]


def test_whoever_does_not_start_does_not_forget_its_failure() -> None:
    rewind = Rewind(1.0, (5, 5), FRAMES)
    places = torch.tensor([0, 3, 3]), torch.tensor([20, 30, 40])
    rewind.note(*places, torch.ones(3, dtype=torch.bool))
    drawn = torch.ones(3, dtype=torch.long), torch.full((3,), 7)
    starting = torch.tensor([True, False, True])
    clip_ids, steps = rewind.apply(*drawn, None)
    rewind.forget_where(starting)
    assert clip_ids[starting].tolist() == [0, 3]
    assert steps[starting].tolist() == [15, 35]
    clip_ids, steps = rewind.apply(*drawn, None)
    assert clip_ids.tolist() == [1, 3, 1]
    assert steps.tolist() == [7, 25, 7]


def test_evidence_by_hand() -> None:
    evidence = Evidence(2, 10.0, torch.device("cpu"))
    bins = torch.tensor([0, 1])
    evidence.add(bins, torch.tensor([1.0, 0.0]), torch.ones(2))
    evidence.add(bins, torch.tensor([0.0, 1.0]), torch.ones(2))
    fade = torch.exp(torch.tensor(-0.1)).item()
    assert evidence.loss.tolist() == pytest.approx([0.5 * fade, 0.5])
    assert evidence.exposure.tolist() == pytest.approx([0.5 * (1.0 + fade)] * 2)
    # Reading it twice fades nothing.
    assert evidence.exposure.tolist() == pytest.approx([0.5 * (1.0 + fade)] * 2)


def test_note_and_count_are_record() -> None:
    whole, halves = learned("sonic"), learned("sonic")
    for step in range(4):
        told = torch.zeros(NUM, dtype=torch.long), torch.full((NUM,), step), torch.arange(NUM) % 3 == step
        whole.record(*told)
        halves.note(*told)
        halves.count_step()
    assert torch.equal(whole.failures, halves.failures)
    assert torch.equal(whole.visits, halves.visits)
    assert whole.metrics() == halves.metrics()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_sampler_never_moves_its_memory(preset: str) -> None:
    """A CUDA graph that draws from it knows nothing else."""
    sampler = learned(preset)
    sampler.set_resident(torch.ones(4, dtype=torch.bool))

    def places() -> dict[str, int]:
        owners = sampler, sampler._evidence, sampler._rewind
        found = {name: value for owner in owners for name, value in vars(owner).items()}
        found |= {f"last{i}": part for i, part in enumerate(sampler._last or ())}
        return {name: value.data_ptr() for name, value in found.items() if isinstance(value, torch.Tensor)}

    before = places()
    told = torch.zeros(NUM, dtype=torch.long), torch.arange(NUM), EVERYONE, torch.rand(NUM)
    for _ in range(3):
        sampler.record(*told)
        sampler.sample_where(EVERYONE)
        sampler.sample(torch.arange(NUM))
    sampler.synchronize()
    sampler.set_resident(torch.tensor([True, True, False, True]))
    sampler.load_state_dict(sampler.state_dict())
    assert places() == before


def test_logged_numbers_do_not_change_afterwards() -> None:
    sampler = learned("default")
    before = sampler.metrics()
    values = {name: float(value) for name, value in before.items()}
    for _ in range(30):
        sampler.record(torch.zeros(NUM, dtype=torch.long), torch.full((NUM,), 3), EVERYONE)
    assert {name: float(value) for name, value in before.items()} == values
    assert {name: float(value) for name, value in sampler.metrics().items()} != values
