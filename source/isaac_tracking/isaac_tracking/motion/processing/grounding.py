# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motion put on the ground at z = 0: float and dip removed by the lowest point of the collision shapes."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..clip import Clip
from ..ground import CollisionPoints
from ..quaternion import quat_apply
from ..robot import Robot
from .foot_lift import bell_average, lift_feet
from .poses import moved, poses_of, with_poses

PLANTED_SPEED = 0.4
"""Speed of a point [m/s] below which it may stand on the ground. Feet of recorded and retargeted motions slide at 0.2
to 0.5 m/s (measured on TWIST2's samples); a swinging foot moves at more than 1 m/s."""

PLANTED_TIME = 0.12
"""Shortest time for which a point must stay that slow to count as planted [s]. At the top of a jump the body is slower
than :data:`PLANTED_SPEED` for 0.08 s."""

LEVEL = 0.05
"""Band above the lowest stance in which stances belong to the same floor [m]; higher ones may be steps or boxes."""

LIFT_TIME = 0.3
"""Time over which a lift out of the ground is spread [s]."""

STANCE_TIME = 0.8
"""Time over which the height of the stances is followed [s]: about one stride, so that it is that of both feet."""

_SMALL = 1e-4
"""Lifts below this are not worth a word [m]."""

_UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Support:
    """The lowest point of the body in each of T frames."""

    height: np.ndarray
    """Height of the lowest point of all collision shapes [m], shape (T,)."""

    planted: np.ndarray
    """Whether that point is at rest, as one is that carries weight, bool, shape (T,)."""


def support(clip: Clip, robot: Robot) -> Support:
    """Find the lowest point of the body in each frame, and whether it stands still.

    Raises:
        ClipError: If the clip lacks a body of the robot.
        ValueError: If a collision shape is neither a sphere nor a capsule nor a box.
    """
    centers, radii = point_positions(clip, robot)
    return _support(centers, radii, clip.fps)


def _support(centers: np.ndarray, radii: np.ndarray, fps: float) -> Support:
    """Return the same for some spheres: centers (T, P, 3) and radii (P,) [m]."""
    heights = centers[..., 2] - radii
    lowest = heights.argmin(axis=1)
    frames = np.arange(len(lowest))
    after, before = np.minimum(frames + 1, len(frames) - 1), np.maximum(frames - 1, 0)
    travel = np.linalg.norm(centers[after, lowest] - centers[before, lowest], axis=-1)
    slow = travel * fps < PLANTED_SPEED * (after - before)
    return Support(heights[frames, lowest], lasting(slow, PLANTED_TIME * fps))


def point_positions(clip: Clip, robot: Robot) -> tuple[np.ndarray, np.ndarray]:
    """Return the spheres whose hulls are the robot's collision shapes: centers [m], (T, P, 3), and radii [m], (P,)."""
    points = collision_points(robot.mjcf)
    bodies = np.array(clip.body_indices(robot.body_names))[points.body_ids.numpy()]
    pos, quat = (torch.from_numpy(array[:, bodies]) for array in (clip.body_pos_w, clip.body_quat_w))
    return (pos + quat_apply(quat, points.offsets.expand_as(pos))).numpy(), points.radii.numpy()


@functools.cache
def collision_points(mjcf: Path) -> CollisionPoints:
    """Return the spheres of a model's collision shapes; read once for each process."""
    return CollisionPoints.from_mjcf(mjcf)


def lasting(mask: np.ndarray, frames: float) -> np.ndarray:
    """Return a mask, shape (T,), without its runs of ``True`` that are shorter than so many frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    kept = np.zeros_like(mask)
    for start, end in edges.reshape(-1, 2):
        kept[start:end] = end - start >= min(frames, len(mask))
    return kept


def stance_height(body: Support) -> float:
    """Return the height of the floor that a motion stands on [m].

    It is the median height of the planted frames of the lowest level. A motion without planted frames (a run whose
    feet slide) stands on its lowest twentieth.
    """
    heights = body.height[body.planted]
    if not len(heights):
        return float(np.quantile(body.height, 0.05))
    low = np.quantile(heights, 0.05)
    return float(np.median(heights[heights <= low + LEVEL]))


def put_on_ground(clip: Clip, robot: Robot, slow: bool = True) -> Clip:
    """Remove float and dip: planted parts stand at z = 0 and nothing is below it.

    1. One offset for all frames brings the height of the stances to zero.
    2. Where the stances of a while (:data:`STANCE_TIME`) are still too high or too low, all of the body follows
       their median, slowly. Frames without a planted part are bridged: a jump keeps its height above the stances
       before and after it. Stances more than :data:`LEVEL` away, on a box or a step, are left there.
    3. A foot that still dips below the ground is raised by its leg, the other foot stays where it stands.
    4. What is then still below, e.g. a hand, lifts the whole body, smoothly over :data:`LIFT_TIME`.

    Args:
        clip: The motion; its ground is flat.
        robot: Its robot.
        slow: Whether to do more than the first step.

    Raises:
        ClipError: If the clip lacks a body of the robot.
    """
    body = support(clip, robot)
    offset = -stance_height(body)
    shift = np.zeros((clip.num_frames, 3))
    shift[:, 2] = offset
    note = f"Put on the ground: shifted by {1e3 * offset:+.1f} mm"
    if not slow:
        return moved(clip, _UPRIGHT, shift, f"{note}.")
    drift = stance_drift(_nearest_stance(clip, robot, body, -offset), clip.fps)
    shift[:, 2] -= drift
    note += f", by {-1e3 * drift.max():+.1f} to {-1e3 * drift.min():+.1f} mm more with the stances"
    grounded = moved(clip, _UPRIGHT, shift, "")
    lifts = np.stack([lift_out(height, clip.fps) for height in sole_heights(grounded, robot).T], axis=-1)
    if lifts.max() > _SMALL:
        raised = lift_feet(poses_of(grounded, robot), robot, lifts, clip.fps)
        grounded = with_poses(grounded, robot, raised, "")
        note += f"; dipping feet were raised by up to {1e3 * lifts.max():.1f} mm"
    lift = lift_out(support(grounded, robot).height, clip.fps)
    note += f"; the body was lifted by up to {1e3 * lift.max():.1f} mm." if lift.max() > _SMALL else "."
    shift[:, 2] = lift
    return replace(moved(grounded, _UPRIGHT, shift, ""), history=(*clip.history, note))


def sole_heights(clip: Clip, robot: Robot) -> np.ndarray:
    """Return the height of the lowest point of the left and right foot [m], shape (T, 2)."""
    centers, radii = point_positions(clip, robot)
    bodies = collision_points(robot.mjcf).body_ids.numpy()
    heights = centers[..., 2] - radii
    return np.stack(
        [heights[:, bodies == robot.body_names.index(foot)].min(axis=1) for foot in robot.foot_body_names], axis=-1
    )


def _nearest_stance(clip: Clip, robot: Robot, body: Support, floor: float) -> Support:
    """Return the height above the floor of that planted foot, or lowest point, which is nearest to it.

    A foot that dips beside one that stands well is the fault of its leg and not of the whole body.
    """
    centers, radii = point_positions(clip, robot)
    bodies = collision_points(robot.mjcf).body_ids.numpy()
    feet = [np.flatnonzero(bodies == robot.body_names.index(foot)) for foot in robot.foot_body_names]
    parts = [body, *(_support(centers[:, points], radii[points], clip.fps) for points in feet)]
    heights = np.stack([part.height for part in parts]) - floor
    planted = np.stack([part.planted for part in parts])
    nearest = np.where(planted, np.abs(heights), np.inf).argmin(axis=0)
    frames = np.arange(clip.num_frames)
    return Support(heights[nearest, frames], planted[nearest, frames])


def stance_drift(body: Support, fps: float) -> np.ndarray:
    """Return how the height of the stances wanders about zero [m], slowly, shape (T,)."""
    level = body.planted & (np.abs(body.height) <= LEVEL)
    if not level.any():
        return np.zeros_like(body.height)
    frames = np.arange(len(level))
    heights = np.interp(frames, frames[level], body.height[level])
    reach = max(1, round(0.5 * STANCE_TIME * fps))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(heights, reach, mode="edge"), 2 * reach + 1)
    return bell_average(np.median(windows, axis=1), reach)


def lift_out(height: np.ndarray, fps: float) -> np.ndarray:
    """Return the smooth lift that leaves no frame below the ground.

    The need of each frame is spread to its neighbours and the result averaged over the same window with a bell. The
    average of values that are each at least the need in the middle is no less than it.

    Args:
        height: Height of the lowest point [m], shape (T,).
        fps: Frames per second [1/s].

    Returns:
        Lifts [m], not negative, zero away from all dips, shape (T,).
    """
    need = np.maximum(-height, 0.0)
    reach = max(1, round(0.5 * LIFT_TIME * fps))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(need, reach), 2 * reach + 1)
    return bell_average(windows.max(axis=1), reach)
