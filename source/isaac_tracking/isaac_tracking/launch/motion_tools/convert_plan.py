# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which files are converted and where each goes, before any of them is read."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OptionError

MIRRORED = "_mirrored"
"""What the name of a mirrored twin ends in."""


@dataclass(frozen=True)
class Task:
    """One input file and its place in the output."""

    path: Path
    """The file."""

    shown: str
    """How it is named in messages and in the record: with its folder, as it was given or found."""

    key: str
    """Path of its output within the output folder, without suffix, parts separated by slashes."""

    taken: frozenset[str] = frozenset()
    """Names in its output folder, without suffix, that other files take and that begin with its own name."""


@dataclass(frozen=True)
class ConvertPlan:
    """What a call of ``convert`` will do."""

    root: Path
    """Output folder."""

    tasks: tuple[Task, ...]
    """The files, each once."""

    faults: tuple[tuple[str, str], ...]
    """Folders that could not be looked into, each with the reason."""


def make_plan(inputs: Sequence[Path], root: Path, wanted: Callable[[Path], bool], mirror: bool) -> ConvertPlan:
    """Find the files and give each a place.

    A folder's files keep their places below it. If several folders are given, each gets a folder of its own name.

    Args:
        inputs: Files and folders.
        root: Output folder; if it lies in an input folder, nothing in it is taken as input.
        wanted: Whether a file found in a folder is a motion; files that were named are taken as they are.
        mirror: Whether mirrored twins are written as well.

    Raises:
        OptionError: If an input is missing, there is nothing to convert, or two files have the same place.
    """
    folders = [path for path in inputs if path.is_dir()]
    faults: list[tuple[str, str]] = []
    tasks: dict[Path, Task] = {}
    for given in inputs:
        if given.is_dir():
            prefix = f"{given.resolve().name}/" if len(folders) > 1 else ""
            found = _files_below(given, root, wanted, faults)
            if not found and not faults:
                raise OptionError(f"folder '{given}' holds no motion file; give files, or a folder with motion files")
        elif given.exists():
            prefix, found = "", [given]
        else:
            raise OptionError(f"'{given}' does not exist; give files or folders with motions")
        for path in found:
            inside = path.relative_to(given) if given.is_dir() else Path(path.name)
            key = prefix + inside.with_suffix("").as_posix()
            tasks.setdefault(path.resolve(), Task(path, str(path), key))
    _refuse_collisions(list(tasks.values()), root, mirror)
    return ConvertPlan(root, _with_neighbours(list(tasks.values())), tuple(faults))


def _files_below(folder: Path, root: Path, wanted: Callable[[Path], bool], faults: list[tuple[str, str]]) -> list[Path]:
    """Return the motion files in a folder and below, sorted; hidden ones and those of the output are left out."""

    def note(error: OSError) -> None:
        faults.append((str(error.filename), error.strerror or str(error)))

    output, found = root.resolve(), []
    for place, names, files in os.walk(folder, onerror=note):
        here = Path(place)
        names[:] = sorted(name for name in names if name[0] != "." and (here / name).resolve() != output)
        found += [here / name for name in files if name[0] != "." and wanted(here / name)]
    return sorted(found)


def _refuse_collisions(tasks: list[Task], root: Path, mirror: bool) -> None:
    """Refuse two files with one place, and an output in the place of an input."""
    owners: dict[str, Task] = {}
    for task in tasks:
        for key in (task.key, task.key + MIRRORED) if mirror else (task.key,):
            if key in owners:
                raise OptionError(
                    f"'{owners[key].shown}' and '{task.shown}' would both become '{root / key}.npz';"
                    " rename one of them, or convert them into different folders"
                )
            owners[key] = task
    places = {task.path.resolve(): task for task in tasks}
    for key, task in owners.items():
        target = (root / f"{key}.npz").resolve()
        if target in places:
            raise OptionError(
                f"'{task.shown}' would be written over the input '{places[target].shown}'; give another output folder"
            )


def _with_neighbours(tasks: list[Task]) -> tuple[Task, ...]:
    """Return the tasks with the names that a file of several motions must not take from another file."""
    keys = sorted(task.key for task in tasks)
    done = []
    for task in tasks:
        prefix = f"{task.key}_"
        near = (key for key in _starting_with(keys, prefix) if "/" not in key[len(prefix) :])
        done.append(Task(task.path, task.shown, task.key, frozenset(key.rpartition("/")[2] for key in near)))
    return tuple(done)


def _starting_with(keys: list[str], prefix: str) -> list[str]:
    """Return those of sorted keys that begin so."""
    first = last = bisect_left(keys, prefix)
    while last < len(keys) and keys[last].startswith(prefix):
        last += 1
    return keys[first:last]
