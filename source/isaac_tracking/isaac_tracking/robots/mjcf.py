# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robot models on disk: the MJCF that the ``mjlab`` wheel carries, and the USD made from it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

_MJLAB_ROBOTS = "asset_zoo/robots"


def mjcf_path(robot: str, file: str) -> Path:
    """Return the MJCF of a robot inside the ``mjlab`` wheel, which is located but never imported.

    Args:
        robot: Folder of the robot in mjlab's asset zoo, e.g. ``"unitree_g1"``.
        file: Name of the MJCF in that folder's ``xmls``, e.g. ``"g1.xml"``.

    Raises:
        FileNotFoundError: If the wheel or the model is not installed.
    """
    spec = importlib.util.find_spec("mjlab")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "robot models: the package 'mjlab' is not installed; run 'bash scripts/setup.sh'"
            " or 'pip install --no-deps mjlab==1.6.0'"
        )
    path = Path(spec.submodule_search_locations[0]) / _MJLAB_ROBOTS / robot / "xmls" / file
    if not path.is_file():
        robots = sorted(p.name for p in path.parents[2].glob("*") if (p / "xmls").is_dir())
        raise FileNotFoundError(f"robot model '{robot}/{file}' is not in mjlab {_version('mjlab')}; it has {robots}")
    return path


def usd_path(robot: str, file: str) -> str:
    """Return the USD of a robot, converting its MJCF on the first call (0.3 s).

    The result lies in the user's cache folder under a name that holds the versions of the model and of the
    converter, so that an upgrade of either makes a new one. Several processes may call this at once.

    Args:
        robot: Folder of the robot in mjlab's asset zoo.
        file: Name of the MJCF in that folder's ``xmls``.

    Returns:
        Path of the USD layer.

    Raises:
        FileNotFoundError: If the MJCF is not installed.
    """
    source = mjcf_path(robot, file)
    key = f"{source.stem}-mjlab{_version('mjlab')}-converter{_version('mujoco-usd-converter')}"
    folder = cache_folder() / "usd" / key
    if not folder.is_dir():
        _convert(source, folder)
    return str(next(folder.glob("*.usd*")))


def cache_folder() -> Path:
    """Return the folder for files that can be made again: ``$ISAAC_TRACKING_CACHE`` or the user's cache."""
    override = os.environ.get("ISAAC_TRACKING_CACHE")
    if override:
        return Path(override)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isaac_tracking"


def _convert(source: Path, folder: Path) -> None:
    """Convert an MJCF beside its final place and rename, so that nobody sees half a file."""
    # Heavy, and needed once per version.
    import mujoco_usd_converter

    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        mujoco_usd_converter.Converter(layer_structure=False).convert(str(source), str(work))
        try:
            work.rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _version(package: str) -> str:
    return importlib.metadata.version(package)
