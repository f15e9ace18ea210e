# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run folders on disk: finding runs and their checkpoints, and how each run was started. Needs no torch."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from pathlib import Path

from ..files import written_beside

_CHECKPOINT = re.compile(r"model_(\d+)\.pt")
RECORD = "params/run.json"
"""File of a run folder that says how the run was started."""
TABLE = "logs.csv"
"""File of a run folder with a row for each iteration."""
REPLACED = "replaced"
"""Folder of a run folder for what training from an earlier checkpoint left behind."""
BEST, BEST_RECORD = "best.pt", "best.json"
"""Files of a run folder: a copy of the best checkpoint so far, and which it is and why (scripts/watch.py)."""
PRETRAINED = Path(__file__).parent.parent / "pretrained"
"""Folder of the policy that comes with the package: a run folder that nothing is written to."""


class RunError(ValueError):
    """A run folder or a checkpoint that cannot be used, in one line."""


def checkpoint_number(path: Path) -> int:
    """Return the iteration in a checkpoint's name, for ``best.pt`` the one in its record; -1 for another name."""
    match = _CHECKPOINT.fullmatch(path.name)
    if match is None and path.name == BEST:
        try:
            return int(json.loads(path.with_name(BEST_RECORD).read_text())["iteration"])
        except (OSError, ValueError, KeyError, TypeError):
            return -1
    return int(match.group(1)) if match else -1


def checkpoints(run: Path) -> list[Path]:
    """Return the checkpoints of a run by iteration, not by name or date."""
    found = [path for path in run.glob("model_*.pt") if checkpoint_number(path) >= 0 and path.is_file()]
    return sorted(found, key=checkpoint_number)


def latest_run(experiment: Path, command: str = "bash train.sh") -> Path:
    """Return the newest run of an experiment that has a checkpoint, by the folders' names, which begin with the date.

    Args:
        experiment: Folder of the experiment.
        command: What makes one, for the message.

    Raises:
        RunError: If there is none.
    """
    runs = [run for run in experiment.iterdir() if run.is_dir()] if experiment.is_dir() else []
    for run in sorted(runs, key=lambda run: run.name, reverse=True):
        if checkpoints(run):
            return run
    raise RunError(f"no run with a checkpoint in '{experiment}'; train one first: {command}")


def resolve_checkpoint(name: str, experiment: Path, base: Path) -> Path:
    """Return the checkpoint that a user names.

    Args:
        name: ``latest``, ``pretrained``, a checkpoint file, or a run folder.
        experiment: Folder of the experiment, for ``latest``.
        base: Folder against which relative paths are read.

    Raises:
        RunError: If there is no such checkpoint.
    """
    if name == "latest":
        return checkpoints(latest_run(experiment))[-1]
    path = PRETRAINED if name == "pretrained" else base / Path(name).expanduser()
    if path.is_dir():
        found = checkpoints(path)
        if not found:
            raise RunError(f"run folder '{name}' holds no model_<iteration>.pt; give a checkpoint or another run")
        return found[-1].resolve()
    if not path.is_file():
        raise RunError(
            f"checkpoint '{name}' does not exist; give a model_<iteration>.pt, a run folder, 'latest' or 'pretrained'"
        )
    return path.resolve()


def read_record(run: Path) -> dict:
    """Return how a run was started: its task, overrides, clips and planned iterations; empty if nothing was recorded.

    Raises:
        RunError: If the record is damaged.
    """
    path = run / RECORD
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"'{path}' is damaged ({error}); restore it or start a new run") from error
    kinds = {"task": str, "overrides": list, "planned": int, "clips": list}
    for key, kind in kinds.items():
        if not isinstance(record, dict) or not isinstance(record.get(key, kind()), kind):
            raise RunError(f"'{path}' is damaged ('{key}' is no {kind.__name__}); restore it or start a new run")
    return record


def write_record(run: Path, record: dict) -> None:
    """Write how a run was started, beside and renamed."""
    path = run / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as file:
        file.write((json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def clean_parts(run: Path) -> None:
    """Remove the unfinished files that a killed process left in a run folder."""
    for path in (*run.glob(".*.part"), *run.glob("params/.*.part")):
        path.unlink(missing_ok=True)


def lock_run(run: Path) -> int:
    """Keep other processes from training the same run until this one ends; leaves no file behind.

    Returns:
        The descriptor that holds the lock.

    Raises:
        RunError: If another process holds it.
    """
    descriptor = os.open(run, os.O_RDONLY)
    # Whoever asks with being_trained holds the lock for an instant.
    for left in range(5, -1, -1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if not left:
                os.close(descriptor)
                raise RunError(
                    f"run '{run}' is being trained by another process; wait for it, or start a new run"
                ) from error
            time.sleep(0.02)
    return descriptor


def being_trained(run: Path) -> bool:
    """Return whether a process holds the lock of a run, on this machine or where the file system shares locks."""
    descriptor = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def set_aside_after(checkpoint: Path) -> list[Path]:
    """Move the checkpoints after one into a folder of their run, since training goes on from the earlier one.

    The table goes with them as a copy, for its later rows are about to be dropped.

    Returns:
        The new places of the checkpoints.
    """
    run = checkpoint.parent
    later = [path for path in checkpoints(run) if checkpoint_number(path) > checkpoint_number(checkpoint)]
    if not later:
        return []
    folder = run / REPLACED / f"after_{checkpoint_number(checkpoint)}"
    number = 1
    while folder.exists():
        number += 1
        folder = run / REPLACED / f"after_{checkpoint_number(checkpoint)}_{number}"
    folder.mkdir(parents=True)
    if (run / TABLE).is_file():
        (folder / TABLE).write_bytes((run / TABLE).read_bytes())
    return [path.rename(folder / path.name) for path in later]
