# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A rollout as sequences, a few environments at a time, for a network that may remember."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict


class Sequences:
    """The sequences of chosen environments, gathered from where the rollout lies.

    Args:
        storage: The rollout.
        num_batches: Parts that a pass over it has.
        memory_size: Numbers that the network remembers of the steps before a rollout; 0 for none.
    """

    def __init__(self, storage: RolloutStorage, num_batches: int, memory_size: int) -> None:
        self._storage, self._num_batches = storage, num_batches
        device, num_envs = storage.dones.device, storage.num_envs
        self._chosen = torch.zeros(num_envs, dtype=torch.long, device=device)
        self._starts = torch.zeros(storage.dones.shape[:2], dtype=torch.bool, device=device)
        self._memory = torch.zeros(num_envs, memory_size, device=device) if memory_size else None

    def begin(self, memory: torch.Tensor | None) -> None:
        """Take over a rollout.

        Args:
            memory: What the network remembered before it, shape (num_envs, memory_size); None for nothing.
        """
        self._starts[1:] = self._storage.dones[:-1, :, 0].bool()
        if self._memory is not None:
            self._memory.zero_() if memory is None else self._memory.copy_(memory)

    def passes(self, count: int) -> Iterator[torch.Tensor]:
        """Yield the numbers of the environments of each part; they are shuffled anew for each pass."""
        for _ in range(count):
            yield from torch.randperm(self._storage.num_envs, device=self._chosen.device).chunk(self._num_batches)

    def choose(self, numbers: torch.Tensor) -> None:
        """Let :meth:`batch` be of these environments."""
        self._chosen[: len(numbers)] = numbers

    def batch(self, size: int) -> tuple[TensorDict, torch.Tensor, torch.Tensor | None]:
        """Return the sequences of the first ``size`` chosen environments.

        Returns:
            Observations, shape (T, size, ...); whether an episode starts with a step, shape (T, size); what was
            remembered before the rollout, shape (size, memory_size), or None.
        """
        chosen = self._chosen[:size]
        memory = None if self._memory is None else self._memory[chosen]
        return self._storage.observations[:, chosen], self._starts[:, chosen], memory
