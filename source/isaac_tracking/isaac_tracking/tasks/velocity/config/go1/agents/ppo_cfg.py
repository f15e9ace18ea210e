# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""PPO for the Go1: the numbers of Isaac Lab's ``isaaclab_tasks/contrib/velocity/config/go1``."""

from __future__ import annotations

from isaaclab.utils import configclass

from ....ppo_cfg import VelocityPPORunnerCfg


@configclass
class Go1VelocityRoughPPORunnerCfg(VelocityPPORunnerCfg):
    """Train the Go1 to walk on uneven ground."""

    experiment_name: str = "unitree_go1_rough"
    max_iterations: int = 1500


@configclass
class Go1VelocityFlatPPORunnerCfg(VelocityPPORunnerCfg):
    """Train the Go1 to walk on flat ground."""

    experiment_name: str = "unitree_go1_flat"
    max_iterations: int = 300

    def __post_init__(self) -> None:
        """Take small networks."""
        super().__post_init__()
        self.actor.hidden_dims = [128, 128, 128]
        self.critic.hidden_dims = [128, 128, 128]
