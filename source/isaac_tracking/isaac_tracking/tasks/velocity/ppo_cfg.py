# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""PPO for following velocities: the numbers that Isaac Lab gives to every legged robot."""

from __future__ import annotations

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg

from ..agent_cfg import GaussianCfg, PpoAlgorithmCfg


@configclass
class VelocityPPORunnerCfg(RslRlOnPolicyRunnerCfg):
    """Train a robot to walk."""

    num_steps_per_env: int = 24
    save_interval: int = 50
    # The environment ends broken episodes itself; the runner's check would wait for the device at every step.
    check_for_nan: bool = False
    obs_groups: dict[str, list[str]] = {"actor": ["policy"], "critic": ["policy"]}
    actor: RslRlMLPModelCfg = RslRlMLPModelCfg(
        hidden_dims=[512, 256, 128],
        activation="elu",
        obs_normalization=False,
        distribution_cfg=GaussianCfg(init_std=1.0),
    )
    critic: RslRlMLPModelCfg = RslRlMLPModelCfg(hidden_dims=[512, 256, 128], activation="elu", obs_normalization=False)
    algorithm: PpoAlgorithmCfg = PpoAlgorithmCfg(
        num_learning_epochs=5,
        num_mini_batches=4,
        learning_rate=1.0e-3,
        schedule="adaptive",
        desired_kl=0.01,
        gamma=0.99,
        lam=0.95,
        clip_param=0.2,
        entropy_coef=0.01,
        value_loss_coef=1.0,
        use_clipped_value_loss=True,
        max_grad_norm=1.0,
    )
