# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the motion tools take as input: from names to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def motion_files(motions: Sequence[str]) -> list[Path]:
    """Return the files that names, files and folders stand for, those of other projects as well.

    Raises:
        ClipError: If a name stands for nothing.
    """
    from ...motion.sources import find_clips

    found: dict[Path, None] = {}
    for motion in motions:
        folder = Path(motion).expanduser()
        found.update(dict.fromkeys((_inside(folder) if folder.is_dir() else []) or find_clips([motion])))
    return list(found) or find_clips([])


def files_and_folders(motions: Sequence[Path]) -> list[Path]:
    """Return files and folders as they were given, and the files that all other names and manifests stand for.

    Raises:
        ClipError: If a name stands for nothing.
    """
    from ...motion.sources import find_clips, is_manifest

    found: dict[Path, None] = {}
    for motion in motions:
        path = motion.expanduser()
        named = is_manifest(str(motion)) or not path.exists()
        found.update(dict.fromkeys(find_clips([str(motion)]) if named else [path]))
    return list(found)


def _inside(folder: Path) -> list[Path]:
    """Return the motion files of a folder, those of other projects as well."""
    from ...motion.formats import is_motion_file

    return sorted(path for path in folder.rglob("*") if is_motion_file(path))
