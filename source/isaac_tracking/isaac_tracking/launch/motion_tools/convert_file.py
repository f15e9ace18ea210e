# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One file converted: read, processed and written; what each worker process of ``convert`` does."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...motion.clip import FORMAT_VERSION, Clip, ClipError
from ...motion.formats.options import ReadOptions
from ...motion.mirror import mirror
from ...motion.processing import (
    drop_bad_ends,
    drop_repeats,
    label_contacts,
    lead_in,
    lead_out,
    loop,
    normalize,
    put_on_ground,
    resample,
    trim,
)
from ...motion.robot import Robot
from ..motion_robots import motion_robot
from .convert_plan import MIRRORED, Task
from .convert_record import Entry, append_entry, file_hash

_NO_NAME = re.compile(r"[^\w.+-]+")
"""What no file is called by; letters may be of any language."""

_VERSION = 2
"""Raised whenever the same options give another result, so that outputs of before are made again."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a file becomes."""

    read: ReadOptions
    fps_out: float
    ground: Literal["auto", "offset", "none"]
    trim: tuple[float, float] | None
    lead_in: float
    lead_out: float
    loop: int
    keep_ends: bool
    normalize: bool
    mirror: bool
    source: str | None
    license: str | None
    robot: str

    @property
    def fingerprint(self) -> str:
        """The same for the same options, else another."""
        return hashlib.sha256(repr((_VERSION, FORMAT_VERSION, self)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Order:
    """One file to convert, and what is known of it from before."""

    task: Task
    entry: Entry | None


def is_done(order: Order, recipe: Recipe, root: Path) -> bool:
    """Return whether a file's outputs are there, made from the same content with the same options."""
    entry = order.entry
    if entry is None or not entry.done or entry.recipe != recipe.fingerprint or not entry.outputs:
        return False
    try:
        return all((root / name).is_file() for name in entry.outputs) and entry.input_hash == file_hash(order.task.path)
    except OSError:
        # Whoever converts the file will say what is wrong with it.
        return False


def convert_file(order: Order, recipe: Recipe, root: Path, record: bool, force: bool) -> Entry:
    """Convert all motions of one file.

    Args:
        order: The file.
        recipe: The options.
        root: Output folder.
        record: Whether to keep a record in it.
        force: Whether to write over files that are not in the record.

    Returns:
        What became of it. Motions of the file that failed are among the faults, the others are written.

    Raises:
        ClipError, OSError: If the file cannot be read or written, or all of its motions failed.
    """
    task, before = order.task, order.entry
    entry = Entry(task.key, task.shown, file_hash(task.path), recipe.fingerprint, os.path.realpath(task.path))
    # Another file may have had the same name, in a folder of its own.
    same = before is not None and (before.path in (entry.path, "") or before.input_hash == entry.input_hash)
    known = frozenset(before.outputs) if before is not None and same else frozenset()
    robot = worker_robot(recipe.robot)
    clips, faults = _read(task, robot, recipe)
    if not clips:
        raise ClipError("; ".join(faults))
    stems = _stems(task, [clip.name for clip in clips], alone=len(clips) + len(faults) == 1)
    written = []
    read = tuple(dict.fromkeys(sentence for clip in clips for sentence in clip.history))
    entry = replace(entry, read=read, fps=clips[0].fps)
    for stem, clip in zip(stems, clips, strict=True):
        try:
            made = list(_process(replace(clip, name=stem), robot, recipe))
        except ClipError as error:
            faults.append(str(error))
            continue
        names = [f"{(Path(task.key).parent / item.name).as_posix()}.npz" for item in made]
        if twice := [name for name in names if name in written]:
            faults.append(
                f"motion file '{task.shown}': motion '{clip.name}' would become '{twice[0]}', which another of its"
                " motions became; expected different names; rename it, or leave out --mirror"
            )
            continue
        _refuse_overwriting(root, names, known, force)
        entry = replace(entry, outputs=(*entry.outputs, *names), seconds=entry.seconds + made[0].duration)
        if record:
            # Noted before it is written, so that after a crash the file is known to be ours.
            append_entry(root, entry)
        for name, item in zip(names, made, strict=True):
            item.save(root / name)
            written.append(name)
    entry = replace(entry, done=not faults, faults=tuple(faults))
    if record:
        append_entry(root, entry)
    if not written:
        raise ClipError("; ".join(faults))
    return entry


@functools.cache
def worker_robot(name: str) -> Robot:
    """Return the robot; its model is read once for each process."""
    return motion_robot(name)


def _read(task: Task, robot: Robot, recipe: Recipe) -> tuple[list[Clip], list[str]]:
    """Return the motions of a file, at its own rate, and what is wrong with those that cannot be used.

    Human motion is retargeted, at the rate of the output.
    """
    from ...motion.formats import HUMAN_SUFFIXES, MOTION_SUFFIXES, read_outcomes
    from ...motion.retarget import UNITS, RetargetOptions, is_human_file, retarget_file

    known = (*MOTION_SUFFIXES, *HUMAN_SUFFIXES)
    if task.path.is_file() and task.path.suffix.lower() not in known:
        raise ClipError(
            f"motion file '{task.shown}' has an unknown ending; expected {', '.join(known)}; give motion files"
        )
    if is_human_file(task.path):
        unit = None if recipe.read.length_unit is None else UNITS[recipe.read.length_unit]
        options = RetargetOptions(fps=recipe.fps_out, up=recipe.read.up_axis, unit=unit)
        try:
            found = retarget_file(task.path, robot, options)
        except ImportError as error:
            raise ClipError(
                f"motion file '{task.shown}' is human motion, and retargeting needs package '{error.name}',"
                " which is not installed; install it or leave the file out"
            ) from error
    else:
        found = read_outcomes(task.path, robot, recipe.read)
    if not found:
        raise ClipError(f"motion file '{task.shown}' holds no motion; expected at least one; check the file")
    clips = [outcome for outcome in found if isinstance(outcome, Clip)]
    return clips, [str(outcome) for outcome in found if isinstance(outcome, ClipError)]


def _stems(task: Task, names: list[str], alone: bool) -> list[str]:
    """Return the names of the clips of a file: its own if it holds one motion, else with the motion's name added.

    Raises:
        ClipError: If two motions get the same name, or one that another file takes.
    """
    stem = task.key.rpartition("/")[2]
    if alone:
        return [stem]
    stems = [f"{stem}_{_NO_NAME.sub('_', name.removeprefix(stem)).strip('_.')}" for name in names]
    for other in stems:
        if stems.count(other) > 1 or other in task.taken:
            why = "another file has that name" if other in task.taken else "two of its motions have that name"
            raise ClipError(
                f"motion file '{task.shown}' has a motion that would become '{other}.npz', and {why};"
                " expected different names; rename them"
            )
    return stems


def _refuse_overwriting(root: Path, names: list[str], known: frozenset[str], force: bool) -> None:
    for name in names:
        if not force and name not in known and (root / name).exists():
            raise ClipError(
                f"'{root / name}' is there already and was not made by this command from this file;"
                " move it away, or give --force to write over it"
            )


def _process(clip: Clip, robot: Robot, recipe: Recipe) -> Iterator[Clip]:
    """Yield the clip that a motion becomes, and its mirrored twin if it is asked for."""
    clip = drop_repeats(clip, robot)
    if not recipe.keep_ends:
        # At the file's own rate: between the frames of another rate a bad frame becomes a fast movement.
        clip = drop_bad_ends(clip, robot)
    clip = resample(clip, robot, recipe.fps_out)
    if recipe.trim is not None:
        clip = trim(clip, *recipe.trim)
    clip = loop(clip, robot, recipe.loop)
    if recipe.ground != "none":
        clip = put_on_ground(clip, robot, slow=recipe.ground == "auto")
        clip = label_contacts(clip, robot)
    clip = lead_out(lead_in(clip, robot, recipe.lead_in), robot, recipe.lead_out)
    if recipe.normalize:
        clip = normalize(clip)
    if recipe.source is not None:
        clip = replace(clip, source=recipe.source)
    if recipe.license is not None:
        clip = replace(clip, license=recipe.license)
    yield clip
    if recipe.mirror:
        yield replace(mirror(clip, robot), name=clip.name + MIRRORED)
