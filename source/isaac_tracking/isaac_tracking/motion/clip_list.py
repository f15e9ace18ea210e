# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clips as they are named, before any of them is read: files, names, weights, trims."""

from __future__ import annotations

import dataclasses
import fnmatch
import glob
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .clip import Clip, ClipError
from .data import shipped_clips
from .processing.cutting import trim


@dataclass(frozen=True)
class ClipEntry:
    """One clip of a list."""

    path: Path
    """The clip's file."""

    name: str
    """Name in logs: the file's name without its suffix, with as many folders before it as make it unique."""

    dataset: str = ""
    """Dataset of the manifest that the clip belongs to; empty if it was named otherwise."""

    weight: float = 1.0
    """How much likelier a second of this clip is than a second of another clip of the dataset [-]."""

    tags: tuple[str, ...] = ()
    """What the manifest says of the clip."""

    start: float = 0.0
    """Time of the clip's file at which the clip starts [s]."""

    end: float | None = None
    """Time of the clip's file at which the clip ends [s]; the file's end if None or later than that."""

    def load(self) -> Clip:
        """Read the clip, trimmed and with the name of this entry.

        Raises:
            ClipError: If the file is not a clip, or nothing is left between start and end.
        """
        clip = Clip.load(self.path)
        if self.start or self.end is not None:
            clip = trim(clip, self.start, self.end)
        return clip if clip.name == self.name else dataclasses.replace(clip, name=self.name)


@dataclass(frozen=True)
class ClipList:
    """Clips by name and file, what a manifest says of them, and how the library is to keep them."""

    entries: tuple[ClipEntry, ...]

    dataset_weights: Mapping[str, float] = field(default_factory=dict)
    """Share of the starts of each dataset [-], in any measure; empty if each has the share of its length."""

    name: str = ""
    """Name of the library; empty if no manifest gave one."""

    precision: str | None = None
    """Precision that the manifest asks for; None if it does not say."""

    memory_budget: int | None = None
    """Bytes that the frames may take on the device, as the manifest says; None for as many as there are."""

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the clips; each is there once."""
        return tuple(entry.name for entry in self.entries)

    @property
    def paths(self) -> list[Path]:
        """Files of the clips."""
        return [entry.path for entry in self.entries]

    def load(self) -> list[Clip]:
        """Read all clips.

        Raises:
            ClipError: If a file is not a clip.
        """
        return [entry.load() for entry in self.entries]

    def weights(self, num_frames: Sequence[int] | np.ndarray, length_neutral: bool = False) -> np.ndarray:
        """Return the weights of the clips, as a sampler takes them, shape (num_clips,).

        Within a dataset they are in the ratio of the clips' own weights. A dataset's share of the starts is the one
        that the manifest gives it; without, that of its length, or of its number of clips if length-neutral.

        Args:
            num_frames: Length of each clip, in any unit, shape (num_clips,).
            length_neutral: Whether the sampler takes a clip's share of the starts as its weight, and not as its weight
                times its length.

        Returns:
            Weights [-]; their mean over all instants, or over all clips if length-neutral, is 1.
        """
        sizes = np.ones(len(self)) if length_neutral else np.asarray(num_frames, dtype=np.float64)
        weights = np.array([entry.weight for entry in self.entries], dtype=np.float64)
        datasets = np.array([entry.dataset for entry in self.entries])
        for name in np.unique(datasets):
            mine = datasets == name
            share = self.dataset_weights[name] if self.dataset_weights else sizes[mine].sum()
            weights[mine] *= share / (weights[mine] * sizes[mine]).sum()
        return weights * (sizes.sum() / (weights * sizes).sum())


def clip_files(motion: str, base: Path) -> list[Path]:
    """Return the files that one name stands for, in alphabetical order.

    Args:
        motion: Name or pattern of shipped clips, a clip file, a folder that holds clip files, or a pattern of files.
        base: Folder against which a relative path is read.

    Raises:
        ClipError: If it stands for nothing.
    """
    shipped = shipped_clips()
    by_name = [shipped[name] for name in sorted(shipped) if fnmatch.fnmatchcase(name, motion)]
    # A folder that happens to be called so hides no clip of a task; './walk' means the folder.
    if by_name:
        return by_name
    path = base / Path(motion).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        files = _clips_below(path)
        if files:
            return files
        raise ClipError(f"motion folder '{motion}' holds no .npz file; give a folder with clips")
    if glob.has_magic(motion):
        found = [Path(text) for text in sorted(glob.glob(str(path), recursive=True))]
        files = [file for item in found for file in (_clips_below(item) if item.is_dir() else [item])]
        if files:
            return list(dict.fromkeys(files))
    raise ClipError(f"motion '{motion}' is neither a shipped clip ({', '.join(sorted(shipped))}) nor a file or folder")


def name_clips(entries: Sequence[ClipEntry]) -> tuple[ClipEntry, ...]:
    """Return clips with names that are each there once: where two files share a name, their folders come before it."""
    paths = [os.path.abspath(entry.path) for entry in entries]
    parts = [path.removesuffix(".npz").split(os.sep) for path in paths]
    names = [part[-1] for part in parts]
    depth = 1
    while True:
        counts = Counter(names)
        again = [i for i, name in enumerate(names) if counts[name] > 1]
        # Two files of different suffixes can share everything else.
        stuck = [i for i in again if depth >= len(parts[i])]
        if not again or stuck:
            break
        depth += 1
        for i in again:
            names[i] = "/".join(parts[i][-depth:])
    for i in again:
        names[i] = paths[i]
    return tuple(dataclasses.replace(entry, name=name) for entry, name in zip(entries, names, strict=True))


def _clips_below(folder: Path) -> list[Path]:
    """Return the clip files of a folder; hidden ones (macOS writes ``._walk.npz``) are none, as for patterns."""
    return sorted(
        file
        for file in folder.rglob("*.npz")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
