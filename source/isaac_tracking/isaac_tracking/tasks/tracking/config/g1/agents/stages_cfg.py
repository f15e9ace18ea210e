# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Teacher and student for the G1: one agent config for each stage.

The numbers are those of the three-stage tracker (Axellwppr/motion_tracking) where nothing else is said, and HDMI's for
online adaptation. ``presets=hdmi_networks`` takes HDMI's sizes.
"""

from __future__ import annotations

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlSymmetryCfg
from isaaclab_tasks.utils import PresetCfg, preset

from .....agent_cfg import GaussianCfg
from .... import stages_cfg as config
from .ppo_cfg import G1TrackingPPORunnerCfg

_MIRROR = "isaac_tracking.tasks.tracking.mdp.symmetry:mirror_batch"
_EVERYTHING = ["policy", "priv", "critic_priv"]
_GROUPS = {"actor": ["policy"], "priv": ["priv"], "critic": _EVERYTHING}
_HDMI = {"hidden_dims": [512, 256, 256], "encoder_dims": [256], "adapt_dims": [256, 256], "latent_dim": 256}
_HDMI_CRITIC = [512, 256, 128]
_REWARD_GROUPS = {
    "anchor": ["anchor_pos", "anchor_rot"],
    "bodies": ["body_pos", "body_rot", "body_lin_vel", "body_ang_vel"],
    "wear": ["action_rate", "joint_limit", "undesired_contacts"],
}
"""Rewards by group, for HDMI's critic with a value each."""
_ROA = {
    "num_learning_epochs": 3,
    "learning_rate": 3.0e-4,
    "entropy_coef": 0.001,
    "entropy_coef_end": None,
    "reward_groups": _REWARD_GROUPS,
}
"""HDMI's numbers for both of its phases."""


def _actor(class_name: str, ema: float | None = None) -> PresetCfg:
    """Return teacher or student in the sizes of the three-stage tracker, or of HDMI."""
    return preset(
        default=config.AdaptationActorCfg(class_name=class_name, ema=ema),
        hdmi_networks=config.AdaptationActorCfg(class_name=class_name, ema=ema, **_HDMI),
    )


def _critic() -> PresetCfg:
    return preset(default=config.CriticCfg(), hdmi_networks=config.CriticCfg(hidden_dims=_HDMI_CRITIC))


def _symmetry() -> RslRlSymmetryCfg:
    return RslRlSymmetryCfg(
        data_augmentation_func=_MIRROR, use_data_augmentation=True, use_mirror_loss=True, mirror_loss_coeff=0.2
    )


@configclass
class G1StageRunnerCfg(RslRlOnPolicyRunnerCfg):
    """What all stages share."""

    num_steps_per_env: int = 16
    save_interval: int = 100
    check_for_nan: bool = False
    init_at_random_ep_len: bool = False
    obs_groups: dict[str, list[str]] = _GROUPS
    critic: config.CriticCfg = _critic()


@configclass
class G1TrainRunnerCfg(G1StageRunnerCfg):
    """TRAIN."""

    experiment_name: str = "g1_teacher"
    num_steps_per_env: int = 32
    max_iterations: int = 2000
    actor: config.AdaptationActorCfg = _actor(config.TEACHER)
    algorithm: config.TrainCfg = config.TrainCfg(symmetry_cfg=_symmetry())


@configclass
class G1AdaptRunnerCfg(G1StageRunnerCfg):
    """ADAPT."""

    experiment_name: str = "g1_student_adapt"
    max_iterations: int = 500
    actor: config.AdaptationActorCfg = _actor(config.STUDENT)
    algorithm: config.AdaptCfg = config.AdaptCfg(symmetry_cfg=_symmetry())


@configclass
class G1FinetuneRunnerCfg(G1StageRunnerCfg):
    """FINETUNE."""

    experiment_name: str = "g1_student"
    max_iterations: int = 2000
    actor: config.AdaptationActorCfg = _actor(config.STUDENT)
    algorithm: config.FinetuneCfg = config.FinetuneCfg(symmetry_cfg=_symmetry())


@configclass
class G1RoaTrainRunnerCfg(G1TrainRunnerCfg):
    """ROA TRAIN: 3 epochs, an entropy weight that stays, a critic with a value for each group of rewards (HDMI)."""

    experiment_name: str = "g1_teacher_roa"
    actor: config.AdaptationActorCfg = _actor(config.TEACHER, ema=0.04)
    algorithm: config.RoaTrainCfg = config.RoaTrainCfg(**_ROA, symmetry_cfg=_symmetry())


@configclass
class G1RoaFinetuneRunnerCfg(G1StageRunnerCfg):
    """ROA FINETUNE, with the numbers of ROA TRAIN."""

    experiment_name: str = "g1_student_roa"
    num_steps_per_env: int = 32
    max_iterations: int = 2000
    actor: config.AdaptationActorCfg = _actor(config.STUDENT, ema=0.04)
    algorithm: config.RoaFinetuneCfg = config.RoaFinetuneCfg(**_ROA, symmetry_cfg=_symmetry())


def _plain_mlp(init_std: float | None, hdmi: list[int]) -> PresetCfg:
    """Return rsl_rl's own network in the size of the stages' actors or critic.

    Args:
        init_std: Standard deviation of the actions at the start [-]; None for a critic.
        hdmi: Hidden layers in HDMI's size.
    """
    default, small = (
        RslRlMLPModelCfg(
            hidden_dims=hidden,
            activation="elu",
            obs_normalization=True,
            distribution_cfg=None if init_std is None else GaussianCfg(init_std=init_std),
        )
        for hidden in ([1024, 512, 512], hdmi)
    )
    return preset(default=default, hdmi_networks=small)


@configclass
class G1DistillRunnerCfg(G1StageRunnerCfg):
    """The baseline: a plain network imitates the teacher (rsl_rl's distillation, its deviation of 0.1)."""

    experiment_name: str = "g1_student_distill"
    num_steps_per_env: int = 15
    max_iterations: int = 1000
    actor: RslRlMLPModelCfg = _plain_mlp(0.1, _HDMI["hidden_dims"])
    algorithm: config.DistillCfg = config.DistillCfg(teacher=_actor(config.TEACHER))


@configclass
class G1StudentPPORunnerCfg(G1TrackingPPORunnerCfg):
    """The other baseline: plain PPO on what the student sees, with the numbers of the default task."""

    experiment_name: str = "g1_student_ppo"
    obs_groups: dict[str, list[str]] = {"actor": ["policy"], "critic": _EVERYTHING}
    actor: RslRlMLPModelCfg = _plain_mlp(1.0, _HDMI["hidden_dims"])
    critic: RslRlMLPModelCfg = _plain_mlp(None, _HDMI_CRITIC)
