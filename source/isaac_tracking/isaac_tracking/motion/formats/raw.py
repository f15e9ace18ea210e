# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A motion as a file gives it, before its conventions are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..clip import ClipError
from ..robot import Robot
from .options import check_fps

_OPTIONAL_JOINTS = "wrist"
"""Joints with this word in their name may be missing: 23 joints in place of 29 (ASAP, HOVER)."""


def plain_text(text: str) -> str:
    """Return text out of a file as one line that does a terminal no harm."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


@dataclass(frozen=True, eq=False)
class RawMotion:
    """What one file says about one motion. Arrays are float64, in the order and units of the file."""

    label: str
    """What errors name: the file, and the motion within it."""

    name: str
    """Name of the motion."""

    format: str
    """Format of the file, as in :class:`~.options.ReadOptions`."""

    root_pos: np.ndarray
    """Positions of the base, shape (T, 3)."""

    root_quat: np.ndarray
    """Orientations of the base, shape (T, 4), xyzw or wxyz."""

    joint_pos: np.ndarray
    """Joint angles, shape (T, J)."""

    fps: float | None = None
    """Frames per second [1/s], if the file states it."""

    quaternion_order: str | None = None
    """Quaternion order, if it is beyond doubt."""

    convention: str | None = None
    """Quaternion order that the format is known for or the file's name has; decides where the motion does not."""

    joint_names: tuple[str, ...] | None = None
    """Names of the joints, if the file states them."""

    body_names: tuple[str, ...] | None = None
    """Names of the bodies, if the file states them."""

    joint_vel: np.ndarray | None = None
    """Joint velocities, shape (T, J), if the file has them."""

    body_pos: np.ndarray | None = None
    """Positions of bodies in the world, shape (T, B, 3), if the file has them."""

    body_quat: np.ndarray | None = None
    """Orientations of bodies in the world, shape (T, B, 4), if the file has them."""

    root_vector: np.ndarray | None = None
    """The base's orientation once more, as rotation vectors [rad], shape (T, 3), if the file has them."""

    notes: tuple[str, ...] = ()
    """What was found out so far, a sentence each."""

    def noting(self, *sentences: str, **changes: object) -> RawMotion:
        """Return a copy with further notes and other fields."""
        return replace(self, notes=(*self.notes, *sentences), **changes)

    def fault(self, wrong: str, expected: str, fix: str) -> ClipError:
        """Return the error that names this motion."""
        return ClipError(f"{self.label}: {wrong}; expected {expected}; {fix}")

    def check(self) -> None:
        """Check shapes, finite numbers and the frame rate.

        Raises:
            ClipError: If something is amiss.
        """
        if self.joint_pos.ndim != 2 or len(self.joint_pos) < 2:
            frames = len(self.joint_pos) if self.joint_pos.ndim else 0
            raise self.fault(
                f"it has {frames} frame{'s' * (frames != 1)} (joint angles of shape {self.joint_pos.shape})",
                "at least 2",
                "record a longer motion",
            )
        frames = len(self.joint_pos)
        self._check_array("root positions", self.root_pos, (frames, 3))
        self._check_array("root quaternions", self.root_quat, (frames, 4))
        self._check_array("joint angles", self.joint_pos, self.joint_pos.shape)
        bodies = 0 if self.body_pos is None else self.body_pos.shape[1] if self.body_pos.ndim == 3 else -1
        optional = (
            ("joint velocities", self.joint_vel, self.joint_pos.shape),
            ("body positions", self.body_pos, (frames, bodies, 3)),
            ("body quaternions", self.body_quat, (frames, bodies, 4)),
            ("root rotation vectors", self.root_vector, (frames, 3)),
        )
        for what, array, shape in optional:
            if array is not None:
                self._check_array(what, array, shape)
        if self.fps is not None:
            check_fps(self.fps, self.label)
        self._check_norms()

    def _check_array(self, what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise self.fault(f"{what} have shape {array.shape}", str(shape), "make the lengths of all arrays agree")
        # Beyond this no unit makes sense of a number, and squares leave the range of floats.
        bad = ~(np.abs(array) < 1e9)
        if bad.any():
            where = np.argwhere(bad)[0]
            value = array[tuple(where)]
            raise self.fault(
                f"{what} hold {value:g} at frame {where[0]}, column {where[-1]}",
                "finite numbers",
                "cut or repair the motion",
            )

    def _check_norms(self) -> None:
        error = np.abs(np.linalg.norm(self.root_quat, axis=1) - 1.0)
        if error.max() > 0.02:
            frame = int(error.argmax())
            raise self.fault(
                f"the root quaternion at frame {frame} has length {1.0 + error[frame]:.3g} or less",
                "unit quaternions",
                "check that the columns are position, quaternion, joints, or repair the motion",
            )


def robot_joints(raw: RawMotion, robot: Robot, order: str | None) -> tuple[str, ...]:
    """Return the names of the file's joint columns, depth first unless an order is given.

    Raises:
        ClipError: If the joints are not those of the robot.
    """
    if raw.joint_names is not None:
        return _named_joints(raw, robot, raw.joint_names)
    width = raw.joint_pos.shape[1]
    names = breadth_first(robot)[0] if order == "breadth_first" else robot.joint_names
    shorter = tuple(name for name in names if _OPTIONAL_JOINTS not in name)
    for known in (names, shorter):
        if width == len(known):
            return known
    raise raw.fault(
        f"it has {width} joints (7 root columns not counted)",
        f"{len(names)}, or {len(shorter)} without the wrists, of {robot.name}",
        "give a motion of that robot, or retarget it first",
    )


def _named_joints(raw: RawMotion, robot: Robot, names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) != raw.joint_pos.shape[1]:
        raise raw.fault(
            f"it names {len(names)} joints for {raw.joint_pos.shape[1]} columns", "one name a column", "correct it"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise raw.fault(f"it names joint {twice[0]} more than once", "unique names", "correct the names")
    missing = [name for name in robot.joint_names if name not in names and _OPTIONAL_JOINTS not in name]
    if missing:
        raise raw.fault(
            f"joint {missing[0]} is missing among its joints {', '.join(names[:3])}, ...",
            f"the joints of {robot.name}",
            "give a motion of that robot, or retarget it first",
        )
    return names


def arrange_joints(
    raw: RawMotion, robot: Robot, names: tuple[str, ...], values: np.ndarray | None = None
) -> np.ndarray:
    """Return the joint angles in the robot's order, shape (T, J); joints that the file lacks stand at their default."""
    values = raw.joint_pos if values is None else values
    result = np.tile(np.asarray(robot.default_joint_pos, dtype=np.float64), (len(values), 1))
    for column, name in enumerate(names):
        if name in robot.joint_names:
            result[:, robot.joint_names.index(name)] = values[:, column]
    return result


def joint_notes(robot: Robot, names: tuple[str, ...]) -> list[str]:
    """Return what is worth saying about joints that are missing or left over."""
    missing = [name for name in robot.joint_names if name not in names]
    surplus = [name for name in names if name not in robot.joint_names]
    notes = [f"joints at their default since the file lacks them: {', '.join(missing)}"] * bool(missing)
    return notes + [f"joints left out since {robot.name} lacks them: {', '.join(surplus)}"] * bool(surplus)


def breadth_first(robot: Robot) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the robot's joint and body names as PhysX orders them: level by level from the base."""
    tree = robot.tree
    bodies = [0, *(body for level in tree.levels() for body in level)]
    joints = [tree.joint_of_body[body] for body in bodies if tree.joint_of_body[body] >= 0]
    return tuple(tree.joint_names[j] for j in joints), tuple(tree.body_names[b] for b in bodies)
