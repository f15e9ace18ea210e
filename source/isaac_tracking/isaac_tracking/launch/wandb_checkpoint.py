# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoints in runs of Weights & Biases, fetched by Isaac Lab's own means."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

from .errors import OptionError
from .terminal import print_line, quiet

_NAME = re.compile(
    r"(?:run:|wandb:|https?://wandb\.ai/)(?:(?P<entity>[^/?#]+)/)?(?P<project>[^/?#]+)/(?:runs/)?(?P<run>[^/?#]+)"
    r"(?:\?(?:[^#]*&)?checkpoint=(?P<iteration>\d+)[^#]*|\?[^#]*)?(?:#.*)?"
)
"""``run:`` is how HDMI and the three-stage tracker write it, ``wandb:`` and the address how Isaac Lab does."""


def is_online(name: str) -> bool:
    """Whether a name of a checkpoint is one of W&B."""
    return name.startswith(("run:", "wandb:", "http://wandb.ai/", "https://wandb.ai/"))


def fetch_checkpoint(name: str, folder: Path) -> Path:
    """Fetch a run's last checkpoint, or the one whose iteration is named, and return its file.

    Args:
        name: ``run:ENTITY/PROJECT/ID``; without the entity, ``WANDB_ENTITY`` of the environment is taken; after it may
            stand ``?checkpoint=ITERATION``. ``wandb:...`` and the run's address mean the same.
        folder: Folder for what is fetched; each run has its own in it.

    Raises:
        OptionError: If the name is no run's, the package is missing, or W&B does not give the file.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise OptionError(f"checkpoint '{name}' names no run of W&B; give run:ENTITY/PROJECT/ID")
    if importlib.util.find_spec("wandb") is None:
        raise OptionError(f"checkpoint '{name}' is on W&B, which needs a package: pip install wandb; or give a file")
    # By name, since most installations lack it.
    wandb = importlib.import_module("wandb")
    from isaaclab_rl.utils.wandb import get_model_checkpoint

    print_line(f"fetching {name} from W&B")
    errors = (ValueError, OSError, wandb.errors.Error)
    try:
        with quiet(False, errors):
            found = get_model_checkpoint(
                match["run"],
                match["project"],
                int(match["iteration"]) if match["iteration"] else None,
                match["entity"],
                str(folder),
            )
    except errors as error:
        detail = " ".join(str(error).split())[:200]
        raise OptionError(
            f"checkpoint '{name}' cannot be fetched from W&B ({detail}); see that it is run:ENTITY/PROJECT/ID, and that"
            " you are logged in: wandb login"
        ) from error
    return Path(found).resolve()
