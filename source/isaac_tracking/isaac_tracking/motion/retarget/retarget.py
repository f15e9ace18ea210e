# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A human's motion in, a robot's clip out, and how near the one comes to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..clip import Clip, ClipError
from ..robot import Robot
from . import RetargetOptions
from .human import HumanMotion
from .humanoid import Humanoid, humanoid
from .skeleton import find_skeleton
from .solver import solve
from .targets import Targets, make_targets


@dataclass(frozen=True, eq=False)
class Retargeting:
    """A clip and its distance from the human at the robot's size."""

    clip: Clip
    """The robot's motion."""

    scale: float
    """Size of the motion as a share of the human's [-]."""

    point_error: float
    """Mean distance of ankles, knees, elbows and wrists from the scaled human's [m]."""

    worst_point_error: float
    """Largest of these distances [m]."""


def retarget(motion: HumanMotion, robot: Robot, options: RetargetOptions) -> Retargeting:
    """Retarget a motion.

    Args:
        motion: The human.
        robot: The robot.
        options: What is decided by hand.

    Returns:
        The clip with contact labels of the feet, and the errors.

    Raises:
        ClipError: If the skeleton is not known, an option cannot be used, or the motion cannot be followed.
    """
    _check(options)
    skeleton = find_skeleton(motion.joint_names, motion.parents, motion.source or motion.name)
    body = humanoid(robot)
    smooth = motion.smooth(options.cutoff)
    moved = smooth.resample(options.fps)
    free = make_targets(moved, skeleton, body, options.scale, lock=False)
    targets = make_targets(moved, skeleton, body, options.scale, lock=True) if options.lock_feet else free
    qpos = solve(targets, body)
    raised = _on_ground(qpos, body)
    errors = _point_errors(qpos, body, free)
    clip = robot.clip(
        motion.name,
        options.fps,
        qpos[:, :3],
        qpos[:, [4, 5, 6, 3]],
        qpos[:, body.model.joint_adr],
        contact_names=robot.foot_body_names,
        contacts=targets.planted,
        source=f"retargeted from {motion.source or motion.name}",
        history=(
            *motion.history,
            *(() if smooth is motion else (f"human low-passed at {options.cutoff:g} Hz",)),
            *(() if moved is smooth else (f"resampled from {motion.fps:g} to {options.fps:g} fps",)),
            *targets.history,
            f"retargeted to {robot.name} with mink, feet {'locked' if options.lock_feet else 'not locked'},"
            f" mean distance of the limbs {1e2 * errors.mean():.1f} cm",
            *((f"raised by {1e2 * raised:.1f} cm to the ground",) if abs(raised) > 5e-4 else ()),
        ),
    )
    return Retargeting(clip, targets.scale, float(errors.mean()), float(errors.max()))


def _check(options: RetargetOptions) -> None:
    """Refuse options that no motion can have."""
    if not 5.0 <= options.fps <= 1000.0:
        raise ClipError(f"--fps-out is {options.fps:g}; expected 5 to 1000 frames a second")
    if options.scale is not None and not 0.1 <= options.scale <= 10.0:
        raise ClipError(f"--scale is {options.scale:g}; expected 0.1 to 10, or auto")
    if options.unit is not None and not 1e-5 <= options.unit <= 100.0:
        raise ClipError(f"--unit is {options.unit:g} m; expected 1e-5 to 100")
    if not 0.0 <= options.cutoff <= 1000.0:
        raise ClipError(f"--cutoff is {options.cutoff:g} Hz; expected 0 to 1000")


def _on_ground(qpos: np.ndarray, body: Humanoid) -> float:
    """Raise or lower the motion so that its lowest point is at 0; return by how much [m]."""
    parts = qpos[:, :3], qpos[:, [4, 5, 6, 3]], qpos[:, body.model.joint_adr]
    lowest = body.collision.lowest(*(torch.from_numpy(part).float() for part in parts))
    raised = -float(lowest.min())
    qpos[:, 2] += raised
    return raised


def _point_errors(qpos: np.ndarray, body: Humanoid, targets: Targets) -> np.ndarray:
    """Return the distances of the robot's limbs from the human's, shape (T, 8)."""
    model = body.model
    names = (*body.ankle, *body.knee, *body.elbow, *body.wrist)
    ids = [model.mujoco.body(name).id for name in names]
    actual = np.empty((len(qpos), len(ids), 3))
    for frame, q in enumerate(qpos):
        model.set(q)
        actual[frame] = model.data.xpos[ids]
    wanted = np.concatenate((targets.ankle_pos, targets.knee_pos, targets.elbow_pos, targets.wrist_pos), axis=1)
    return np.linalg.norm(actual - wanted, axis=-1)
