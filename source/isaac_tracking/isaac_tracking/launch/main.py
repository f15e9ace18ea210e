# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The scripts' main function: a user's mistake gets one line and exit code 2, never a traceback."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Sequence

ISAACLAB_MAJOR = 3
"""Major version of Isaac Lab that the tasks are written for."""


def main(command: str, argv: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Args:
        command: Module of this package and function in it, e.g. ``"train"``.
        argv: Arguments without the script's name.
    """
    try:
        _require_isaaclab()
        from ..learning.runs import RunError
        from ..motion.clip import ClipError
        from .options import OptionError
    except ImportError as error:
        return _fail(f"package '{error.name}' is missing here; run 'bash scripts/setup.sh' and use its .venv")
    except RuntimeError as error:
        return _fail(str(error))
    try:
        module = importlib.import_module(f"isaac_tracking.launch.{command}")
        if {"-h", "--help"} & set(argv):
            module.make_parser().print_help()
            return 0
        importlib.import_module("isaac_tracking.tasks")
        return getattr(module, command)(argv)
    except (OptionError, RunError, ClipError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped before anything was trained\n")
        return 130


def _require_isaaclab() -> None:
    """Check the version of Isaac Lab before anything of it is imported.

    Raises:
        RuntimeError: If it is missing or of another major version.
    """
    try:
        version = importlib.metadata.version("isaaclab")
    except importlib.metadata.PackageNotFoundError:
        raise RuntimeError("Isaac Lab is not installed here; run 'bash scripts/setup.sh' and use its .venv") from None
    if int(version.split(".")[0]) != ISAACLAB_MAJOR:
        raise RuntimeError(
            f"Isaac Lab {version} is installed here, but {ISAACLAB_MAJOR}.x is needed;"
            " give another with --isaaclab PATH, or run 'bash scripts/setup.sh'"
        )


def _fail(message: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"Error: {' '.join(message.split())}\n")
    sys.stderr.flush()
    return 2
