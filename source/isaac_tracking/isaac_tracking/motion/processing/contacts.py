# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which feet stand on the ground, read off a motion that does not say so itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..clip import Clip
from ..robot import Robot
from .grounding import collision_points, lasting, point_positions

TOUCH_HEIGHT, LEAVE_HEIGHT = 0.02, 0.03
"""Height of the lowest point of a sole above the ground below which contact begins, and above which it ends [m]."""

TOUCH_SPEED, LEAVE_SPEED = 0.3, 0.6
"""Speed of that point below which contact begins, and above which it ends [m/s].

ProtoMotions (``data/scripts/contact_detection.py``) takes 0.1 m/s and 0.08 m for the frames of the bodies, of clean
human motion. Here the sole itself is looked at, so the height can be smaller, while planted feet of retargeted motions
slide at up to 0.5 m/s, so the speed must be larger.
"""

SHORTEST = 0.06
"""Contacts, and gaps between contacts, shorter than this are flicker [s]; a running step lasts longer."""


def label_contacts(clip: Clip, robot: Robot) -> Clip:
    """Return the motion with the contacts of its feet labelled; the same clip if it has labels.

    The motion must stand on the ground at z = 0, see :func:`~.grounding.put_on_ground`.

    Raises:
        ClipError: If the clip lacks a body of the robot.
    """
    if clip.contacts is not None:
        return clip
    states = contact_states(clip, robot, robot.foot_body_names)
    note = f"Contacts of the feet labelled: sole below {1e3 * TOUCH_HEIGHT:g} mm and slower than {TOUCH_SPEED:g} m/s."
    return replace(clip, contact_names=robot.foot_body_names, contacts=states, history=(*clip.history, note))


def contact_states(clip: Clip, robot: Robot, names: Sequence[str]) -> np.ndarray:
    """Return whether bodies touch the ground at z = 0, with hysteresis in height and speed.

    Args:
        clip: The motion.
        robot: Its robot.
        names: Bodies; one without collision shapes never touches.

    Returns:
        Bool, shape (T, len(names)).

    Raises:
        ClipError: If the clip lacks a body of the robot.
    """
    centers, radii = point_positions(clip, robot)
    bodies = collision_points(robot.mjcf).body_ids.numpy()
    columns = []
    for name in names:
        points = np.flatnonzero(bodies == robot.body_names.index(name))
        if not len(points):
            columns.append(np.zeros(clip.num_frames, dtype=bool))
            continue
        height, speed = _lowest(centers[:, points], radii[points], clip.fps)
        inside = (height < TOUCH_HEIGHT) & (speed < TOUCH_SPEED)
        outside = (height > LEAVE_HEIGHT) | (speed > LEAVE_SPEED)
        columns.append(_steady(_hysteresis(inside, outside), SHORTEST * clip.fps))
    return np.stack(columns, axis=-1)


def _lowest(centers: np.ndarray, radii: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return height [m] and speed [m/s] of the lowest of some spheres in each frame, shape (T,) each."""
    heights = centers[..., 2] - radii
    lowest, frames = heights.argmin(axis=1), np.arange(len(heights))
    before, after = np.maximum(frames - 1, 0), np.minimum(frames + 1, len(frames) - 1)
    travel = np.linalg.norm(centers[after, lowest] - centers[before, lowest], axis=-1)
    return heights[frames, lowest], travel * fps / (after - before)


def _hysteresis(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return a state that begins to hold where ``begin`` does and holds until ``end`` does, shape (T,)."""
    # The state of a frame is that of the last frame at which one of the two held; before the first, it does not hold.
    decided = np.where(begin | end, np.arange(len(begin)), -1)
    last = np.maximum.accumulate(decided)
    return np.where(last >= 0, begin[last], False)


def _steady(state: np.ndarray, frames: float) -> np.ndarray:
    """Return a state, shape (T,), without gaps and then without spells shorter than so many frames."""
    return lasting(~lasting(~state, frames), frames)
