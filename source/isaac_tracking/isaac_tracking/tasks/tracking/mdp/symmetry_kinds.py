# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the numbers of observations and actions are, and how each kind of them looks in the mirror.

The mirror is the plane y = 0, as in :mod:`isaac_tracking.motion.mirror`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ....motion.mirror import AXIAL_SIGNS, POLAR_SIGNS, partners

if TYPE_CHECKING:
    from isaaclab.managers import ObservationTermCfg

ROTATION_SIGNS = (1.0, -1.0, -1.0, 1.0, 1.0, -1.0)
"""Signs of the first two columns of a rotation, row by row: M R M with M = diag(1, -1, 1)."""


class Columns(NamedTuple):
    """Where the columns of a mirrored array come from: ``mirrored[i] = signs[i] * array[permutation[i]]``."""

    permutation: tuple[int, ...]
    signs: tuple[float, ...]


@dataclass(frozen=True)
class Sides:
    """What an environment's names tell of left and right."""

    joint_names: tuple[str, ...]
    """Joints in the order of the simulator."""

    joint_signs: dict[str, float]
    """Sign of each joint's angle in the mirror."""

    body_names: tuple[str, ...]
    """Bodies that the motion command tracks, in its order."""

    action_joints: dict[str, tuple[str, ...]]
    """Joints of each action term, in the order of its numbers."""

    def of_joints(self, names: Sequence[str]) -> Columns:
        """Return the mirror of one number per joint."""
        order = partners(names)
        return Columns(order, tuple(self.joint_signs[name] for name in names))

    def of_actions(self, term: str | None = None) -> Columns:
        """Return the mirror of the actions of one term, or of all."""
        terms = self.action_joints if term is None else (term,)
        return joined([self.of_joints(self.action_joints[name]) for name in terms])


"""
Kinds of numbers.
"""

Kind = Callable[[Sides, "ObservationTermCfg"], Columns]
"""Returns the mirror of the smallest block that an observation term repeats, for steps, bodies or history."""


def joined(blocks: Sequence[Columns]) -> Columns:
    """Return the mirror of arrays laid side by side."""
    permutation: list[int] = []
    signs: list[float] = []
    for block in blocks:
        start = len(permutation)
        permutation += [start + column for column in block.permutation]
        signs += block.signs
    return Columns(tuple(permutation), tuple(signs))


def scalar(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """Numbers without a side: flags, heights, distances, phases."""
    return Columns((0,), (1.0,))


def polar(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """Positions, velocities, forces and the direction of gravity, in the world or a frame without a side."""
    return Columns((0, 1, 2), POLAR_SIGNS)


def axial(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """Angular velocities, torques and rotation vectors, in the world or a frame without a side."""
    return Columns((0, 1, 2), AXIAL_SIGNS)


def rotation(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """The first two columns of a rotation, row by row."""
    return Columns((0, 1, 2, 3, 4, 5), ROTATION_SIGNS)


def joints(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """A number per joint: angles, speeds, torques; of the joints of ``asset_cfg``, or all."""
    chosen = cfg.params.get("asset_cfg")
    if chosen is None or isinstance(chosen.joint_ids, slice):
        return sides.of_joints(sides.joint_names)
    return sides.of_joints([sides.joint_names[index] for index in chosen.joint_ids])


def actions(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """A number per action, of the action term ``action_name``, or all."""
    name: Any = cfg.params.get("action_name")
    return sides.of_actions(name)


def named_bodies(sides: Sides, cfg: ObservationTermCfg) -> Columns:
    """A number per body that the parameter ``body_names`` names: contacts of the feet."""
    names: Any = cfg.params["body_names"]
    order = partners(names)
    return Columns(order, (1.0,) * len(order))


def per_body(kind: Kind) -> Kind:
    """Return the kind of a block per tracked body."""

    def kind_of_bodies(sides: Sides, cfg: ObservationTermCfg) -> Columns:
        block, order = kind(sides, cfg), partners(sides.body_names)
        width = len(block.permutation)
        columns = [body * width + column for body in order for column in block.permutation]
        return Columns(tuple(columns), block.signs * len(order))

    return kind_of_bodies


KINDS: dict[str, Kind] = {
    # The command and the robot.
    "generated_commands": joints,
    "joint_pos_rel": joints,
    "joint_vel_rel": joints,
    "base_lin_vel": polar,
    "base_ang_vel": axial,
    "projected_gravity": polar,
    "body_pos_a": per_body(polar),
    "body_ori_a": per_body(rotation),
    "body_lin_vel_a": per_body(polar),
    "body_height": per_body(scalar),
    # The reference, now and in the future.
    "reference_anchor_pos_b": polar,
    "reference_anchor_ori_b": rotation,
    "future_root_pos": polar,
    "future_root_pos_b": polar,
    "future_root_ori": rotation,
    "future_joint_pos": joints,
    "future_joint_pos_error": joints,
    "future_root_height": scalar,
    "future_gravity": polar,
    "body_pos_error_a": per_body(polar),
    "body_pos_errors": per_body(scalar),
    "body_rot_errors": per_body(scalar),
    "anchor_errors": scalar,
    "motion_phase": scalar,
    # Actions and what comes of them.
    "last_action": actions,
    "applied_action": actions,
    "applied_torque": joints,
    "foot_contacts": named_bodies,
    "boot_indicator": scalar,
}
"""What the numbers of each observation term are, by the name of its function or class; add those of your own here."""
