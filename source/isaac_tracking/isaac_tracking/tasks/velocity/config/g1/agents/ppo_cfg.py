# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""PPO for the G1: the numbers of Isaac Lab's ``isaaclab_tasks/core/velocity/config/g1``."""

from __future__ import annotations

from isaaclab.utils import configclass

from ....ppo_cfg import VelocityPPORunnerCfg


@configclass
class G1VelocityRoughPPORunnerCfg(VelocityPPORunnerCfg):
    """Train the G1 to walk on uneven ground."""

    experiment_name: str = "g1_velocity_rough"
    max_iterations: int = 5000

    def __post_init__(self) -> None:
        """Explore less."""
        super().__post_init__()
        self.algorithm.entropy_coef = 0.008


@configclass
class G1VelocityFlatPPORunnerCfg(G1VelocityRoughPPORunnerCfg):
    """Train the G1 to walk on flat ground."""

    experiment_name: str = "g1_velocity_flat"
    max_iterations: int = 1500

    def __post_init__(self) -> None:
        """Take small networks."""
        super().__post_init__()
        self.actor.hidden_dims = [256, 128, 128]
        self.critic.hidden_dims = [256, 128, 128]
