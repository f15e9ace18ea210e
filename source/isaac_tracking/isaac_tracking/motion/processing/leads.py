# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From the default pose into a motion and from the motion back: what a robot needs that cannot jump into it.

Holosoma adds 2 s of default pose before and after each motion (``peers.md`` 2.11); here the pose flows into the motion.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ..clip import Clip, ClipError
from ..quaternion import (
    quat_conjugate,
    quat_from_axis_angle,
    quat_mul,
    quat_slerp,
    quat_to_axis_angle,
)
from ..robot import Robot
from .contacts import contact_states
from .grounding import point_positions
from .poses import Poses, least_jerk, poses_of, with_poses, yaw_of, yaw_turn

CATCH_TIME = 0.25
"""Time before the join in which the speed of the motion is taken up [s]."""

_SETTLE_TIME = 0.06
"""Width of the smoothing of the base's height [s]: the lowest point jumps from foot to foot."""


def lead_in(clip: Clip, robot: Robot, seconds: float) -> Clip:
    """Prepend a blend from the default pose, at rest, into the first frame, at its speed.

    The default pose stands upright on the ground, the middle between its feet at that of the first frame and its
    heading the same. The pose blends with least jerk; the first frame's speed is taken up in the last
    :data:`CATCH_TIME`. The lowest point of the body goes from the ground to its height in the first frame, so nothing
    is pushed into the ground. Feet slide while they move to their places.

    Args:
        clip: The motion.
        robot: Its robot.
        seconds: Length of the blend [s].

    Returns:
        The longer motion; the same clip if the blend has fewer than two frames. The clip's own frames are unchanged.

    Raises:
        ClipError: If the length is negative or not finite, or the clip lacks parts of the robot.
    """
    return _lead(clip, robot, seconds, "in from")


def lead_out(clip: Clip, robot: Robot, seconds: float) -> Clip:
    """Append a blend from the last frame into the default pose, at rest: :func:`lead_in` backwards in time.

    Raises:
        ClipError: As for :func:`lead_in`.
    """
    return _reversed(_lead(_reversed(clip), robot, seconds, "out to"))


def _lead(clip: Clip, robot: Robot, seconds: float, way: str) -> Clip:
    if not (np.isfinite(seconds) and seconds >= 0.0):
        raise ClipError(f"motion '{clip.name}': a lead of {seconds} s is impossible; expected a number of seconds")
    frames = round(seconds * clip.fps)
    if frames < 2:
        return clip
    lead = _blend(clip, robot, frames)
    contacts = None if clip.contacts is None else np.zeros((frames, len(clip.contact_names)), dtype=bool)
    note = f"Led {way} the default pose in {frames / clip.fps:.4g} s."
    ahead = with_poses(clip, robot, lead, note, contacts=contacts)
    if contacts is not None:
        ahead = replace(ahead, contacts=contact_states(ahead, robot, clip.contact_names))
    bodies, joints = clip.body_indices(robot.body_names), clip.joint_indices(robot.joint_names)
    return replace(
        ahead,
        joint_pos=np.concatenate([ahead.joint_pos, clip.joint_pos[:, joints]]),
        body_pos_w=np.concatenate([ahead.body_pos_w, clip.body_pos_w[:, bodies]]),
        body_quat_w=np.concatenate([ahead.body_quat_w, clip.body_quat_w[:, bodies]]),
        contacts=None if clip.contacts is None else np.concatenate([ahead.contacts, clip.contacts]),  # type: ignore[list-item]
    )


def _reversed(clip: Clip) -> Clip:
    """Return the motion backwards in time."""
    arrays = {name: getattr(clip, name)[::-1] for name in ("joint_pos", "body_pos_w", "body_quat_w")}
    return replace(clip, **arrays, contacts=None if clip.contacts is None else clip.contacts[::-1])


def _blend(clip: Clip, robot: Robot, frames: int) -> Poses:
    """Return so many poses from the default pose to just before the first frame."""
    poses, rate = poses_of(clip, robot), clip.fps
    stand = default_stance(robot, poses[:1])
    share = least_jerk(np.arange(frames) / frames)[:, None]
    # Frames until the join, as a negative time.
    time = (np.arange(frames) - frames) / rate
    catch = min(CATCH_TIME, 0.5 * frames / rate)
    approach = _approach(time, np.array([catch]))
    joints = _joint_approach(robot, poses.joint_pos[0], _speed(poses.joint_pos, rate), time, catch, rate)
    place = poses.root_pos[0] + approach * _speed(poses.root_pos, rate)
    lead = Poses(
        (1.0 - share) * stand.root_pos + share * place,
        _turn_approach(poses, stand, share, approach, rate),
        (1.0 - share) * stand.joint_pos + share * joints,
    )
    return _on_ground(clip, robot, lead, share[:, 0], approach[:, 0])


def default_stance(robot: Robot, where: Poses) -> Poses:
    """Return the default pose upright on the ground, with the feet's middle and the heading of a given pose.

    Args:
        robot: The robot.
        where: One frame.

    Returns:
        One frame.
    """
    turn = yaw_turn(float(yaw_of(where.root_quat[0])))[None]
    pose = Poses(np.zeros((1, 3)), turn, np.array(robot.default_joint_pos)[None])
    feet = [robot.body_names.index(foot) for foot in robot.foot_body_names]
    here = robot.clip("stance", 1.0, *_twice(pose))
    there = robot.clip("stance", 1.0, *_twice(where))
    centers, radii = point_positions(here, robot)
    place = (there.body_pos_w[0, feet] - here.body_pos_w[0, feet]).mean(axis=0).astype(np.float64)
    place[2] = -float((centers[0, :, 2] - radii).min())
    return Poses(place[None], pose.root_quat, pose.joint_pos)


def _twice(pose: Poses) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a frame as a motion of two, which is the least that a clip has."""
    return tuple(np.repeat(values, 2, axis=0) for values in (pose.root_pos, pose.root_quat, pose.joint_pos))  # type: ignore[return-value]


def _speed(values: np.ndarray, rate: float) -> np.ndarray:
    """Return the rate of change of the first frame, shape (K,)."""
    return (values[1] - values[0]) * rate


def _approach(time: np.ndarray, catch: np.ndarray) -> np.ndarray:
    """Return where something of unit speed at time 0 comes from, shape (N, K) [s].

    It rests until ``-catch`` and then takes up its speed with least jerk of the speed's profile.

    Args:
        time: Times, not positive [s], shape (N,).
        catch: Times to take up the speed [s], shape (K,).
    """
    s = np.clip(1.0 + time[:, None] / catch, 0.0, 1.0)
    # Integral of the least-jerk ramp of the speed, less its value at the join.
    return catch * (s**4 * (2.5 + s * (s - 3.0)) - 0.5)


def _joint_approach(
    robot: Robot, first: np.ndarray, speed: np.ndarray, time: np.ndarray, catch: float, rate: float
) -> np.ndarray:
    """Return joint angles that arrive at the first frame with its speeds, never from beyond a limit; shape (N, J)."""
    low, high = robot.joint_pos_limits.T
    room = np.maximum(np.where(speed > 0.0, first - low, high - first), 0.0)
    # A joint comes from half its speed times the time away: less time where there is less room.
    time_each = np.clip(2.0 * room / np.maximum(np.abs(speed), 1e-9), 1.0 / rate, catch)
    angles = first + _approach(time, time_each) * speed
    return np.clip(angles, np.minimum(low, first), np.maximum(high, first))


def _turn_approach(poses: Poses, stand: Poses, share: np.ndarray, approach: np.ndarray, rate: float) -> np.ndarray:
    """Return orientations from the stance to the first frame with its angular velocity, shape (N, 4)."""
    first, second = torch.from_numpy(poses.root_quat[:1]), torch.from_numpy(poses.root_quat[1:2])
    spin = quat_to_axis_angle(quat_mul(second, quat_conjugate(first))) * rate
    coming = quat_mul(quat_from_axis_angle(torch.from_numpy(approach) * spin), first.expand(len(approach), -1))
    start = torch.from_numpy(stand.root_quat).expand(len(approach), -1)
    return quat_slerp(start, coming, torch.from_numpy(share)).numpy()


def _on_ground(clip: Clip, robot: Robot, lead: Poses, share: np.ndarray, approach: np.ndarray) -> Poses:
    """Return the poses with the lowest point going smoothly from the ground to its height in the first frame."""
    centers, radii = point_positions(clip, robot)
    height = (centers[:2, :, 2] - radii).min(axis=1).astype(np.float64)
    # A foot that is being raised comes from the ground, not from below it.
    wanted = share * np.maximum(height[0] + approach * (height[1] - height[0]) * clip.fps, min(height[0], 0.0))
    posed = robot.clip("lead", clip.fps, lead.root_pos, lead.root_quat, lead.joint_pos)
    centers, radii = point_positions(posed, robot)
    missing = wanted - (centers[..., 2] - radii).min(axis=1)
    place = lead.root_pos.copy()
    place[:, 2] += _settled(missing, max(1, round(0.5 * _SETTLE_TIME * clip.fps)))
    return Poses(place, lead.root_quat, lead.joint_pos)


def _settled(values: np.ndarray, reach: int) -> np.ndarray:
    """Return a running average whose window shrinks towards both ends, where the values stay as they are."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    index = np.arange(len(values))
    half = np.minimum(np.minimum(index, len(values) - 1 - index), reach)
    return (total[index + half + 1] - total[index - half]) / (2 * half + 1)
