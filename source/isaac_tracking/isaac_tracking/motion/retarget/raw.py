# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A human motion as its file holds it: axes and units are still the file's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..clip import ClipError

LARGEST_FILE = 1 << 30
"""Largest file that is read [byte]."""

_MOST_REPEATS = 8
_RATES = (1.0, 2000.0)


@dataclass(frozen=True, eq=False)
class RawMotion:
    """T frames of a tree of J joints, parents first, in the file's axes and units; the fields are HumanMotion's."""

    path: Path
    fps: float
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    local_pos: np.ndarray
    local_quat: np.ndarray
    history: tuple[str, ...]

    def without_repeats(self) -> RawMotion:
        """Return the motion with each frame once, if every frame is stored n times, at an n-th of the rate."""
        count = len(self.local_pos)
        frames = np.concatenate((self.local_pos.reshape(count, -1), self.local_quat.reshape(count, -1)), axis=1)
        same = (frames[1:] == frames[:-1]).all(axis=1)
        if count < 4 or same.all():
            return self
        for times in range(_MOST_REPEATS, 1, -1):
            inside = np.arange(1, count) % times != 0
            # Frames between groups may happen to be equal as well: a person may stand still for a moment.
            if count >= 2 * times and same[inside].all():
                return replace(
                    self,
                    fps=self.fps / times,
                    local_pos=self.local_pos[::times],
                    local_quat=self.local_quat[::times],
                    history=(
                        *self.history,
                        f"every frame is stored {times} times: taken once, at {self.fps / times:g} fps",
                    ),
                )
        return self


def check_rate(fps: float, path: Path) -> float:
    """Return a frame rate [1/s] that a recording can have.

    Raises:
        ClipError: If it is not finite or absurd.
    """
    if not _RATES[0] <= fps <= _RATES[1]:
        raise ClipError(
            f"motion file '{path}' has {fps:g} frames a second; expected {_RATES[0]:g} to {_RATES[1]:g};"
            " correct the frame time in the file"
        )
    return fps
