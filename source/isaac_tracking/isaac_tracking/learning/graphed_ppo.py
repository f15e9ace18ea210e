# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""rsl_rl's PPO without waiting for the device, so that a GPU replays acting and learning as CUDA graphs.

What rsl_rl 5.5.1 computes stays the same: the same minibatches, losses, clipping and learning rates. But a minibatch
asks for a number five times (is the divergence too large, what was the loss) and launches hundreds of small kernels one
by one, which costs more than the kernels. Here the learning rate and the sums of the losses stay on the device, Adam is
fused, and the host launches one graph for each minibatch, and one for each step's actions and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from rsl_rl.algorithms import PPO as _PPO
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict
from torch import nn

from .cuda_graph import CapturedWork
from .gaussian import Gaussian

LEARNING_RATES = (1.0e-5, 1.0e-2)
"""Lowest and highest learning rate of rsl_rl's adaptive schedule [-]."""
MATMUL_PRECISIONS = ("highest", "high", "medium")
"""Precisions of torch's matrix products."""
_RATE_FACTOR = 1.5


class GraphedPPO(_PPO):
    """PPO whose minibatches run as CUDA graphs where there is a GPU.

    Recurrent networks, random network distillation and other optimizers than Adam take rsl_rl's own update.

    Args:
        *args: See :class:`rsl_rl.algorithms.PPO`.
        cuda_graph: Whether a GPU captures the minibatch; without, each kernel is launched for itself.
        matmul_precision: Precision of the update's matrix products, as :func:`torch.set_float32_matmul_precision` has
            it; the rollout's stay in float32.
        **kwargs: See :class:`rsl_rl.algorithms.PPO`.

    Raises:
        ValueError: If there is no such precision.
    """

    def __init__(self, *args, cuda_graph: bool = True, matmul_precision: str = "high", **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if matmul_precision not in MATMUL_PRECISIONS:
            raise ValueError(
                f"matmul_precision '{matmul_precision}' is unknown; choose from {', '.join(MATMUL_PRECISIONS)}"
            )
        self.cuda_graph, self.matmul_precision = cuda_graph, matmul_precision
        self._minibatch: _Minibatch | None = None
        self._acting: _Acting | None = None

    @property
    def captures(self) -> bool:
        """Whether graphs are captured at all."""
        return self.cuda_graph and self.graphable and torch.device(self.device).type == "cuda"

    @property
    def graphable(self) -> bool:
        """Whether this update covers what the config asks for."""
        recurrent = self.actor.is_recurrent or self.critic.is_recurrent
        return not recurrent and self.rnd is None and type(self.optimizer) in (torch.optim.Adam, torch.optim.AdamW)

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Draw actions, shape (num_envs, num_actions), and keep what the update needs."""
        # Other distributions may look at their parameters before they draw.
        if not self.captures or not isinstance(self.actor.distribution, Gaussian):
            return super().act(obs)
        if self._acting is None:
            self._acting = _Acting(self, obs)
        transition = self.transition
        drawn = self._acting(obs)
        transition.actions, transition.values, transition.actions_log_prob, *params = drawn
        transition.distribution_params = tuple(params)
        transition.observations = obs
        # The environment may keep it for longer than until the next replay.
        return drawn[0].clone()

    def update(self) -> dict[str, float]:
        """Learn from the rollout, and return the mean losses by name."""
        if not self.graphable:
            return super().update()
        if self._minibatch is None:
            self._minibatch = _Minibatch(self)
        minibatch, storage = self._minibatch, self.storage
        minibatch.begin()
        count = self.num_mini_batches * minibatch.size
        # The same permutation for all passes, as in rsl_rl.
        batches = torch.randperm(count, device=self.device).split(minibatch.size)
        with _matmul_precision(self.matmul_precision):
            for _ in range(self.num_learning_epochs):
                for indices in batches:
                    minibatch(indices)
        losses = minibatch.end()
        observations = storage.observations.flatten(0, 1)
        for model in (self.actor, self.critic):
            before = dict(model.named_buffers())
            model.update_normalization(observations)  # type: ignore[operator]
            _keep_in_place(model, before)
        storage.clear()
        return losses

    def save(self) -> dict:
        """Return models and optimizer; nothing in it tells how the update was run."""
        saved = super().save()
        groups = saved["optimizer_state_dict"]["param_groups"]
        flags = {"capturable": False, "fused": None}
        saved["optimizer_state_dict"]["param_groups"] = [
            group | {key: value for key, value in flags.items() if key in group} for group in groups
        ]
        return saved

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore what a checkpoint holds; a graph that knows the old optimizer is forgotten."""
        self._minibatch = self._acting = None
        return super().load(loaded_dict, load_cfg, strict)

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


class _Acting:
    """Actions, values, log-probabilities and the distribution's parameters for observations that are copied in."""

    def __init__(self, alg: GraphedPPO, obs: TensorDict) -> None:
        self.alg, self.obs = alg, obs.clone()
        self.drawn: tuple[torch.Tensor, ...] = ()
        self.work = CapturedWork(self._draw, alg.device)

    def __call__(self, obs: TensorDict) -> tuple[torch.Tensor, ...]:
        self.obs.copy_(obs)
        self.work()
        return self.drawn

    def _draw(self) -> None:
        actor = self.alg.actor
        actions = actor(self.obs, stochastic_output=True)
        log_prob = actor.get_output_log_prob(actions)  # type: ignore[operator]
        parts = (actions, self.alg.critic(self.obs), log_prob, *actor.output_distribution_params)
        self.drawn = tuple(part.detach() for part in parts)


class _Minibatch:
    """One minibatch: gradients, then a step of the optimizer, each a graph (one for both with a single GPU)."""

    def __init__(self, alg: GraphedPPO) -> None:
        self.alg, storage, device = alg, alg.storage, alg.device
        self.size = storage.num_envs * storage.num_transitions_per_env // alg.num_mini_batches
        self.indices = torch.zeros(self.size, dtype=torch.long, device=device)
        # rsl_rl makes new advantages for each rollout; a graph needs them where they were.
        self.advantages = torch.zeros_like(storage.returns)
        self.rate = torch.tensor(alg.learning_rate, device=device)
        self.divergence = torch.zeros((), device=device)
        self.sums: dict[str, torch.Tensor] = {}
        self.parameters = [list(alg.actor.parameters()), list(alg.critic.parameters())]
        works = [self._gradients, self._step] if alg.is_multi_gpu else [self._both]
        self.works = [CapturedWork(work, device) if alg.captures else work for work in works]
        self.count = 0

    def begin(self) -> None:
        """Take over the rollout."""
        self.advantages.copy_(self.alg.storage.advantages)
        self.rate.fill_(self.alg.learning_rate)
        on_gpu = self.rate.is_cuda
        for group in self.alg.optimizer.param_groups:
            group["lr"] = self.rate
            group["fused"], group["capturable"] = (True, True) if on_gpu else (None, False)
        for state in self.alg.optimizer.state.values():
            # Of a checkpoint that a CPU wrote, say.
            if "step" in state:
                state["step"] = state["step"].to(self.rate.device if on_gpu else "cpu")
        for total in self.sums.values():
            total.zero_()
        self.count = 0

    def __call__(self, indices: torch.Tensor) -> None:
        """Learn from the samples with these numbers."""
        self.indices.copy_(indices)
        if self.alg.is_multi_gpu:
            self.works[0]()
            self.alg.reduce_parameters()
            torch.distributed.all_reduce(self.divergence)
            self.divergence /= self.alg.gpu_world_size
            self.works[1]()
        else:
            self.works[0]()
        self.count += 1

    def end(self) -> dict[str, float]:
        """Give the learning rate back, and return the mean losses by name; the only wait for the device."""
        numbers = torch.stack([self.rate, *self.sums.values()]).tolist()
        self.alg.learning_rate = numbers[0]
        for group in self.alg.optimizer.param_groups:
            group["lr"] = self.alg.learning_rate
        return {name: total / self.count for name, total in zip(self.sums, numbers[1:], strict=True)}

    def _both(self) -> None:
        self._gradients()
        self._step()

    def _gradients(self) -> None:
        alg, storage, chosen = self.alg, self.alg.storage, self.indices
        assert storage.distribution_params is not None
        batch = RolloutStorage.Batch(
            observations=storage.observations.flatten(0, 1)[chosen],  # type: ignore[arg-type]
            actions=storage.actions.flatten(0, 1)[chosen],
            values=storage.values.flatten(0, 1)[chosen],
            advantages=self.advantages.flatten(0, 1)[chosen],
            returns=storage.returns.flatten(0, 1)[chosen],
            old_actions_log_prob=storage.actions_log_prob.flatten(0, 1)[chosen],
            old_distribution_params=tuple(p.flatten(0, 1)[chosen] for p in storage.distribution_params),
        )
        # What autocast keeps between captured calls would be of the wrong minibatch.
        with torch.autocast(
            torch.device(alg.device).type, torch.bfloat16, enabled=alg.use_mixed_precision, cache_enabled=False
        ):
            loss, parts, divergence = alg.losses(batch)
        alg.optimizer.zero_grad()
        loss.backward()
        self.divergence.copy_(divergence)
        for name, part in parts.items():
            if name not in self.sums:
                self.sums[name] = torch.zeros_like(self.rate)
            self.sums[name] += part

    def _step(self) -> None:
        alg, kl, (lowest, highest) = self.alg, self.divergence, LEARNING_RATES
        if alg.desired_kl is not None and alg.schedule == "adaptive":
            slower = (self.rate / _RATE_FACTOR).clamp(min=lowest)
            faster = (self.rate * _RATE_FACTOR).clamp(max=highest)
            close = (kl < alg.desired_kl / 2.0) & (kl > 0.0)
            rate = torch.where(kl > alg.desired_kl * 2.0, slower, torch.where(close, faster, self.rate))
            self.rate.copy_(rate)
        for parameters in self.parameters:
            nn.utils.clip_grad_norm_(parameters, alg.max_grad_norm)
        alg.optimizer.step()


@contextmanager
def _matmul_precision(precision: str) -> Iterator[None]:
    """Let matrix products have a precision while open; a captured graph keeps it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _keep_in_place(model: nn.Module, before: dict[str, torch.Tensor]) -> None:
    """Put buffers that were replaced by new ones back where a graph reads them, with the new values."""
    for name, new in list(model.named_buffers()):
        old = before.get(name)
        if old is not None and old is not new:
            owner = model.get_submodule(name.rpartition(".")[0])
            old.copy_(new)
            setattr(owner, name.rpartition(".")[2], old)
