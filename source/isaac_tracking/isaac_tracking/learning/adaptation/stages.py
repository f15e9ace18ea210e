# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""TRAIN, ADAPT and FINETUNE of the three-stage tracker (Axellwppr/motion_tracking, ``learning/ppo``).

=============  ==================  ================  =============================================
network        TRAIN               ADAPT             FINETUNE
=============  ==================  ================  =============================================
encoder_priv   PPO                 frozen (target)   not used
actor_teacher  PPO                 not used          not used
actor_student  not used            frozen            PPO, after the first 2.5 % of the updates
critic         PPO                 not used          PPO
adapt_module   supervised          supervised        frozen
normalizers    move                stand still       stand still
=============  ==================  ================  =============================================
"""

from __future__ import annotations

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict
from torch import nn

from ..graphed_ppo import Drawn
from .models import LATENT, StudentActor, TeacherActor
from .stage import Stage


class Train(Stage):
    """The teacher learns by PPO, and the adapt module to say what the teacher's encoder says.

    Over the run the encoder is drawn to what the adapt module can infer: ``reg_lambda`` times the progress times the
    mean squared difference of the two latents.
    """

    stage = "train"
    follows = ()
    actor: TeacherActor

    def __init__(self, *args, reg_lambda: float = 0.2, **kwargs) -> None:
        """Construct the stage; ``reg_lambda`` is the weight at its end [-], the rest :class:`.Stage`'s."""
        self.reg_lambda = reg_lambda
        super().__init__(*args, **kwargs)

    def learned(self) -> dict[str, nn.Module]:
        """Return the networks that learn."""
        actor = self.actor
        return {
            "actor": nn.ModuleList([actor.encoder_priv, actor.actor_teacher]),
            "critic": self.critic,
            "adapt": actor.adapt_module,
        }

    def moving_weights(self) -> dict[str, float]:
        """Return the weights of losses that move over the run, as of now, by name [-]."""
        return super().moving_weights() | {"reg": self.reg_lambda * self.progress}

    def extra_loss(self, batch: RolloutStorage.Batch) -> dict[str, torch.Tensor]:
        """Return the regularization of the latent."""
        assert batch.observations is not None
        latent = self.actor.latent[: len(batch.observations)]
        # The adapt module does not change before PPO is done, so what it said in the rollout is what it says now.
        distance = (latent - batch.observations[LATENT]).square().mean()
        return {"adapt/reg": self.weights["reg"] * distance}

    def after_ppo(self) -> dict[str, torch.Tensor]:
        """Train the adapt module."""
        return self.estimate()


class StudentStage(Stage):
    """A stage of the student, who begins as the teacher."""

    actor: StudentActor

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Load a checkpoint; of a teacher's, the student takes the teacher's weights over. See :meth:`.Stage.load`."""
        goes_on = super().load(loaded_dict, load_cfg, strict)
        if loaded_dict.get("stage") == Train.stage:
            self.actor.copy_teacher_to_student()
        return goes_on


class Adapt(StudentStage):
    """The adapt module learns where the student goes; nothing else changes."""

    stage = "adapt"
    follows = ("train",)

    def learned(self) -> dict[str, nn.Module]:
        """Return the networks that learn."""
        return {"adapt": self.actor.adapt_module}

    def draw(self, obs: TensorDict) -> Drawn:
        """Sample the student's actions; no value is needed."""
        obs = self.remember(obs)
        actions = self.actor(obs, stochastic_output=True).detach()
        nothing = obs[LATENT].new_zeros(len(obs), self.num_values)
        return Drawn(actions, nothing, nothing[:, 0], (), obs[LATENT])

    def compute_returns(self, obs: TensorDict) -> None:
        """Do nothing: nobody asks what the actions were worth."""

    def ppo(self) -> dict[str, torch.Tensor]:
        """Do nothing: this stage is supervised learning."""
        return {}

    def after_ppo(self) -> dict[str, torch.Tensor]:
        """Train the adapt module."""
        return self.estimate()


class Finetune(StudentStage):
    """The student learns by PPO, with the adapt module as it is; the critic alone at first."""

    stage = "finetune"
    follows = ("adapt",)

    def __init__(self, *args, critic_share: float = 0.025, **kwargs) -> None:
        """Construct the stage; ``critic_share`` is the share of the updates for the critic alone [-]."""
        super().__init__(*args, **kwargs)
        self.critic_share = critic_share

    def learned(self) -> dict[str, nn.Module]:
        """Return the networks that learn."""
        return {"actor": self.actor.actor_student, "critic": self.critic}

    @property
    def actor_learns(self) -> bool:
        """Whether the critic has had its time alone."""
        return self.progress > self.critic_share
