# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions in pickles: TWIST2 and GMR, and the libraries of PHC, ASAP, HOVER and SONIC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import ClipError
from .options import ReadOptions
from .raw import RawMotion
from .unpickle import read_pickle

_TWIST2 = ("root_pos", "root_rot", "dof_pos")
_PHC = ("root_trans_offset", "root_rot", "dof")
_EXPECTED = (
    "a dict of root_pos, root_rot, dof_pos (TWIST2, GMR), or of motions with root_trans_offset, root_rot, dof"
    " (PHC, ASAP, HOVER, SONIC)"
)


def read_pickle_motions(path: Path, options: ReadOptions) -> list[RawMotion]:
    """Read the motions of a pickle; a library has several, by name.

    Raises:
        ClipError: If it is damaged, holds more than arrays, or is of no known format.
        OSError: If it cannot be read.
    """
    content = read_pickle(path, options.max_bytes)
    label = f"motion file '{path}'"
    if not isinstance(content, Mapping):
        raise ClipError(f"{label} holds a {type(content).__name__}; expected {_EXPECTED}; convert it")
    if is_joint_motion(content):
        return [joint_motion(label, path.stem, content)]
    named = {str(key): value for key, value in content.items() if isinstance(value, Mapping)}
    if not named or len(named) != len(content):
        keys = ", ".join(str(key)[:40] for key in list(content)[:8]) or "nothing"
        raise ClipError(f"{label} has {keys}; expected {_EXPECTED}; convert it")
    motions = []
    for key, value in named.items():
        within = f"{label}, motion '{' '.join(key.split())[:80]}'"
        if not is_joint_motion(value):
            raise ClipError(f"{within} has {', '.join(str(k)[:40] for k in list(value)[:8])}; expected {_EXPECTED}")
        motions.append(joint_motion(within, path.stem if len(named) == 1 else key, value))
    return motions


def is_joint_motion(content: Mapping) -> bool:
    """Whether these are the entries of one motion of TWIST2, GMR, PHC, ASAP, HOVER or SONIC."""
    return any(all(key in content for key in keys) for keys in (_TWIST2, _PHC))


def joint_motion(label: str, name: str, content: Mapping) -> RawMotion:
    """Make a motion of the entries of either format; names of the joints decide their order, where there are any.

    Raises:
        ClipError: If an entry is no array of numbers.
    """
    is_phc = all(key in content for key in _PHC)
    pos, quat, joints = (_array(label, key, content[key]) for key in (_PHC if is_phc else _TWIST2))
    if joints.ndim == 3 and joints.shape[2] == 1:
        joints = joints[..., 0]
    vector = content.get("pose_aa") if is_phc else None
    if vector is not None:
        vector = _array(label, "pose_aa", vector)
        vector = vector[:, 0] if vector.ndim == 3 and vector.shape[1:2] != (0,) and vector.shape[2] == 3 else None
    return RawMotion(
        label=label,
        name=name,
        format="phc" if is_phc else "twist2",
        root_pos=pos,
        root_quat=quat,
        joint_pos=joints,
        fps=_fps(label, content.get("fps")),
        convention="xyzw",
        joint_names=_names(content.get("joint_names")),
        root_vector=vector,
    )


def _array(label: str, key: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise ClipError(f"{label}: {key} is no array ({error}); expected numbers; save an array") from error
    if array.dtype.kind not in "iuf":
        raise ClipError(f"{label}: {key} is of type {array.dtype}; expected numbers; save an array of them")
    return array.astype(np.float64)


def _fps(label: str, value: Any) -> float | None:
    if value is None:
        return None
    array = _array(label, "fps", value).reshape(-1)
    if len(array) != 1:
        raise ClipError(f"{label}: fps has {len(array)} numbers; expected one; give it with --fps")
    return float(array[0])


def _names(value: Any) -> tuple[str, ...] | None:
    """Return names, if it is a list of text."""
    names = value.tolist() if isinstance(value, np.ndarray) else value
    is_names = isinstance(names, (list, tuple)) and names and all(isinstance(name, str) for name in names)
    return tuple(names) if is_names else None
