# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What an algorithm keeps beside its networks, so that a run goes on as if it had not stopped."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


class RunState:
    """Mixin for rsl_rl's algorithms: samplers and random states in checkpoints, and how far the run is.

    A command term of the environment takes part when it has a ``sampler`` with ``state_dict`` and ``load_state_dict``,
    a curriculum term when it has these two itself, and an action term with a ``progress`` is told that of the run.
    """

    device: str
    env: Any = None
    """The environment, wrapped for rsl_rl."""
    planned_updates: int = 1
    """Updates after which the run is complete."""
    updates: int = 0
    """Updates done."""

    @property
    def progress(self) -> float:
        """How much of the run is done, from 0 to 1."""
        return min(self.updates / self.planned_updates, 1.0)

    def train_mode(self) -> None:
        """Begin to train: curricula stand where the run does."""
        super().train_mode()  # type: ignore[misc]
        self.advance_curricula()

    def update(self) -> dict[str, float]:
        """Learn from the rollout, and return the mean losses by name."""
        losses = super().update()  # type: ignore[misc]
        self.count_update()
        return losses

    def count_update(self) -> None:
        """Note that an update is done."""
        self.updates += 1
        self.advance_curricula()

    def advance_curricula(self) -> None:
        """Tell the action terms how far the run is."""
        for term in self._terms("action_manager").values():
            if hasattr(term, "progress"):
                term.progress = self.progress

    def run_state(self) -> dict:
        """Return samplers, curricula, random states and progress, in types that load with ``weights_only=True``."""
        return {
            "samplers": {name: sampler.state_dict() for name, sampler in self._samplers().items()},
            "curricula": {name: term.state_dict() for name, term in self._curricula().items()},
            "random": random_state(self.device),
            "updates": self.updates,
        }

    def load_run_state(self, saved: dict) -> None:
        """Restore what :meth:`run_state` returned, as far as a checkpoint holds it: those of plain PPO hold nothing.

        A checkpoint holds the first rank's state. Its samplers are for all; the other ranks draw new random numbers,
        for with those of the first they would see the same episodes as it.
        """
        for name, sampler in self._samplers().items():
            if name in saved.get("samplers", {}):
                sampler.load_state_dict(saved["samplers"][name])
        for name, term in self._curricula().items():
            if name in saved.get("curricula", {}):
                term.load_state_dict(saved["curricula"][name])
        if getattr(self, "gpu_global_rank", 0):
            reseed(torch.initial_seed() + 1 + saved.get("iter", 0))
        elif "random" in saved:
            set_random_state(saved["random"], self.device)
        self.updates = saved.get("updates", saved.get("iter", -1) + 1)

    def hardest_clips(self) -> dict[str, list[tuple[str, float]]]:
        """Return the names and scores of the hardest clips of each command that can tell, hardest first."""
        terms = self._terms("command_manager")
        return {name: term.hardest() for name, term in terms.items() if hasattr(term, "hardest")}

    def _samplers(self) -> dict:
        terms = self._terms("command_manager")
        return {name: term.sampler for name, term in terms.items() if hasattr(term, "sampler")}

    def _curricula(self) -> dict:
        manager = getattr(getattr(self.env, "unwrapped", None), "curriculum_manager", None)
        if manager is None:
            return {}
        # Isaac Lab's manager hands out names, and keeps the terms to itself.
        terms = {name: cfg.func for name, cfg in zip(manager.active_terms, manager._term_cfgs, strict=True)}
        return {name: term for name, term in terms.items() if hasattr(term, "load_state_dict")}

    def _terms(self, manager: str) -> dict:
        found = getattr(getattr(self.env, "unwrapped", None), manager, None)
        return {} if found is None else {name: found.get_term(name) for name in found.active_terms}


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


def reseed(seed: int) -> None:
    """Begin new random numbers in all generators, of every device."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
