# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a policy sees, by the names in its contract: numpy alone, nothing of Isaac Lab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..policy_contract import ObservationTerm, PolicyError


@dataclass(frozen=True)
class Senses:
    """All that observations are made of, at one instant; quaternions are xyzw, ``_w`` is the world frame."""

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

    last_action: np.ndarray
    """The policy's output of the step before, raw, zeros at the start [-], shape (A,)."""

    default_joint_pos: np.ndarray
    """Joint angles of the default pose [rad], shape (J,)."""


def generated_commands(senses: Senses) -> np.ndarray:
    """Return joint angles [rad] and speeds [rad/s] of the reference, shape (2 J,)."""
    return np.concatenate([senses.reference_joint_pos, senses.reference_joint_vel])


def reference_anchor_pos_b(senses: Senses) -> np.ndarray:
    """Return where the reference's anchor is, seen from the robot's anchor [m], shape (3,)."""
    return matrix(senses.anchor_quat_w).T @ (senses.reference_anchor_pos_w - senses.anchor_pos_w)


def reference_anchor_ori_b(senses: Senses) -> np.ndarray:
    """Return two columns of the reference anchor's rotation, seen from the robot's, row by row, shape (6,)."""
    return (matrix(senses.anchor_quat_w).T @ matrix(senses.reference_anchor_quat_w))[:, :2].ravel()


def base_lin_vel(senses: Senses) -> np.ndarray:
    """Return the velocity of the root's centre of mass in the root's frame [m/s], shape (3,)."""
    return matrix(senses.root_quat_w).T @ senses.root_com_vel_w


def base_ang_vel(senses: Senses) -> np.ndarray:
    """Return the angular velocity of the root in its own frame [rad/s], shape (3,)."""
    return matrix(senses.root_quat_w).T @ senses.root_ang_vel_w


def joint_pos_rel(senses: Senses) -> np.ndarray:
    """Return joint angles minus the default pose [rad], shape (J,)."""
    return senses.joint_pos - senses.default_joint_pos


def joint_vel_rel(senses: Senses) -> np.ndarray:
    """Return joint speeds; those of the default pose are zero [rad/s], shape (J,)."""
    return senses.joint_vel


def last_action(senses: Senses) -> np.ndarray:
    """Return the previous action, raw [-], shape (A,)."""
    return senses.last_action


TERMS: dict[str, Callable[[Senses], np.ndarray]] = {
    term.__name__: term
    for term in (
        generated_commands,
        reference_anchor_pos_b,
        reference_anchor_ori_b,
        base_lin_vel,
        base_ang_vel,
        joint_pos_rel,
        joint_vel_rel,
        last_action,
    )
}
"""Observation terms that can be computed here, by the name of the task's function."""

_PER_JOINT = ("joint_pos_rel", "joint_vel_rel")


class Observations:
    """The observations of one policy, put together as its contract says.

    Args:
        terms: The contract's ``observations``, in order.
        joint_names: Joints of the :class:`Senses`, in order.
        size: Numbers that the policy takes.
        rng: Source of the noise that the contract names; None for no noise.

    Raises:
        PolicyError: If a term, its noise or its history is not known here, or the sizes do not add up.
    """

    def __init__(
        self,
        terms: Sequence[ObservationTerm],
        joint_names: Sequence[str],
        size: int,
        rng: np.random.Generator | None = None,
    ) -> None:
        for term in terms:
            _check(term)
        total = sum(int(term.size) for term in terms)
        if total != size:
            raise PolicyError(f"the observations add up to {total} numbers; the policy takes {size}; export it again")
        self._terms, self._rng = terms, rng
        self._joints = [_columns(term, list(joint_names)) for term in terms]

    def __call__(self, senses: Senses) -> np.ndarray:
        """Return what the policy sees, float32, shape (1, N).

        Raises:
            PolicyError: If a term has another size than the contract says.
        """
        parts = [self._term(term, columns, senses) for term, columns in zip(self._terms, self._joints, strict=True)]
        return np.concatenate(parts)[None].astype(np.float32)

    def _term(self, term: ObservationTerm, columns: list[int] | None, senses: Senses) -> np.ndarray:
        """Return one term: noise, then clip, then scale, the order of Isaac Lab's observation manager."""
        values = TERMS[term.function](senses)
        if columns is not None:
            values = values[columns]
        if len(values) != term.size:
            raise PolicyError(
                f"observation '{term.name}' has {len(values)} numbers here and {term.size} in the policy's"
                " contract; the clip's or the robot's joints are others than those it was trained with"
            )
        if self._rng is not None and term.noise:
            values = values + self._rng.uniform(term.noise["low"], term.noise["high"], len(values))
        if term.clip is not None:
            values = np.clip(values, *term.clip)
        if term.scale is not None:
            values = values * np.asarray(term.scale)
        return values


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


def _check(term: ObservationTerm) -> None:
    """Refuse a term that would be computed otherwise than in training."""
    name, function = term.name, term.function
    if function not in TERMS:
        raise PolicyError(
            f"observation '{name}' is made by '{function}', which is unknown here; known are {', '.join(TERMS)}"
        )
    if term.history:
        raise PolicyError(f"observation '{name}' has a history of {term.history} steps; expected none")
    kind = (term.noise or {"kind": "uniform"})["kind"]
    if kind != "uniform":
        raise PolicyError(f"observation '{name}' has noise of kind '{kind}'; expected uniform")


def _columns(term: ObservationTerm, joint_names: list[str]) -> list[int] | None:
    """Return which joints a term is about, in its order; None if it is not about joints, or about all in order."""
    wanted = term.joint_names
    if term.function not in _PER_JOINT or not wanted or list(wanted) == joint_names:
        return None
    unknown = [name for name in wanted if name not in joint_names]
    if unknown:
        raise PolicyError(f"observation '{term.name}' is about joint '{unknown[0]}', which the policy does not have")
    return [joint_names.index(name) for name in wanted]
