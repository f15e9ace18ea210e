# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a policy sees of the reference's next steps: numpy alone, nothing of Isaac Lab."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .senses import ClipSenses, matrix

Steps = Sequence[int]
"""Control steps from the frame that is to be reached now; values of a step follow each other, step by step."""


def future_root_pos(senses: ClipSenses, steps: Steps) -> np.ndarray:
    """Return where the reference's root goes, in the frame of its own root now [m], shape (3 S,)."""
    path = senses.future_root_pos_w[list(steps)] - senses.future_root_pos_w[0]
    return (path @ matrix(senses.future_root_quat_w[0])).ravel()


def future_root_ori(senses: ClipSenses, steps: Steps) -> np.ndarray:
    """Return two columns of the reference roots' rotations, seen from the robot's root, row by row, shape (6 S,)."""
    inverse = matrix(senses.root_quat_w).T
    columns = [(inverse @ matrix(senses.future_root_quat_w[step]))[:, :2].ravel() for step in steps]
    return np.concatenate(columns)


def future_joint_pos(senses: ClipSenses, steps: Steps) -> np.ndarray:
    """Return the reference's joint angles [rad], shape (J S,)."""
    return senses.future_joint_pos[list(steps)].ravel()


def future_joint_pos_error(senses: ClipSenses, steps: Steps) -> np.ndarray:
    """Return the reference's joint angles minus the robot's [rad], shape (J S,)."""
    return (senses.future_joint_pos[list(steps)] - senses.joint_pos).ravel()


def future_root_height(senses: ClipSenses, steps: Steps) -> np.ndarray:
    """Return the heights of the reference's root above the ground [m], shape (S,)."""
    return senses.future_root_pos_w[list(steps), 2]


def future_gravity(senses: ClipSenses, steps: Steps) -> np.ndarray:
    """Return the direction of gravity in the frames of the reference's root [-], shape (3 S,)."""
    return np.concatenate([-matrix(senses.future_root_quat_w[step])[2] for step in steps])


FUTURE_TERMS: dict[str, Callable[[ClipSenses, Steps], np.ndarray]] = {
    term.__name__: term
    for term in (
        future_root_pos,
        future_root_ori,
        future_joint_pos,
        future_joint_pos_error,
        future_root_height,
        future_gravity,
    )
}
"""Observation terms that look ahead, by the name of the task's function."""
