# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a process needs that imports this package, wherever it is started."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
"""Folder from which the package is imported."""


def child_environment(
    variables: Mapping[str, str] | None = None, packages: Sequence[str] = (), inherit_path: bool = True
) -> dict[str, str]:
    """Return the environment variables of a process that imports this package.

    Args:
        variables: Variables besides those of this process.
        packages: Folders to import from after this package's and before those of ``PYTHONPATH``.
        inherit_path: Whether our ``PYTHONPATH`` is meant for that process, too.
    """
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep) if inherit_path else []
    # An empty entry would be the folder in which the process happens to start.
    paths = [str(PACKAGE), *packages, *filter(None, inherited)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(variables or {})}
