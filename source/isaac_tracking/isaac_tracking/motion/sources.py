# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From what a user names to clips: shipped clips by name or pattern, files, and folders of files."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path

from .clip import Clip, ClipError
from .data import shipped_clips


def find_clips(motions: Sequence[str], base: Path | None = None) -> list[Path]:
    """Return the clip files that a list of names stands for, each once, in the order of the list.

    Args:
        motions: Names or patterns of shipped clips, clip files, or folders that hold clip files.
        base: Folder against which relative paths are read; the current one if None.

    Raises:
        ClipError: If a name is neither a shipped clip nor a file nor a folder with clips.
    """
    found: dict[Path, None] = {}
    for motion in motions:
        found.update(dict.fromkeys(_find(motion, base or Path())))
    if not found:
        raise ClipError("no motion was named; give '*' for all shipped clips, names, files or folders")
    return list(found)


def load_clips(motions: Sequence[str], base: Path | None = None) -> list[Clip]:
    """Load the clips that a list of names stands for; see :func:`find_clips`.

    Raises:
        ClipError: If a name stands for nothing or a file is not a clip.
    """
    return [Clip.load(path) for path in find_clips(motions, base)]


def _find(motion: str, base: Path) -> list[Path]:
    shipped = shipped_clips()
    by_name = [shipped[name] for name in sorted(shipped) if fnmatch.fnmatchcase(name, motion)]
    if by_name:
        return by_name
    path = base / Path(motion).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        files = sorted(path.rglob("*.npz"))
        if files:
            return files
        raise ClipError(f"motion folder '{motion}' holds no .npz file; give a folder with clips")
    raise ClipError(f"motion '{motion}' is neither a shipped clip ({', '.join(sorted(shipped))}) nor a file or folder")
