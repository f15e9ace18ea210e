# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The cache of libraries: clips are read, resampled and packed once, and again only when they change.

A bundle's name is made from what is asked for (clips, joints, bodies, rate, precision) and from the state of the files
(size and time of change). When a file changes, the bundle is made again and the old one removed; so is one that is
damaged. Opening looks at each clip's file, but reads none.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .bundle import Bundle, BundleWriter, DamagedBundleError
from .clip import ClipError
from .clip_list import ClipEntry, ClipList
from .packing import reference_frames

LAYOUT_VERSION = 1
"""Version of the way from clips to rows and of a bundle's layout; a change of either makes all bundles again."""

UNUSED_DAYS = 60.0
"""Days after which a bundle that nobody opened is removed when a new one is made."""

Report = Callable[[int, int], None]
"""Is told how many clips are done and how many there are."""

_SUFFIX = ".motions"


def cached_bundle(
    clips: ClipList,
    joint_names: Sequence[str],
    body_names: Sequence[str],
    rate: float,
    precision: str,
    cache: Path,
    report: Report | None = None,
) -> Bundle:
    """Open the bundle of some clips, making it first if there is none that fits; no clip is read if there is.

    The order of the joints does not matter: engines with different orders share a bundle, whose rows have the order of
    the first one. Several processes may call this at once: one makes the bundle, and the others wait for it.

    Args:
        clips: The clips.
        joint_names: Joints of the rows.
        body_names: Bodies of the rows, in order; the first is the root.
        rate: Control rate [Hz].
        precision: ``"fp32"`` or ``"fp16"``.
        cache: Folder for bundles.
        report: Is told how far the making is; it is called only if the bundle is made.

    Raises:
        ClipError: If a clip cannot be used, or the cache cannot be written.
    """
    path, key = bundle_place(clips, joint_names, body_names, rate, precision, cache)
    try:
        bundle = _open_whole(path, key)
        if bundle is None:
            cache.mkdir(parents=True, exist_ok=True)
            with _only_one(path):
                # Another process may have been faster.
                bundle = _open_whole(path, key)
                if bundle is None:
                    _build(clips, joint_names, body_names, rate, precision, path, key, report)
                    bundle = Bundle.open(path)
                    _remove_older(path)
                    prune_bundles(cache, UNUSED_DAYS)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ClipError(
            f"motion cache '{cache}' {'is full' if full else f'cannot be used ({error})'}; expected a folder with room"
            f" for the frames of {len(clips)} clips; set ISAAC_TRACKING_CACHE to another one"
        ) from error
    # A cache that cannot be written is no reason to stop.
    with suppress(OSError):
        os.utime(path)
    return bundle


def bundle_place(
    clips: ClipList, joint_names: Sequence[str], body_names: Sequence[str], rate: float, precision: str, cache: Path
) -> tuple[Path, str]:
    """Return where the bundle of some clips is or will be, and its key; each file is looked at but not read.

    The name has two parts: what is asked for (clips, joints, bodies, rate, precision), and the state of the files.

    Raises:
        ClipError: If a file is missing.
    """
    wanted = [LAYOUT_VERSION, sorted(joint_names), list(body_names), rate, precision]
    asked = [(os.path.abspath(entry.path), entry.name, entry.start, entry.end) for entry in clips.entries]
    state = [_stamp(entry) for entry in clips.entries]
    family = hashlib.sha256(json.dumps([wanted, asked]).encode()).hexdigest()
    key = hashlib.sha256(json.dumps([family, state]).encode()).hexdigest()
    return cache / f"{family[:16]}-{key[:16]}{_SUFFIX}", key


def prune_bundles(cache: Path, unused_days: float = 0.0) -> list[Path]:
    """Remove bundles that were not opened for some days, and what broken-off processes left; return what was removed.

    A process that has a bundle open can go on reading it.
    """
    removed = []
    oldest = time.time() - 86400.0 * unused_days
    for path in sorted([*cache.glob(f"*{_SUFFIX}"), *cache.glob(f".*{_SUFFIX}-*"), *cache.glob(f".*{_SUFFIX}.lock")]):
        try:
            # A file that is being written was changed within the last day.
            if path.stat().st_mtime < (oldest if path.suffix == _SUFFIX else min(oldest, time.time() - 86400.0)):
                path.unlink()
                removed.append(path)
        except FileNotFoundError:
            continue
    return removed


def _build(
    clips: ClipList,
    joint_names: Sequence[str],
    body_names: Sequence[str],
    rate: float,
    precision: str,
    path: Path,
    key: str,
    report: Report | None,
) -> None:
    """Convert every clip and write the bundle."""
    with BundleWriter(path, joint_names, body_names, rate, precision, key) as writer:
        for count, entry in enumerate(clips.entries):
            if report is not None:
                report(count, len(clips))
            before = _stamp(entry)
            frames = reference_frames(entry.load(), joint_names, body_names, rate)
            if _stamp(entry) != before:
                raise ClipError(f"motion file '{entry.path}' was changed while it was read; start again")
            try:
                writer.add(entry.name, frames)
            except ValueError as error:
                raise ClipError(f"motion file '{entry.path}': {error}; expected less; give precision fp32") from error
    if report is not None:
        report(len(clips), len(clips))


def _open_whole(path: Path, key: str) -> Bundle | None:
    """Open a bundle; None if there is none, or it is damaged or of other clips."""
    try:
        bundle = Bundle.open(path)
    except (FileNotFoundError, DamagedBundleError):
        return None
    return bundle if bundle.key == key else None


def _stamp(entry: ClipEntry) -> tuple[int, int]:
    """Return a file's size [bytes] and time of change [ns]."""
    try:
        found = os.stat(entry.path)
    except OSError as error:
        raise ClipError(
            f"motion file '{entry.path}' cannot be read ({error.strerror}); expected a clip (.npz); check the path"
        ) from error
    return found.st_size, found.st_mtime_ns


def _remove_older(path: Path) -> None:
    """Remove the bundles of the same clips in an earlier state."""
    family = path.name.split("-")[0]
    for other in path.parent.glob(f"{family}-*{_SUFFIX}"):
        if other != path:
            other.unlink(missing_ok=True)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Keep other processes from making the same bundle at the same time."""
    with open(path.with_name(f".{path.name}.lock"), "w") as lock:
        # On a file system without locks each process makes the bundle, and that of the last one to rename it stays.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
