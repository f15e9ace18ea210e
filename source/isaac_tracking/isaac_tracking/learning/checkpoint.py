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
_ADAPTATION = {"encoder_dims": "encoder_priv", "adapt_dims": "adapt_module.net", "hidden_dims": "actor_student.net"}
"""Sequence of layers behind each setting of a teacher or student (``learning.adaptation.models``)."""
_LAYERS = {"TeacherActor": _ADAPTATION, "StudentActor": _ADAPTATION, "Critic": {"hidden_dims": "net"}}


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


def hidden_layers(weights: Mapping[str, torch.Tensor], part: str = "mlp") -> list[int]:
    """Return the widths of the hidden layers of a saved network, or of a part of one."""
    return _widths(weights, part)[:-1]


def check_networks(path: Path, loaded: Mapping[str, Any], configs: Mapping[str, Any]) -> None:
    """Refuse a checkpoint whose networks are not those of a configuration, as far as it can tell without observations.

    Args:
        path: The checkpoint, for the message.
        loaded: What it holds.
        configs: Configurations by their place in the agent's config, ``"actor"``, ``"critic"`` or
            ``"algorithm.teacher"``: of rsl_rl's ``MLPModel`` or of ``learning.adaptation``.

    Raises:
        RunError: If sizes, kinds or normalisation differ.
    """
    for place, cfg in configs.items():
        weights = loaded["critic_state_dict" if place == "critic" else "actor_state_dict"]
        kind = cfg.class_name.rpartition(":")[2]
        if kind == "MLPModel":
            _check(path, place, "hidden_dims", hidden_layers(weights), cfg)
            normalized = any(key.startswith("obs_normalizer.") for key in weights)
            if normalized != bool(cfg.obs_normalization):
                option = f"agent.{place}.obs_normalization={str(normalized).lower()}"
                how = f"was trained with{'' if normalized else 'out'} a normalizer"
                raise RunError(f"checkpoint '{path}': {place} {how}; give {option}")
        if kind in ("TeacherActor", "StudentActor"):
            _check(path, place, "adapt_kind", "gru" if "adapt_module.cell.weight_ih" in weights else "mlp", cfg)
            _check(path, place, "latent_dim", next(reversed(_widths(weights, "encoder_priv")), 0), cfg)
        for field, part in _LAYERS.get(kind, {}).items():
            _check(path, place, field, hidden_layers(weights, part), cfg)


def _widths(weights: Mapping[str, torch.Tensor], part: str) -> list[int]:
    """Return the widths of the linear layers of a part, the last one being its output's."""
    key = re.compile(rf"{re.escape(part)}\.(\d+)\.weight")
    layers = {int(match[1]): value for name, value in weights.items() if (match := key.fullmatch(name))}
    # A layer norm has a weight as well, of one dimension.
    return [len(layers[index]) for index in sorted(layers) if layers[index].ndim == 2]


def _check(path: Path, place: str, field: str, saved: Any, cfg: Any) -> None:
    wanted = getattr(cfg, field)
    wanted = list(wanted) if isinstance(wanted, list | tuple) else wanted
    if saved == wanted or (isinstance(wanted, list) and -1 in wanted):
        return
    what = {"hidden_dims": "hidden layers"}.get(field, field)
    raise RunError(
        f"checkpoint '{path}': {place} has {what} {saved}, not {wanted}; give agent.{place}.{field}="
        + str(saved).replace(" ", "")
    )
