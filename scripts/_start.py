# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How the scripts start: with this Python if it has what is needed, else with the one that train.sh would take."""

import importlib.util
import os
import sys
from pathlib import Path

_SCRIPTS = Path(__file__).resolve().parent
_NEEDED = ("isaaclab", "tyro", "mjlab")
_FOUND = "ISAAC_TRACKING_PYTHON_FOUND"


def start(command: str) -> None:
    """Run a command of ``isaac_tracking.launch`` with the script's arguments, and exit with its code."""
    if _FOUND not in os.environ and any(importlib.util.find_spec(name) is None for name in _NEEDED):
        os.environ[_FOUND] = "1"
        os.execvp("bash", ["bash", str(_SCRIPTS / "with_isaaclab.sh"), *sys.argv])
    sys.path.insert(0, str(_SCRIPTS.parent / "source" / "isaac_tracking"))
    from isaac_tracking.launch.main import main

    sys.exit(main(command, sys.argv[1:]))
