# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Frames at the ends of a recording that do not belong to it."""

from __future__ import annotations

import numpy as np
import torch

from ..clip import Clip
from ..quaternion import quat_conjugate, quat_mul, quat_to_axis_angle
from ..robot import Robot
from .poses import Poses, part_of, poses_of

_MOST = 2
"""Frames that may be dropped at an end."""

_TIMES = 3.0
"""How many times as large as those of the clip's own frames a jump must be.

Of 28 recordings (TWIST2, g1-moves, ProtoMotions, kimodo, CMU) two have a bad first frame: 7.6 and 4.3 times. At the
ends of the others it is 1.9 at most.
"""

_FEWEST = 10
"""Frames from which a clip says what is usual in it."""


def drop_bad_ends(clip: Clip, robot: Robot) -> Clip:
    """Return the clip without up to two frames at either end from which it jumps to the rest.

    The first frame of a capture is often left over from something else, such as a filter's start. A jump is a change
    of step from one frame to the next, of the base's position or orientation or of a joint, that the doctor would warn
    of and that is three times as large as the largest of 99 of 100 changes in the rest of the clip. Nothing is dropped
    if what is left would begin with a jump as well. The same clip is returned if there is nothing to drop.
    """
    if clip.num_frames < _FEWEST:
        return clip
    bad = _bad_changes(poses_of(clip, robot))
    first, last = _bad_frames(bad), _bad_frames(bad[::-1])
    if not first and not last:
        return clip
    where = [f"{count} at the {end}" for count, end in ((first, "start"), (last, "end")) if count]
    note = f"Dropped frames from which the motion jumps to the rest: {' and '.join(where)}."
    return part_of(clip, first, clip.num_frames - last, note)


def _bad_frames(bad: np.ndarray) -> int:
    """Return how many frames of the start do not belong to the rest.

    Args:
        bad: Whether the step from frame i + 1 on is a jump against the step before it, shape (T - 2,).
    """
    for count in range(_MOST, 0, -1):
        if bad[count - 1] and not bad[count]:
            return count
    return 0


def _bad_changes(poses: Poses) -> np.ndarray:
    """Return which changes of step are jumps, bool, shape (T - 2,)."""
    # Not at the top: the doctor needs much that converting does not.
    from ..doctor.limits import Limits

    limits = Limits()
    quat = torch.from_numpy(poses.root_quat)
    turns = quat_to_axis_angle(quat_mul(quat[1:], quat_conjugate(quat[:-1]))).numpy()
    joints = np.diff(poses.joint_pos, axis=0)
    changes = (
        (np.linalg.norm(np.diff(poses.root_pos, n=2, axis=0), axis=-1), limits.root_jump.warn),
        (np.linalg.norm(np.diff(turns, axis=0), axis=-1), limits.root_turn.warn),
        (np.abs(np.diff(joints, axis=0)).max(axis=-1), limits.joint_jump.warn),
    )
    bad = np.zeros(len(poses) - 2, dtype=bool)
    for change, limit in changes:
        bad |= change > max(limit, _TIMES * float(np.quantile(change[_MOST:-_MOST], 0.99)))
    return bad
