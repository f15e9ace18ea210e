# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run folders and checkpoints on disk: finding, reading and writing them."""

from __future__ import annotations

import json
import os
import pickle
import re
import zipfile
from pathlib import Path

import torch

_CHECKPOINT = re.compile(r"model_(\d+)\.pt")
_REQUIRED = ("actor_state_dict", "critic_state_dict", "optimizer_state_dict", "iter")
RECORD = "params/run.json"
"""File of a run folder that says how the run was started."""


class RunError(ValueError):
    """A run folder or a checkpoint that cannot be used, in one line."""


def checkpoint_number(path: Path) -> int:
    """Return the iteration in a checkpoint's name, -1 for another name."""
    match = _CHECKPOINT.fullmatch(path.name)
    return int(match.group(1)) if match else -1


def checkpoints(run: Path) -> list[Path]:
    """Return the checkpoints of a run by iteration, not by name or date."""
    found = [path for path in run.glob("model_*.pt") if checkpoint_number(path) >= 0]
    return sorted(found, key=checkpoint_number)


def latest_run(experiment: Path) -> Path:
    """Return the newest run of an experiment that has a checkpoint.

    Raises:
        RunError: If there is none.
    """
    runs = [run for run in experiment.iterdir() if run.is_dir()] if experiment.is_dir() else []
    for run in sorted(runs, key=lambda run: run.name, reverse=True):
        if checkpoints(run):
            return run
    raise RunError(f"no run with a checkpoint in '{experiment}'; train one first: bash train.sh")


def resolve_checkpoint(name: str, experiment: Path, base: Path) -> Path:
    """Return the checkpoint that a user names.

    Args:
        name: ``latest``, a checkpoint file, or a run folder.
        experiment: Folder of the experiment, for ``latest``.
        base: Folder against which relative paths are read.

    Raises:
        RunError: If there is no such checkpoint.
    """
    if name == "latest":
        return checkpoints(latest_run(experiment))[-1]
    path = base / Path(name).expanduser()
    if path.is_dir():
        found = checkpoints(path)
        if not found:
            raise RunError(f"run folder '{name}' holds no model_<iteration>.pt; give a checkpoint or another run")
        return found[-1].resolve()
    if not path.is_file():
        raise RunError(f"checkpoint '{name}' does not exist; give a model_<iteration>.pt, a run folder or 'latest'")
    return path.resolve()


def read_checkpoint(path: Path, device: str = "cpu") -> dict:
    """Load a checkpoint without executing any code in it.

    Raises:
        RunError: If the file is empty, truncated, not a checkpoint, or holds anything but tensors and numbers.
    """
    try:
        loaded = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile, OSError, KeyError, ValueError) as error:
        reason = "is truncated, or no checkpoint, or holds more than tensors and numbers, which is refused"
        raise RunError(f"checkpoint '{path}' cannot be read: it {reason}; give another model_*.pt") from error
    missing = [key for key in _REQUIRED if not isinstance(loaded, dict) or key not in loaded]
    if missing:
        raise RunError(f"'{path}' is no checkpoint of rsl_rl 5: it lacks {', '.join(missing)}; give another model_*.pt")
    return loaded


def write_checkpoint(saved: dict, path: Path) -> None:
    """Write a checkpoint beside its place and rename it, so that the file is whole at any moment."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            torch.save(saved, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_record(run: Path) -> dict:
    """Return how a run was started: its task, overrides and planned iterations; empty if nothing was recorded.

    Raises:
        RunError: If the record is damaged.
    """
    path = run / RECORD
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise RunError(f"'{path}' is damaged ({error}); restore it or start a new run") from error


def write_record(run: Path, record: dict) -> None:
    """Write how a run was started, beside and renamed."""
    path = run / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    beside.replace(path)
