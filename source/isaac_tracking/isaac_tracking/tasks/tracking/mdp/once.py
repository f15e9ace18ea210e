# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What several terms ask of the same state is computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ....motion.frame import MotionFrame

T = TypeVar("T")


class OncePerPair(Generic[T]):
    """A function of a reference and a robot that is not computed again while both are the same frames.

    Args:
        function: Is called with reference, robot, and the index of the anchor body.
        anchor: That index.
    """

    def __init__(self, function: Callable[[MotionFrame, MotionFrame, int], T], anchor: int) -> None:
        self._function, self._anchor = function, anchor
        self._known: tuple[MotionFrame, MotionFrame, T] | None = None

    def __call__(self, reference: MotionFrame, robot: MotionFrame) -> T:
        """Return the function's value; frames are told apart as objects, so nobody may write into them."""
        if self._known is None or self._known[0] is not reference or self._known[1] is not robot:
            self._known = reference, robot, self._function(reference, robot, self._anchor)
        return self._known[2]

    def forget(self) -> None:
        """Compute the value anew, also for the same frames: somebody wrote into them."""
        self._known = None
