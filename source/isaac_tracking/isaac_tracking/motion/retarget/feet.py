# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Feet that stand: where the floor of a recording is, when a foot is planted, and how it is held in its place."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

if TYPE_CHECKING:
    from .humanoid import Humanoid
    from .targets import Targets

_SLOW, _FAST = 0.35, 0.6
"""Speeds [m/s] below which a foot becomes planted and above which it is lifted, for a person who stands or walks."""

_SPEED_SHARE = 0.25
"""The same as a share of the speed over ground: a runner's foot is never quite still in a recording."""

_LOW, _HIGH = 0.02, 0.03
"""Heights of heel or toe [m] below which it becomes planted and above which it is lifted."""

_SHORTEST = 0.06
"""Shortest stance, and shortest gap between two [s]."""

_BLEND, _TURN_BLEND = 0.16, 0.1
"""Times over which a foot leaves its place and comes to the next, and becomes level before and after [s]."""

_STEP_UP = 0.10
"""Stances that are higher than this above others nearby are no floor [m]: a leg is held up."""


def floor_heights(low: np.ndarray, fps: float) -> np.ndarray:
    """Return the height of the floor under a person: it drifts in recordings by several centimetres.

    Args:
        low: Positions of the lowest joints of both feet [m], shape (T, 2, 3).
        fps: Frames per second [1/s].

    Returns:
        Height that these joints have when they stand [m], shape (T,): that of the stances, and between them a
        straight line.
    """
    still = planted_by_speed(low, fps)
    stances = []
    for side in (0, 1):
        for start, end in segments(still[:, side]):
            stances.append((start, end, float(np.quantile(low[start:end, side, 2], 0.2))))
    near = int(2.0 * fps)
    kept = [
        (start, end, height)
        for start, end, height in stances
        if height < _STEP_UP + min(h for s, e, h in stances if s < end + near and e > start - near)
    ]
    if not kept:
        return np.full(len(low), float(np.quantile(low[..., 2].min(axis=1), 0.05)))
    heights, counts = np.zeros(len(low)), np.zeros(len(low))
    for start, end, height in kept:
        heights[start:end] += height
        counts[start:end] += 1
    known = np.flatnonzero(counts)
    floor = np.interp(np.arange(len(low)), known, heights[known] / counts[known])
    return gaussian_filter1d(floor, 0.1 * fps, mode="nearest")


def planted_by_speed(points: np.ndarray, fps: float, speed_over_ground: np.ndarray | None = None) -> np.ndarray:
    """Return when points are nearly still, with hysteresis, bool, shape (T, N); points are [m], shape (T, N, 3)."""
    speed = np.linalg.norm(np.gradient(points, axis=0), axis=-1) * fps
    # The mean of two feet goes where the person goes.
    over_ground = _travel_speed(points.mean(axis=1), 0.25, fps) if speed_over_ground is None else speed_over_ground
    extra = (_SPEED_SHARE * over_ground)[:, None]
    return _hysteresis(speed < np.maximum(_SLOW, extra), speed < np.maximum(_FAST, 1.7 * extra), fps)


def _travel_speed(points: np.ndarray, seconds: float, fps: float) -> np.ndarray:
    """Return the slow part of a horizontal speed [m/s], shape (T,); points are [m], shape (T, 3)."""
    slow = gaussian_filter1d(points[:, :2], seconds * fps, axis=0, mode="nearest")
    return np.linalg.norm(np.gradient(slow, axis=0), axis=-1) * fps


def segments(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of true frames as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _hysteresis(enter: np.ndarray, stay: np.ndarray, fps: float) -> np.ndarray:
    """Return runs of ``stay`` that hold a frame of ``enter``, without short gaps and short runs; shape (T, N)."""
    result = np.zeros_like(stay)
    shortest = max(2, round(_SHORTEST * fps))
    for column in range(stay.shape[1]):
        mask = result[:, column]
        for start, end in segments(stay[:, column]):
            mask[start:end] = enter[start:end, column].any()
        for start, end in segments(~mask):
            if start > 0 and end < len(mask) and end - start < shortest:
                mask[start:end] = True
        for start, end in segments(mask):
            if end - start < shortest:
                mask[start:end] = False
    return result


def held_feet(targets: Targets, body: Humanoid, lock: bool) -> Targets:
    """Return targets whose planted feet are flat and do not move, and whose soles are never below the ground.

    A sole has two points, heel and toe. While both are planted the foot is flat and in one place; while one of them is,
    the foot turns about it. Before and after, the foot glides from and to the human's path.

    Args:
        targets: The human's feet at the robot's size.
        body: The robot.
        lock: Whether to hold the feet; otherwise only the contacts are found and the soles kept above the ground.
    """
    fps = targets.fps
    travel = _travel_speed(targets.pelvis_pos, 0.1, fps)
    pos, planted, feet = targets.ankle_pos.copy(), targets.planted.copy(), []
    for side in (0, 1):
        path, turn = pos[:, side], targets.feet[side]
        ends = np.stack([path + turn.apply(point[side]) for point in (body.heel, body.toe)], axis=1)
        still = planted_by_speed(ends, fps, travel)
        touch = _hysteresis(still & (ends[..., 2] < _LOW), still & (ends[..., 2] < _HIGH), fps)
        planted[:, side] = touch.any(axis=1)
        if lock:
            turn = _flattened(turn, touch.all(axis=1), fps)
            path = _held(path, turn, touch, (body.heel[side], body.toe[side]), body, fps)
        spheres = zip(*body.foot_spheres[side], strict=True)
        lowest = np.min([path[:, 2] + turn.apply(center)[:, 2] - radius for center, radius in spheres], axis=0)
        pos[:, side] = path + np.maximum(-lowest, 0.0)[:, None] * [0.0, 0.0, 1.0]
        feet.append(turn)
    return replace(targets, ankle_pos=pos, feet=(feet[0], feet[1]), planted=planted)


def _flattened(turn: Rotation, flat: np.ndarray, fps: float) -> Rotation:
    """Return orientations that are level and do not turn while ``flat``, and go over into the human's smoothly."""
    level = turn.as_quat()
    weight = np.zeros(len(level))
    blend = max(1, round(_TURN_BLEND * fps))
    frames = np.arange(len(level))
    heading = np.unwrap(turn.as_euler("ZYX")[:, 0])
    nearest = np.full(len(level), np.inf)
    for start, end in segments(flat):
        yaw = heading[start:end]
        # A foot that turns on the spot is let turn.
        yaw = np.full(len(yaw), yaw.mean()) if np.ptp(yaw) < 0.35 else yaw
        distance = np.maximum(np.maximum(start - frames, frames - (end - 1)), 0)
        near = (distance < blend) & (distance < nearest)
        nearest[near] = distance[near]
        level[near] = _about_z(np.interp(frames[near], np.arange(start, end), yaw)).as_quat()
        weight[near] = _smooth(1.0 - distance[near] / blend)
    start = Rotation.from_quat(turn.as_quat())
    return start * Rotation.from_rotvec((start.inv() * Rotation.from_quat(level)).as_rotvec() * weight[:, None])


def _held(
    path: np.ndarray,
    turn: Rotation,
    touch: np.ndarray,
    points: tuple[np.ndarray, np.ndarray],
    body: Humanoid,
    fps: float,
) -> np.ndarray:
    """Return the path of an ankle that is held while heel or toe are planted, shape (T, 3)."""
    held = path.copy()
    heel, toe = (turn.apply(point) for point in points)
    stances = segments(touch.any(axis=1))
    for start, end in stances:
        flat = segments(touch[start:end].all(axis=1))
        if flat:
            first, last = max(flat, key=lambda run: run[1] - run[0])
            place = path[start + first : start + last].mean(axis=0)
            place[2] = body.foot_height
            seed = start + first
        else:
            seed = (start + end) // 2
            arm = toe if touch[seed, 1] else heel
            place = (path[start:end] + arm[start:end]).mean(axis=0) - arm[seed]
            place[2] = -arm[seed, 2]
        held[seed] = place
        for step, stop in ((1, end), (-1, start - 1)):
            for frame in range(seed + step, stop, step):
                arm = heel if touch[frame, 0] and not touch[frame, 1] else toe
                held[frame] = held[frame - step] + arm[frame - step] - arm[frame]
    return path + _bridged(held - path, stances, fps)


def _bridged(shift: np.ndarray, stances: list[tuple[int, int]], fps: float) -> np.ndarray:
    """Return shifts that are as given during stances and fade out and in between them, shape (T, 3)."""
    result = np.zeros_like(shift)
    blend = max(1, round(_BLEND * fps))
    bounds = [(0, 0), *stances, (len(shift), len(shift))]
    for start, end in stances:
        result[start:end] = shift[start:end]
    for (_, before), (after, _) in pairwise(bounds):
        gap = after - before
        if gap <= 0:
            continue
        frames = np.arange(1, gap + 1)
        length = min(blend, gap)
        if before > 0:
            result[before:after] += _smooth(1.0 - frames / (length + 1))[:, None] * shift[before - 1]
        if after < len(shift):
            result[before:after] += _smooth(1.0 - frames[::-1] / (length + 1))[:, None] * shift[after]
    return result


def _smooth(x: np.ndarray) -> np.ndarray:
    """Return the least-jerk ramp from 0 to 1 of values in [0, 1]; constant outside."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10.0 + x * (6.0 * x - 15.0))


def _about_z(angle: np.ndarray) -> Rotation:
    return Rotation.from_rotvec(angle[:, None] * [0.0, 0.0, 1.0])
