# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Reader of poselib's NPY (IsaacGymEnvs, ProtoMotions, PHC): a pickled dictionary, of which nothing is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..clip import ClipError
from .npy_pickle import read_npy_object
from .raw import RawMotion, check_rate

_LARGEST = 1e4
"""Larger numbers are no place of a person [m]."""


def read(path: Path) -> RawMotion:
    """Read a ``SkeletonMotion`` of poselib.

    Args:
        path: The file.

    Raises:
        ClipError: If the file is missing, damaged or holds something else; one line with the fault.
    """
    return parse(read_npy_object(path), path)


def parse(content: object, path: Path) -> RawMotion:
    """Check the content of a file and return the motion.

    Args:
        content: What was unpickled.
        path: File named in messages.

    Raises:
        ClipError: If it is no ``SkeletonMotion``.
    """
    tree = _part(content, "skeleton_tree", path)
    names = _part(tree, "node_names", path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise _fault(path, "node_names is not a list of unique names", "one name a joint")
    joints = len(names)
    parents = _array(tree, "parent_indices", (joints,), path)
    offsets = _array(tree, "local_translation", (joints, 3), path)
    quat = _array(content, "rotation", (None, joints, 4), path)
    root = _array(content, "root_translation", (len(quat), 3), path)
    if joints == 0 or any(
        parent != (-1 if joint == 0 else min(max(parent, 0), joint - 1)) for joint, parent in enumerate(parents)
    ):
        raise _fault(path, "parent_indices is no tree", "-1 for the root, then parents before children")
    fps = np.asarray(_part(content, "fps", path))
    if fps.size != 1 or fps.dtype.kind not in "iuf":
        raise _fault(path, "fps is not one number", "the frame rate")
    norms = np.linalg.norm(quat, axis=-1)
    if len(quat) < 2:
        raise _fault(path, f"there are {len(quat)} frames", "at least 2")
    if np.abs(norms - 1.0).max() > 1e-2:
        frame = int(np.argmax(np.abs(norms - 1.0).max(axis=-1)))
        raise _fault(path, f"rotation at frame {frame} is not of unit length", "unit quaternions, xyzw")
    tree_parents = tuple(int(parent) for parent in parents)
    if not _part(content, "is_local", path):
        quat = _to_local(quat, tree_parents)
    local_pos = np.tile(offsets, (len(quat), 1, 1))
    local_pos[:, 0] = root
    return RawMotion(
        path=path,
        fps=check_rate(float(fps.reshape(())), path),
        joint_names=tuple(names),
        parents=tree_parents,
        offsets=offsets,
        local_pos=local_pos,
        local_quat=quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        history=(f"read as poselib NPY: {joints} joints, {len(quat)} frames at {float(fps.reshape(())):g} fps",),
    ).without_repeats()


def _part(content: object, key: str, path: Path) -> object:
    if not isinstance(content, Mapping) or key not in content:
        raise _fault(path, f"'{key}' is missing", "a SkeletonMotion of poselib")
    return content[key]


def _array(content: object, key: str, shape: tuple[int | None, ...], path: Path) -> np.ndarray:
    """Return an array of numbers, double precision; poselib wraps tensors as ``{"arr": ..., "context": ...}``."""
    array = _part(content, key, path)
    if isinstance(array, Mapping):
        array = _part(array, "arr", path)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise _fault(path, f"'{key}' is no array of numbers", "numbers")
    if array.ndim != len(shape) or any(
        want is not None and want != have for want, have in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join("T" if want is None else str(want) for want in shape)
        raise _fault(path, f"'{key}' has shape {array.shape}", f"({wanted})")
    array = array.astype(np.float64)
    bad = ~(np.abs(array) < _LARGEST)
    if bad.any():
        raise _fault(path, f"'{key}' holds {array[bad][0]:g}", f"finite numbers below {_LARGEST:g}")
    return array


def _to_local(quat: np.ndarray, parents: tuple[int, ...]) -> np.ndarray:
    """Return orientations in the parents' frames from those in the world, xyzw, shape (T, J, 4)."""
    turns = [Rotation.from_quat(quat[:, joint]) for joint in range(len(parents))]
    local = [turn if parent < 0 else turns[parent].inv() * turn for turn, parent in zip(turns, parents, strict=True)]
    return np.stack([turn.as_quat() for turn in local], axis=1)


def _fault(path: Path, wrong: str, expected: str) -> ClipError:
    return ClipError(f"motion file '{path}': {wrong}; expected {expected}; give a poselib SkeletonMotion")
