# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motions of one viewer: named at once, read when they are looked at."""

from __future__ import annotations

import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...motion.clip import Clip, ClipError
from ...motion.robot import Robot
from .episode import Episode
from .poses import BodyPoses

if TYPE_CHECKING:
    from ...motion.formats import ReadOptions

_KEPT = 32
"""Clips kept in memory: those looked at last."""


@dataclass(frozen=True)
class Entry:
    """A motion that can be looked at."""

    label: str
    """What it is called in the page, unique on its shelf."""

    load: Callable[[], Clip]
    """Reads it; raises a ``ClipError`` if it cannot."""


class Shelf:
    """Motions by number; safe to be read by several threads."""

    def __init__(self, entries: Iterable[tuple[str, Callable[[], Clip]]], robot: Robot):
        """Take the motions.

        Args:
            entries: Name and reader of each motion; equal names get a number.
            robot: Whose motions they are.

        Raises:
            ClipError: If there is none.
        """
        self.robot = robot
        self.entries: list[Entry] = []
        taken: set[str] = set()
        for name, load in entries:
            label, number = name, 1
            while label in taken:
                number += 1
                label = f"{name} ({number})"
            taken.add(label)
            self.entries.append(Entry(label, load))
        if not self.entries:
            raise ClipError("there is no motion to show; name shipped clips, files or folders with motions")
        self._kept: OrderedDict[int, tuple[Clip, BodyPoses]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def labels(self) -> list[str]:
        """The names of the motions."""
        return [entry.label for entry in self.entries]

    def episode(self, index: int) -> Episode | None:
        """Return what a motion was to follow and how it did, if it is what a policy did; of others nothing is known."""
        return None

    def take(self, index: int) -> tuple[Clip, BodyPoses]:
        """Return a motion and its poses; it is read if need be.

        Raises:
            ClipError: If it cannot be read or is of another robot.
        """
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        # Not under the lock: while one spectator's file is read, the others go on.
        clip = self.entries[index].load()
        found = clip, BodyPoses.of(clip, self.robot)
        with self._lock:
            self._kept[index] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def read_shelf(
    paths: Sequence[Path], robot: Robot, options: ReadOptions | None = None
) -> tuple[Shelf | None, list[str]]:
    """Put the motions of files on a shelf: clips are read later, files of other projects at once.

    Args:
        paths: Clips (.npz) and motion files of other projects.
        robot: Whose motions they are.
        options: What the files of other projects do not say themselves.

    Returns:
        The shelf, None if no file can be read; and one line for each file that cannot.
    """
    entries: list[tuple[str, Callable[[], Clip]]] = []
    faults: list[str] = []
    for path in paths:
        if is_clip(path):
            entries.append((path.stem, _reader(path)))
            continue
        try:
            clips = read_any(path, robot, options)
        except (ClipError, OSError) as error:
            faults.append(" ".join(str(error).split()))
            continue
        entries += [(clip.name, _keeper(clip)) for clip in clips]
    return (Shelf(entries, robot) if entries else None), faults


def is_clip(path: Path) -> bool:
    """Return whether a file says that it is a clip of this project; only its table of contents is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"format.npy", "format_version.npy", "quaternion_order.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read_any(path: Path, robot: Robot, options: ReadOptions | None = None) -> list[Clip]:
    """Read the motions of a clip or of a file of another project.

    Raises:
        ClipError: If the file cannot be read.
    """
    if is_clip(path):
        return [Clip.load(path)]
    # Heavy, and needed for foreign files alone.
    from ...motion.formats import ReadOptions, read_motions

    return read_motions(path, robot, options or ReadOptions())


def _reader(path: Path) -> Callable[[], Clip]:
    return lambda: Clip.load(path)


def _keeper(clip: Clip) -> Callable[[], Clip]:
    return lambda: clip
