# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Part of a motion, and the place and heading that it starts from."""

from __future__ import annotations

import numpy as np
import torch

from ..clip import Clip, ClipError
from ..quaternion import quat_apply
from .poses import moved, part_of, yaw_of, yaw_turn

_TIME_SLACK = 1e-6
"""Share of a frame by which a cut may miss it; times such as 0.1 s are no binary fractions."""


def trim(clip: Clip, start: float = 0.0, end: float | None = None) -> Clip:
    """Return the frames from one time to another, both included.

    Args:
        clip: The motion.
        start: First time [s], from the motion's start.
        end: Last time [s]; the motion's end if None, or if the motion is shorter.

    Raises:
        ClipError: If fewer than two frames are left.
    """
    last = clip.duration if end is None else min(end, clip.duration)
    first = max(0, int(np.ceil(start * clip.fps - _TIME_SLACK))) if np.isfinite(start) else clip.num_frames
    stop = int(np.floor(last * clip.fps + _TIME_SLACK)) + 1 if np.isfinite(last) else 0
    if start < 0.0 or stop - first < 2:
        until = "its end" if end is None else f"{end:g}"
        raise ClipError(
            f"motion '{clip.name}': nothing is left between {start:g} and {until} s;"
            f" expected at least two frames within 0 to {clip.duration:.4g} s; give other times"
        )
    if first == 0 and stop == clip.num_frames:
        return clip
    note = f"Trimmed to {first / clip.fps:.4g} to {(stop - 1) / clip.fps:.4g} s."
    return part_of(clip, first, stop, note)


def normalize(clip: Clip) -> Clip:
    """Return the motion moved over the ground so that the base starts at x = y = 0 and heads along +x.

    Heights, tilt and joints stay. The base is the clip's first body.
    """
    start = clip.body_pos_w[0, 0].astype(np.float64)
    yaw = float(yaw_of(clip.body_quat_w[0, 0].astype(np.float64)))
    turn = yaw_turn(-yaw)
    if abs(yaw) < 1e-7 and np.abs(start[:2]).max() < 1e-7:
        return clip
    shift = -quat_apply(torch.from_numpy(turn), torch.tensor([start[0], start[1], 0.0], dtype=torch.float64)).numpy()
    note = f"Moved by ({-start[0]:.3f}, {-start[1]:.3f}) m and turned by {-np.degrees(yaw):.1f} degrees to start at the"
    return moved(clip, turn, shift, f"{note} origin, heading along +x.")
