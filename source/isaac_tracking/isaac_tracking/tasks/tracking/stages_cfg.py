# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Networks and stages as data, for agent configs."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.utils import configclass

from ..agent_cfg import GaussianCfg, PpoAlgorithmCfg

_MODELS = "isaac_tracking.learning.adaptation.models"


@configclass
class AdaptationActorCfg:
    """Teacher, student, and what connects them; sizes of the three-stage tracker."""

    class_name: str = MISSING
    """Which way through the networks acts: :data:`TEACHER` or :data:`STUDENT`."""

    hidden_dims: list[int] = [1024, 512, 512]
    """Hidden layers of ``actor_teacher`` and ``actor_student``."""

    encoder_dims: list[int] = [512]
    """Hidden layers of ``encoder_priv``."""

    adapt_dims: list[int] = [512, 512]
    """Hidden layers of ``adapt_module``."""

    latent_dim: int = 256
    """Numbers in the latent."""

    adapt_kind: str = "mlp"
    """``"mlp"`` on the observation's own history, or ``"gru"``, which remembers the episode."""

    ema: float | None = None
    """Share of the adapt module that its running mean takes over at each update [-]; None for no running mean."""

    distribution_cfg: GaussianCfg = GaussianCfg(init_std=1.0)
    """The actions' distribution; its deviation never grows beyond the one at the start."""

    decay: float = 0.9999
    """Weight of a control step's statistics in the normalizers after one more step [-]."""


TEACHER = f"{_MODELS}:TeacherActor"
"""The way through ``encoder_priv``."""

STUDENT = f"{_MODELS}:StudentActor"
"""The way through ``adapt_module``."""


@configclass
class CriticCfg:
    """The critic of all stages."""

    class_name: str = f"{_MODELS}:Critic"

    hidden_dims: list[int] = [1024, 512, 512]
    """Hidden layers."""

    distribution_cfg: None = None
    """Nothing: values are numbers."""

    stochastic: bool = False
    """Isaac Lab asks for it and takes it away, before the critic is constructed."""

    decay: float = 0.9999
    """Memory of the normalizer, as the actor's."""


@configclass
class StageCfg(PpoAlgorithmCfg):
    """What all stages share: the three-stage tracker's numbers."""

    num_learning_epochs: int = 5
    num_mini_batches: int = 8
    learning_rate: float = 5.0e-4
    schedule: str = "adaptive"
    desired_kl: float = 0.01
    gamma: float = 0.99
    lam: float = 0.95
    clip_param: float = 0.2
    value_loss_coef: float = 1.0
    use_clipped_value_loss: bool = False
    max_grad_norm: float = 1.0
    entropy_coef: float = 0.01

    entropy_coef_end: float | None = 0.0025
    """Weight of the entropy at the end of the run [-]."""

    estimator_epochs: int = 2
    """Passes over a rollout in which the adapt module learns."""

    estimator_learning_rate: float = 5.0e-4
    """Learning rate of the adapt module [-]."""

    critic_learning_rate: float | None = None
    """Learning rate of the critic [-]; the actor's at its start if None."""

    mirror_std_coeff: float = 10.0
    """Weight of the squared difference of the standard deviations of left and right [-]."""

    vecnorm: str = "train"
    """``"train"`` or ``"eval"``: whether the normalizers' statistics move."""

    reward_groups: dict[str, list[str]] | None = None
    """Names of reward terms by group, for a critic with a value each; None for one value."""


@configclass
class TrainCfg(StageCfg):
    """TRAIN: the teacher learns."""

    class_name: str = "isaac_tracking.learning.adaptation.stages:Train"

    reg_lambda: float = 0.2
    """Weight of the encoder's distance from the adapt module at the end of the run [-]."""


@configclass
class AdaptCfg(StageCfg):
    """ADAPT: the adapt module learns where the student goes."""

    class_name: str = "isaac_tracking.learning.adaptation.stages:Adapt"
    entropy_coef: float = 0.005
    entropy_coef_end: float | None = 0.002
    vecnorm: str = "eval"


@configclass
class FinetuneCfg(StageCfg):
    """FINETUNE: the student learns."""

    class_name: str = "isaac_tracking.learning.adaptation.stages:Finetune"
    learning_rate: float = 1.0e-4
    entropy_coef: float = 0.0025
    entropy_coef_end: float | None = 0.0005
    vecnorm: str = "eval"

    critic_share: float = 0.025
    """Share of the updates at the beginning in which the critic learns alone [-]."""


@configclass
class RoaTrainCfg(TrainCfg):
    """ROA TRAIN: the teacher learns, and the student online to be like it."""

    class_name: str = "isaac_tracking.learning.adaptation.roa:RoaTrain"


@configclass
class RoaFinetuneCfg(StageCfg):
    """ROA FINETUNE: the student learns, and the adapt module goes on."""

    class_name: str = "isaac_tracking.learning.adaptation.roa:RoaFinetune"
    vecnorm: str = "eval"


@configclass
class DistillCfg:
    """Distillation by rsl_rl; the numbers are those of its own defaults."""

    class_name: str = "isaac_tracking.learning.adaptation.distillation:Distill"
    num_learning_epochs: int = 1
    learning_rate: float = 1.0e-3
    gradient_length: int = 15
    max_grad_norm: float | None = None
    optimizer: str = "adam"
    loss_type: str = "mse"
    cuda_graph: bool = True
    """Whether a GPU captures acting and each step of the optimizer as CUDA graphs; a CPU has none."""
    teacher: AdaptationActorCfg = AdaptationActorCfg(class_name=TEACHER)
    """The teacher, as it was trained."""
