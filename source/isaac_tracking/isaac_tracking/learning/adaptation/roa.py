# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Online adaptation (HDMI's ``ppo_roa``): the student learns beside the teacher, and adapts for ever.

=============  ==================  ===================================
network        ROA TRAIN           ROA FINETUNE
=============  ==================  ===================================
encoder_priv   PPO                 frozen (target)
actor_teacher  PPO                 not used
actor_student  to be like the      PPO
               teacher
critic         PPO                 PPO
adapt_module   supervised          supervised
adapt_ema      its running mean    its running mean; the student's eyes
normalizers    move                stand still
=============  ==================  ===================================
"""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import nn

from .models import LATENT, StudentActor
from .stage import Stage
from .stages import Train


class RoaTrain(Train):
    """The teacher learns by PPO; adapt module and student learn online to be like it."""

    stage = "roa_train"
    follows = ()

    def learned(self) -> dict[str, nn.Module]:
        """Return the networks that learn."""
        return super().learned() | {"student": self.actor.actor_student}

    def estimator_losses(
        self, obs: TensorDict, starts: torch.Tensor, hidden: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """Return how far the adapt module is from the encoder, and the student from the teacher."""
        losses = super().estimator_losses(obs, starts, hidden)
        actor, obs = self.actor, obs.flatten(0, 1)
        with torch.no_grad():
            seen = actor.seen(obs)
            wanted = actor.actor_teacher(torch.cat([seen, actor.encoded(obs)], dim=-1))
        student = actor.actor_student(torch.cat([seen, obs[LATENT]], dim=-1))
        return losses | {"adapt/student": (student - wanted).square().mean()}

    def after_ppo(self) -> dict[str, torch.Tensor]:
        """Train adapt module and student, and move the running mean."""
        losses = super().after_ppo()
        self.actor.follow_adapt_module()
        return losses


class RoaFinetune(Stage):
    """The student learns by PPO, while the adapt module goes on learning to say what the encoder says."""

    stage = "roa_finetune"
    follows = ("roa_train",)
    actor: StudentActor

    def learned(self) -> dict[str, nn.Module]:
        """Return the networks that learn."""
        return {"actor": self.actor.actor_student, "critic": self.critic, "adapt": self.actor.adapt_module}

    def after_ppo(self) -> dict[str, torch.Tensor]:
        """Train the adapt module, and move its running mean."""
        losses = self.estimate()
        self.actor.follow_adapt_module()
        return losses
