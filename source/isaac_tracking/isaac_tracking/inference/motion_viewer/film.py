# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions as a film or a picture, drawn without a browser, OpenGL or a display."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...motion.clip import Clip
from ...motion.robot import Robot
from ..film import BodyPath, FilmCfg, FilmWriter, draw_film
from .poses import BodyPoses

FILM_RATE = 30.0
"""Pictures per second of a film, whatever the rates of its motions [Hz]."""


def film_times(duration: float, rate: float = FILM_RATE) -> np.ndarray:
    """Return the instants of a motion of which pictures are taken [s], shape (N,); they run in real time.

    Args:
        duration: Length of the motion [s].
        rate: Pictures per second [Hz].
    """
    # A hair's breadth more, for durations such as 0.3 s that are a whole number of pictures but for rounding.
    return np.arange(math.floor(duration * rate + 1e-6) + 1) / rate


def write_film(
    path: Path, motions: Iterable[tuple[Clip, BodyPoses]], robot: Robot, size: tuple[int, int] = (640, 480)
) -> Iterator[int]:
    """Write a film of motions one after another, in real time, with name and time in the picture.

    Args:
        path: The film, ``.mp4``; it has its name once it is whole.
        motions: The motions and their poses; they are asked for one by one.
        robot: Who moves.
        size: Width and height, both even [px].

    Yields:
        The number of pictures drawn so far, after each one.

    Raises:
        ValueError: If path or size cannot be used.
        ClipError: If a motion cannot be read.
    """
    cfg = FilmCfg(width=size[0], height=size[1], stride=1)
    with FilmWriter(path, size, FILM_RATE, cfg.quality) as film:
        for clip, poses in motions:
            times = film_times(clip.duration)
            for picture in _draw(clip, poses, times, robot, cfg):
                film.add(picture)
                yield film.frames


def draw_sheet(
    motions: Iterable[tuple[Clip, BodyPoses]],
    robot: Robot,
    time: float | None = None,
    size: tuple[int, int] = (640, 480),
) -> np.ndarray:
    """Draw a picture of each motion, and put them side by side and below each other.

    Args:
        motions: The motions and their poses, at least one.
        robot: Who moves.
        time: Instant from each motion's first frame on [s], held at its end; its middle if None.
        size: Width and height of the picture of one motion, both even [px].

    Returns:
        The sheet, shape (rows * height, columns * width, 3), uint8; as many columns as rows, or one more.

    Raises:
        ValueError: If there is no motion or the size cannot be used.
    """
    cfg = FilmCfg(width=size[0], height=size[1], stride=1)
    pictures = []
    for clip, poses in motions:
        at = 0.5 * clip.duration if time is None else min(max(time, 0.0), clip.duration)
        pictures += list(_draw(clip, poses, np.array([at]), robot, cfg))
    if not pictures:
        raise ValueError("a picture needs at least one motion")
    return tiled(pictures)


def tiled(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Put pictures of one size side by side and below each other; as many columns as rows, or one more."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    pictures = [*pictures, *[np.full_like(pictures[0], 255)] * (rows * columns - len(pictures))]
    return np.concatenate([np.concatenate(pictures[i * columns : (i + 1) * columns], axis=1) for i in range(rows)])


def _draw(clip: Clip, poses: BodyPoses, times: np.ndarray, robot: Robot, cfg: FilmCfg) -> Iterator[np.ndarray]:
    # Heavy, and needed by pictures alone; its notes on devices and kernels do not belong between our lines.
    import warp

    warp.config.quiet = True
    seen = poses.sampled(times)
    captions = [f"{clip.name}\n{time:.2f} s of {clip.duration:.2f} s" for time in times]
    path = BodyPath(seen.pos, seen.quat)
    return draw_film(robot.mjcf, robot.body_names, path, rate=FILM_RATE, captions=captions, cfg=cfg)
