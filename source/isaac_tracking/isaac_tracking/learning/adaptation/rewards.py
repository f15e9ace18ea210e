# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Rewards in groups, each with a value of its own (HDMI's multi-head critic)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict


class RewardGroups:
    """Which of the environment's reward terms make up which group.

    Args:
        env: The environment, wrapped for rsl_rl.
        groups: Names of reward terms by group. Every term must be in exactly one.

    Raises:
        ValueError: If a term is unknown, in two groups, or in none.
    """

    def __init__(self, env: Any, groups: Mapping[str, Sequence[str]]) -> None:
        self._env = env.unwrapped
        self.names = tuple(groups)
        terms = list(self._env.reward_manager.active_terms)
        named = [term for members in groups.values() for term in members]
        unknown = [term for term in named if term not in terms]
        if unknown:
            raise ValueError(f"reward_groups: '{unknown[0]}' is no reward of this task; choose from {', '.join(terms)}")
        for term in terms:
            if named.count(term) != 1:
                raise ValueError(
                    f"reward_groups: '{term}' is in {named.count(term)} groups; put every reward into exactly one of"
                    f" {', '.join(self.names)}"
                )
        table = [[float(term in members) for members in groups.values()] for term in terms]
        self._table = torch.tensor(table, device=self._env.device)

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.names)

    def rewards(self) -> torch.Tensor:
        """Return the rewards of the last step by group, shape (num_envs, groups); they add up to the step's reward."""
        return (self._env.reward_manager._step_reward @ self._table) * self._env.step_dt


class GroupedStorage(RolloutStorage):
    """A rollout whose rewards, values and returns have a column for each group.

    Args:
        num_groups: Number of groups.
        num_envs: Number of environments.
        num_steps: Control steps in a rollout.
        obs: Observations by group, as an example.
        num_actions: Numbers in an action.
        device: Where the rollout is kept.
    """

    def __init__(
        self, num_groups: int, num_envs: int, num_steps: int, obs: TensorDict, num_actions: int, device: str
    ) -> None:
        super().__init__("rl", num_envs, num_steps, obs, [num_actions], device)
        shape = (num_steps, num_envs, num_groups)
        self.rewards, self.values, self.returns = (torch.zeros(shape, device=device) for _ in range(3))

    def add_transition(self, transition: RolloutStorage.Transition) -> None:
        """Store a step, whose rewards and values are of shape (num_envs, groups)."""
        rewards = transition.rewards
        assert rewards is not None
        # The parent knows one reward a step.
        transition.rewards = rewards[:, 0]
        column, self.rewards = self.rewards, self.rewards[..., :1]
        super().add_transition(transition)
        self.rewards = column
        self.rewards[self.step - 1].copy_(rewards)
