# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From human motion capture to a clip of a robot: BVH and poselib NPY in, a :class:`~..clip.Clip` out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..clip import Clip
    from ..robot import Robot
    from .human import HumanMotion
    from .retarget import Retargeting

HUMAN_SUFFIXES = (".bvh", ".npy")
"""Endings of the files that hold the motion of a human, not of a robot."""

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
"""Length units of such files [m]. ``cmu``: the BVH conversions of the CMU database, 0.45 units an inch."""


@dataclass(frozen=True)
class RetargetOptions:
    """What may be decided by hand; ``None`` lets the file decide."""

    fps: float = 50.0
    """Frames per second of the clip [1/s]."""

    scale: float | None = None
    """Size of the robot's motion, as a share of the human's [-]; by leg length if None."""

    up: str | None = None
    """Axis that points up in the file, ``"y"`` or ``"z"``."""

    unit: float | None = None
    """Length unit of the file [m]."""

    cutoff: float = 8.0
    """Cut-off frequency of the low-pass filter on the human's motion [Hz]; 0 for none."""

    lock_feet: bool = True
    """Whether a planted foot is held in its place."""


def is_human_file(path: str | os.PathLike) -> bool:
    """Return whether a file holds the motion of a human, judged by its ending alone."""
    return Path(path).suffix.lower() in HUMAN_SUFFIXES


def read_human(path: str | os.PathLike, options: RetargetOptions | None = None) -> HumanMotion:
    """Read a BVH or poselib NPY file: z up, metres, at the file's true rate.

    Raises:
        ClipError: If the file cannot be read, or is not the motion of a human skeleton.
    """
    from . import bvh, poselib
    from .axes import to_human

    path, options = Path(path), options or RetargetOptions()
    raw = bvh.read(path) if path.suffix.lower() == ".bvh" else poselib.read(path)
    return to_human(raw, options.up, options.unit)


def retarget_file(path: str | os.PathLike, robot: Robot, options: RetargetOptions | None = None) -> list[Clip]:
    """Retarget all motions of one file of human motion capture.

    Args:
        path: A BVH or a poselib NPY file.
        robot: The robot.
        options: What is decided by hand.

    Returns:
        The clips; these formats hold one each.

    Raises:
        ClipError: If the file cannot be read or its skeleton is not known.
    """
    return [retarget_motion(path, robot, options).clip]


def retarget_motion(path: str | os.PathLike, robot: Robot, options: RetargetOptions | None = None) -> Retargeting:
    """Retarget the motion of one file, and say how near the robot comes to the human.

    Raises:
        ClipError: If the file cannot be read or its skeleton is not known.
    """
    from .retarget import retarget

    options = options or RetargetOptions()
    return retarget(read_human(path, options), robot, options)
