# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The options that training and playing share, checked before anything is started or written."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..learning.runs import RunError
from ..motion.sources import load_clips

AGENT_KEY = "rsl_rl_cfg_entry_point"
"""Registry key of a task's agent config."""

_OVERRIDE = re.compile(r"[+~]{0,2}[\w.\[\]-]+=.*|~[\w.]+", re.DOTALL)


class OptionError(ValueError):
    """An option that cannot be used, in one line."""


class OptionParser(argparse.ArgumentParser):
    """An argument parser that raises :class:`OptionError` instead of printing a page."""

    def error(self, message: str) -> NoReturn:
        """Raise the message as one line."""
        raise OptionError(f"{message}; see --help")


def add_common_options(parser: OptionParser, task: str) -> None:
    """Add the options that training and playing share."""
    parser.add_argument("--task", default=None, metavar="ID", help=f"id of the task (default: {task})")
    parser.add_argument("--num_envs", type=positive, metavar="N", help="environments simulated at once")
    parser.add_argument("--seed", type=natural, metavar="N", help="random seed")
    parser.add_argument("--device", metavar="DEVICE", help="cuda, cuda:N or cpu (default: a GPU if there is one)")
    parser.add_argument("--checkpoint", metavar="PATH", help="model_<iteration>.pt, a run folder, or 'latest'")
    parser.add_argument("--motion", nargs="+", metavar="NAME", help="clips: names or patterns, files, folders")
    parser.add_argument("--gui", action="store_true", help="show the simulation in a window")
    parser.add_argument("--video", action="store_true", help="film the policy")
    parser.add_argument("--video_length", type=positive, metavar="N", help="steps in a film")
    parser.add_argument("--video_interval", type=positive, metavar="N")
    parser.add_argument("--verbose", action="store_true", help="print all that Isaac Lab prints")


def positive(text: str) -> int:
    """Read a whole number above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def natural(text: str) -> int:
    """Read a whole number from zero."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0")
    return int(text)


def split_rest(rest: Sequence[str], known: Iterable[str], foreign: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split what the parser did not know into overrides (``key=value``) and options of Isaac Lab.

    Args:
        rest: Arguments that the parser did not know.
        known: Our own options, to suggest the nearest.
        foreign: Options that Isaac Lab knows.

    Raises:
        OptionError: If an argument is neither.
    """
    known, foreign = list(known), set(foreign)
    overrides, passed = [], []
    for argument in rest:
        option = argument.split("=")[0]
        if (argument.startswith("-") and option in foreign) or (
            passed and not argument.startswith("-") and "=" not in argument
        ):
            passed.append(argument)
        elif not argument.startswith("-") and _OVERRIDE.fullmatch(argument):
            overrides.append(argument)
        else:
            near = difflib.get_close_matches(option, [*known, *sorted(foreign)], n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}, or KEY=VALUE"
            raise OptionError(f"option '{argument}' is unknown; {hint}")
    return overrides, passed


def merge_overrides(*layers: Sequence[str]) -> list[str]:
    """Join layers of ``key=value``, the last one of a key winning; presets of all layers are joined.

    Args:
        *layers: Overrides from the weakest to the strongest.
    """
    merged: dict[str, str] = {}
    for override in (override for layer in layers for override in layer):
        key, _, value = override.partition("=")
        if key == "presets" and merged.get(key):
            value = ",".join(dict.fromkeys([*merged[key].split(","), *value.split(",")]))
        merged[key] = value
    return [f"{key}={value}" for key, value in merged.items()]


def find_task(task: str) -> Any:
    """Return the Gymnasium spec of a task id.

    Raises:
        OptionError: If it is not registered or cannot be trained with rsl_rl.
    """
    import gymnasium as gym

    spec = gym.registry.get(task)
    if spec is not None and AGENT_KEY in spec.kwargs:
        return spec
    ours = [name for name, entry in gym.registry.items() if _is_ours(entry)]
    near = difflib.get_close_matches(task, ours, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}? " if near else ""
    raise OptionError(f"task '{task}' is unknown; {hint}choose from {', '.join(sorted(ours))}")


def play_task(task: str) -> str:
    """Return the id of a task's examination: ``X-v0`` and ``X-Play-v0`` both give ``X-Play-v0`` where it exists.

    Raises:
        OptionError: If the task is unknown.
    """
    import gymnasium as gym

    find_task(task)
    play = task if "-Play-" in task else task.replace("-v0", "-Play-v0")
    return play if play in gym.registry else task


def cpu_overrides(spec: Any) -> dict[str, str]:
    """Return what a task changes where there is no GPU, by override key; empty if it says nothing."""
    entry = spec.kwargs.get("cpu_overrides_entry_point")
    if entry is None:
        return {}
    module, _, name = entry.partition(":")
    return dict(getattr(importlib.import_module(module), name))


def choose_device(device: str | None) -> str:
    """Return the device to use, the first GPU if there is one and none was named.

    Raises:
        OptionError: If the named device is not on this machine.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    choices = ["cpu", *(f"cuda:{index}" for index in range(count))]
    if device is None:
        return choices[1] if count else "cpu"
    name = "cuda:0" if device == "cuda" else device
    if name not in choices:
        raise OptionError(f"device '{device}' is not on this machine; choose from {', '.join(choices)}")
    return name


def caller_folder() -> Path:
    """Return the folder from which the user called the wrapper; relative paths are read against it."""
    return Path(os.environ.get("ISAAC_TRACKING_CALLER_DIR") or Path.cwd())


def resolve_motions(motions: Sequence[str], base: Path) -> list[str]:
    """Return motions with absolute paths, after each of their clips was loaded once.

    Raises:
        ClipError: If a motion is unknown or its file is not a clip.
    """
    load_clips(motions, base)
    paths = [base / Path(motion).expanduser() for motion in motions]
    return [str(path.resolve()) if path.exists() else motion for motion, path in zip(motions, paths, strict=True)]


def resolve_config(task: str, overrides: Sequence[str], play: bool = False) -> tuple[Any, Any]:
    """Resolve a task's environment and agent configs with overrides.

    Raises:
        OptionError: If an override names no field or holds a value of another kind.
    """
    from hydra.errors import HydraException
    from isaaclab_tasks.utils import resolve_task_config
    from omegaconf.errors import OmegaConfBaseException

    try:
        return resolve_task_config(task, AGENT_KEY, play_mode=play, overrides=list(overrides))
    except (HydraException, OmegaConfBaseException, ValueError, KeyError, TypeError, AttributeError) as error:
        detail = " ".join(str(error).split())[:300]
        raise OptionError(f"the settings {list(overrides)} do not fit task '{task}': {detail}") from error


def need_display(gui: bool) -> None:
    """Refuse a window where there is no display.

    Raises:
        OptionError: If a window was asked for and cannot be opened.
    """
    if gui and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OptionError("--gui needs a display and there is none; use --video, or --viz viser for a browser")


def need_space(folder: Path, megabytes: int = 200) -> None:
    """Refuse to start where nothing could be written.

    Raises:
        RunError: If the folder cannot be made or written, or its disk is full.
    """
    import shutil
    import tempfile

    parent = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
        free = shutil.disk_usage(parent).free
    except OSError as error:
        raise RunError(
            f"'{parent}' cannot be written ({error.strerror}); give rights to it or free its disk"
        ) from error
    if free < megabytes * 2**20:
        raise RunError(f"the disk of '{parent}' has {free >> 20} MB left and a run needs {megabytes}; free some")


def _is_ours(entry: Any) -> bool:
    return str(entry.kwargs.get("env_cfg_entry_point", "")).startswith("isaac_tracking.")
