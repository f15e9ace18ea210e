# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings of PPO and of its policies that are not rsl_rl's own."""

from __future__ import annotations

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlPpoAlgorithmCfg


@configclass
class PpoAlgorithmCfg(RslRlPpoAlgorithmCfg):
    """rsl_rl's settings of PPO, and how its update is run."""

    class_name: str = "isaac_tracking.learning.ppo:PPO"
    cuda_graph: bool = True
    """Whether a GPU captures acting and each kind of minibatch as CUDA graphs; a CPU has none."""
    matmul_precision: str = "high"
    """Precision of the update's matrix products on a GPU: ``"highest"`` (float32), ``"high"`` (TF32), ``"medium"``."""


@configclass
class GaussianCfg(RslRlMLPModelCfg.GaussianDistributionCfg):
    """rsl_rl's normal distribution of actions, drawn without waiting for the device."""

    class_name: str = "isaac_tracking.learning.gaussian:Gaussian"
