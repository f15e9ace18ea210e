# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Left and right of a robot exchanged: as data for anything that has joints and bodies, and for clips.

The mirror is the plane y = 0. Positions and other polar vectors change the sign of y; angular velocities and other
axial vectors those of x and z; rotations R become M R M with M = diag(1, -1, 1) (``peers.md`` 1.5; wbc-mjlab
``robots/g1/symmetry.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .clip import Clip
from .kinematics import KinematicTree, forward_kinematics
from .processing.poses import Poses, poses_of, with_poses
from .quaternion import quat_apply
from .robot import Robot

POLAR_SIGNS = (1.0, -1.0, 1.0)
"""Signs of positions, velocities and forces, x y z."""

AXIAL_SIGNS = (-1.0, 1.0, -1.0)
"""Signs of angular velocities, torques and rotation vectors, x y z."""

QUATERNION_SIGNS = (-1.0, 1.0, -1.0, 1.0)
"""Signs of quaternions, x y z w."""

SUFFIX = "_mirrored"
"""What is added to the name of a mirrored motion."""

_SIDES = {"left": "right", "right": "left", "l": "r", "r": "l", "L": "R", "R": "L"}
_PARALLEL = 0.999
"""Cosine of the angle between an axis and its partner's mirror image above which they are one."""


@dataclass(frozen=True)
class MirrorMap:
    """How joints and bodies of a robot change places in the mirror.

    ``mirrored[..., i] = joint_signs[i] * joints[..., joint_permutation[i]]``, and bodies likewise without signs.
    Applied twice, both give back what they were given.
    """

    joint_permutation: tuple[int, ...]
    """For each joint, the one that it takes its angle from."""

    joint_signs: tuple[float, ...]
    """Sign with which it takes that angle, speed or torque, 1 or -1."""

    body_permutation: tuple[int, ...]
    """For each body, the one that it takes its pose from."""


@functools.cache
def mirror_map(robot: Robot) -> MirrorMap:
    """Return the mirror of a robot: partners by name, signs by the joints' axes.

    Raises:
        ValueError: If a part has a side in its name but no partner, or a joint's axis is not the mirror image of its
            partner's.
    """
    return mirror_of_tree(robot.tree)


def mirror_of_tree(tree: KinematicTree) -> MirrorMap:
    """Return the mirror of a kinematic tree on the CPU, whose joints and bodies it follows in their order.

    Raises:
        ValueError: As :func:`mirror_map`.
    """
    joints = partners(tree.joint_names)
    return MirrorMap(joints, _signs(tree, joints), partners(tree.body_names))


def partners(names: Sequence[str]) -> tuple[int, ...]:
    """Return the index of each name's counterpart on the other side; its own for names without a side.

    A side is a part of the name between underscores: ``left``, ``right``, ``l`` or ``r``.

    Raises:
        ValueError: If a counterpart is missing.
    """
    found = []
    for name in names:
        other = "_".join(_SIDES.get(part, part) for part in name.split("_"))
        if other not in names:
            raise ValueError(f"'{name}' has no counterpart '{other}'; expected both sides of everything that has one")
        found.append(list(names).index(other))
    return tuple(found)


def _signs(tree: KinematicTree, joints: tuple[int, ...]) -> tuple[float, ...]:
    """Return the signs of the joints by their axes in the pose of zero angles."""
    zero = torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 0.0, 1.0]]), torch.zeros(1, len(joints))
    _, quat = forward_kinematics(tree, *zero)
    body_of = [tree.joint_of_body.index(joint) for joint in range(len(joints))]
    axes = quat_apply(quat[0, body_of], tree.axes).numpy()
    # An axis is an axial vector: the mirror image of a rotation about it turns about this one.
    agreement = (axes * (axes[list(joints)] * AXIAL_SIGNS)).sum(axis=-1)
    for joint, cosine in enumerate(agreement):
        if abs(cosine) < _PARALLEL:
            raise ValueError(
                f"joint '{tree.joint_names[joint]}' is not the mirror image of '{tree.joint_names[joints[joint]]}':"
                f" their axes are {np.degrees(np.arccos(abs(cosine))):.1f} degrees apart; expected a symmetric robot"
            )
    return tuple(float(sign) for sign in np.sign(agreement))


def mirror(clip: Clip, robot: Robot) -> Clip:
    """Return the mirrored twin of a motion, named with :data:`SUFFIX`; mirrored twice it is what it was.

    Joints and base are mirrored exactly and the bodies follow by forward kinematics: on the G1 they are within 0.1 mm
    of the mirrored bodies, since its model is not perfectly symmetric.

    Raises:
        ClipError: If the clip lacks a part of the robot.
        ValueError: If the robot has no mirror image.
    """
    table, poses = mirror_map(robot), poses_of(clip, robot)
    twin = Poses(
        poses.root_pos * POLAR_SIGNS,
        poses.root_quat * QUATERNION_SIGNS,
        poses.joint_pos[:, list(table.joint_permutation)] * table.joint_signs,
    )
    contacts = None if clip.contacts is None else clip.contacts[:, list(partners(clip.contact_names))]
    name = clip.name.removesuffix(SUFFIX) if clip.name.endswith(SUFFIX) else clip.name + SUFFIX
    return with_poses(clip, robot, twin, "Mirrored: left and right exchanged.", name=name, contacts=contacts)
