# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""PPO whose checkpoints hold all that a run needs to go on as if it had not stopped."""

from __future__ import annotations

from typing import cast

from rsl_rl.algorithms import PPO as _PPO
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from .graphed_ppo import GraphedPPO
from .run_state import RunState


class PPO(RunState, GraphedPPO):
    """PPO with a :class:`.RunState`."""

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> PPO:
        """Construct the algorithm and let it know the environment and the length of the run."""
        # The stock function constructs the class that the config names, which is this one or a child of it.
        alg = cast(PPO, _PPO.construct_algorithm(obs, env, cfg, device))
        alg.env, alg.planned_updates = env, cfg.get("max_iterations") or 1
        return alg

    def save(self) -> dict:
        """Return models, optimizer and run state, in types that load with ``weights_only=True``."""
        return super().save() | self.run_state()

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore what a checkpoint holds; the run state only together with the iteration."""
        iteration = super().load(loaded_dict, load_cfg, strict)
        if iteration:
            self.load_run_state(loaded_dict)
        return iteration
