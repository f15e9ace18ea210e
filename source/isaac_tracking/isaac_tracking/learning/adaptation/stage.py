# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What all stages share: a rollout that keeps the estimated latents, PPO's update, and the adapt module's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from rsl_rl.env import VecEnv
from rsl_rl.extensions import resolve_symmetry_config
from rsl_rl.utils import resolve_class, resolve_obs_groups
from tensordict import TensorDict
from torch import nn

from ..graphed_ppo import Drawn
from .models import LATENT
from .order import check_start
from .rewards import GroupedStorage, RewardGroups
from .stage_losses import StageLosses
from .stage_minibatches import StageMinibatches
from .vecnorm import MODES

_LEARNING_RATES = (1.0e-5, 5.0e-3)
_LEARNING_RATE_FACTOR = 1.1
_SETTLED = 0.1
"""Share of the updates before the learning rate begins to follow the divergence."""


class Stage(StageLosses):
    """A stage of adaptation under the stock runner; the children say which networks learn, and from what.

    PPO as in the three-stage tracker: the divergence from the old policy moves the learning rate once an update and
    the actor's alone, values are not clipped, the entropy's weight decays exponentially over the run. With symmetry,
    the critic learns from each step and its mirror image, and the actor is drawn to mirrored actions for mirrored
    observations.

    On a GPU the host launches one graph for each minibatch, and one for a step's actions if the adapt module remembers
    nothing; what it needs to know of an update it asks for once, at its end.

    Of PPO's settings, those in :attr:`fixed` have no effect.

    Args:
        *args: See :class:`rsl_rl.algorithms.PPO`.
        entropy_coef_end: Weight of the entropy at the end of the run [-]; ``entropy_coef`` is the one at its beginning.
        estimator_epochs: Passes over a rollout in which the adapt module learns.
        estimator_learning_rate: Learning rate of the adapt module, and of a student that learns with it [-].
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
    fixed: Mapping[str, Any] = {
        "optimizer": "adam",
        "use_clipped_value_loss": False,
        "normalize_advantage_per_mini_batch": False,
        "use_mixed_precision": False,
        "share_cnn_encoders": False,
        "rnd_cfg": None,
    }
    """Settings of PPO that a stage does not look at, and what it does."""

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
        shared = critic_learning_rate is None
        rates = {"actor": self.learning_rate, "critic": self.learning_rate if shared else critic_learning_rate}
        groups = [
            {"params": list(module.parameters()), "lr": rates.get(name, estimator_learning_rate), "name": name}
            for name, module in self.learned().items()
        ]
        # One optimizer: a network without gradients in a pass is left alone by it.
        self.optimizer = torch.optim.Adam(groups)
        # The one that is logged; without PPO there is no actor's.
        self.learning_rate = groups[0]["lr"]
        self.rate_settings: Mapping[str, tuple[str, ...]] = {
            "actor": ("learning_rate",),
            "critic": ("critic_learning_rate", "learning_rate") if shared else ("critic_learning_rate",),
            "adapt": ("estimator_learning_rate",),
            "student": ("estimator_learning_rate",),
        }
        """Settings that decide the learning rate of each group of the optimizer, by the group's name."""
        self._hidden: torch.Tensor | None = None
        self.weights = {}
        self.weigh()

    @classmethod
    def construct_algorithm(  # type: ignore[override]
        cls, obs: TensorDict, env: VecEnv, cfg: dict, device: str
    ) -> Stage:
        """Construct models, storage and stage as the config says."""
        alg_class, alg_cfg = resolve_class(cfg["algorithm"])
        actor_class, actor_cfg = resolve_class(cfg["actor"])
        critic_class, critic_cfg = resolve_class(cfg["critic"])
        cfg["obs_groups"] = resolve_obs_groups(obs, cfg["obs_groups"], ["actor", "critic", "priv"])
        # PPO would build an RND for the one, and does not know the other.
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

    @property
    def captures_acting(self) -> bool:
        """Whether acting is captured: a graph does not know what the adapt module remembers."""
        return super().captures_acting and not self.actor.adapt_module.is_recurrent

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Sample actions and keep what PPO needs."""
        drawn = self.replayed(obs) if self.captures_acting else self.draw(obs)
        kept = obs.clone(recurse=False)
        kept[LATENT] = drawn.latent
        return self.keep(kept, drawn)

    def draw(self, obs: TensorDict) -> Drawn:
        """Return what the networks say of observations, and the latent."""
        obs = self.remember(obs)
        return super().draw(obs)._replace(latent=obs[LATENT])

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, torch.Tensor]
    ) -> None:
        """Keep the rewards of a step by group, and add what a time-out cuts off.

        Args:
            obs: Observations by group after the step, each of shape (num_envs, ...); nobody asks for them here.
            rewards: Rewards of the step, all terms together, shape (num_envs,).
            dones: 1 where the episode ended, shape (num_envs,).
            extras: ``time_outs``, shape (num_envs,): 1 where it ended because its time was over.
        """
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
        self.weigh()
        with self.minibatches.learning():
            losses = self.ppo() | self.after_ppo()
        steps = self.storage.num_transitions_per_env
        seen = self.storage.observations.flatten(0, 1)
        self.actor.update_normalization(seen, steps)
        self.critic.update_normalization(seen, steps)
        self.storage.clear()
        if self.is_multi_gpu and "kl" in losses:
            torch.distributed.all_reduce(losses["kl"])
            losses["kl"] /= self.gpu_world_size
        # The only wait for the device.
        numbers = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        if "kl" in numbers:
            self._follow_divergence(numbers["kl"])
        self.count_update()
        return numbers

    @property
    def minibatches(self) -> StageMinibatches:
        """What the networks learn by."""
        if self._minibatches is None:
            self._minibatches = StageMinibatches(self)
        return self._minibatches

    def ppo(self) -> dict[str, torch.Tensor]:
        """Do PPO's passes over the rollout, and return the mean losses by name."""
        return self.minibatches.ppo() if self.actor_learns else self.minibatches.critic_alone()

    def estimate(self) -> dict[str, torch.Tensor]:
        """Train the adapt module to say what the encoder says, and return its losses by name."""
        return self.minibatches.estimate(self._hidden)

    def _follow_divergence(self, divergence: float) -> None:
        """Move the actor's learning rate, once an update, towards the wanted divergence, if one is wanted."""
        if self.schedule != "adaptive" or self.desired_kl is None or self.progress < _SETTLED:
            return
        lowest, highest = _LEARNING_RATES
        if divergence > 2.0 * self.desired_kl:
            self.learning_rate = max(lowest, self.learning_rate / _LEARNING_RATE_FACTOR)
        elif 0.0 < divergence < self.desired_kl / 2.0:
            self.learning_rate = min(highest, self.learning_rate * _LEARNING_RATE_FACTOR)
        self.optimizer.param_groups[0]["lr"] = self.learning_rate

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
            load_cfg: What to take of it; None for all that fits the stage. Only what trains on takes the ``iteration``,
                and then of another stage no more than the networks.
            strict: Whether the networks must have the same parts.

        Returns:
            Whether the iteration goes on too.

        Raises:
            RunError: If the stage cannot begin with that checkpoint.
        """
        saved = loaded_dict.get("stage")
        if saved != self.stage and (load_cfg is None or load_cfg.get("iteration")):
            check_start(self.stage, self.follows, saved)
            load_cfg = {"actor": True, "critic": True}
        return super().load(loaded_dict, load_cfg, strict)
