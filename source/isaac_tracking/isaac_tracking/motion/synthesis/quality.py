# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whether a clip is something that a robot on flat ground can follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..clip import Clip
from .dynamics import support_margin, zero_moment_point
from .robot import RobotModel


@dataclass(frozen=True)
class ClipQuality:
    """The worst of each quantity over all frames of a clip."""

    slide: float
    """Largest horizontal speed of a planted sole [m/s]."""

    sink: float
    """Largest depth of a sole below the ground [m]."""

    hover: float
    """Largest height of the lowest point of a planted sole [m]."""

    balance: float
    """Smallest distance of the zero-moment point inside the hull of the planted soles [m]; negative outside."""

    com_balance: float
    """Smallest distance of the centre of mass inside the same hull [m]: the criterion of slow motions."""

    friction: float
    """Largest ratio of horizontal to vertical ground force [-]."""

    joint_speed: float
    """Largest share of a joint's speed limit [-]."""

    joint_limit: float
    """Smallest distance of a joint from its position limits, as a share of its range [-]; negative beyond."""

    self_contact: float
    """Largest depth to which two parts of the body overlap [m]."""

    end_speed: float
    """Largest joint speed in the first and last frame [rad/s]."""

    travel_speed: float
    """Distance from first to last position of the base over the duration [m/s]."""


def measure(clip: Clip, model: RobotModel, speed_limits: Mapping[str, float]) -> ClipQuality:
    """Measure a clip by its own frames and labels, knowing nothing about how it was made.

    Args:
        clip: The motion; its contacts must be labelled.
        model: The robot.
        speed_limits: Largest speed of each joint [rad/s], by joint name.

    Raises:
        ValueError: If the clip has no contacts or lacks a joint of the robot.
    """
    if clip.contacts is None:
        raise ValueError(f"motion '{clip.name}' has no contacts; expected {', '.join(model.robot.foot_body_names)}")
    qpos = generalized_positions(clip, model)
    planted = clip.contacts[:, [clip.contact_names.index(name) for name in model.robot.foot_body_names]]
    zmp, force = zero_moment_point(model, qpos, clip.fps)
    soles, com, overlap = _geometry(model, qpos)
    slide = np.linalg.norm(np.diff(soles[..., :2], axis=0), axis=-1).max(axis=-1) * clip.fps
    bottom = soles[..., 2].min(axis=-1)
    hulls = [soles[i, planted[i]].reshape(-1, 3)[:, :2] for i in range(len(soles))]
    speed = np.abs(np.diff(qpos[:, model.joint_adr], axis=0)) * clip.fps
    return ClipQuality(
        slide=float(slide[planted[1:] & planted[:-1]].max()),
        sink=float(-bottom.min()),
        hover=float(bottom[planted].max()),
        balance=min(map(support_margin, zmp, hulls)),
        com_balance=min(map(support_margin, com, hulls)),
        friction=float((np.linalg.norm(force[:, :2], axis=1) / force[:, 2]).max()),
        joint_speed=float((speed / [speed_limits[name] for name in model.robot.joint_names]).max()),
        joint_limit=_limit_distance(model, qpos),
        self_contact=overlap,
        end_speed=float(max(speed[0].max(), speed[-1].max())),
        travel_speed=float(np.linalg.norm(qpos[-1, :2] - qpos[0, :2]) / clip.duration),
    )


def _limit_distance(model: RobotModel, qpos: np.ndarray) -> float:
    """Return the smallest distance of a joint from its limits as a share of its range."""
    joints = [int(np.flatnonzero(model.mujoco.jnt_qposadr == adr)[0]) for adr in model.joint_adr]
    low, high = model.mujoco.jnt_range[joints].T
    angles = qpos[:, model.joint_adr]
    return float((np.minimum(angles - low, high - angles) / (high - low)).min())


def generalized_positions(clip: Clip, model: RobotModel) -> np.ndarray:
    """Return the clip as MuJoCo's generalized positions, shape (T, nq).

    Raises:
        ClipError: If the clip lacks the base or a joint of the robot.
    """
    base = clip.body_indices([model.robot.body_names[0]])[0]
    qpos = np.zeros((clip.num_frames, model.mujoco.nq))
    qpos[:, :3] = clip.body_pos_w[:, base]
    qpos[:, 3:7] = clip.body_quat_w[:, base][:, [3, 0, 1, 2]]
    qpos[:, model.joint_adr] = clip.joint_pos[:, clip.joint_indices(model.robot.joint_names)]
    return qpos


def _geometry(model: RobotModel, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return sole points (T, 2, K, 3), centres of mass (T, 2), and the deepest overlap of two parts of the body."""
    import mujoco

    soles, com, overlap = [], [], 0.0
    # The model is loaded without constraints, and then MuJoCo finds no contacts either.
    model.mujoco.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    for q in qpos:
        model.set(q)
        mujoco.mj_collision(model.mujoco, model.data)
        overlap = max([overlap, *(-contact.dist for contact in model.data.contact)])
        com.append(model.data.subtree_com[model.body_ids[0], :2].copy())
        soles.append(
            [
                model.data.xpos[body] + points @ model.data.xmat[body].reshape(3, 3).T
                for body, points in zip(model.foot_ids, model.soles, strict=True)
            ]
        )
    model.mujoco.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    return np.array(soles), np.array(com), float(overlap)
