# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What must be there before anything is started or written: packages, engine, logger, display, disk."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..learning.runs import RunError
from .errors import OptionError

NEEDED = (
    "isaaclab_rl",
    "isaaclab_tasks",
    "rsl_rl",
    "tensordict",
    "gymnasium",
    "hydra",
    "mjlab",
    "mujoco_usd_converter",
)
"""Packages without which no task can run."""
FOR_FILMS = ("imageio_ffmpeg", "PIL", "mujoco")
"""Packages that a film needs besides."""
_ENGINES = {
    "NewtonCfg": ("Newton (MJWarp)", None, False),
    "OvPhysxCfg": ("PhysX without Isaac Sim", "ovphysx", True),
    "PhysxCfg": ("PhysX in Isaac Sim", "isaacsim", False),
    "PhysxAutoCfg": ("PhysX", "ovphysx", True),
}
"""Name, package, and whether a GPU is needed, by the class of the physics config."""


def need_packages(names: Iterable[str]) -> None:
    """Refuse to start without a package that is needed later.

    Raises:
        OptionError: If one is missing.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise OptionError(
            f"package '{missing[0]}' is missing here; run 'bash scripts/setup.sh' and use its .venv, or start with"
            " train.sh and test.sh, which add what an Isaac Lab lacks"
        )


def need_engine(physics: Any, device: str) -> str:
    """Return the name of the engine of a physics config, after making sure that it can start here.

    Raises:
        OptionError: If its package or the GPU that it needs is missing.
    """
    kind = type(physics).__name__
    name, package, on_gpu = _ENGINES.get(kind, (kind, None, False))
    if kind == "PhysxAutoCfg" and importlib.util.find_spec("isaacsim") is not None:
        package, on_gpu = "isaacsim", False
    if package is not None and importlib.util.find_spec(package) is None:
        raise OptionError(
            f"engine '{name}' needs the package '{package}', which is not installed here; choose physics=newton_mjwarp,"
            " or install it (docs/dependencies.md)"
        )
    if on_gpu and device == "cpu":
        raise OptionError(f"engine '{name}' needs an NVIDIA GPU; choose physics=newton_mjwarp, which runs on the CPU")
    return name


def need_gpus(gpus: int, device: str | None, gui: bool) -> None:
    """Refuse more GPUs than there are, and what goes with one GPU only.

    Args:
        gpus: How many are asked for.
        device: What ``--device`` says; "cpu" asks for processes on the CPU in their place.
        gui: Whether a window is asked for.

    Raises:
        OptionError: If they cannot be had.
    """
    if gpus == 1:
        return
    if gui:
        raise OptionError(f"--gui shows one GPU's environments; leave it out with --gpus {gpus}, or take --gpus 1")
    if device == "cpu":
        return
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise OptionError(f"--gpus {gpus}: there is no GPU here; --device cpu starts {gpus} processes on the CPU")
    if device not in (None, "cuda"):
        raise OptionError(
            f"--gpus {gpus} takes the GPUs from cuda:0 on, so --device {device} does not fit; leave it out, and choose"
            " among the GPUs with CUDA_VISIBLE_DEVICES"
        )
    if gpus > count:
        raise OptionError(f"--gpus {gpus} is more than there are here; give --gpus {count}, or less")


def need_no_other_launcher(argv: Iterable[str]) -> None:
    """Refuse to be one of the processes of another launcher.

    Raises:
        OptionError: If this is one, or is to behave as one.
    """
    if "--distributed" in argv:
        raise OptionError("--distributed is for processes of another launcher; give --gpus N, which starts its own")
    size = os.environ.get("WORLD_SIZE", "1")
    if size != "1":
        raise OptionError(
            f"WORLD_SIZE={size} says that another launcher started this, torchrun for one; call train.sh itself with"
            " --gpus N on each host (--nnodes, --node_rank, --master), or unset WORLD_SIZE"
        )


def need_history(env_cfg: Any) -> None:
    """Refuse observations that remember more steps than an episode has.

    Raises:
        OptionError: If there is one.
    """
    # Heavy: Isaac Lab's config classes.
    from ..tasks.tracking.adaptation_env_cfg import check_history

    try:
        check_history(env_cfg)
    except ValueError as error:
        raise OptionError(str(error)) from error


def need_logger(name: str) -> None:
    """Refuse a logger whose package is missing, and keep W&B offline where nobody is logged in.

    Raises:
        OptionError: If the package is missing.
    """
    if name in ("wandb", "neptune") and importlib.util.find_spec(name) is None:
        raise OptionError(f"logger '{name}' needs a package: pip install {name}; or choose --logger tensorboard")
    known = os.environ.get("WANDB_API_KEY") or (Path.home() / ".netrc").is_file()
    if name == "wandb" and not known:
        os.environ.setdefault("WANDB_MODE", "offline")


def need_display(gui: bool) -> None:
    """Refuse a window where there is no display.

    Raises:
        OptionError: If a window was asked for and cannot be opened.
    """
    if gui and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OptionError("--gui needs a display and there is none; use --video")


def need_space(folder: Path, megabytes: int = 200) -> None:
    """Refuse to start where nothing could be written.

    Raises:
        RunError: If the folder cannot be made or written, or its disk is full.
    """
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=parent) as file:
            # A full disk takes a new name but no content.
            file.write(bytes(2**16))
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(parent).free
    except OSError as error:
        raise RunError(
            f"'{parent}' cannot be written ({error.strerror}); give rights to it, free its disk, or start elsewhere"
        ) from error
    if free < megabytes * 2**20:
        raise RunError(f"the disk of '{parent}' has {free >> 20} MB left and a run needs {megabytes}; free some")
