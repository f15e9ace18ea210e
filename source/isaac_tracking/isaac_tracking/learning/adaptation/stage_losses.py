# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the stages minimize: PPO's loss in the three-stage tracker's form, and the adapt module's."""

from __future__ import annotations

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from ..ppo import PPO
from .models import LATENT, AdaptationActor, Critic


class StageLosses(PPO):
    """Losses of tensors alone, so that a graph can hold them; see :class:`.Stage`."""

    actor: AdaptationActor
    critic: Critic
    mirror_std_coeff: float
    """Weight of the squared difference of the standard deviations of left and right [-]."""
    entropy_coefs: tuple[float, float]
    """Weights of the entropy at the beginning and at the end of the run [-]."""
    weights: dict[str, torch.Tensor]
    """Weights that move over the run, by name, on the device [-]; see :meth:`weigh`."""

    def moving_weights(self) -> dict[str, float]:
        """Return the weights of losses that move over the run, as of now, by name [-]."""
        start, end = self.entropy_coefs
        return {"entropy": start * (end / start) ** self.progress if start > 0.0 else 0.0}

    def weigh(self) -> None:
        """Let the losses have the weights of now, which stay where a graph reads them."""
        moving = self.moving_weights()
        self.entropy_coef = moving["entropy"]
        for name, value in moving.items():
            if name not in self.weights:
                self.weights[name] = torch.zeros((), device=self.device)
            self.weights[name].fill_(value)

    def extra_loss(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        """Return what is added to PPO's loss, by name."""
        return {}

    def ppo_losses(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        """Return the parts of the loss, weighted, and the divergence from the old policy as ``kl``."""
        actions, advantages, old_log_prob = batch.actions, batch.advantages, batch.old_actions_log_prob
        assert batch.observations is not None and batch.returns is not None
        assert actions is not None and advantages is not None and old_log_prob is not None
        count, advantages, both = len(actions), advantages.squeeze(-1), self.with_mirror(batch.observations)
        means = self.actor.mean(both)
        distribution = self.actor.distribution
        distribution.update(means[:count])
        ratio = torch.exp(distribution.log_prob(actions) - old_log_prob.squeeze(-1))
        clipped = ratio.clamp(1.0 - self.clip_param, 1.0 + self.clip_param)
        losses = {
            "surrogate": -torch.min(advantages * ratio, advantages * clipped).mean(),
            "entropy": -self.weights["entropy"] * distribution.entropy.mean(),
            "value": self._value_loss(both, batch.returns),
        }
        if self.symmetry is not None:
            losses |= self.mirror_losses(means, count)
        losses |= self.extra_loss(batch)
        with torch.no_grad():
            losses["kl"] = distribution.kl_divergence(batch.old_distribution_params, distribution.params).mean()
        return losses

    def value_losses(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        """Return the loss of the critic alone."""
        assert batch.observations is not None and batch.returns is not None
        return {"value": self._value_loss(self.with_mirror(batch.observations), batch.returns)}

    def estimator_losses(
        self, obs: TensorDict, starts: torch.Tensor, hidden: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """Return how far the adapt module is from the encoder, as scalars by name.

        Args:
            obs: Sequences of observations by group, each of shape (T, N, ...), of T control steps and N environments.
            starts: Whether an episode starts with a step, shape (T, N).
            hidden: What the adapt module remembered before the first step, shape (N, latent_dim); None for nothing.
        """
        if self.symmetry is not None:
            obs = self.with_mirror(obs.flatten(0, 1))
            predicted = self.actor.adapt_module(self.actor.seen(obs))
        else:
            predicted = self.actor.adapt_module.sequence(self.actor.seen(obs), starts, hidden)
        with torch.no_grad():
            target = self.actor.encoded(obs)
        return {"adapt/estimator_loss": (predicted - target).square().mean()}

    def with_mirror(self, obs: TensorDict) -> TensorDict:
        """Return observations followed by their mirror images; as they are without symmetry."""
        if self.symmetry is None:
            return obs
        return self.symmetry.data_augmentation_func(env=self.env, obs=obs.exclude(LATENT), actions=None)[0]

    def mirror_losses(self, means: torch.Tensor, count: int) -> dict[str, torch.Tensor]:
        """Return how far mirrored observations are from mirrored actions, and left deviations from right ones."""
        mirror, weight = self.symmetry.data_augmentation_func, self.symmetry.mirror_loss_coeff  # type: ignore[union-attr]
        mirrored = mirror(env=self.env, obs=None, actions=means[count:])[1][count:]
        std = self.actor.distribution.std_param[None]
        # A mirrored deviation has no sign.
        other = mirror(env=self.env, obs=None, actions=std)[1][1:].abs()
        return {
            "mirror": weight * (means[:count] - mirrored).square().mean(),
            "mirror_std": self.mirror_std_coeff * (std - other).square().mean(),
        }

    def _value_loss(self, obs: TensorDict, returns: torch.Tensor) -> torch.Tensor:
        values = self.critic(obs)
        times = len(values) // len(returns)
        return self.value_loss_coef * (values - returns.repeat(times, 1)).square().mean()
