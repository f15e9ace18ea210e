# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A stage's update as it was before there were graphs: plain torch, which asks for each number.

It shares networks, rollout and optimizer with the stage that it is given, and none of its losses.
"""

from __future__ import annotations

import torch
from rsl_rl.utils import reduce_gradients_in_buckets
from torch import nn

LATENT = "latent"


def plain_update(stage) -> dict[str, float]:
    """Let a stage learn from its rollout; return the mean losses by name."""
    start, end = stage.entropy_coefs
    stage.entropy_coef = start * (end / start) ** stage.progress if start > 0.0 else 0.0
    losses = {} if stage.stage == "adapt" else ppo(stage)
    if stage.stage != "finetune":
        losses |= estimate(stage)
    if stage.stage.startswith("roa"):
        stage.actor.follow_adapt_module()
    steps, seen = stage.storage.num_transitions_per_env, stage.storage.observations.flatten(0, 1)
    stage.actor.update_normalization(seen, steps)
    stage.critic.update_normalization(seen, steps)
    stage.storage.clear()
    stage.count_update()
    return {name: loss.item() for name, loss in losses.items()}


def ppo(stage) -> dict[str, torch.Tensor]:
    passes, groups = [], ("actor", "critic") if stage.actor_learns else ("critic",)
    for batch in stage.storage.mini_batch_generator(stage.num_mini_batches, stage.num_learning_epochs):
        losses, divergence = ppo_losses(stage, batch) if stage.actor_learns else ({"value": value(stage, batch)}, None)
        take_step(stage, sum(losses.values()), groups)
        if divergence is not None:
            stage.actor.head.clamp_std()
            losses["kl"] = divergence
        passes.append({name: loss.detach() for name, loss in losses.items()})
    means = {name: torch.stack([losses[name] for losses in passes]).mean() for name in passes[0]}
    if "kl" in means:
        follow_divergence(stage, means["kl"])
    return means


def ppo_losses(stage, batch) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    count, advantages = len(batch.actions), batch.advantages.squeeze(-1)
    means = stage.actor.mean(mirrored(stage, batch.observations))
    latent, distribution = stage.actor.latent[:count], stage.actor.distribution
    distribution.update(means[:count])
    ratio = torch.exp(distribution.log_prob(batch.actions) - batch.old_actions_log_prob.squeeze(-1))
    clipped = ratio.clamp(1.0 - stage.clip_param, 1.0 + stage.clip_param)
    losses = {
        "surrogate": -torch.min(advantages * ratio, advantages * clipped).mean(),
        "entropy": -stage.entropy_coef * distribution.entropy.mean(),
        "value": value(stage, batch),
    }
    if stage.symmetry is not None:
        mirror, weight = stage.symmetry.data_augmentation_func, stage.symmetry.mirror_loss_coeff
        other = mirror(env=stage.env, obs=None, actions=means[count:])[1][count:]
        std = distribution.std_param[None]
        other_std = mirror(env=stage.env, obs=None, actions=std)[1][1:].abs()
        losses["mirror"] = weight * (means[:count] - other).square().mean()
        losses["mirror_std"] = stage.mirror_std_coeff * (std - other_std).square().mean()
    if stage.stage in ("train", "roa_train"):
        distance = (latent - batch.observations[LATENT]).square().mean()
        losses["adapt/reg"] = stage.reg_lambda * stage.progress * distance
    with torch.no_grad():
        kl = distribution.kl_divergence(batch.old_distribution_params, distribution.params).mean()
    return losses, kl


def value(stage, batch) -> torch.Tensor:
    values = stage.critic(mirrored(stage, batch.observations))
    returns = batch.returns.repeat(len(values) // len(batch.returns), 1)
    return stage.value_loss_coef * (values - returns).square().mean()


def mirrored(stage, obs):
    if stage.symmetry is None:
        return obs
    return stage.symmetry.data_augmentation_func(env=stage.env, obs=obs.exclude(LATENT), actions=None)[0]


def take_step(stage, loss, groups) -> None:
    stage.optimizer.zero_grad()
    loss.backward()
    learned = [list(module.parameters()) for name, module in stage.learned().items() if name in groups]
    if stage.is_multi_gpu:
        everything = [parameter for parameters in learned for parameter in parameters]
        reduce_gradients_in_buckets(everything, stage.gpu_world_size, stage.grad_reduce_bucket_mb)
    for parameters in learned:
        nn.utils.clip_grad_norm_(parameters, stage.max_grad_norm)
    stage.optimizer.step()


def follow_divergence(stage, kl) -> None:
    if stage.is_multi_gpu:
        torch.distributed.all_reduce(kl)
        kl /= stage.gpu_world_size
    if stage.schedule != "adaptive" or stage.progress < 0.1:
        return
    if kl.item() > 2.0 * stage.desired_kl:
        stage.learning_rate = max(1.0e-5, stage.learning_rate / 1.1)
    elif 0.0 < kl.item() < stage.desired_kl / 2.0:
        stage.learning_rate = min(5.0e-3, stage.learning_rate * 1.1)
    stage.optimizer.param_groups[0]["lr"] = stage.learning_rate


def estimate(stage) -> dict[str, torch.Tensor]:
    storage, passes = stage.storage, []
    starts = torch.zeros_like(storage.dones[..., 0], dtype=torch.bool)
    starts[1:] = storage.dones[:-1, :, 0].bool()
    hidden = None if stage._hidden is None else stage._hidden.clone()
    for _ in range(stage.estimator_epochs):
        for chosen in torch.randperm(storage.num_envs, device=stage.device).chunk(stage.num_mini_batches):
            memory = None if hidden is None else hidden[chosen]
            losses = estimator_losses(stage, storage.observations[:, chosen], starts[:, chosen], memory)
            take_step(stage, sum(losses.values()), ("adapt", "student"))
            passes.append({name: loss.detach() for name, loss in losses.items()})
    return {name: torch.stack([losses[name] for losses in passes]).mean() for name in passes[0]}


def estimator_losses(stage, obs, starts, memory) -> dict[str, torch.Tensor]:
    actor, flat = stage.actor, obs.flatten(0, 1)
    if stage.symmetry is not None:
        both = mirrored(stage, flat)
        predicted, target = actor.adapt_module(actor.seen(both)), actor.encoded(both)
    else:
        predicted, target = actor.adapt_module.sequence(actor.seen(obs), starts, memory), actor.encoded(obs)
    losses = {"adapt/estimator_loss": (predicted - target.detach()).square().mean()}
    if stage.stage == "roa_train":
        with torch.no_grad():
            wanted = actor.actor_teacher(torch.cat([actor.seen(flat), actor.encoded(flat)], dim=-1))
        student = actor.actor_student(torch.cat([actor.seen(flat), flat[LATENT]], dim=-1))
        losses["adapt/student"] = (student - wanted).square().mean()
    return losses
