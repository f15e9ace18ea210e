# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What several terms share is computed once for each state, and again for the next."""

from __future__ import annotations

from collections.abc import Callable

from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.tasks.tracking.mdp.once import OncePerPair


def test_once_for_each_pair(make_frame: Callable[..., MotionFrame]) -> None:
    calls: list[int] = []

    def count(reference: MotionFrame, robot: MotionFrame, anchor: int) -> int:
        calls.append(anchor)
        return len(calls)

    shared, a, b, c = OncePerPair(count, 2), make_frame(), make_frame(), make_frame()
    assert [shared(a, b), shared(a, b)] == [1, 1]
    # Another robot, another reference, and a pair of long ago.
    assert [shared(a, c), shared(b, c), shared(a, b), shared(a, b)] == [2, 3, 4, 4]
    shared.forget()
    assert shared(a, b) == 5
    assert calls == [2] * 5
