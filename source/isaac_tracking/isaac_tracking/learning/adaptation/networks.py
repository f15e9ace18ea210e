# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The parts that teacher and student are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..gaussian import Gaussian

_GAIN = 0.01
"""Gain of the orthogonal start of every linear layer (three-stage tracker); layer norms bring the scale back."""
_MIN_STD = 1.0e-4


def mlp(size: int, hidden: Sequence[int], output: int) -> nn.Sequential:
    """Return linear layers with layer norm and Mish between them, as HDMI and the three-stage tracker build all.

    Args:
        size: Numbers that go in.
        hidden: Widths of the hidden layers.
        output: Numbers that come out, of a linear layer.
    """
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(size, width), nn.LayerNorm(width), nn.Mish()]
        size = width
    layers.append(nn.Linear(size, output))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.orthogonal_(layer.weight, gain=_GAIN)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


class PolicyHead(nn.Module):
    """From what a policy knows to a Gaussian over actions.

    Args:
        size: Numbers that the policy knows.
        num_actions: Numbers in an action.
        hidden: Widths of the hidden layers.
        distribution: rsl_rl's config of a Gaussian with a standard deviation for each number of the action, which
            never grows beyond its start (three-stage tracker).
    """

    def __init__(self, size: int, num_actions: int, hidden: Sequence[int], distribution: Mapping[str, Any]) -> None:
        super().__init__()
        self.net = mlp(size, hidden, num_actions)
        settings = {name: value for name, value in distribution.items() if name != "class_name"}
        self.distribution = Gaussian(num_actions, **settings)
        self._init_std = settings["init_std"]

    def forward(self, known: torch.Tensor) -> torch.Tensor:
        """Return the mean action, shape (..., num_actions)."""
        return self.net(known)

    @torch.no_grad()
    def clamp_std(self) -> None:
        """Keep the standard deviation between almost nothing and its start."""
        self.distribution.std_param.clamp_(_MIN_STD, self._init_std)


class AdaptMLP(nn.Module):
    """Infers the latent from an observation that holds its own history.

    Args:
        size: Numbers in an observation.
        latent_dim: Numbers in the latent.
        hidden: Widths of the hidden layers.
    """

    is_recurrent = False

    def __init__(self, size: int, latent_dim: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.net = mlp(size, hidden, latent_dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the latent of the present step, shape (N, latent_dim)."""
        return self.net(x)

    def sequence(self, x: torch.Tensor, starts: torch.Tensor, hidden: torch.Tensor | None) -> torch.Tensor:
        """Return the latents of a rollout.

        Args:
            x: Observations, shape (T, N, size).
            starts: Whether an episode starts with a step, shape (T, N).
            hidden: Unused, None.

        Returns:
            Latents, shape (T, N, latent_dim).
        """
        return self.net(x)

    def hidden(self) -> torch.Tensor | None:
        """Return what is remembered: nothing."""
        return None

    def reset(self, dones: torch.Tensor | None = None) -> None:
        """Do nothing."""


class AdaptGRU(nn.Module):
    """Infers the latent from all observations of an episode (HDMI's second kind).

    Args:
        size: Numbers in an observation.
        latent_dim: Numbers in the latent, and in what is remembered.
        hidden: Widths of the hidden layers before the recurrent one.
    """

    is_recurrent = True

    def __init__(self, size: int, latent_dim: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.net = mlp(size, hidden, latent_dim)
        self.cell = nn.GRUCell(latent_dim, latent_dim)
        self.head = nn.Linear(latent_dim, latent_dim)
        self._hidden: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the latent of the present step, shape (N, latent_dim), and remember the step."""
        if self._hidden is None or len(self._hidden) != len(x):
            self._hidden = x.new_zeros(len(x), self.cell.hidden_size)
        self._hidden = self.cell(self.net(x), self._hidden)
        return self.head(self._hidden)

    def sequence(self, x: torch.Tensor, starts: torch.Tensor, hidden: torch.Tensor | None) -> torch.Tensor:
        """Return the latents of a rollout, through which gradients flow back to its beginning.

        Args:
            x: Observations, shape (T, N, size).
            starts: Whether an episode starts with a step, shape (T, N); the memory is empty there.
            hidden: What was remembered before the rollout, shape (N, latent_dim); None for nothing.

        Returns:
            Latents, shape (T, N, latent_dim).
        """
        state = x.new_zeros(x.shape[1], self.cell.hidden_size) if hidden is None else hidden
        seen, latents = self.net(x), []
        for step in range(len(x)):
            state = self.cell(seen[step], state * ~starts[step, :, None])
            latents.append(self.head(state))
        return torch.stack(latents)

    def hidden(self) -> torch.Tensor | None:
        """Return what is remembered, shape (N, latent_dim); None before the first step."""
        return self._hidden

    def reset(self, dones: torch.Tensor | None = None) -> None:
        """Forget the environments whose episodes ended, shape (N,); all if None."""
        if self._hidden is not None:
            self._hidden = None if dones is None else self._hidden * ~dones.bool().view(-1, 1)


ADAPT_MODULES: dict[str, type[AdaptMLP] | type[AdaptGRU]] = {"mlp": AdaptMLP, "gru": AdaptGRU}
"""Kinds of adapt module by name."""
