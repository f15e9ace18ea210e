# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions in npz files: BeyondMimic and mjlab, holosoma, HDMI, GMR, the wbc library, and kimodo's skeletons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..clip import ClipError
from ..robot import Robot
from .pickle_file import is_joint_motion, joint_motion
from .raw import RawMotion
from .skeleton import is_kimodo, read_kimodo

_BODY_KEYS = ("joint_pos", "body_pos_w", "body_quat_w")
_SEGMENT_KEYS = ("segment_start_idx", "segment_length")
_MAX_META_BYTES = 1 << 20


def read_npz_motions(path: Path, content: dict[str, np.ndarray], robot: Robot) -> list[RawMotion]:
    """Return the motions of an npz that is not a clip of our own.

    Args:
        path: The file.
        content: Its arrays by name.
        robot: The robot.

    Raises:
        ClipError: If it is damaged or of no known format.
    """
    if is_kimodo(content):
        return [read_kimodo(path, content, robot)]
    if is_joint_motion(content):
        return [joint_motion(f"motion file '{path}'", path.stem, content)]
    missing = [key for key in _BODY_KEYS if key not in content]
    if missing:
        raise ClipError(
            f"motion file '{path}' lacks {', '.join(missing)} and has {', '.join(sorted(content)[:8]) or 'nothing'};"
            " expected a clip, or an npz of BeyondMimic, mjlab, holosoma, wbc or kimodo; convert it to one of these"
        )
    numbers = ("joint_vel", *_BODY_KEYS)
    arrays = {key: _numbers(path, key, content[key]) for key in numbers if key in content}
    fps, joint_names, body_names = _fps(path, content), _names(content, "joint_names"), _names(content, "body_names")
    notes: list[str] = []
    if joint_names is None and body_names is None:
        fps, joint_names, body_names = _meta(path, fps)
    ignored = sorted(key for key in content if key.startswith("object_"))
    if ignored:
        notes.append(f"left out: {', '.join(ignored)}")
    kind = "holosoma" if joint_names or body_names else "beyondmimic"
    whole = _body_motion(path, arrays, fps, joint_names, body_names, robot).noting(*notes, format=kind)
    if all(key in content for key in _SEGMENT_KEYS):
        return _segments(path, content, whole)
    return [whole]


def _body_motion(
    path: Path,
    arrays: dict[str, np.ndarray],
    fps: float | None,
    joint_names: tuple[str, ...] | None,
    body_names: tuple[str, ...] | None,
    robot: Robot,
) -> RawMotion:
    """Make a motion of joint angles and body poses; the base is the body of that name, else the first."""
    joint_pos, joint_vel = arrays["joint_pos"], arrays.get("joint_vel")
    pos, quat = arrays["body_pos_w"], arrays["body_quat_w"]
    label = f"motion file '{path}'"
    for key, array, last in (("body_pos_w", pos, 3), ("body_quat_w", quat, 4)):
        if array.ndim != 3 or array.shape[2] != last or array.shape[1] < 1 or joint_pos.ndim != 2:
            raise ClipError(
                f"{label}: {key} has shape {array.shape} beside joint_pos {joint_pos.shape}; expected (T, B, {last})"
                " and (T, J); make the arrays agree"
            )
    if body_names is not None and len(body_names) != pos.shape[1]:
        raise ClipError(f"{label}: it names {len(body_names)} bodies for {pos.shape[1]}; expected one name a body")
    base = 0
    if body_names is not None:
        if robot.body_names[0] not in body_names:
            raise ClipError(
                f"{label}: body {robot.body_names[0]} is missing among {', '.join(body_names[:3])}, ...; expected the"
                f" bodies of {robot.name}; give a motion of that robot, or retarget it first"
            )
        base = body_names.index(robot.body_names[0])
    width = joint_pos.shape[1]
    if joint_names is not None and width == len(joint_names) + 7:
        # holosoma puts the root before the joints, and six root velocities before theirs.
        joint_pos = joint_pos[:, 7:]
        joint_vel = None if joint_vel is None else joint_vel[:, -len(joint_names) :]
    return RawMotion(
        label=label,
        name=path.stem,
        format="beyondmimic",
        root_pos=pos[:, base],
        root_quat=quat[:, base],
        joint_pos=joint_pos,
        fps=fps,
        convention="wxyz",
        joint_names=joint_names,
        body_names=body_names,
        joint_vel=joint_vel if joint_vel is not None and joint_vel.shape == joint_pos.shape else None,
        body_pos=pos,
        body_quat=quat,
    )


def _segments(path: Path, content: dict[str, np.ndarray], whole: RawMotion) -> list[RawMotion]:
    """Cut a library of the wbc project into its motions."""
    starts, lengths = (_numbers(path, key, content[key]).reshape(-1) for key in _SEGMENT_KEYS)
    names = _names(content, "segment_names") or tuple(f"{path.stem}_{i}" for i in range(len(starts)))
    frames = len(whole.joint_pos)
    sane = len(starts) == len(lengths) == len(names) and (starts >= 0).all() and (lengths >= 1).all()
    if not sane or (starts + lengths > frames).any() or not len(starts):
        raise whole.fault(
            f"its {len(starts)} segments do not fit its {frames} frames and {len(names)} names",
            "starts and lengths within the frames",
            "make the library again",
        )
    motions = []
    for start, length, name in zip(starts.astype(int), lengths.astype(int), names, strict=True):
        cut = slice(start, start + length)
        arrays = {
            field: None if getattr(whole, field) is None else getattr(whole, field)[cut]
            for field in ("root_pos", "root_quat", "joint_pos", "joint_vel", "body_pos", "body_quat")
        }
        motions.append(whole.noting(label=f"{whole.label}, motion '{name}'", name=name, format="wbc", **arrays))
    return motions


def _numbers(path: Path, key: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        raise ClipError(f"motion file '{path}': {key} is of type {array.dtype}; expected numbers; save numbers")
    return array.astype(np.float64)


def _fps(path: Path, content: dict[str, np.ndarray]) -> float | None:
    """Return the frame rate, a number or a list of one; ``None`` if there is none."""
    if "fps" not in content:
        return None
    value = _numbers(path, "fps", content["fps"]).reshape(-1)
    if len(value) != 1:
        raise ClipError(f"motion file '{path}': fps has {len(value)} numbers; expected one; give it with --fps")
    return float(value[0])


def _names(content: dict[str, np.ndarray], key: str) -> tuple[str, ...] | None:
    names = content.get(key)
    return tuple(names.tolist()) if names is not None and names.ndim == 1 and names.dtype.kind == "U" else None


def _meta(path: Path, fps: float | None) -> tuple[float | None, tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return frame rate, joint and body names from HDMI's ``meta.json`` beside the file, where there is one."""
    meta = path.with_name("meta.json")
    if not meta.is_file() or meta.stat().st_size > _MAX_META_BYTES:
        return fps, None, None
    try:
        content = json.loads(meta.read_text(encoding="utf-8"))
        joints, bodies = (tuple(str(n) for n in content[key]) for key in ("joint_names", "body_names"))
        return float(content.get("fps", fps) or 0.0) or fps, joints, bodies
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ClipError(f"motion file '{meta}' is damaged ({error}); expected joint_names, body_names, fps") from error
