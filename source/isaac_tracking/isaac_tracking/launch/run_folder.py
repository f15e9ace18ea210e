# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where a run's files go and which code wrote them."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

from ..learning.runs import PRETRAINED, read_record
from .errors import OptionError


def new_run_folder(experiment: Path, name: str | None) -> Path:
    """Return the folder of a run that starts now.

    Args:
        experiment: Folder of the experiment.
        name: What is appended to the date and time.

    Raises:
        OptionError: If the name cannot be part of a folder's name.
    """
    if name is not None and (not name or "/" in name or name.startswith(".")):
        raise OptionError(f"run name '{name}' cannot be part of a folder's name; use letters, digits, '-' and '_'")
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    name = f"{stamp}_{name}" if name else stamp
    folder, number = experiment / name, 1
    while folder.exists():
        number += 1
        folder = experiment / f"{name}_{number}"
    return folder


def has_record(run: Path) -> bool:
    """Whether a run's folder says how it was started, which is written when training begins."""
    return (run / "params" / "run.json").is_file()


def record_of(checkpoint: Path) -> dict:
    """Return how a checkpoint's run was started, from its folder or, for a file alone, from the file.

    Raises:
        RunError: If the record or the file is damaged.
    """
    record = read_record(checkpoint.parent)
    if record:
        return record
    # Heavy: torch.
    from ..learning.checkpoint import read_checkpoint

    return (read_checkpoint(checkpoint).get("infos") or {}).get("run") or {}


def results_folder(checkpoint: Path, logs: Path) -> Path:
    """Return where results about a checkpoint go: into its own folder, unless that is the package's.

    Args:
        checkpoint: The checkpoint.
        logs: Folder of all experiments.
    """
    return logs / "pretrained" if checkpoint.parent == PRETRAINED else checkpoint.parent


def commit_of_checkout() -> str:
    """Return the commit of the package's checkout, with a plus if it has changes; "unknown" outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        result = subprocess.run([*command, "--abbrev=12"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return result.stdout.strip() if result.returncode == 0 else "unknown"
