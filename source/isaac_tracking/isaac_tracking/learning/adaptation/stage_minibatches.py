# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The minibatches of a stage: PPO's, the critic's alone, and the adapt module's, each a graph of its own on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import torch

from ..graphed_update import DeviceAdam, GraphedSteps, LossSums, Samples, matmul_precision
from .sequences import Sequences

if TYPE_CHECKING:
    from .stage import Stage


class StageMinibatches:
    """Passes over a stage's rollout, which one optimizer shares.

    Args:
        stage: The stage.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        adapt_module = stage.actor.adapt_module
        self._adam = DeviceAdam(stage.optimizer, stage.device)
        self._samples = Samples(stage.storage, stage.num_mini_batches)
        memory_size = stage.actor.latent_dim if adapt_module.is_recurrent else 0
        self._sequences = Sequences(stage.storage, stage.num_mini_batches, memory_size)
        self._sums = {kind: LossSums(stage.device) for kind in ("ppo", "critic", "adapt")}
        self._steps: dict[tuple[str, int], GraphedSteps] = {}

    @contextmanager
    def learning(self) -> Iterator[None]:
        """Let the optimizer be as the passes need it while open."""
        with self._adam.on_device(), matmul_precision(self._stage.matmul_precision):
            yield

    def ppo(self) -> dict[str, torch.Tensor]:
        """Let actor and critic learn, and return the mean losses by name."""
        # What was captured of the critic's time alone is not needed any more.
        self._steps.pop(("critic", self._samples.size), None)
        stage, samples = self._stage, self._samples
        steps = self._steps_of(
            "ppo",
            samples.size,
            ("actor", "critic"),
            lambda: stage.ppo_losses(samples.batch()),
            stage.actor.head.clamp_std,
        )
        return self._pass_over(steps, self._sums["ppo"])

    def critic_alone(self) -> dict[str, torch.Tensor]:
        """Let the critic learn, and return the mean losses by name."""
        stage, samples = self._stage, self._samples
        steps = self._steps_of("critic", samples.size, ("critic",), lambda: stage.value_losses(samples.batch()))
        return self._pass_over(steps, self._sums["critic"])

    def estimate(self, memory: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """Let the adapt module learn, and a student with it, and return the mean losses by name.

        Args:
            memory: What the adapt module remembered before the rollout, shape (num_envs, latent_dim), or None.
        """
        sequences, sums = self._sequences, self._sums["adapt"]
        sequences.begin(memory)
        sums.begin()
        for numbers in sequences.passes(self._stage.estimator_epochs):
            sequences.choose(numbers)
            # The last part may be smaller, and then has a graph of its own.
            losses = partial(self._estimator_losses, len(numbers))
            take_step = self._steps_of("adapt", len(numbers), ("adapt", "student"), losses)
            take_step()
        return sums.means()

    def _estimator_losses(self, size: int) -> dict[str, torch.Tensor]:
        return self._stage.estimator_losses(*self._sequences.batch(size))

    def _pass_over(self, take_step: GraphedSteps, sums: LossSums) -> dict[str, torch.Tensor]:
        self._samples.begin()
        sums.begin()
        for numbers in self._samples.passes(self._stage.num_learning_epochs):
            self._samples.choose(numbers)
            take_step()
        return sums.means()

    def _steps_of(
        self,
        kind: str,
        size: int,
        groups: tuple[str, ...],
        losses: Callable[[], Mapping[str, torch.Tensor]],
        after: Callable[[], None] | None = None,
    ) -> GraphedSteps:
        """Return what takes steps of some of the optimizer's groups, the same one for the same kind and size.

        Args:
            kind: A key of the sums, to which the losses are added.
            size: Samples or environments in a minibatch.
            groups: Names of the networks that learn.
            losses: What is minimized, in parts; of these ``kl`` is only reported.
            after: Work after each step.
        """

        def loss() -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
            parts = losses()
            return sum(part for name, part in parts.items() if name != "kl"), parts  # type: ignore[return-value]

        if (kind, size) not in self._steps:
            learned = [list(module.parameters()) for name, module in self._stage.learned().items() if name in groups]
            self._steps[kind, size] = GraphedSteps(self._stage, learned, loss, self._sums[kind], after=after)
        return self._steps[kind, size]
