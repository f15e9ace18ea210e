# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""rsl_rl's PPO without waiting for the device, so that a GPU replays acting and learning as CUDA graphs.

What rsl_rl 5.5.1 computes stays the same: the same minibatches, losses, clipping and learning rates. But a minibatch
asks for a number five times (is the divergence too large, what was the loss) and launches hundreds of small kernels one
by one, which costs more than the kernels. Here the learning rate and the sums of the losses stay on the device, Adam is
fused, and the host launches one graph for each minibatch, and one for each step's actions and values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from rsl_rl.algorithms import PPO as _PPO
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from .gaussian import Gaussian
from .graphed_update import (
    DeviceAdam,
    GraphedActing,
    GraphedSteps,
    LossSums,
    Samples,
    check_precision,
    forget_how,
    matmul_precision,
    update_normalization,
)

LEARNING_RATES = (1.0e-5, 1.0e-2)
"""Lowest and highest learning rate of rsl_rl's adaptive schedule [-]."""
_RATE_FACTOR = 1.5


class Drawn(NamedTuple):
    """What acting leaves for learning, of N environments."""

    actions: torch.Tensor
    """Actions, shape (N, num_actions)."""
    values: torch.Tensor
    """Values, shape (N, num_values)."""
    log_prob: torch.Tensor
    """Logarithm of the density of the actions, shape (N,)."""
    params: tuple[torch.Tensor, ...]
    """Parameters of the actions' distribution, each of shape (N, num_actions)."""
    latent: torch.Tensor | None = None
    """Latent that was inferred, shape (N, latent_dim); None without one."""


class GraphedPPO(_PPO):
    """PPO whose minibatches run as CUDA graphs where there is a GPU.

    Recurrent networks, random network distillation and other optimizers than Adam take rsl_rl's own update.

    A graph goes on with the numbers that Python held when it was captured: ``clip_param``, ``entropy_coef``,
    ``value_loss_coef``, ``max_grad_norm``, ``desired_kl`` and the like. Whoever changes one, or ``num_mini_batches``,
    calls :meth:`forget_graphs`. The learning rate may change between any two updates.

    Args:
        *args: See :class:`rsl_rl.algorithms.PPO`.
        cuda_graph: Whether a GPU captures the minibatch; without, each kernel is launched for itself.
        matmul_precision: Precision of the update's matrix products, as :func:`torch.set_float32_matmul_precision` has
            it; that of the rollout is whatever the process has.
        **kwargs: See :class:`rsl_rl.algorithms.PPO`.

    Raises:
        ValueError: If there is no such precision.
    """

    def __init__(self, *args, cuda_graph: bool = True, matmul_precision: str = "high", **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.cuda_graph, self.matmul_precision = cuda_graph, check_precision(matmul_precision)
        # The children may have others.
        self._minibatches: Any = None
        self._acting: GraphedActing[Drawn] | None = None

    @property
    def captures(self) -> bool:
        """Whether graphs are captured at all."""
        return self.cuda_graph and self.graphable and torch.device(self.device).type == "cuda"

    @property
    def graphable(self) -> bool:
        """Whether this update covers what the config asks for."""
        recurrent = self.actor.is_recurrent or self.critic.is_recurrent
        return not recurrent and self.rnd is None and type(self.optimizer) in (torch.optim.Adam, torch.optim.AdamW)

    @property
    def captures_acting(self) -> bool:
        """Whether acting is captured, too."""
        # Other distributions may look at their parameters before they draw.
        return self.captures and isinstance(self.actor.distribution, Gaussian)

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Draw actions, shape (num_envs, num_actions), and keep what the update needs."""
        return self.keep(obs, self.replayed(obs)) if self.captures_acting else super().act(obs)

    def draw(self, obs: TensorDict) -> Drawn:
        """Return what the networks say of observations."""
        actions = self.actor(obs, stochastic_output=True).detach()
        values, log_prob = self.critic(obs), self.actor.get_output_log_prob(actions)  # type: ignore[operator]
        params = tuple(parameter.detach() for parameter in self.actor.output_distribution_params)
        return Drawn(actions, values.detach(), log_prob.detach(), params)

    def replayed(self, obs: TensorDict) -> Drawn:
        """Return the same by a graph, in tensors that the next call overwrites."""
        if self._acting is None:
            self._acting = GraphedActing(self.draw, obs, self.device)
        return self._acting(obs)

    def keep(self, obs: TensorDict, drawn: Drawn) -> torch.Tensor:
        """Keep what the update needs of a step, and return its actions."""
        transition = self.transition
        transition.actions, transition.values, transition.actions_log_prob = drawn[:3]
        transition.distribution_params = drawn.params
        transition.observations = obs
        # The environment may keep it for longer than until the next replay.
        return drawn.actions.clone()

    def update(self) -> dict[str, float]:
        """Learn from the rollout, and return the mean losses by name."""
        if not self.graphable:
            return super().update()
        if self._minibatches is None:
            self._minibatches = _Minibatches(self)
        losses = self._minibatches.learn()
        observations = self.storage.observations.flatten(0, 1)
        for model in (self.actor, self.critic):
            update_normalization(model, observations)
        self.storage.clear()
        return losses

    def save(self) -> dict:
        """Return models and optimizer; nothing in it tells how the update was run."""
        return forget_how(super().save())

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore what a checkpoint holds; graphs that know the old optimizer are forgotten."""
        self.forget_graphs()
        return super().load(loaded_dict, load_cfg, strict)

    def forget_graphs(self) -> None:
        """Let everything be captured anew, with the settings of now."""
        self._minibatches = self._acting = None

    def losses(self, batch: RolloutStorage.Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """Return PPO's loss, its parts by name, and the mean divergence from the old policy; all are scalars."""
        assert batch.observations is not None and batch.advantages is not None and batch.returns is not None
        count = batch.observations.batch_size[0]
        if self.normalize_advantage_per_mini_batch:
            batch.advantages = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
        if self.symmetry:
            self.symmetry.augment_batch(batch, count)
        advantages, returns, old_values = batch.advantages.squeeze(-1), batch.returns, batch.values
        assert advantages is not None and old_values is not None and batch.old_actions_log_prob is not None
        # Without drawing actions: torch looks at the deviations for that, and waits.
        self.actor.distribution.update(self.actor.mlp(self.actor.get_latent(batch.observations)))  # type: ignore
        log_prob = self.actor.get_output_log_prob(batch.actions)  # type: ignore[operator]
        values = self.critic(batch.observations)
        distribution = tuple(parameter[:count] for parameter in self.actor.output_distribution_params)
        entropy = self.actor.output_entropy[:count].mean()
        with torch.no_grad():
            divergence = self.actor.get_kl_divergence(batch.old_distribution_params, distribution).mean()  # type: ignore[operator]
        ratio = torch.exp(log_prob - batch.old_actions_log_prob.squeeze(-1))
        clipped = ratio.clamp(1.0 - self.clip_param, 1.0 + self.clip_param)
        surrogate = torch.max(-advantages * ratio, -advantages * clipped).mean()
        errors = (values - returns).square()
        if self.use_clipped_value_loss:
            near = old_values + (values - old_values).clamp(-self.clip_param, self.clip_param)
            errors = torch.max(errors, (near - returns).square())
        value = errors.mean()
        loss = surrogate + self.value_loss_coef * value - self.entropy_coef * entropy
        parts = {"value": value, "surrogate": surrogate, "entropy": entropy}
        if self.symmetry:
            parts["symmetry"] = self.symmetry.compute_loss(self.actor, batch, count)  # type: ignore[arg-type]
            if self.symmetry.use_mirror_loss:
                loss = loss + self.symmetry.mirror_loss_coeff * parts["symmetry"]
        return loss, {name: part.detach() for name, part in parts.items()}, divergence


class _Minibatches:
    """PPO's minibatches, and a learning rate that follows the divergence of each."""

    def __init__(self, alg: GraphedPPO) -> None:
        self.alg = alg
        self.samples = Samples(alg.storage, alg.num_mini_batches)
        self.adam, self.sums = DeviceAdam(alg.optimizer, alg.device), LossSums(alg.device)
        # rsl_rl has one rate for all.
        self.rate = self.adam.rates[0]
        self.divergence = torch.zeros((), device=alg.device)
        learned = [list(alg.actor.parameters()), list(alg.critic.parameters())]
        self.steps = GraphedSteps(alg, learned, self._loss, self.sums, self._adapt_rate, shared=[self.divergence])

    def learn(self) -> dict[str, float]:
        """Do all passes over the rollout, and return the mean losses by name; the only wait for the device."""
        alg = self.alg
        self._set_rate(alg.learning_rate)
        self.samples.begin()
        self.sums.begin()
        with self.adam.on_device(), matmul_precision(alg.matmul_precision):
            for numbers in self.samples.passes(alg.num_learning_epochs):
                self(numbers)
        means = self.sums.means()
        rate, *losses = torch.stack([self.rate, *means.values()]).tolist()
        self._set_rate(rate)
        return dict(zip(means, losses, strict=True))

    def __call__(self, numbers: torch.Tensor) -> None:
        """Learn from the samples with these numbers."""
        self.samples.choose(numbers)
        self.steps()

    def _set_rate(self, rate: float) -> None:
        self.alg.learning_rate = rate
        for group in self.alg.optimizer.param_groups:
            group["lr"] = rate

    def _loss(self) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        alg = self.alg
        # What autocast keeps between captured calls would be of the wrong minibatch.
        with torch.autocast(
            torch.device(alg.device).type, torch.bfloat16, enabled=alg.use_mixed_precision, cache_enabled=False
        ):
            loss, parts, divergence = alg.losses(self.samples.batch())
        self.divergence.copy_(divergence)
        return loss, parts

    def _adapt_rate(self) -> None:
        alg, kl, (lowest, highest) = self.alg, self.divergence, LEARNING_RATES
        if alg.desired_kl is not None and alg.schedule == "adaptive":
            slower = (self.rate / _RATE_FACTOR).clamp(min=lowest)
            faster = (self.rate * _RATE_FACTOR).clamp(max=highest)
            close = (kl < alg.desired_kl / 2.0) & (kl > 0.0)
            rate = torch.where(kl > alg.desired_kl * 2.0, slower, torch.where(close, faster, self.rate))
            self.rate.copy_(rate)
