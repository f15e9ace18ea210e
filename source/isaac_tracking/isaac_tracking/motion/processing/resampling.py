# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Another frame rate, and frames that were stored several times."""

from __future__ import annotations

import numpy as np
import torch

from ..clip import Clip, ClipError
from ..quaternion import quat_conjugate, quat_from_axis_angle, quat_mul, quat_slerp, quat_to_axis_angle
from ..robot import Robot
from .poses import Poses, poses_of, with_poses

SAME_RATE = 1e-6
"""Difference of two frame rates [1/s] below which they are one."""

_MIN_MOVES = 8
"""Changes of pose from which a rhythm of repeats is believed; fewer may be a coincidence."""


def resample(clip: Clip, robot: Robot, fps: float) -> Clip:
    """Return the motion at another frame rate; the same clip if the rate is the same.

    Root and joints follow cubic curves through the frames (Catmull-Rom; for the orientation Shoemake's Bezier curve
    of slerps), so that their velocities have no steps. Straight lines between the frames of 30 Hz would have a kink at
    each, which at 50 Hz are peaks of acceleration. Joints do not overshoot a limit that the source keeps. The bodies
    follow by forward kinematics. Nothing is extrapolated: the last frame may lie up to one period before the
    source's end. Contact labels are those of the nearest frame.

    Args:
        clip: The motion.
        robot: Its robot.
        fps: Frames per second [1/s].

    Raises:
        ClipError: If the rate is no positive number, or the motion is too short for two frames at it.
    """
    if not (np.isfinite(fps) and fps > 0.0):
        raise ClipError(f"motion '{clip.name}': cannot be resampled to {fps} fps; expected a number above 0")
    if abs(clip.fps - fps) < SAME_RATE:
        return clip
    count = int(clip.duration * fps + 1e-6) + 1
    if count < 2:
        raise ClipError(
            f"motion '{clip.name}': {clip.duration:.3g} s are too short for two frames at {fps:g} fps;"
            " expected a longer motion or a higher rate"
        )
    at = np.minimum(np.arange(count) * (clip.fps / fps), clip.num_frames - 1)
    poses = interpolate(poses_of(clip, robot), at, robot)
    contacts = None if clip.contacts is None else clip.contacts[np.rint(at).astype(int)]
    note = f"Resampled from {clip.fps:.6g} to {fps:.6g} fps by cubic interpolation."
    return with_poses(clip, robot, poses, note, fps=fps, contacts=contacts)


def interpolate(poses: Poses, at: np.ndarray, robot: Robot) -> Poses:
    """Return poses between the frames, on cubic curves through them; at a frame, exactly that frame.

    Args:
        poses: At least two frames.
        at: Places in frames, in [0, len(poses) - 1], shape (N,).
        robot: Its joint limits are not overshot where the frames keep them.
    """
    before = np.minimum(at.astype(int), len(poses) - 2)
    share = (at - before)[:, None]
    joints = _cubic(poses.joint_pos, before, share)
    low, high = robot.joint_pos_limits.T
    joints = np.clip(joints, np.minimum(low, poses.joint_pos.min(0)), np.maximum(high, poses.joint_pos.max(0)))
    return Poses(_cubic(poses.root_pos, before, share), _turn(poses.root_quat, before, share), joints)


def _cubic(values: np.ndarray, before: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Interpolate vectors (T, K) with tangents by central differences, one-sided at the ends; shape (N, K)."""
    slope = np.gradient(values, axis=0)
    a, b = values[before], values[before + 1]
    rise = t * t * (3.0 - 2.0 * t)
    return a + rise * (b - a) + t * (1.0 - t) * ((1.0 - t) * slope[before] - t * slope[before + 1])


def _turn(quats: np.ndarray, before: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Interpolate rotations (T, 4), xyzw, as :func:`_cubic` does vectors (Shoemake, SIGGRAPH 1985); shape (N, 4)."""
    q = torch.from_numpy(quats)
    last = len(q) - 1
    ahead, behind = torch.arange(len(q)).add(1).clamp(max=last), torch.arange(len(q)).sub(1).clamp(min=0)
    step = quat_to_axis_angle(quat_mul(quat_conjugate(q[behind]), q[ahead])) / (ahead - behind)[:, None]
    first, second = torch.from_numpy(before), torch.from_numpy(before + 1)
    share = torch.from_numpy(t)
    a, d = q[first], q[second]
    b = quat_mul(a, quat_from_axis_angle(step[first] / 3.0))
    c = quat_mul(d, quat_from_axis_angle(-step[second] / 3.0))
    ab, bc, cd = quat_slerp(a, b, share), quat_slerp(b, c, share), quat_slerp(c, d, share)
    return quat_slerp(quat_slerp(ab, bc, share), quat_slerp(bc, cd, share), share).numpy()


def repeat_count(frames: np.ndarray) -> tuple[int, int]:
    """Return how often each frame of a recording is stored, and where the first whole group of them begins.

    A recording that was stored at a multiple of its rate moves on every k-th frame only.

    Args:
        frames: One row for each frame, shape (T, ...).

    Returns:
        The count k, 1 if frames are not repeated throughout, and the index of the first frame that differs from its
        predecessor modulo k.
    """
    rows = frames.reshape(len(frames), -1)
    moves = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)) + 1
    if len(moves) < _MIN_MOVES:
        return 1, 0
    count = int(np.gcd.reduce(np.diff(moves)))
    return count, int(moves[0] % count)


def drop_repeats(clip: Clip, robot: Robot) -> Clip:
    """Undo the storing of every frame k times: keep one of each k and divide the rate by k.

    Only exact repeats in a steady rhythm throughout the motion count; the same clip is returned if there are none.
    Velocities would otherwise alternate between zero and k times their value.
    """
    poses = poses_of(clip, robot)
    count, phase = repeat_count(np.hstack([poses.root_pos, poses.root_quat, poses.joint_pos]))
    if count == 1:
        return clip
    # Of a group that began before the first frame, the first frame is as good as any.
    keep = np.arange(phase - count if phase else 0, clip.num_frames, count).clip(min=0)
    contacts = None if clip.contacts is None else clip.contacts[keep]
    note = f"Every frame was stored {count} times: repeats dropped, {clip.fps:g} fps read as {clip.fps / count:g} fps."
    return with_poses(clip, robot, poses[keep], note, fps=clip.fps / count, contacts=contacts)
