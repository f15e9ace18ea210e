# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The scripts' main function: a user's mistake gets one line and exit code 2, never a traceback."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence

from .garbage import look_seldom
from .stop import TerminatedError, heeded

ISAACLAB_MAJOR = 3
"""Major version of Isaac Lab that the tasks are written for."""
_NEEDED = ("numpy", "torch", "gymnasium")
"""Packages that our own modules import at once."""


def main(command: str, argv: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Args:
        command: Module of this package and function in it, e.g. ``"train"``.
        argv: Arguments without the script's name.
    """
    # torch's threads otherwise spin while they wait for each other: with two cores and any other program beside it,
    # an update of the networks then takes a hundred times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    look_seldom()
    try:
        with heeded():
            code = _run(command, argv)
            sys.stdout.flush()
            return code
    except BrokenPipeError:
        # Whoever reads the output, `head` for one, has seen enough; Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as stop:
        terminated = isinstance(stop, TerminatedError)
        sys.stderr.write(f"\nStopped by {'SIGTERM' if terminated else 'Ctrl-C'}.\n")
        return 128 + (signal.SIGTERM if terminated else signal.SIGINT)


def _run(command: str, argv: Sequence[str]) -> int:
    wrong = _wrong_installation()
    if wrong is not None:
        return _fail(wrong)
    from .errors import USER_ERRORS

    try:
        module = importlib.import_module(f"isaac_tracking.launch.{command}")
        if {"-h", "--help"} & set(argv) and hasattr(module, "make_parser"):
            module.make_parser().print_help()
            return 0
        if getattr(module, "NEEDS_TASKS", True):
            importlib.import_module("isaac_tracking.tasks")
        return getattr(module, command)(argv)
    except USER_ERRORS as error:
        return _fail(str(error))


def _wrong_installation() -> str | None:
    """Return what is wrong with the packages, before any of them is imported; None if nothing is."""
    try:
        version = importlib.metadata.version("isaaclab")
    except importlib.metadata.PackageNotFoundError:
        return "Isaac Lab is not installed here; run 'bash scripts/setup.sh' and use its .venv"
    if version.partition(".")[0] != str(ISAACLAB_MAJOR):
        return (
            f"Isaac Lab {version} is installed here, but {ISAACLAB_MAJOR}.x is needed;"
            " give another with --isaaclab PATH, or run 'bash scripts/setup.sh'"
        )
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return f"package '{missing[0]}' is missing here; run 'bash scripts/setup.sh' and use its .venv"
    return None


def _fail(message: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"Error: {' '.join(message.split())}\n")
    sys.stderr.flush()
    return 2
