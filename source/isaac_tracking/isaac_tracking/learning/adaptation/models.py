# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Teacher, student and critic as rsl_rl models; names and shapes are those of the three-stage tracker and HDMI.

Teacher and student are two ways through one set of networks, so that a checkpoint of any stage fits every other.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from rsl_rl.models import MLPModel
from rsl_rl.modules import HiddenState
from tensordict import TensorDict
from torch import nn

from .networks import ADAPT_MODULES, AdaptGRU, AdaptMLP, PolicyHead, mlp
from .student_graph import RememberingStudentGraph, StudentGraph
from .vecnorm import VecNorm

LATENT = "latent"
"""Key of the estimated latent among the observations of a rollout: what the adapt module said at that step."""


class AdaptationActor(MLPModel):
    """All networks of teacher and student; the children choose the way through them.

    Args:
        obs: Observations by group.
        obs_groups: Groups by set; the set ``priv`` is what the teacher sees beside the actor's.
        obs_set: The actor's set.
        output_dim: Numbers in an action.
        hidden_dims: Hidden layers of both actors.
        encoder_dims: Hidden layers of ``encoder_priv``.
        adapt_dims: Hidden layers of ``adapt_module``.
        latent_dim: Numbers in the latent.
        adapt_kind: A key of :data:`.networks.ADAPT_MODULES`.
        ema: Share of the adapt module that its running mean takes over at each update [-]; None for no running mean.
        distribution_cfg: Distribution of the actions, see :class:`.PolicyHead`; a standard deviation of 1 if None.
        decay: Memory of the normalizers, see :class:`.VecNorm`.

    Raises:
        ValueError: If the kind of adapt module is unknown.
    """

    adapt_module: AdaptMLP | AdaptGRU
    adapt_ema: AdaptMLP | AdaptGRU | None

    def __init__(
        self,
        obs: TensorDict,
        obs_groups: dict[str, list[str]],
        obs_set: str,
        output_dim: int,
        hidden_dims: Sequence[int] = (1024, 512, 512),
        encoder_dims: Sequence[int] = (512,),
        adapt_dims: Sequence[int] = (512, 512),
        latent_dim: int = 256,
        adapt_kind: str = "mlp",
        ema: float | None = None,
        distribution_cfg: Mapping[str, Any] | None = None,
        decay: float = 0.9999,
    ) -> None:
        # Not the parent's: of a plain MLP, only what asks the distribution is used.
        nn.Module.__init__(self)
        if adapt_kind not in ADAPT_MODULES:
            raise ValueError(f"adapt module '{adapt_kind}' is unknown; choose from {', '.join(ADAPT_MODULES)}")
        self.obs_groups, self.obs_dim = self._get_obs_dim(obs, obs_groups, obs_set)
        self.priv_groups, self.priv_dim = self._get_obs_dim(obs, obs_groups, "priv")
        self.latent_dim, self.ema = latent_dim, ema
        distribution_cfg = distribution_cfg or {"init_std": 1.0}
        self.policy_norm = VecNorm(self.obs_dim, decay)
        self.priv_norm = VecNorm(self.priv_dim, decay)
        self.encoder_priv = mlp(self.priv_dim, encoder_dims, latent_dim)
        self.adapt_module = ADAPT_MODULES[adapt_kind](self.obs_dim, latent_dim, adapt_dims)
        self.actor_teacher = PolicyHead(self.obs_dim + latent_dim, output_dim, hidden_dims, distribution_cfg)
        self.actor_student = PolicyHead(self.obs_dim + latent_dim, output_dim, hidden_dims, distribution_cfg)
        self.adapt_ema = None if ema is None else copy.deepcopy(self.adapt_module).requires_grad_(False)
        self.latent = torch.empty(0)
        """Latent of the last pass, shape (N, latent_dim)."""

    """
    The two ways.
    """

    @property
    def head(self) -> PolicyHead:
        """The actor of this way."""
        raise TypeError("AdaptationActor is no policy; use TeacherActor or StudentActor")

    def latent_of(self, obs: TensorDict, seen: torch.Tensor) -> torch.Tensor:
        """Return the latent of this way, shape (N, latent_dim).

        Args:
            obs: Observations by group.
            seen: The actor's groups, normalized, shape (N, obs_dim).
        """
        raise TypeError("AdaptationActor is no policy; use TeacherActor or StudentActor")

    def mean(self, obs: TensorDict) -> torch.Tensor:
        """Return the mean action, shape (N, output_dim), and keep the latent in :attr:`latent`."""
        seen = self.seen(obs)
        self.latent = self.latent_of(obs, seen)
        return self.head(torch.cat([seen, self.latent], dim=-1))

    def seen(self, obs: TensorDict) -> torch.Tensor:
        """Return the actor's groups, normalized, shape (..., obs_dim)."""
        return self.policy_norm(torch.cat([obs[group] for group in self.obs_groups], dim=-1))

    def encoded(self, obs: TensorDict) -> torch.Tensor:
        """Return the latent that the privileged groups give, shape (..., latent_dim)."""
        return self.encoder_priv(self.priv_norm(torch.cat([obs[group] for group in self.priv_groups], dim=-1)))

    @property
    def estimator(self) -> AdaptMLP | AdaptGRU:
        """What the student infers the latent with: the running mean of the adapt module, if there is one."""
        return self.adapt_module if self.adapt_ema is None else self.adapt_ema

    def copy_teacher_to_student(self) -> None:
        """Let the student begin as the teacher, standard deviation and all."""
        self.actor_student.load_state_dict(self.actor_teacher.state_dict())

    @torch.no_grad()
    def follow_adapt_module(self) -> None:
        """Move the running mean towards the adapt module (HDMI)."""
        if self.adapt_ema is None or self.ema is None:
            return
        for mean, now in zip(self.adapt_ema.parameters(), self.adapt_module.parameters(), strict=True):
            mean.lerp_(now, self.ema)

    """
    What rsl_rl asks of a model.
    """

    @property
    def distribution(self):  # type: ignore[override]
        """Distribution of the actions of this way."""
        return self.head.distribution

    def forward(
        self,
        obs: TensorDict,
        masks: torch.Tensor | None = None,
        hidden_state: HiddenState = None,
        stochastic_output: bool = False,
    ) -> torch.Tensor:
        """Return actions, shape (N, output_dim): sampled, or the means."""
        mean = self.mean(obs)
        if not stochastic_output:
            return mean
        self.distribution.update(mean)
        return self.distribution.sample()

    def reset(self, dones: torch.Tensor | None = None, hidden_state: HiddenState = None) -> None:
        """Forget the episodes that ended, shape (N,); all if None."""
        self.adapt_module.reset(dones)
        if self.adapt_ema is not None:
            self.adapt_ema.reset(dones)

    def update_normalization(self, obs: TensorDict, steps: int = 1) -> None:
        """Take observations into the statistics, unless they stand still.

        Args:
            obs: Observations by group, each of shape (N, ...).
            steps: Number of control steps they come from.
        """
        self.policy_norm.update(torch.cat([obs[group] for group in self.obs_groups], dim=-1), steps)
        self.priv_norm.update(torch.cat([obs[group] for group in self.priv_groups], dim=-1), steps)

    def as_jit(self) -> nn.Module:
        """Return what TorchScript can hold."""
        return self.as_onnx(verbose=False)

    def as_onnx(self, verbose: bool) -> nn.Module:
        """Return what can be deployed.

        Raises:
            ValueError: If this is the teacher, which sees what no robot can.
        """
        raise ValueError(
            "a teacher cannot be exported, since it sees what a robot cannot sense; export a student:"
            " Isaac-Tracking-G1-Student-v0 or -Student-Adapt-v0 (train.sh --pipeline makes them)"
        )


class TeacherActor(AdaptationActor):
    """Sees the privileged groups through ``encoder_priv``."""

    @property
    def head(self) -> PolicyHead:
        """The teacher."""
        return self.actor_teacher

    def latent_of(self, obs: TensorDict, seen: torch.Tensor) -> torch.Tensor:
        """Return the latent of the privileged groups, shape (N, latent_dim)."""
        return self.encoded(obs)


class StudentActor(AdaptationActor):
    """Infers the latent from the actor's own groups through ``adapt_module``."""

    @property
    def head(self) -> PolicyHead:
        """The student."""
        return self.actor_student

    def latent_of(self, obs: TensorDict, seen: torch.Tensor) -> torch.Tensor:
        """Return the latent that was estimated in the rollout, or else estimate it, shape (N, latent_dim)."""
        # A TensorDict has keys; it contains tensors.
        return obs[LATENT] if LATENT in obs.keys() else self.estimator(seen)  # noqa: SIM118

    def as_onnx(self, verbose: bool) -> nn.Module:
        """Return the student alone: normalizer, adapt module, actor."""
        return RememberingStudentGraph(self) if self.adapt_module.is_recurrent else StudentGraph(self)

    @property
    def memory(self) -> torch.Tensor | None:
        """What the estimator remembers of the steps before, shape (N, latent_dim); None for nothing."""
        return self.estimator.hidden()


class Critic(MLPModel):
    """Values of what is known in simulation, one for each group of rewards.

    Args:
        obs: Observations by group.
        obs_groups: Groups by set.
        obs_set: The critic's set.
        output_dim: Number of values: reward groups.
        hidden_dims: Hidden layers.
        distribution_cfg: None, as values are numbers.
        decay: Memory of the normalizer, see :class:`.VecNorm`.
    """

    def __init__(
        self,
        obs: TensorDict,
        obs_groups: dict[str, list[str]],
        obs_set: str,
        output_dim: int,
        hidden_dims: Sequence[int] = (1024, 512, 512),
        distribution_cfg: None = None,
        decay: float = 0.9999,
    ) -> None:
        # Not the parent's: a plain MLP has neither layer norm nor this normalizer.
        nn.Module.__init__(self)
        self.obs_groups, self.obs_dim = self._get_obs_dim(obs, obs_groups, obs_set)
        self.distribution = None
        self.norm = VecNorm(self.obs_dim, decay)
        self.net = mlp(self.obs_dim, hidden_dims, output_dim)

    def forward(
        self,
        obs: TensorDict,
        masks: torch.Tensor | None = None,
        hidden_state: HiddenState = None,
        stochastic_output: bool = False,
    ) -> torch.Tensor:
        """Return values, shape (N, output_dim)."""
        return self.net(self.norm(torch.cat([obs[group] for group in self.obs_groups], dim=-1)))

    def update_normalization(self, obs: TensorDict, steps: int = 1) -> None:
        """Take observations into the statistics, unless they stand still; see the actor's."""
        self.norm.update(torch.cat([obs[group] for group in self.obs_groups], dim=-1), steps)
