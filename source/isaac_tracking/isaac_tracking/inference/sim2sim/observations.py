# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a policy sees, by the names in its contract, and what it remembers: numpy alone, nothing of Isaac Lab."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from ..policy_contract import ObservationTerm, PolicyError
from .future import FUTURE_TERMS
from .senses import ClipSenses, CommandSenses, Senses, matrix


def reference_joints(senses: ClipSenses) -> np.ndarray:
    """Return joint angles [rad] and speeds [rad/s] of the reference, shape (2 J,)."""
    return np.concatenate([senses.reference_joint_pos, senses.reference_joint_vel])


def reference_anchor_pos_b(senses: ClipSenses) -> np.ndarray:
    """Return where the reference's anchor is, seen from the robot's anchor [m], shape (3,)."""
    return matrix(senses.anchor_quat_w).T @ (senses.reference_anchor_pos_w - senses.anchor_pos_w)


def reference_anchor_ori_b(senses: ClipSenses) -> np.ndarray:
    """Return two columns of the reference anchor's rotation, seen from the robot's, row by row, shape (6,)."""
    return (matrix(senses.anchor_quat_w).T @ matrix(senses.reference_anchor_quat_w))[:, :2].ravel()


def base_lin_vel(senses: Senses) -> np.ndarray:
    """Return the velocity of the root's centre of mass in the root's frame [m/s], shape (3,)."""
    return matrix(senses.root_quat_w).T @ senses.root_com_vel_w


def base_ang_vel(senses: Senses) -> np.ndarray:
    """Return the angular velocity of the root in its own frame [rad/s], shape (3,)."""
    return matrix(senses.root_quat_w).T @ senses.root_ang_vel_w


def projected_gravity(senses: Senses) -> np.ndarray:
    """Return the direction of gravity in the root's frame [-], shape (3,)."""
    return -matrix(senses.root_quat_w)[2]


def joint_pos_rel(senses: Senses) -> np.ndarray:
    """Return joint angles minus the default pose [rad], shape (J,)."""
    return senses.joint_pos - senses.default_joint_pos


def joint_vel_rel(senses: Senses) -> np.ndarray:
    """Return joint speeds; those of the default pose are zero [rad/s], shape (J,)."""
    return senses.joint_vel


def last_action(senses: Senses) -> np.ndarray:
    """Return the previous action, raw [-], shape (A,)."""
    return senses.last_action


def boot_indicator(senses: Senses) -> np.ndarray:
    """Return how much of the start pose is left in the joint targets, 1 at the start to 0 [-], shape (1,)."""
    return np.array([senses.boot_remaining])


def velocity_command(senses: CommandSenses) -> np.ndarray:
    """Return the speeds [m/s] and the turning rate [rad/s] that are to be reached, shape (3,)."""
    return senses.command


def height_scan(senses: CommandSenses) -> np.ndarray:
    """Return the heights above the ground, less the offset [m], shape (P,)."""
    return senses.scan


Terms = Mapping[str, Callable[[Any], np.ndarray]]
"""Observation terms of one instant, by the name of the task's function."""

_EVERYWHERE: Terms = {
    term.__name__: term
    for term in (
        base_lin_vel,
        base_ang_vel,
        projected_gravity,
        joint_pos_rel,
        joint_vel_rel,
        last_action,
        boot_indicator,
    )
}
TERMS: Terms = {
    "generated_commands": reference_joints,
    "reference_anchor_pos_b": reference_anchor_pos_b,
    "reference_anchor_ori_b": reference_anchor_ori_b,
    **_EVERYWHERE,
}
"""Terms that can be computed here for a policy that follows clips, from :class:`.ClipSenses`."""
COMMAND_TERMS: Terms = {"generated_commands": velocity_command, "height_scan": height_scan, **_EVERYWHERE}
"""Terms that can be computed here for a policy that follows velocities, from :class:`.CommandSenses`."""

_PER_JOINT = ("joint_pos_rel", "joint_vel_rel", "future_joint_pos", "future_joint_pos_error")


class Observations:
    """The observations of one policy, put together as its contract says; each call is a control step of an episode.

    Args:
        terms: The contract's ``observations``, in order.
        joint_names: Joints of the :class:`Senses`, in order.
        size: Numbers that the policy takes.
        rng: Source of the noise that the contract names; None for no noise.
        known: Terms of one instant that can be computed.

    Raises:
        PolicyError: If a term or its noise is not known here, or the sizes do not add up.
    """

    def __init__(
        self,
        terms: Sequence[ObservationTerm],
        joint_names: Sequence[str],
        size: int,
        rng: np.random.Generator | None = None,
        known: Terms = TERMS,
    ) -> None:
        for term in terms:
            _check(term, known)
        total = sum(int(term.size) for term in terms)
        if total != size:
            raise PolicyError(f"the observations add up to {total} numbers; the policy takes {size}; export it again")
        self._terms, self._rng, self._known = terms, rng, known
        self._joints = [_columns(term, list(joint_names)) for term in terms]
        self._past: list[deque[np.ndarray]] = [deque(maxlen=max(term.history, 1)) for term in terms]

    @property
    def horizon(self) -> int:
        """Control steps that the policy looks ahead."""
        return max((max(term.future_steps) for term in self._terms if term.future_steps), default=0)

    def reset(self) -> None:
        """Begin an episode: forget the past."""
        for past in self._past:
            past.clear()

    def __call__(self, senses: Senses) -> np.ndarray:
        """Return what the policy sees in the next control step, float32, shape (1, N).

        Raises:
            PolicyError: If a term has another size than the contract says.
        """
        parts = []
        for term, columns, past in zip(self._terms, self._joints, self._past, strict=True):
            values = self._term(term, columns, senses)
            # As in Isaac Lab's circular buffer, the past of an episode's first step is that step again.
            past.extend([values] * (1 if past else past.maxlen or 1))
            parts.append(np.concatenate(past))
        return np.concatenate(parts)[None].astype(np.float32)

    def _term(self, term: ObservationTerm, columns: list[int] | None, senses: Senses) -> np.ndarray:
        """Return one term of this step: noise, then clip, then scale, the order of Isaac Lab's observation manager."""
        if term.future_steps is None:
            values = self._known[term.function](senses)
        else:
            values = FUTURE_TERMS[term.function](cast(ClipSenses, senses), term.future_steps)
        if columns is not None:
            # One row, or one for each step ahead.
            values = values.reshape(-1, len(senses.joint_pos))[:, columns].ravel()
        if len(values) * max(term.history, 1) != term.size:
            raise PolicyError(
                f"observation '{term.name}' has {len(values)} numbers a step here and {term.size} in the policy's"
                " contract; the clip's or the robot's joints are others than those it was trained with"
            )
        if self._rng is not None and term.noise:
            values = values + self._rng.uniform(term.noise["low"], term.noise["high"], len(values))
        if term.clip is not None:
            values = np.clip(values, *term.clip)
        if term.scale is not None:
            values = values * np.asarray(term.scale)
        return values


def _check(term: ObservationTerm, now: Terms) -> None:
    """Refuse a term that would be computed otherwise than in training."""
    name, function = term.name, term.function
    ahead = FUTURE_TERMS if now is TERMS else {}
    known = now if term.future_steps is None else ahead
    if function not in known:
        raise PolicyError(
            f"observation '{name}' is made by '{function}', which is unknown here; known are"
            f" {', '.join((*now, *ahead))}"
        )
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
