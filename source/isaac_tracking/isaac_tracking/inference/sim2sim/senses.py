# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What there is to see at one instant: numpy alone, nothing of Isaac Lab."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Senses:
    """What every policy may see at one instant; quaternions are xyzw, ``_w`` is the world frame."""

    joint_pos: np.ndarray
    """Joint angles in the contract's order [rad], shape (J,)."""

    joint_vel: np.ndarray
    """Joint speeds [rad/s], shape (J,)."""

    root_quat_w: np.ndarray
    """Orientation of the root, shape (4,)."""

    root_com_vel_w: np.ndarray
    """Velocity of the root's centre of mass [m/s], shape (3,); that is what Isaac Lab's ``base_lin_vel`` turns."""

    root_ang_vel_w: np.ndarray
    """Angular velocity of the root [rad/s], shape (3,)."""

    last_action: np.ndarray
    """The policy's output of the step before, raw, zeros at the start [-], shape (A,)."""

    default_joint_pos: np.ndarray
    """Joint angles of the default pose [rad], shape (J,)."""

    boot_remaining: float
    """Share of the start pose in the next physics step's joint targets, from 1 at the start to 0 [-]."""


@dataclass(frozen=True, kw_only=True)
class ClipSenses(Senses):
    """What a policy that follows clips may see."""

    anchor_pos_w: np.ndarray
    """Position of the robot's anchor [m], shape (3,)."""

    anchor_quat_w: np.ndarray
    """Orientation of the robot's anchor, shape (4,)."""

    reference_joint_pos: np.ndarray
    """Joint angles of the frame that is to be reached [rad], shape (J,)."""

    reference_joint_vel: np.ndarray
    """Its joint speeds [rad/s], shape (J,)."""

    reference_anchor_pos_w: np.ndarray
    """Position of its anchor [m], shape (3,)."""

    reference_anchor_quat_w: np.ndarray
    """Orientation of its anchor, shape (4,)."""

    future_joint_pos: np.ndarray
    """Joint angles of the reference from that frame on, a row for each control step, the clip's last frame after its
    end [rad], shape (K, J); the first row is ``reference_joint_pos``."""

    future_root_pos_w: np.ndarray
    """Positions of its root in the same rows [m], shape (K, 3)."""

    future_root_quat_w: np.ndarray
    """Orientations of its root in the same rows, shape (K, 4)."""


@dataclass(frozen=True, kw_only=True)
class CommandSenses(Senses):
    """What a policy that follows velocities may see."""

    command: np.ndarray
    """Speed forward [m/s], speed to the left [m/s] and turning rate [rad/s] that are to be reached, shape (3,)."""

    scan: np.ndarray
    """Heights of the scan's body above the ground at the points where the policy looks, less the scan's offset [m],
    shape (P,); empty if it does not look."""


def matrix(quat: np.ndarray) -> np.ndarray:
    """Return the rotation matrix of a unit quaternion, xyzw, shape (3, 3)."""
    x, y, z, w = np.asarray(quat, dtype=np.float64)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
