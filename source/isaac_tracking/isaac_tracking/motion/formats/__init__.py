# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Foreign motion files: whatever a file does not say about itself is found out, and a file that stays open is refused.

Nothing in a file is ever executed, and no file grows beyond a bound.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..clip import FORMAT, Clip, ClipError
from ..robot import Robot
from .archive import read_npz
from .assemble import assemble
from .csv_file import read_csv
from .npz_file import read_npz_motions
from .options import ReadOptions
from .pickle_file import read_pickle_motions
from .raw import RawMotion, plain_text
from .writers import WRITE_FORMATS, output_name, write_motion

__all__ = [
    "HUMAN_SUFFIXES",
    "MOTION_SUFFIXES",
    "WRITE_FORMATS",
    "ReadOptions",
    "is_motion_file",
    "output_name",
    "read_motions",
    "read_outcomes",
    "write_motion",
]

MOTION_SUFFIXES = (".csv", ".txt", ".npz", ".pkl", ".joblib")
"""Endings of files that may hold motions of a robot."""

HUMAN_SUFFIXES = (".npy", ".bvh")
"""Endings of files that hold motions of humans, which are retargeted first."""


_NOTHING_KNOWN = ReadOptions()


def is_motion_file(path: Path) -> bool:
    """Whether a file's ending is that of a motion, of a robot or of a human; the file is not opened.

    Text files (``.txt``) are left out, although :func:`read_motions` takes them: a folder has those for other ends.
    """
    return Path(path).suffix.lower() in (*MOTION_SUFFIXES, *HUMAN_SUFFIXES) and Path(path).suffix.lower() != ".txt"


def read_motions(path: Path, robot: Robot, options: ReadOptions = _NOTHING_KNOWN) -> list[Clip]:
    """Return all motions of one file as clips: named, z up, metres, radians, xyzw, at the file's own rate.

    Nothing is resampled or moved. What was found out about the file is the last sentence of each clip's ``history``;
    a file that is a clip already is returned as it is.

    Raises:
        ClipError: If the file, or any motion in it, cannot be used, in one line.
    """
    clips = []
    for outcome in read_outcomes(path, robot, options):
        if isinstance(outcome, ClipError):
            raise outcome
        clips.append(outcome)
    return clips


def read_outcomes(path: Path, robot: Robot, options: ReadOptions = _NOTHING_KNOWN) -> list[Clip | ClipError]:
    """Return, for each motion of a file, the clip or what is wrong with it: one bad motion does not spoil a library.

    Raises:
        ClipError: If the file itself cannot be used, in one line.
    """
    path = Path(path)
    try:
        outcomes = _read(path, robot, options)
    except OSError as error:
        raise ClipError(
            f"motion file '{path}' cannot be read ({error.strerror or error}); expected a file; check its permissions"
        ) from error
    except ClipError as error:
        raise _plain(error) from error
    return [_plain(outcome) if isinstance(outcome, ClipError) else outcome for outcome in outcomes]


def _plain(error: ClipError) -> ClipError:
    """Return the error without anything but text: names out of a file may hold line ends and worse."""
    return ClipError(plain_text(str(error)))


def _read(path: Path, robot: Robot, options: ReadOptions) -> list[Clip | ClipError]:
    _check_file(path)
    if path.suffix.lower() == ".npz":
        content = read_npz(path, options.max_bytes)
        if options.format == "clip" or (options.format is None and _is_clip(content)):
            return [_load_clip(path, robot)]
        raws = read_npz_motions(path, content, robot)
    elif path.suffix.lower() in (".pkl", ".joblib"):
        raws = read_pickle_motions(path, options)
    else:
        raws = read_csv(path, robot, options)
    return [_outcome(raw, robot, options, path) for raw in raws]


def _check_file(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ClipError(f"motion file '{path}' {what}; expected a motion file; check the path")
    if path.suffix.lower() in HUMAN_SUFFIXES:
        raise ClipError(
            f"motion file '{path}' holds a human's motion by its ending; expected a robot's;"
            " make one of it with motions.py retarget"
        )
    if path.suffix.lower() not in MOTION_SUFFIXES:
        raise ClipError(
            f"motion file '{path}' has an unknown ending; expected {', '.join(MOTION_SUFFIXES)}; convert it first"
        )
    if path.stat().st_size == 0:
        raise ClipError(f"motion file '{path}' is empty; expected a motion; copy or make it again")


def _is_clip(content: dict[str, np.ndarray]) -> bool:
    """Whether an npz says that it is a clip of our own."""
    return "format" in content and str(content["format"]) == FORMAT


def _load_clip(path: Path, robot: Robot) -> Clip:
    clip = Clip.load(path)
    missing = [name for name in robot.joint_names if name not in clip.joint_names]
    if missing:
        raise ClipError(
            f"motion file '{path}' is a clip of {clip.robot} and lacks joint {missing[0]}; expected a clip of"
            f" {robot.name}; retarget it first"
        )
    return clip


def _outcome(raw: RawMotion, robot: Robot, options: ReadOptions, path: Path) -> Clip | ClipError:
    try:
        return assemble(raw, robot, options, path)
    except ClipError as error:
        return error
