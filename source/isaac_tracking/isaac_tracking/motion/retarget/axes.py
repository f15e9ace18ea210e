# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From a file's axes and units to z up and metres: what the file does not say is found in the body."""

from __future__ import annotations

import numpy as np

from ..clip import ClipError
from . import UNITS
from .human import HumanMotion, global_pose
from .raw import RawMotion
from .skeleton import Skeleton, find_skeleton

_LEG_LENGTHS = (0.6, 1.15)
"""Thigh and shin of a person together [m]; the units differ by more than this range is wide."""

_UPRIGHT = 0.75
"""Share of the way from feet to head that must be along one axis for that axis to be up."""

_FARTHEST = 1000.0
"""No capture volume is larger [m]."""

_TO_Z_UP = {"z": np.eye(3), "y": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])}
"""Matrices that make an axis the vertical one; y up and z forward become z up and x forward."""


def to_human(raw: RawMotion, up: str | None = None, unit: float | None = None) -> HumanMotion:
    """Convert a motion to z up and metres.

    Args:
        raw: The motion in the axes and units of its file.
        up: Axis that points up, ``"y"`` or ``"z"``; by the way from feet to head if None.
        unit: Length unit of the file [m]; by the length of the legs if None.

    Returns:
        The motion; its history says what was found.

    Raises:
        ClipError: If the skeleton is unknown, or axis or unit cannot be told.
    """
    skeleton = find_skeleton(raw.joint_names, raw.parents, str(raw.path))
    _check_limbs(raw, skeleton)
    notes = list(raw.history)
    if up is None:
        up, reason = _up(raw, skeleton)
        notes.append(f"{up} is up: {reason}")
    elif up not in _TO_Z_UP:
        raise ClipError(f"--up is '{up}'; expected {' or '.join(_TO_Z_UP)}")
    if unit is None:
        unit, name = _unit(raw, skeleton)
        notes.append(f"lengths in {name}: legs of {skeleton.leg_length(raw.offsets) * unit:.2f} m")
    turn = _TO_Z_UP[up]
    # R' = B R B^T turns the frames of all joints alike: the vector part of the quaternion is a vector like others.
    local_quat = np.concatenate((raw.local_quat[..., :3] @ turn.T, raw.local_quat[..., 3:]), axis=-1)
    farthest = float(np.abs(raw.local_pos * unit).max())
    if farthest > _FARTHEST:
        raise ClipError(
            f"motion file '{raw.path}': a joint is {farthest:.0f} m away; expected at most {_FARTHEST:g} m;"
            " say --unit, or cut the frames in which the capture was lost"
        )
    return HumanMotion(
        name=raw.path.stem,
        fps=raw.fps,
        joint_names=raw.joint_names,
        parents=raw.parents,
        offsets=raw.offsets @ turn.T * unit,
        local_pos=raw.local_pos @ turn.T * unit,
        local_quat=local_quat,
        source=raw.path.name,
        history=tuple(notes),
    )


def _check_limbs(raw: RawMotion, skeleton: Skeleton) -> None:
    """Refuse limbs without length: they have no direction."""
    for joint in (*skeleton.knee, *skeleton.ankle, *skeleton.elbow, *skeleton.wrist):
        if not np.linalg.norm(raw.offsets[joint]) > 1e-6:
            raise ClipError(
                f"motion file '{raw.path}': the offset of {raw.joint_names[joint]} is zero; expected the length of a"
                " limb; export the file with its skeleton"
            )


def _up(raw: RawMotion, skeleton: Skeleton) -> tuple[str, str]:
    """Return the axis that is up and why: by the motion, unless that contradicts a rest pose that stands."""
    pos, _ = global_pose(raw.parents, raw.local_pos, raw.local_quat)
    still = np.tile([0.0, 0.0, 0.0, 1.0], (1, len(raw.parents), 1))
    rest, _ = global_pose(raw.parents, raw.offsets[None], still)
    moving, resting = _axis(pos, skeleton), _axis(rest, skeleton) if _is_straight(rest[0], skeleton) else None
    if moving is not None and resting is not None and moving != resting:
        raise ClipError(
            f"motion file '{raw.path}': the person stands along {resting} at rest, but along {moving} while moving;"
            " expected one axis to be up; say --up"
        )
    if moving is None and resting is None:
        raise ClipError(
            f"motion file '{raw.path}': neither at rest nor while moving does the person stand along y or z;"
            " expected one of them up; say --up"
        )
    return (moving or resting or "z"), ("the way from feet to head" if moving else "the pose at rest")


def _axis(pos: np.ndarray, skeleton: Skeleton) -> str | None:
    """Return the axis along which the head is above the feet on average; None if there is no such."""
    way = pos[:, skeleton.head] - pos[:, skeleton.ankle].mean(axis=1)
    mean = (way / np.linalg.norm(way, axis=-1, keepdims=True).clip(1e-9)).mean(axis=0)
    axis = int(np.argmax(np.abs(mean)))
    return "xyz"[axis] if axis > 0 and mean[axis] >= _UPRIGHT else None


def _is_straight(pos: np.ndarray, skeleton: Skeleton) -> bool:
    """Return whether the thighs go on in line with the spine, as they do in a pose that stands."""
    spine = pos[skeleton.head] - pos[skeleton.pelvis]
    legs = [pos[hip] - pos[ankle] for hip, ankle in zip(skeleton.hip, skeleton.ankle, strict=True)]
    lengths = np.linalg.norm([spine, *legs], axis=-1)
    return bool(lengths.min() > 1e-9 and all(spine @ leg > 0.9 * lengths[0] * np.linalg.norm(leg) for leg in legs))


def _unit(raw: RawMotion, skeleton: Skeleton) -> tuple[float, str]:
    """Return the unit in which the legs are those of a person, and its name."""
    length = skeleton.leg_length(raw.offsets)
    for name, unit in UNITS.items():
        if _LEG_LENGTHS[0] <= length * unit <= _LEG_LENGTHS[1]:
            return unit, name
    raise ClipError(
        f"motion file '{raw.path}': legs of {length:.4g} units; expected {_LEG_LENGTHS[0]:g} to {_LEG_LENGTHS[1]:g} m"
        f" in {', '.join(UNITS)}; say --unit"
    )
