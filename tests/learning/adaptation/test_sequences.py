# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Rollouts of a few environments at a time, gathered in place."""

from __future__ import annotations

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from isaac_tracking.learning.adaptation.sequences import Sequences

STEPS, ENVS = 3, 5


def storage() -> RolloutStorage:
    """A rollout in which each observation is 10 times its step plus its environment."""
    obs = TensorDict({"policy": torch.zeros(ENVS, 1)}, batch_size=[ENVS])
    rollout = RolloutStorage("rl", ENVS, STEPS, obs, [2], "cpu")
    rollout.observations["policy"][..., 0] = 10.0 * torch.arange(STEPS)[:, None] + torch.arange(ENVS)
    rollout.dones[0, 3] = rollout.dones[2, 1] = 1
    return rollout


def test_chosen_environments_by_hand():
    sequences = Sequences(storage(), 2, memory_size=1)
    sequences.begin(torch.arange(5.0)[:, None])
    sequences.choose(torch.tensor([3, 1]))
    obs, starts, memory = sequences.batch(2)
    assert obs["policy"][..., 0].tolist() == [[3.0, 1.0], [13.0, 11.0], [23.0, 21.0]]
    # What ends with the last step starts in the next rollout, with an empty memory.
    assert starts.tolist() == [[False, False], [True, False], [False, False]]
    assert memory is not None and memory.tolist() == [[3.0], [1.0]]
    sequences.begin(None)
    assert sequences.batch(2)[2].tolist() == [[0.0], [0.0]]


def test_every_pass_has_every_environment_once_and_shuffles_anew():
    torch.manual_seed(0)
    sequences = Sequences(storage(), 2, memory_size=0)
    parts = list(sequences.passes(2))
    assert [len(part) for part in parts] == [3, 2, 3, 2]
    first, second = torch.cat(parts[:2]), torch.cat(parts[2:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(ENVS))
    assert not torch.equal(first, second)
    sequences.begin(None)
    sequences.choose(parts[0])
    assert sequences.batch(3)[2] is None
