# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The student as it is deployed: normalizer, adapt module and actor, and nothing else."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from .networks import AdaptGRU

if TYPE_CHECKING:
    from .models import StudentActor


class StudentGraph(nn.Module):
    """Observation in, action out.

    Args:
        actor: The student, with an adapt module that remembers nothing.
    """

    is_recurrent = False
    input_names = ("obs",)
    output_names = ("actions",)

    def __init__(self, actor: StudentActor) -> None:
        super().__init__()
        self.policy_norm = copy.deepcopy(actor.policy_norm)
        self.adapt_module = copy.deepcopy(actor.estimator.net)
        self.actor_student = copy.deepcopy(actor.actor_student.net)
        self.input_size = actor.obs_dim

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Return actions, shape (N, A), for observations of shape (N, obs_dim)."""
        seen = self.policy_norm(obs)
        return self.actor_student(torch.cat([seen, self.adapt_module(seen)], dim=-1))

    def get_dummy_inputs(self) -> tuple[torch.Tensor]:
        """Return an input to trace with."""
        return (torch.zeros(1, self.input_size),)


class RememberingStudentGraph(nn.Module):
    """Observation and memory in, action and memory out; the memory is zeros at an episode's start.

    Args:
        actor: The student, with a recurrent adapt module.
    """

    is_recurrent = True
    input_names = ("obs", "hidden_in")
    output_names = ("actions", "hidden_out")

    def __init__(self, actor: StudentActor) -> None:
        super().__init__()
        self.policy_norm = copy.deepcopy(actor.policy_norm)
        estimator = cast(AdaptGRU, copy.deepcopy(actor.estimator))
        self.adapt_net, self.adapt_cell, self.adapt_head = estimator.net, estimator.cell, estimator.head
        self.actor_student = copy.deepcopy(actor.actor_student.net)
        self.input_size, self.memory_size = actor.obs_dim, actor.latent_dim

    def forward(self, obs: torch.Tensor, hidden_in: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return actions, shape (N, A), and what is to be remembered, shape (N, memory_size).

        Args:
            obs: Observations, shape (N, obs_dim).
            hidden_in: What was to be remembered after the control step before, shape (N, memory_size).
        """
        seen = self.policy_norm(obs)
        hidden = self.adapt_cell(self.adapt_net(seen), hidden_in)
        return self.actor_student(torch.cat([seen, self.adapt_head(hidden)], dim=-1)), hidden

    def get_dummy_inputs(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs to trace with."""
        return torch.zeros(1, self.input_size), torch.zeros(1, self.memory_size)
