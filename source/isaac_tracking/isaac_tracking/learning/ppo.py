# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""PPO whose checkpoints hold all that a run needs to go on as if it had not stopped."""

from __future__ import annotations

import random
from typing import cast

import numpy as np
import torch
from rsl_rl.algorithms import PPO as _PPO
from rsl_rl.env import VecEnv
from tensordict import TensorDict


class PPO(_PPO):
    """rsl_rl's PPO, which also saves the states of the environment's command terms and of the random generators.

    A command term takes part when it has a ``sampler`` with ``state_dict`` and ``load_state_dict``.
    """

    def __init__(self, *args, **kwargs) -> None:
        """Construct the algorithm; see :class:`rsl_rl.algorithms.PPO`."""
        super().__init__(*args, **kwargs)
        self._env: VecEnv | None = None

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> PPO:
        """Construct the algorithm and let it know the environment."""
        # The stock function constructs the class that the config names, which is this one or a child of it.
        alg = cast(PPO, _PPO.construct_algorithm(obs, env, cfg, device))
        alg._env = env
        return alg

    def save(self) -> dict:
        """Return models, optimizer, samplers and random states, in types that load with ``weights_only=True``."""
        saved = super().save()
        saved["samplers"] = {name: sampler.state_dict() for name, sampler in self._samplers().items()}
        saved["random"] = random_state(self.device)
        return saved

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Restore what a checkpoint holds; samplers and random states only together with the iteration.

        Checkpoints of plain PPO lack both.
        """
        iteration = super().load(loaded_dict, load_cfg, strict)
        if not iteration:
            return iteration
        for name, sampler in self._samplers().items():
            if name in loaded_dict.get("samplers", {}):
                sampler.load_state_dict(loaded_dict["samplers"][name])
        if "random" in loaded_dict:
            set_random_state(loaded_dict["random"], self.device)
        return iteration

    def hardest_clips(self) -> dict[str, list[tuple[str, float]]]:
        """Return the names and scores of the hardest clips of each command that can tell, hardest first."""
        return {name: term.hardest() for name, term in self._command_terms().items() if hasattr(term, "hardest")}

    def _samplers(self) -> dict:
        return {name: term.sampler for name, term in self._command_terms().items() if hasattr(term, "sampler")}

    def _command_terms(self) -> dict:
        manager = getattr(getattr(self._env, "unwrapped", None), "command_manager", None)
        return {} if manager is None else {name: manager.get_term(name) for name in manager.active_terms}


def random_state(device: str) -> dict:
    """Return the states of torch's, NumPy's and Python's generators as plain tensors and numbers."""
    version, keys, gauss = random.getstate()
    name, numpy_keys, position, has_gauss, cached = np.random.get_state()
    state = {
        "torch": torch.get_rng_state(),
        "numpy": [name, torch.from_numpy(numpy_keys.astype(np.int64)), position, has_gauss, cached],
        "python": [version, list(keys), gauss],
    }
    if torch.device(device).type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict, device: str) -> None:
    """Restore the states of all random generators."""
    torch.set_rng_state(state["torch"].cpu())
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), position, has_gauss, cached))
    version, python_keys, gauss = state["python"]
    random.setstate((version, tuple(python_keys), gauss))
    if "cuda" in state and torch.device(device).type == "cuda":
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
