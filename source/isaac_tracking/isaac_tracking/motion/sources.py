# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From what a user names to clips: shipped clips by name or pattern, files, folders of files, and manifests."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from .clip import Clip, ClipError
from .clip_list import ClipEntry, ClipList, clip_files, name_clips
from .data import shipped_clips
from .manifest import load_manifest

Value = TypeVar("Value")


def find_library(motions: Sequence[str], base: Path | None = None) -> ClipList:
    """Return the clips that a list of names stands for, each once, in the order of the list; no clip is read.

    Args:
        motions: Names or patterns of shipped clips, clip files, folders that hold clip files, patterns of files, or
            manifests (``.toml``, see :mod:`.manifest`).
        base: Folder against which relative paths are read; the current one if None.

    Raises:
        ClipError: If a name stands for nothing, a manifest is wrong, or two manifests contradict each other.
    """
    base = base or Path()
    entries: dict[str, ClipEntry] = {}
    manifests: dict[str, ClipList] = {}
    for motion in motions:
        if is_manifest(motion):
            manifests[motion] = load_manifest(base / Path(motion).expanduser())
            found = manifests[motion].entries
        else:
            found = tuple(ClipEntry(path, "") for path in clip_files(motion, base))
        for entry in found:
            entries.setdefault(os.path.abspath(entry.path), entry)
    if not entries:
        raise ClipError("no motion was named; give '*' for all shipped clips, names, files, folders or manifests")
    return ClipList(
        name_clips(tuple(entries.values())),
        _shares(manifests, {entry.dataset for entry in entries.values()}),
        " + ".join(item.name for item in manifests.values() if item.name),
        _agreed("precision", {motion: item.precision for motion, item in manifests.items()}),
        _agreed("memory_budget", {motion: item.memory_budget for motion, item in manifests.items()}),
    )


def find_clips(motions: Sequence[str], base: Path | None = None) -> list[Path]:
    """Return the clip files that a list of names stands for; see :func:`find_library`.

    Raises:
        ClipError: If a name stands for nothing.
    """
    return find_library(motions, base).paths


def load_clips(motions: Sequence[str], base: Path | None = None) -> list[Clip]:
    """Load the clips that a list of names stands for; see :func:`find_library`.

    Raises:
        ClipError: If a name stands for nothing or a file is not a clip.
    """
    return find_library(motions, base).load()


def is_manifest(motion: str) -> bool:
    """Return whether a name is meant as a manifest and not as a clip."""
    return motion.endswith(".toml") and not fnmatch.filter(shipped_clips(), motion)


def _shares(manifests: dict[str, ClipList], datasets: set[str]) -> dict[str, float]:
    """Return the weights of all datasets, or of none."""
    shares: dict[str, float] = {}
    seen: dict[str, str] = {}
    for motion, found in manifests.items():
        for name in dict.fromkeys(entry.dataset for entry in found.entries):
            if name in seen:
                raise ClipError(
                    f"manifest '{motion}': dataset '{name}' is in '{seen[name]}' as well;"
                    " expected a name for each; rename one"
                )
            seen[name] = motion
        shares |= found.dataset_weights
    lacking = sorted(datasets - shares.keys())
    if shares and lacking:
        what = f"dataset '{lacking[0]}'" if lacking[0] else "a motion named beside the manifest"
        raise ClipError(
            f"manifest '{seen[next(iter(shares))]}': its datasets have weights, but {what} has none;"
            " expected a weight for all datasets or for none; put everything into one manifest"
        )
    return {name: share for name, share in shares.items() if name in datasets}


def _agreed(key: str, said: dict[str, Value | None]) -> Value | None:
    """Return what the manifests say of a key, if they say the same."""
    given = {motion: value for motion, value in said.items() if value is not None}
    if len(set(given.values())) > 1:
        (first, one), (second, other) = list(given.items())[:2]
        raise ClipError(
            f"manifests '{first}' and '{second}' give {key} {one} and {other}; expected the same; change one"
        )
    return next(iter(given.values()), None)
