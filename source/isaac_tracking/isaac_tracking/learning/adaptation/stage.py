# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What all stages share: a rollout that keeps the estimated latents, PPO's update, and the adapt module's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from rsl_rl.env import VecEnv
from rsl_rl.extensions import resolve_symmetry_config
from rsl_rl.storage import RolloutStorage
from rsl_rl.utils import reduce_gradients_in_buckets, resolve_class, resolve_obs_groups
from tensordict import TensorDict
from torch import nn

from ..ppo import PPO
from .models import LATENT, AdaptationActor, Critic
from .order import check_start
from .rewards import GroupedStorage, RewardGroups
from .vecnorm import MODES

_LEARNING_RATES = (1.0e-5, 5.0e-3)
_LEARNING_RATE_FACTOR = 1.1
_SETTLED = 0.1
"""Share of the updates before the learning rate begins to follow the divergence."""


class Stage(PPO):
    """A stage of adaptation under the stock runner; the children say which networks learn, and from what.

    PPO as in the three-stage tracker: the divergence from the old policy moves the learning rate once an update and
    the actor's alone, values are not clipped, the entropy's weight decays exponentially over the run. With symmetry,
    the critic learns from each step and its mirror image, and the actor is drawn to mirrored actions for mirrored
    observations.

    Args:
        *args: See :class:`rsl_rl.algorithms.PPO`.
        entropy_coef_end: Weight of the entropy at the end of the run [-]; ``entropy_coef`` is the one at its beginning.
        estimator_epochs: Passes over a rollout in which the adapt module learns.
        estimator_learning_rate: The adapt module's learning rate [-].
        critic_learning_rate: The critic's learning rate [-]; the actor's at its start if None.
        mirror_std_coeff: Weight of the squared difference of the standard deviations of left and right [-].
        vecnorm: ``"train"`` or ``"eval"``: whether the normalizers' statistics move.
        reward_groups: Names of reward terms by group, for a critic with a value each; None for one value.
        **kwargs: See :class:`rsl_rl.algorithms.PPO`.

    Raises:
        ValueError: If a setting makes no sense, or a network that is to stay as it is would learn.
    """

    stage: str = ""
    """Name of the stage, kept in its checkpoints."""
    follows: tuple[str, ...] = ()
    """Stages whose checkpoints it can begin with; none if it begins from nothing."""
    actor: AdaptationActor
    critic: Critic
    # Its rollout and its update are its own.
    graphable = False

    def __init__(
        self,
        *args,
        entropy_coef_end: float | None = None,
        estimator_epochs: int = 2,
        estimator_learning_rate: float = 5.0e-4,
        critic_learning_rate: float | None = None,
        mirror_std_coeff: float = 10.0,
        vecnorm: str = "train",
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        if vecnorm not in MODES:
            raise ValueError(f"vecnorm '{vecnorm}' is unknown; choose from {', '.join(MODES)}")
        if self.symmetry is not None and self.actor.adapt_module.is_recurrent:
            raise ValueError("symmetry needs an adapt module without memory; give agent.actor.adapt_kind=mlp")
        self.entropy_coefs = (self.entropy_coef, self.entropy_coef if entropy_coef_end is None else entropy_coef_end)
        self.estimator_epochs = estimator_epochs
        self.mirror_std_coeff = mirror_std_coeff
        self.reward_groups: RewardGroups | None = None
        self._freeze(vecnorm == "train")
        critic_rate = critic_learning_rate or self.learning_rate
        rates = {"actor": self.learning_rate, "critic": critic_rate}
        groups = [
            {"params": list(module.parameters()), "lr": rates.get(name, estimator_learning_rate), "name": name}
            for name, module in self.learned().items()
        ]
        # One optimizer: a network without gradients in a pass is left alone by it.
        self.optimizer = torch.optim.Adam(groups)
        self._hidden: torch.Tensor | None = None

    @classmethod
    def construct_algorithm(  # type: ignore[override]
        cls, obs: TensorDict, env: VecEnv, cfg: dict, device: str
    ) -> Stage:
        """Construct models, storage and stage as the config says."""
        alg_class, alg_cfg = resolve_class(cfg["algorithm"])
        actor_class, actor_cfg = resolve_class(cfg["actor"])
        critic_class, critic_cfg = resolve_class(cfg["critic"])
        cfg["obs_groups"] = resolve_obs_groups(obs, cfg["obs_groups"], ["actor", "critic", "priv"])
        for name in ("rnd_cfg", "share_cnn_encoders"):
            alg_cfg.pop(name, None)
        names = alg_cfg.pop("reward_groups", None)
        groups = RewardGroups(env, names) if names else None
        alg_cfg = resolve_symmetry_config(alg_cfg, env)
        actor = actor_class(obs, cfg["obs_groups"], "actor", env.num_actions, **actor_cfg).to(device)
        critic = critic_class(obs, cfg["obs_groups"], "critic", len(groups) if groups else 1, **critic_cfg).to(device)
        kept = obs.clone(recurse=False)
        kept[LATENT] = torch.zeros(env.num_envs, actor.latent_dim, device=device)
        storage = GroupedStorage(
            len(groups) if groups else 1, env.num_envs, cfg["num_steps_per_env"], kept, env.num_actions, device
        )
        alg = alg_class(actor, critic, storage, device=device, **alg_cfg, multi_gpu_cfg=cfg["multi_gpu"])
        alg.env, alg.reward_groups = env, groups
        alg.planned_updates = cfg.get("max_iterations") or 1
        alg.compile(cfg.get("torch_compile_mode"))
        return alg

    """
    What a stage decides.
    """

    def learned(self) -> dict[str, nn.Module]:
        """Return the networks that learn: ``actor``, ``critic`` (by PPO), ``adapt``, ``student`` (supervised)."""
        raise TypeError("Stage is no stage; use Train, Adapt, Finetune, RoaTrain or RoaFinetune")

    @property
    def actor_learns(self) -> bool:
        """Whether PPO changes the actor in this update."""
        return True

    def extra_loss(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        """Return what is added to PPO's loss, by name."""
        return {}

    def after_ppo(self) -> dict[str, torch.Tensor]:
        """Learn what PPO does not, and return the losses by name."""
        return {}

    def _freeze(self, statistics_move: bool) -> None:
        """Let only the stage's networks learn.

        Raises:
            ValueError: If the statistics in front of a frozen network would move.
        """
        learned = {parameter for module in self.learned().values() for parameter in module.parameters()}
        for parameter in (*self.actor.parameters(), *self.critic.parameters()):
            parameter.requires_grad_(parameter in learned)
        if statistics_move and self.follows:
            raise ValueError(
                f"stage '{self.stage}' would move the statistics in front of networks that stay as they are;"
                " give agent.algorithm.vecnorm=eval"
            )
        for norm in (self.actor.policy_norm, self.actor.priv_norm, self.critic.norm):
            norm.moving = statistics_move

    """
    The rollout.
    """

    @property
    def num_values(self) -> int:
        """Number of values: reward groups."""
        return self.storage.values.shape[-1]

    def remember(self, obs: TensorDict) -> TensorDict:
        """Return the observations together with the latent that is inferred from them."""
        if self.storage.step == 0:
            self._hidden = self.actor.adapt_module.hidden()
        obs, seen = obs.clone(recurse=False), self.actor.seen(obs)
        obs[LATENT] = self.actor.estimator(seen)
        if self.actor.adapt_module.is_recurrent and self.actor.adapt_ema is not None:
            # What the module that learns remembers goes along with its running mean.
            self.actor.adapt_module(seen)
        return obs

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Sample actions and keep what PPO needs."""
        return super().act(self.remember(obs))

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, torch.Tensor]
    ) -> None:
        """Keep the rewards of a step by group, and add what a time-out cuts off."""
        transition = self.transition
        transition.rewards = rewards[:, None].clone() if self.reward_groups is None else self.reward_groups.rewards()
        transition.dones = dones
        if "time_outs" in extras:
            cut = transition.values * extras["time_outs"].unsqueeze(1).to(self.device)  # type: ignore[operator]
            transition.rewards = transition.rewards + self.gamma * cut
        self.storage.add_transition(transition)
        transition.clear()
        self.actor.reset(dones)

    def compute_returns(self, obs: TensorDict) -> None:
        """Compute returns and advantages; those of the groups add up."""
        storage, following = self.storage, self.critic(obs).detach()
        advantage = torch.zeros_like(following)
        for step in reversed(range(storage.num_transitions_per_env)):
            goes_on = 1.0 - storage.dones[step].float()
            delta = storage.rewards[step] + goes_on * self.gamma * following - storage.values[step]
            advantage = delta + goes_on * self.gamma * self.lam * advantage
            storage.returns[step] = advantage + storage.values[step]
            following = storage.values[step]
        total = (storage.returns - storage.values).sum(dim=-1, keepdim=True)
        storage.advantages = (total - total.mean()) / (total.std() + 1e-8)

    """
    The update.
    """

    def update(self) -> dict[str, float]:
        """Learn from the rollout, and return the mean losses by name."""
        start, end = self.entropy_coefs
        self.entropy_coef = start * (end / start) ** self.progress if start > 0.0 else 0.0
        losses = self.ppo() | self.after_ppo()
        steps = self.storage.num_transitions_per_env
        seen = self.storage.observations.flatten(0, 1)
        self.actor.update_normalization(seen, steps)
        self.critic.update_normalization(seen, steps)
        self.storage.clear()
        self.count_update()
        # One transfer from the device.
        return dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))

    def ppo(self) -> dict[str, torch.Tensor]:
        """Do PPO's passes over the rollout, and return the mean losses by name."""
        passes: list[dict[str, torch.Tensor]] = []
        for batch in self.storage.mini_batch_generator(self.num_mini_batches, self.num_learning_epochs):
            losses = self._losses(batch) if self.actor_learns else self._value_losses(batch)
            divergence = losses.pop("kl", None)
            self.step(sum(losses.values()), ("actor", "critic") if self.actor_learns else ("critic",))  # type: ignore[arg-type]
            if self.actor_learns:
                self.actor.head.clamp_std()
            detached = {name: loss.detach() for name, loss in losses.items()}
            passes.append(detached if divergence is None else detached | {"kl": divergence})
        means = mean_of_passes(passes)
        if "kl" in means:
            self._follow_divergence(means["kl"])
        return means

    def step(self, loss: torch.Tensor, groups: tuple[str, ...]) -> None:
        """Take an optimizer step for some of the groups: gradients of all ranks averaged, their norms capped."""
        self.optimizer.zero_grad()
        loss.backward()
        learned = {name: list(module.parameters()) for name, module in self.learned().items() if name in groups}
        if self.is_multi_gpu:
            everything = [parameter for parameters in learned.values() for parameter in parameters]
            reduce_gradients_in_buckets(everything, self.gpu_world_size, self.grad_reduce_bucket_mb)
        for parameters in learned.values():
            nn.utils.clip_grad_norm_(parameters, self.max_grad_norm)
        self.optimizer.step()

    def _losses(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        """Return the parts of the loss, weighted, and the divergence from the old policy as ``kl``."""
        actions, advantages, old_log_prob = batch.actions, batch.advantages, batch.old_actions_log_prob
        assert batch.observations is not None and batch.returns is not None
        assert actions is not None and advantages is not None and old_log_prob is not None
        count, advantages, both = len(actions), advantages.squeeze(-1), self._with_mirror(batch.observations)
        means = self.actor.mean(both)
        distribution = self.actor.distribution
        distribution.update(means[:count])
        ratio = torch.exp(distribution.log_prob(actions) - old_log_prob.squeeze(-1))
        clipped = ratio.clamp(1.0 - self.clip_param, 1.0 + self.clip_param)
        losses = {
            "surrogate": -torch.min(advantages * ratio, advantages * clipped).mean(),
            "entropy": -self.entropy_coef * distribution.entropy.mean(),
            "value": self._value_loss(both, batch.returns),
        }
        if self.symmetry is not None:
            losses |= self._mirror_losses(means, count)
        losses |= self.extra_loss(batch)
        with torch.no_grad():
            losses["kl"] = distribution.kl_divergence(batch.old_distribution_params, distribution.params).mean()
        return losses

    def _value_losses(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        assert batch.observations is not None and batch.returns is not None
        return {"value": self._value_loss(self._with_mirror(batch.observations), batch.returns)}

    def _value_loss(self, obs: TensorDict, returns: torch.Tensor) -> torch.Tensor:
        values = self.critic(obs)
        times = len(values) // len(returns)
        return self.value_loss_coef * (values - returns.repeat(times, 1)).square().mean()

    def _with_mirror(self, obs: TensorDict) -> TensorDict:
        """Return observations followed by their mirror images; as they are without symmetry."""
        if self.symmetry is None:
            return obs
        return self.symmetry.data_augmentation_func(env=self.env, obs=obs.exclude(LATENT), actions=None)[0]

    def _mirror_losses(self, means: torch.Tensor, count: int) -> dict[str, torch.Tensor]:
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

    def _follow_divergence(self, divergence: torch.Tensor) -> None:
        """Move the actor's learning rate, once an update, towards the wanted divergence."""
        if self.is_multi_gpu:
            torch.distributed.all_reduce(divergence)
            divergence /= self.gpu_world_size
        if self.schedule != "adaptive" or self.progress < _SETTLED:
            return
        kl, (lowest, highest) = divergence.item(), _LEARNING_RATES
        if kl > 2.0 * self.desired_kl:
            self.learning_rate = max(lowest, self.learning_rate / _LEARNING_RATE_FACTOR)
        elif 0.0 < kl < self.desired_kl / 2.0:
            self.learning_rate = min(highest, self.learning_rate * _LEARNING_RATE_FACTOR)
        self.optimizer.param_groups[0]["lr"] = self.learning_rate

    """
    The adapt module's update.
    """

    def estimate(self) -> dict[str, torch.Tensor]:
        """Train the adapt module to say what the encoder says, and return its losses by name."""
        passes = []
        for obs, starts, hidden in self.sequences():
            losses = self.estimator_losses(obs, starts, hidden)
            self.step(sum(losses.values()), ("adapt", "student"))  # type: ignore[arg-type]
            passes.append({name: loss.detach() for name, loss in losses.items()})
        return mean_of_passes(passes)

    def sequences(self) -> Iterator[tuple[TensorDict, torch.Tensor, torch.Tensor | None]]:
        """Yield the rollouts of some environments at a time.

        Yields:
            Observations, shape (T, N, ...); whether an episode starts with a step, shape (T, N); what the adapt module
            remembered before the rollout, shape (N, latent_dim), or None.
        """
        storage = self.storage
        starts = torch.zeros_like(storage.dones[..., 0], dtype=torch.bool)
        starts[1:] = storage.dones[:-1, :, 0].bool()
        hidden = None if self._hidden is None else self._hidden.clone()
        for _ in range(self.estimator_epochs):
            for chosen in torch.randperm(storage.num_envs, device=self.device).chunk(self.num_mini_batches):
                yield storage.observations[:, chosen], starts[:, chosen], None if hidden is None else hidden[chosen]

    def estimator_losses(
        self, obs: TensorDict, starts: torch.Tensor, hidden: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """Return how far the adapt module is from the encoder; see :meth:`sequences`."""
        if self.symmetry is not None:
            obs = self._with_mirror(obs.flatten(0, 1))
            predicted = self.actor.adapt_module(self.actor.seen(obs))
        else:
            predicted = self.actor.adapt_module.sequence(self.actor.seen(obs), starts, hidden)
        with torch.no_grad():
            target = self.actor.encoded(obs)
        return {"adapt/estimator_loss": (predicted - target).square().mean()}

    """
    Checkpoints.
    """

    def save(self) -> dict:
        """Return all that a run needs to go on, and which stage it is."""
        return super().save() | {"stage": self.stage}

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Go on with a checkpoint of this stage, or begin with one of a stage before.

        Args:
            loaded_dict: What the checkpoint holds.
            load_cfg: What to take of it; None for all that fits the stage.
            strict: Whether the networks must have the same parts.

        Returns:
            Whether the iteration goes on too.

        Raises:
            RunError: If the stage cannot begin with that checkpoint.
        """
        saved = loaded_dict.get("stage")
        if load_cfg is None and saved != self.stage:
            check_start(self.stage, self.follows, saved)
            load_cfg = {"actor": True, "critic": True}
        return super().load(loaded_dict, load_cfg, strict)


def mean_of_passes(passes: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the mean of each loss over the passes, on the device."""
    return {name: torch.stack([losses[name] for losses in passes]).mean() for name in passes[0]} if passes else {}
