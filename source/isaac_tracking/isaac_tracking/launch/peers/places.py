# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where the other projects are installed: this Python, another one or a folder of packages; and what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..child_process import child_environment
from ..errors import OptionError
from .job import TASKS

RELEASES = {"mjlab": "mjlab==1.6.0", "wbc": "wbc-mjlab==0.0.6"}
"""Release of each project that is compared."""
_MJLAB = ("torch", "mjlab", "mujoco", "mujoco_warp", "rsl_rl", "tensordict", "tyro", "prettytable", "trimesh", "viser",
          "mjviser", "mediapy", "IPython", "wandb")  # fmt: skip
NEEDED = {"mjlab": _MJLAB, "wbc": (*_MJLAB, "wbc_mjlab")}
"""Modules that each project imports; not all that it requires."""
_PROBE = (
    "import importlib.util, json, sys; print(json.dumps([name for name in sys.argv[1:]"
    " if importlib.util.find_spec(name) is None]))"
)


@dataclass(frozen=True)
class Place:
    """How to run Python where a project is installed."""

    python: str
    """The interpreter."""
    packages: str | None = None
    """A folder of packages that come before the interpreter's own."""
    foreign: bool = False
    """Whether the interpreter is not the one that runs this, so that ``PYTHONPATH`` is not meant for it."""

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a process that imports the project and our package."""
        packages = [] if self.packages is None else [self.packages]
        # Nothing is drawn; mjlab would load EGL, which a machine without a display may lack.
        return child_environment({"MUJOCO_GL": "disable"}, packages, inherit_path=not self.foreign)

    def missing(self, modules: Sequence[str]) -> list[str]:
        """Return which modules cannot be imported there.

        Raises:
            OptionError: If the interpreter does not run.
        """
        command = [self.python, "-c", _PROBE, *modules]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=self.environment())
            return json.loads(done.stdout)
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            raise OptionError(
                f"'{self.python}' does not run as a Python ({' '.join(str(error).split())[-200:]});"
                " give an interpreter or a folder of packages to --python"
            ) from error


def read_places(options: Sequence[str], base: Path) -> dict[str, Place]:
    """Return where each project is, from what ``--python`` was given.

    Args:
        options: ``NAME=PATH``; the path is an interpreter, a virtual environment, or a folder of packages for the
            interpreter that runs this.
        base: Folder against which relative paths are read.

    Raises:
        OptionError: If a name or a path is wrong.
    """
    places = {name: Place(sys.executable) for name in TASKS}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or name not in RELEASES:
            raise OptionError(f"--python '{option}' is not understood; give {'=PATH or '.join(RELEASES)}=PATH")
        # Not resolved: the link of a virtual environment tells Python which one it is.
        path = Path(os.path.abspath(base / Path(text).expanduser()))
        inside = path / "bin" / "python"
        if path.is_file() or inside.is_file():
            places[name] = Place(str(path if path.is_file() else inside), foreign=True)
        elif path.is_dir():
            places[name] = Place(sys.executable, str(path))
        else:
            raise OptionError(f"--python '{option}': there is no '{path}'; give an interpreter or a folder of packages")
    return places


def need_projects(places: Mapping[str, Place], names: Sequence[str]) -> None:
    """Refuse to start without a project.

    Raises:
        OptionError: If one cannot be imported where it should be.
    """
    for name in (name for name in names if name in NEEDED):
        missing = places[name].missing(NEEDED[name])
        if missing:
            raise OptionError(
                f"{name} cannot run with '{places[name].packages or places[name].python}', which lacks"
                f" {', '.join(missing)}; its requirements are not ours, so give it an environment of its own:"
                f" python3 -m venv PEERS && PEERS/bin/pip install {' '.join(RELEASES.values())}, and then"
                f" --python mjlab=PEERS wbc=PEERS; or leave it out: --only {_others(names, name)}"
            )


def _others(names: Sequence[str], name: str) -> str:
    return " ".join(other for other in names if other != name) or "ours"
