# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What was learned about clips goes on in the next run, in a library with other clips, and on other ranks."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import torch
import torch.multiprocessing

from isaac_tracking.motion.sampling.adaptive import AdaptiveSampler
from isaac_tracking.motion.sampling.keys import clip_keys
from isaac_tracking.motion.sampling.settings import sampler_settings

RATE = 50.0
LENGTHS = {"walk": 126, "run": 51, "hop": 2, "turn": 231}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def library(*names: str, lengths: dict[str, int] = LENGTHS, preset: str = "beyondmimic") -> AdaptiveSampler:
    frames = torch.tensor([lengths[name] for name in names])
    settings = sampler_settings(preset, refresh_steps=1)
    return AdaptiveSampler(frames, RATE, settings, clip_keys=clip_keys(names))


def learned(preset: str = "beyondmimic") -> AdaptiveSampler:
    sampler = library(*LENGTHS, preset=preset)
    places = torch.tensor([0, 0, 1, 3, 3]), torch.tensor([10, 60, 0, 10, 100])
    sampler.record(*places, torch.tensor([False, True, False, True, False]))
    return sampler


def test_a_key_is_64_bits_of_the_name() -> None:
    keys = clip_keys(["walk", "run", "walk"])
    assert keys.dtype == torch.int64
    assert keys[0] == keys[2] != keys[1]
    # The first 16 digits of `printf run | sha256sum`, as a signed number.
    assert clip_keys(["run"]).item() == int("acba25512100f80b", 16) - 2**64


def test_what_was_learned_survives_a_file() -> None:
    sampler, restored = learned(), library(*LENGTHS)
    file = io.BytesIO()
    torch.save(sampler.state_dict(), file)
    file.seek(0)
    restored.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(restored.probabilities(), sampler.probabilities())
    assert torch.equal(restored.visits, sampler.visits)
    assert restored.metrics()["sampling_top1_prob"] == sampler.metrics()["sampling_top1_prob"]


def test_a_saved_state_does_not_change_afterwards() -> None:
    sampler = learned()
    state = sampler.state_dict()
    kept = {name: value.clone() for name, value in state.items() if isinstance(value, torch.Tensor)}
    sampler.record(torch.tensor([3]), torch.tensor([10]), torch.tensor([True]))
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_clips_keep_what_is_known_of_them_in_another_order_with_others() -> None:
    sampler, other = learned(), library("turn", "new", "walk", lengths=LENGTHS | {"new": 101})
    other.load_state_dict(sampler.state_dict())
    # turn has 5 bins, new 2, walk 3.
    assert torch.equal(other.failures[:5], sampler.failures[5:])
    assert torch.equal(other.visits[:5], sampler.visits[5:])
    assert torch.equal(other.visits[7:], sampler.visits[:3])
    assert other.failures[8] > 0.0
    assert other.visits[5:7].tolist() == [0.0, 0.0]


def test_a_clip_of_another_length_is_another_clip() -> None:
    other = library(*LENGTHS, lengths=LENGTHS | {"walk": 130})
    other.load_state_dict(learned().state_dict())
    assert other.visits[:3].sum() == 0.0
    assert other.visits[3:].sum() > 0.0


def test_bins_of_another_length_tell_nothing() -> None:
    settings = sampler_settings("beyondmimic", bin_duration=2.0)
    other = AdaptiveSampler(torch.tensor(list(LENGTHS.values())), RATE, settings, clip_keys=clip_keys(list(LENGTHS)))
    other.load_state_dict(learned().state_dict())
    # walk is two bins instead of three and turn three instead of five; run and hop are one bin all the same.
    assert other.visits[[0, 1, 4, 5, 6]].sum() == 0.0
    assert torch.equal(other.visits[2:4], learned().visits[3:5])


def test_clips_of_the_same_name_are_told_apart_by_their_order() -> None:
    frames, keys = torch.tensor([51, 51]), clip_keys(["walk", "walk"])
    sampler, other = (AdaptiveSampler(frames, RATE, clip_keys=keys) for _ in range(2))
    sampler.record(torch.tensor([1]), torch.tensor([10]), torch.tensor([True]))
    other.load_state_dict(sampler.state_dict())
    assert torch.equal(other.failures, sampler.failures)


def test_a_state_without_keys_fits_the_same_number_of_bins_only() -> None:
    # As checkpoints were before clips had keys.
    old = {name: learned().state_dict()[name] for name in ("failures", "visits")}
    same, other = library(*LENGTHS), library("turn", "walk")
    same.load_state_dict(old)
    other.load_state_dict(old)
    assert torch.equal(same.failures, learned().failures)
    assert other.failures.sum() == 0.0


def test_states_of_other_samplers_scores_and_clips_are_left_aside() -> None:
    for state in ({"next": torch.arange(3)}, {}, learned("sonic").state_dict()):
        sampler = library(*LENGTHS)
        sampler.load_state_dict(state)
        assert sampler.visits.sum() == 0.0
    stranger = library("new", lengths={"new": 500})
    stranger.load_state_dict(learned().state_dict())
    assert stranger.visits.sum() == 0.0


"""
Ranks.
"""


def steps_of(rank: int, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return where the environments of a rank are at a step: two on the first rank, six on the second."""
    generator = torch.Generator().manual_seed(100 * count + rank)
    num_envs = (2, 6)[rank]
    clip_ids = torch.randint(4, (num_envs,), generator=generator)
    frames = torch.tensor(list(LENGTHS.values()))[clip_ids]
    steps = (torch.rand(num_envs, generator=generator) * frames).long()
    return clip_ids, steps, torch.rand(num_envs, generator=generator) < 0.3


def run_rank(rank: int, folder: str) -> None:
    """Record steps, share them now and then, and save what is known; runs in a process of its own."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    sampler = library(*LENGTHS)
    for count in range(30):
        sampler.record(*steps_of(rank, count))
        if count in (9, 10, 29):
            sampler.synchronize()
    once = sampler.state_dict()
    sampler.synchronize()
    torch.save({"once": once, "twice": sampler.state_dict()}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_ranks_know_what_one_with_all_environments_would(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(run_rank, args=(str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    whole = library(*LENGTHS)
    for count in range(30):
        whole.record(*(torch.cat(parts) for parts in zip(steps_of(0, count), steps_of(1, count), strict=True)))
    assert whole.failures.max() > 0.1
    for name, expected in (("failures", whole.failures), ("visits", whole.visits)):
        assert torch.equal(first["once"][name], second["once"][name])
        assert torch.allclose(first["once"][name], expected, rtol=1e-4, atol=1e-6)
        assert torch.allclose(first["twice"][name], first["once"][name], rtol=1e-6)


def test_without_ranks_sharing_changes_nothing() -> None:
    sampler = learned()
    before = sampler.probabilities()
    sampler.synchronize()
    assert torch.equal(sampler.probabilities(), before)
