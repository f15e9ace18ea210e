# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A cycle of a motion repeated: it goes on from where it stands and where it heads."""

from __future__ import annotations

import numpy as np
import torch

from ..clip import Clip, ClipError
from ..quaternion import quat_apply, quat_conjugate, quat_from_axis_angle, quat_mul, quat_to_axis_angle
from ..robot import Robot
from .poses import Poses, least_jerk, poses_of, with_poses, yaw_of, yaw_turn

JOINT_GAP = 0.3
"""Largest difference of a joint angle between the ends of a cycle [rad]."""

TILT_GAP = 0.2
"""Largest difference of the base's orientation, heading apart, between the ends of a cycle [rad]."""

HEIGHT_GAP = 0.05
"""Largest difference of the base's height between the ends of a cycle [m]."""

_SHORTEST = 0.5
"""Shortest cycle that is suggested [s]."""

_MOST_FRAMES = 3000
"""Longest motion in which a cycle is looked for; the search compares every frame with every other."""


def loop(clip: Clip, robot: Robot, times: int, blend: float = 0.3) -> Clip:
    """Return the motion so many times in a row: its last frame is its first frame again, further on.

    Place and heading are carried on from cycle to cycle. What pose and velocity of the last frame differ from those of
    the first is spread over the last ``blend`` seconds of each cycle, so that neither jumps.

    Args:
        clip: One cycle, from a pose to the same pose again.
        robot: Its robot.
        times: Number of cycles, at least 1; 1 gives back the same clip.
        blend: Time over which the seam is closed [s], at most half the cycle.

    Raises:
        ClipError: If the ends differ by more than :data:`JOINT_GAP`, :data:`TILT_GAP` or :data:`HEIGHT_GAP`, or a
            number is out of range. The message suggests the longest cycle within the motion, if there is one.
    """
    if times < 1 or not (np.isfinite(blend) and blend >= 0.0):
        raise ClipError(
            f"motion '{clip.name}': cannot be repeated {times} times with a blend of {blend} s;"
            " expected a number of 1 or more, and 0 s or more"
        )
    if times == 1:
        return clip
    poses = poses_of(clip, robot)
    _check_ends(clip, robot, poses)
    cycle = _closed(poses, clip.fps, blend)
    steps = len(cycle) - 1
    parts, start = [cycle[:1]], (cycle.root_pos[0], yaw_of(cycle.root_quat[0]))
    for _ in range(times):
        parts.append(_carried(cycle, start)[1:])
        start = (parts[-1].root_pos[-1], yaw_of(parts[-1].root_quat[-1]))
    whole = Poses(*(np.concatenate([getattr(part, field) for part in parts]) for field in Poses.__dataclass_fields__))
    contacts = None
    if clip.contacts is not None:
        contacts = np.concatenate([clip.contacts[:1], *([clip.contacts[1:]] * times)])
    note = f"Repeated {times} times; the seam of the {steps / clip.fps:.4g} s cycle closed over {blend:g} s."
    return with_poses(clip, robot, whole, note, contacts=contacts)


def _gaps(poses: Poses, i: int, j: int) -> tuple[np.ndarray, float, float]:
    """Return the differences of joints [rad], tilt [rad] and height [m] between two frames."""
    joints = np.abs(poses.joint_pos[j] - poses.joint_pos[i])
    down = quat_apply(
        quat_conjugate(torch.from_numpy(poses.root_quat[[i, j]])), torch.tensor([[0.0, 0.0, -1.0]] * 2).double()
    )
    tilt = float(torch.atan2(torch.linalg.cross(down[0], down[1]).norm(), (down[0] * down[1]).sum()))
    return joints, tilt, float(abs(poses.root_pos[j, 2] - poses.root_pos[i, 2]))


def _check_ends(clip: Clip, robot: Robot, poses: Poses) -> None:
    joints, tilt, height = _gaps(poses, 0, len(poses) - 1)
    worst = int(joints.argmax())
    reasons = []
    if joints[worst] > JOINT_GAP:
        reasons.append(f"{robot.joint_names[worst]} by {joints[worst]:.2f} rad (at most {JOINT_GAP})")
    if tilt > TILT_GAP:
        reasons.append(f"tilt of the base by {tilt:.2f} rad (at most {TILT_GAP})")
    if height > HEIGHT_GAP:
        reasons.append(f"height of the base by {height:.3f} m (at most {HEIGHT_GAP})")
    if not reasons:
        return
    cycle = find_cycle(clip, robot)
    fix = f"trim it to a cycle, e.g. {cycle[0]:.2f} to {cycle[1]:.2f} s" if cycle else "no part of it is a cycle either"
    raise ClipError(
        f"motion '{clip.name}': its ends differ too much to repeat it: {', '.join(reasons)};"
        f" expected a motion that ends in the pose it starts from; {fix}"
    )


def find_cycle(clip: Clip, robot: Robot) -> tuple[float, float] | None:
    """Return start and end [s] of the longest part of a motion that ends in the pose it starts from; None without one.

    Pose and the joints' speeds (a fifth of a second's worth) must agree within half the gaps that :func:`loop` takes.
    """
    poses = poses_of(clip, robot)
    if len(poses) < 3 or len(poses) > _MOST_FRAMES:
        return None
    speed = 0.2 * np.gradient(poses.joint_pos, axis=0) * clip.fps
    rest = quat_conjugate(torch.from_numpy(poses.root_quat))
    down = quat_apply(rest, torch.tensor([0.0, 0.0, -1.0]).double().expand(len(rest), -1)).numpy()
    scaled = [poses.joint_pos / JOINT_GAP, speed / JOINT_GAP, down / TILT_GAP, poses.root_pos[:, 2:] / HEIGHT_GAP]
    features = torch.from_numpy(np.hstack(scaled)).float()
    # The largest of all differences; in blocks, since all pairs at once would fill the memory.
    best: tuple[int, int] | None = None
    for first in range(len(features)):
        apart = max(round(_SHORTEST * clip.fps), best[1] - best[0] + 1 if best else 0)
        if first + apart >= len(features):
            break
        near = (features[first + apart :] - features[first]).abs().amax(dim=-1) < 0.5
        if near.any():
            best = first, first + apart + int(near.nonzero()[-1])
    return None if best is None else (best[0] / clip.fps, best[1] / clip.fps)


def _closed(poses: Poses, fps: float, blend: float) -> Poses:
    """Return the cycle with pose and velocity of its end made those of its start, by a change of its last part."""
    last = len(poses) - 1
    width = min(blend, 0.5 * last / fps) * fps
    if width < 1.0:
        width = 1.0
    share = np.clip(1.0 - (last - np.arange(len(poses))) / width, 0.0, 1.0)[:, None]
    # Of the two, one changes the value and not the slope at the end, the other the slope and not the value.
    value, slope = least_jerk(share), width * share**3 * (-4.0 + share * (7.0 - 3.0 * share))
    joints = _correction(poses.joint_pos, value, slope)
    height = _correction(poses.root_pos[:, 2:], value, slope)
    turn = yaw_of(poses.root_quat[-1]) - yaw_of(poses.root_quat[0])
    carry = torch.from_numpy(yaw_turn(float(turn)))
    quat = torch.from_numpy(poses.root_quat)
    # The start, turned to the heading of the end, is where the end should be.
    gap = quat_to_axis_angle(quat_mul(quat_mul(carry, quat[0]), quat_conjugate(quat[-1]))).numpy()
    spin = [quat_to_axis_angle(quat_mul(quat[i + 1], quat_conjugate(quat[i]))) for i in (0, last - 1)]
    spin_gap = (quat_apply(carry, spin[0]) - spin[1]).numpy()
    quat = quat_mul(quat_from_axis_angle(torch.from_numpy(value * gap + slope * spin_gap)), quat)
    step = torch.from_numpy(poses.root_pos[[1, last]] - poses.root_pos[[0, last - 1]])
    speed_gap = (quat_apply(carry, step[0]) - step[1]).numpy()
    place = poses.root_pos + slope * speed_gap * (1.0, 1.0, 0.0)
    place[:, 2:] += height
    return Poses(place, quat.numpy(), poses.joint_pos + joints)


def _correction(values: np.ndarray, value: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return what is added to vectors (T, K) to make end and end's rate those of the start."""
    gap = values[0] - values[-1]
    rate_gap = (values[1] - values[0]) - (values[-1] - values[-2])
    return value * gap + slope * rate_gap


def _carried(cycle: Poses, start: tuple[np.ndarray, np.ndarray]) -> Poses:
    """Return the cycle moved over the ground to start from a place with a heading."""
    place, heading = start
    turn = torch.from_numpy(yaw_turn(float(heading - yaw_of(cycle.root_quat[0]))))
    quat = torch.from_numpy(cycle.root_quat)
    offset = torch.from_numpy(cycle.root_pos - cycle.root_pos[0] * (1.0, 1.0, 0.0))
    pos = quat_apply(turn.expand_as(quat), offset).numpy() + place * (1.0, 1.0, 0.0)
    return Poses(pos, quat_mul(turn, quat).numpy(), cycle.joint_pos)
