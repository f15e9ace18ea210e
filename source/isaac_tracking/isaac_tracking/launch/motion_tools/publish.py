# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py publish``: send motions over ZeroMQ, frame by frame, in real time."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from ..motion_robots import motion_robot

if TYPE_CHECKING:
    from ...inference.motion_stream import Publisher
    from ...inference.motion_viewer.shelf import Shelf
    from ...inference.pace import Pace
    from ...motion.clip import Clip

_SETTLE = 0.3
"""How long listeners that wait already are given to connect [s]; ZeroMQ tries ten times a second."""


@dataclass
class Publish:
    """Send motions over ZeroMQ, at the rate of each clip.

    Every message is complete: a listener may come and go at any time. Ctrl-C ends it.
    What is in a message: isaac_tracking/inference/motion_message.py.

    For example:

    motions.py publish walk --loop

    motions.py publish dance.csv --endpoint tcp://0.0.0.0:5555 --speed 0.5
    """

    motions: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP")]
    """Names or patterns of shipped clips, files and folders; they are sent one after another."""

    endpoint: str = "tcp://127.0.0.1:5555"
    """Where to publish. The default is reached from this machine alone; port * takes a free one."""

    loop: bool = False
    """Start again after the last motion."""

    speed: float = 1.0
    """Seconds of motion per second."""

    def __call__(self) -> int:
        """Send the motions; 1 if some of several could not be read."""
        from ...inference.motion_message import StreamError
        from ...inference.motion_stream import Publisher
        from ..checks import need_packages
        from ..errors import OptionError
        from ..terminal import print_line
        from .view import open_shelf

        if not (math.isfinite(self.speed) and 0.01 <= self.speed <= 100.0):
            raise OptionError(f"--speed {self.speed:g} must be from 0.01 to 100")
        need_packages(("zmq",))
        shelf, faults = open_shelf(self.motions, motion_robot())
        try:
            publisher = Publisher(self.endpoint)
        except StreamError as error:
            raise OptionError(f"{error}; choose another with --endpoint") from error
        with publisher:
            print_line(f"publishing at {publisher.endpoint} | Ctrl-C ends it")
            time.sleep(_SETTLE)
            for clip in self._clips(shelf):
                _send(publisher, clip, self.speed)
        return int(faults > 0)

    def _clips(self, shelf: Shelf) -> Iterator[Clip]:
        turns = itertools.count() if self.loop else range(1)
        return (shelf.take(i)[0] for _ in turns for i in range(len(shelf.entries)))


def _send(publisher: Publisher, clip: Clip, speed: float) -> None:
    """Send a clip once and say how punctual that was."""
    from ...inference.pace import Pace
    from ..terminal import print_line

    pace = Pace(clip.fps * speed)
    before = time.monotonic()
    for frame in pace.ticks():
        if frame >= clip.num_frames:  # so the last frame gets its time as well
            break
        publisher.send(clip, frame, speed)
    print_line(_summary(clip.name, pace, time.monotonic() - before))


def _summary(name: str, pace: Pace, seconds: float) -> str:
    sent = pace.steps - 1
    return (
        f"{name}: {sent} frames in {seconds:.2f} s | {sent / seconds:.2f} a second, {pace.rate:g} asked for"
        f" | {pace.late} late, {pace.skipped} skipped, worst delay {1000.0 * pace.worst:.1f} ms"
    )
