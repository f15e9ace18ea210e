# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoint files: written whole, read without executing anything, compared with the networks they are meant for."""

from __future__ import annotations

import pickle
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..files import written_beside
from .runs import RunError

_REQUIRED = ("actor_state_dict", "critic_state_dict", "optimizer_state_dict", "iter")
_UNREADABLE = (
    pickle.UnpicklingError, zipfile.BadZipFile, struct.error, RuntimeError, EOFError, OSError, LookupError, ValueError,
    TypeError, AttributeError, AssertionError, ArithmeticError, MemoryError, NotImplementedError,
)  # fmt: skip
"""What torch's and Python's readers raise for files that are damaged or forged."""
_LAYER = re.compile(r"mlp\.(\d+)\.weight")


def read_checkpoint(path: Path, device: str = "cpu") -> dict:
    """Load a checkpoint without executing any code in it.

    Raises:
        RunError: If the file is empty, truncated, damaged, no checkpoint, or holds anything but tensors and numbers.
    """
    if not zipfile.is_zipfile(path):
        what = "is empty" if path.is_file() and not path.stat().st_size else "is truncated, or no checkpoint"
        raise RunError(f"checkpoint '{path}' cannot be read: it {what}; give another model_<iteration>.pt")
    try:
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"'{damaged}' is damaged")
        loaded = torch.load(path, map_location=device, weights_only=True)
    except _UNREADABLE as error:
        reason = "is damaged, or no checkpoint, or holds more than tensors and numbers, which is refused"
        raise RunError(f"checkpoint '{path}' cannot be read: it {reason}; give another model_<iteration>.pt") from error
    missing = [key for key in _REQUIRED if not isinstance(loaded, dict) or key not in loaded]
    if missing:
        raise RunError(
            f"'{path}' is no checkpoint of rsl_rl 5: it lacks {', '.join(missing)}; give another model_<iteration>.pt"
        )
    _check_values(path, loaded)
    return loaded


def _check_values(path: Path, loaded: Mapping[str, Any]) -> None:
    iteration = loaded["iter"]
    if not isinstance(iteration, int) or iteration < 0:
        raise RunError(f"checkpoint '{path}' is of iteration '{iteration}'; give another model_<iteration>.pt")
    for name in ("actor_state_dict", "critic_state_dict"):
        weights = loaded[name]
        if not isinstance(weights, Mapping) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
            raise RunError(f"checkpoint '{path}' has no weights in '{name}'; give another model_<iteration>.pt")
        broken = [key for key, value in weights.items() if not torch.isfinite(value).all()]
        if broken:
            raise RunError(f"checkpoint '{path}' has weights that are not finite ({broken[0]}); give an earlier one")


def write_checkpoint(saved: dict, path: Path) -> None:
    """Write a checkpoint beside its place and rename it, so that the file is whole at any moment."""
    with written_beside(path) as file:
        torch.save(saved, file)


def hidden_layers(weights: Mapping[str, torch.Tensor]) -> list[int]:
    """Return the widths of the hidden layers of a saved network."""
    layers = {int(match.group(1)): weights[key] for key in weights if (match := _LAYER.fullmatch(key))}
    return [len(layers[index]) for index in sorted(layers)][:-1]


def check_networks(path: Path, loaded: Mapping[str, Any], configs: Mapping[str, Any]) -> None:
    """Refuse a checkpoint whose networks are not those of a configuration, as far as it can tell without observations.

    Args:
        path: The checkpoint, for the message.
        loaded: What it holds.
        configs: Configurations of the networks by name, ``"actor"`` and ``"critic"``, of rsl_rl's ``MLPModel``.

    Raises:
        RunError: If hidden layers or normalisation differ.
    """
    for name, cfg in configs.items():
        if cfg.class_name != "MLPModel":
            continue
        weights = loaded[f"{name}_state_dict"]
        saved, wanted = hidden_layers(weights), list(cfg.hidden_dims)
        if saved != wanted and -1 not in wanted:
            option = f"agent.{name}.hidden_dims={saved}".replace(" ", "")
            raise RunError(f"checkpoint '{path}': {name} has hidden layers {saved}, not {wanted}; give {option}")
        normalized = any(key.startswith("obs_normalizer.") for key in weights)
        if normalized != bool(cfg.obs_normalization):
            option = f"agent.{name}.obs_normalization={str(normalized).lower()}"
            raise RunError(
                f"checkpoint '{path}': {name} was trained with{'' if normalized else 'out'} a normalizer; give {option}"
            )
