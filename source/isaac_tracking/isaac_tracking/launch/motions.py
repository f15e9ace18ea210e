# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/motions.py``: everything that is done with motion files."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import tyro

from .typed_options import mistakes_in_one_line

NEEDS_TASKS = False
"""Whether the tasks must be registered first."""

_COMMANDS = ("synthesize", "retarget", "view", "publish", "convert", "list", "doctor", "export")


def motions(argv: Sequence[str]) -> int:
    """Run a subcommand and return its exit code.

    Raises:
        OptionError, ClipError: If an option or a file cannot be used.
    """
    commands = {}
    for name in _COMMANDS:
        module = importlib.import_module(f".motion_tools.{name}", __package__)
        commands[name] = getattr(module, name.capitalize())
    with mistakes_in_one_line(argv):
        command = tyro.extras.subcommand_cli_from_dict(
            commands,
            prog="motions.py",
            description="Motions: any file in, a proven clip out. Each subcommand has a --help of its own.",
            args=list(argv),
        )
    return command()
