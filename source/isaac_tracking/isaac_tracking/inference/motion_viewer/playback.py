# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which instant of a motion is seen: a clock that plays, stops, jumps, runs slower or faster, and loops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Playback:
    """The state of one spectator's player."""

    num_frames: int
    """Frames of the motion, at least 1."""

    fps: float
    """Frames per second of the motion [1/s]."""

    time: float = 0.0
    """Where it is, from the first frame on [s]."""

    playing: bool = False
    """Whether it runs."""

    speed: float = 1.0
    """Seconds of motion per second."""

    loop: bool = True
    """Whether it starts again at the end."""

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.num_frames - 1) / self.fps

    @property
    def frame(self) -> int:
        """The frame that is seen: the nearest one."""
        return min(round(self.time * self.fps), self.num_frames - 1)

    def advance(self, elapsed: float) -> None:
        """Let time pass.

        Args:
            elapsed: Seconds on the wall since the last call, 0 or more.
        """
        if not self.playing:
            return
        self.time += elapsed * self.speed
        if self.time > self.duration:
            if self.loop and self.duration > 0.0:
                self.time %= self.duration
            else:
                self.time, self.playing = self.duration, False

    def play(self) -> None:
        """Run on; at the end of a motion that does not loop, from the start."""
        self.playing = True
        if not self.loop and self.frame == self.num_frames - 1:
            self.time = 0.0

    def seek(self, frame: int) -> None:
        """Jump to a frame; one outside the motion becomes its nearest."""
        self.time = min(max(frame, 0), self.num_frames - 1) / self.fps

    def load(self, num_frames: int, fps: float) -> None:
        """Take up another motion from its start; whether it runs, how fast and whether it loops is kept."""
        self.num_frames, self.fps, self.time = num_frames, fps, 0.0
