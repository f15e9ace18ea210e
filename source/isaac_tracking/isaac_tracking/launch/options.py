# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The options that training and playing share, checked before anything is started or written."""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import importlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..learning.runs import resolve_checkpoint
from ..motion.clip import ClipError
from ..motion.data import shipped_clips
from ..motion.sources import find_library
from . import checks
from .errors import OptionError
from .families import refuse_motions
from .overrides import AGENT_KEY, is_setting, split_rest
from .wandb_checkpoint import fetch_checkpoint, is_online

MOTIONS = "env.commands.motion.motions"
"""Setting that names the clips."""


class OptionParser(argparse.ArgumentParser):
    """An argument parser that raises :class:`OptionError` instead of printing a page."""

    def error(self, message: str) -> NoReturn:
        """Raise the message as one line."""
        raise OptionError(f"{message}; see --help")


@dataclass
class Request:
    """What training and playing are asked for alike."""

    args: argparse.Namespace
    task: str
    device: str
    overrides: list[str]
    """Settings that the user gave, by option or as ``key=value``."""
    passed: list[str]
    """Options handed to Isaac Lab as they are."""
    base: Path
    """Folder against which the user's relative paths are read."""
    logs: Path
    """Folder of all experiments."""


def make_parser(prog: str, description: str, task: str) -> OptionParser:
    """Return a parser with the options that training and playing share.

    Args:
        prog: Name of the command.
        description: What it does.
        task: Which task it takes if none is given, in words.
    """
    parser = OptionParser(prog=prog, description=description, allow_abbrev=False)
    parser.add_argument("--task", default=None, metavar="ID", help=f"id of the task (default: {task})")
    parser.add_argument("--num_envs", type=positive, metavar="N", help="environments simulated at once")
    parser.add_argument("--seed", type=natural, metavar="N", help="random seed")
    parser.add_argument("--device", metavar="DEVICE", help="cuda, cuda:N or cpu (default: a GPU if there is one)")
    parser.add_argument(
        "--checkpoint",
        metavar="PATH",
        help="model_<iteration>.pt, a run folder, 'latest', 'pretrained', or run:ENTITY/PROJECT/ID of W&B",
    )
    parser.add_argument(
        "--motion", nargs="+", metavar="NAME", help="clips: names or patterns, files (.npz), folders, manifests (.toml)"
    )
    parser.add_argument("--gui", action="store_true", help="show the simulation in a window")
    parser.add_argument("--video", action="store_true", help="film the policy")
    parser.add_argument("--verbose", action="store_true", help="print all that Isaac Lab prints")
    return parser


def read_request(
    parser: OptionParser, argv: Sequence[str], task: str, foreign: Callable[[], Iterable[str]], root: Path | None
) -> Request:
    """Read and check what training and playing share.

    Args:
        parser: Parser from :func:`make_parser`, with what else the command knows.
        argv: Arguments of the command.
        task: Task to take if none is given.
        foreign: Returns the options that Isaac Lab's own command knows.
        root: Folder that holds ``logs``; the current one if None.

    Raises:
        OptionError, ClipError: If an option cannot be used.
    """
    args, rest = parser.parse_known_args(argv)
    if args.motion:
        # Settings that follow the names are not meant as names.
        rest += [text for text in args.motion if is_setting(text)]
        args.motion = [text for text in args.motion if not is_setting(text)]
    overrides, passed = split_rest(rest, parser._option_string_actions, foreign)
    task = args.task or task
    find_task(task)
    refuse_motions(task, args.motion)
    checks.need_display(args.gui)
    checks.need_packages((*checks.NEEDED, *(checks.FOR_FILMS if args.video else ())))
    base, logs = caller_folder(), (root or Path.cwd()).resolve() / "logs" / "rsl_rl"
    if args.motion:
        overrides.append(f"{MOTIONS}={json.dumps(resolve_motions(args.motion, base))}")
    if args.seed is not None:
        overrides.append(f"agent.seed={args.seed}")
    if args.gui:
        passed += ["--viz", "newton"]
    return Request(args, task, choose_device(args.device), overrides, passed, base, logs)


def find_checkpoint(request: Request, experiment: Path) -> Path:
    """Return the checkpoint that ``--checkpoint`` names, on this machine or in a run of W&B, which is fetched.

    Args:
        request: What was asked for.
        experiment: Folder of the experiment, for ``latest``.

    Raises:
        OptionError, RunError: If there is no such checkpoint.
    """
    name = request.args.checkpoint
    if is_online(name):
        return fetch_checkpoint(name, request.logs.parent / "wandb_checkpoints")
    return resolve_checkpoint(name, experiment, request.base)


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


def train_command(task: str) -> str:
    """Return the command that trains a task, for whoever has no checkpoint of it."""
    return f"bash train.sh --task {task.replace('-Play-', '-')}"


def play_task(task: str) -> str:
    """Return the id of a task's examination: ``X-v0`` and ``X-Play-v0`` both give ``X-Play-v0`` where it exists.

    Raises:
        OptionError: If the task is unknown.
    """
    import gymnasium as gym

    find_task(task)
    play = task if "-Play-" in task else task.replace("-v0", "-Play-v0")
    return play if play in gym.registry else task


def same_task(
    checkpoint: Path | None, record: dict, task: str, given: str | None, role: Callable[[str], str] = str
) -> str:
    """Return the task of a checkpoint's run, in a role; without a record, the task that was asked for.

    Args:
        checkpoint: The checkpoint, for the message.
        record: How its run was started.
        task: Task that was asked for, in the role.
        given: Task that the user named, None if none was.
        role: From a task's id to the id that is to be run.

    Raises:
        OptionError: If the user named another task than the checkpoint's, or that one is unknown.
    """
    trained = record.get("task")
    if not trained:
        return task
    if given is None:
        find_task(trained)
        return role(trained)
    if role(trained) != task:
        raise OptionError(f"checkpoint '{checkpoint}' is of task '{trained}', not '{given}'; give --task {trained}")
    return task


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
    if device == "cpu":
        return device
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
    """Return motions with absolute paths, after making sure that each stands for clips; no clip is read.

    Raises:
        ClipError: If a motion stands for nothing, or a manifest is wrong.
    """
    shipped = shipped_clips()
    try:
        find_library(motions, base)
    except ClipError as error:
        wrong = next((motion for motion in motions if str(error).startswith(f"motion '{motion}' is neither")), "")
        near = difflib.get_close_matches(wrong, shipped, n=1)
        if not near:
            raise
        raise ClipError(f"{error}; did you mean {near[0]}?") from error
    paths = {motion: base / Path(motion).expanduser() for motion in motions if not fnmatch.filter(shipped, motion)}
    return [str(paths[motion].resolve()) if motion in paths else motion for motion in motions]


def _is_ours(entry: Any) -> bool:
    return str(entry.kwargs.get("env_cfg_entry_point", "")).startswith("isaac_tracking.")
