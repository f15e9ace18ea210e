# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The messages of a stream of motions: one for each frame, complete in itself.

A message has a part for the topic, one for the header and one for each array:

=====  ============================================================================================================
part   content
=====  ============================================================================================================
0      the topic, ``motion``
1      the header, JSON (UTF-8): see :func:`encode`
2 ...  the arrays that ``header["arrays"]`` lists, in that order: little-endian float32, C order
=====  ============================================================================================================

Names, units and quaternion order are in every header (1.8 kB for the G1), so whoever listens later than the rest
lacks nothing. A listener reads text and numbers and executes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..motion.clip import QUATERNION_ORDER, UNITS, Clip

TOPIC = b"motion"
"""First part of every message."""

FORMAT = "isaac_tracking.motion_stream"
"""Format name that every header states."""

FORMAT_VERSION = 1
"""Version of the message that this code writes and reads."""

_MAX_HEADER = 1 << 16
_MAX_NAMES = 512
_TEXTS = ("clip", "robot")
_WHOLE = ("sequence", "frame", "num_frames")
_NUMBERS = ("time", "fps", "speed")
_SHAPES = {"joint_pos": ("joint_names", ()), "body_pos_w": ("body_names", (3,)), "body_quat_w": ("body_names", (4,))}


class StreamError(ValueError):
    """A message that is not one of these, or an endpoint that cannot be used; the message is one line."""


@dataclass(frozen=True, eq=False)
class StreamFrame:
    """One instant of a motion, as it was sent."""

    clip: str
    """Name of the motion."""

    robot: str
    """Robot whose joints and bodies these are."""

    sequence: int
    """Counts the messages of a publisher from 0; a gap is a loss."""

    frame: int
    """Frame of the clip, from 0."""

    num_frames: int
    """Frames of the clip."""

    time: float
    """Time of the frame from the clip's start [s]."""

    fps: float
    """Frames per second of the clip [1/s]."""

    speed: float
    """Seconds of the clip per second."""

    joint_names: tuple[str, ...]
    """Names of the J joints."""

    body_names: tuple[str, ...]
    """Names of the B bodies, the floating base first."""

    joint_pos: np.ndarray
    """Joint angles [rad], float32, shape (J,)."""

    body_pos_w: np.ndarray
    """Positions of the bodies in the world [m], float32, shape (B, 3)."""

    body_quat_w: np.ndarray
    """Orientations of the bodies in the world, xyzw, float32, shape (B, 4)."""


def encode(clip: Clip, frame: int, sequence: int, speed: float = 1.0) -> list[bytes]:
    """Return the message of one frame.

    The header holds ``format`` and ``version``; ``clip``, ``robot``, ``sequence``, ``frame``, ``num_frames``, ``time``
    [s], ``fps`` [1/s] and ``speed``, as in :class:`StreamFrame`; ``quaternion_order`` (``"xyzw"``) and ``units``
    (``"m, rad, s"``); ``joint_names`` and ``body_names``; and ``arrays``, a list of ``{"name", "shape"}``.

    Args:
        clip: The motion.
        frame: Frame of it, from 0.
        sequence: Number of the message.
        speed: Seconds of the clip per second.
    """
    arrays = {name: np.ascontiguousarray(getattr(clip, name)[frame], dtype="<f4") for name in _SHAPES}
    header = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "clip": clip.name,
        "robot": clip.robot,
        "sequence": sequence,
        "frame": frame,
        "num_frames": clip.num_frames,
        "time": frame / clip.fps,
        "fps": clip.fps,
        "speed": speed,
        "quaternion_order": QUATERNION_ORDER,
        "units": UNITS,
        "joint_names": clip.joint_names,
        "body_names": clip.body_names,
        "arrays": [{"name": name, "shape": array.shape} for name, array in arrays.items()],
    }
    return [TOPIC, json.dumps(header).encode(), *(array.tobytes() for array in arrays.values())]


def decode(parts: Sequence[bytes]) -> StreamFrame:
    """Read a message.

    Args:
        parts: The parts of the message.

    Raises:
        StreamError: If it is not a message of this format and version, or its numbers are not a pose.
    """
    if len(parts) < 2 or parts[0] != TOPIC:
        raise StreamError(f"a message of {len(parts)} parts; expected topic '{TOPIC.decode()}', header and arrays")
    header = _header(parts[1])
    names = {key: _names(header, key) for key in ("joint_names", "body_names")}
    arrays = _arrays(header, parts[2:], names)
    norms = np.linalg.norm(arrays["body_quat_w"].astype(np.float64), axis=-1)
    if np.abs(norms - 1.0).max() > 1e-3:
        raise StreamError("body_quat_w is not of unit length; expected unit quaternions, xyzw")
    texts = {key: _text(header, key) for key in _TEXTS}
    whole = {key: int(_number(header, key, whole=True)) for key in _WHOLE}
    numbers = {key: _number(header, key) for key in _NUMBERS}
    if numbers["fps"] <= 0.0 or numbers["speed"] <= 0.0:
        raise StreamError(f"fps is {numbers['fps']:g} and speed {numbers['speed']:g}; expected numbers above 0")
    fields: dict[str, Any] = {**texts, **whole, **numbers, **names, **arrays}
    return StreamFrame(**fields)


def _header(data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_HEADER:
        raise StreamError(f"a header of {len(data)} bytes; expected at most {_MAX_HEADER}")
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8; nested too deeply
        raise StreamError(f"a header that is no JSON ({type(error).__name__}); expected format '{FORMAT}'") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise StreamError(f"a header of another format; expected '{FORMAT}'")
    stated = {"version": FORMAT_VERSION, "quaternion_order": QUATERNION_ORDER, "units": UNITS}
    for key, expected in stated.items():
        if header.get(key) != expected:
            raise StreamError(f"{key} is {_short(header.get(key))}; expected {expected!r}; update the publisher")
    return header


def _names(header: dict[str, Any], key: str) -> tuple[str, ...]:
    value = header.get(key)
    if not isinstance(value, list) or not all(isinstance(name, str) and len(name) < 128 for name in value):
        raise StreamError(f"{key} is {_short(value)}; expected a list of names")
    if not 1 <= len(value) <= _MAX_NAMES or len(set(value)) != len(value):
        raise StreamError(f"{key} has {len(value)} names; expected 1 to {_MAX_NAMES}, each once")
    return tuple(value)


def _arrays(header: dict[str, Any], parts: Sequence[bytes], names: dict[str, tuple[str, ...]]) -> dict[str, np.ndarray]:
    listed = header.get("arrays")
    if not isinstance(listed, list) or len(listed) != len(parts):
        raise StreamError(f"{len(parts)} arrays; expected as many as the header lists")
    found = {}
    for item, data in zip(listed, parts, strict=True):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or name not in _SHAPES:
            continue  # a later publisher may send more than we know
        key, tail = _SHAPES[name]
        shape = (len(names[key]), *tail)
        if item.get("shape") != list(shape) or len(data) != 4 * math.prod(shape):
            raise StreamError(
                f"{name} has shape {_short(item.get('shape'))} and {len(data)} bytes; expected {list(shape)}"
            )
        found[name] = np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float32)
        if not np.isfinite(found[name]).all():
            raise StreamError(f"{name} is not finite; expected finite numbers")
    missing = [name for name in _SHAPES if name not in found]
    if missing:
        raise StreamError(f"{', '.join(missing)} missing; expected {', '.join(_SHAPES)}")
    return found


def _text(header: dict[str, Any], key: str) -> str:
    value = header.get(key)
    if not isinstance(value, str) or len(value) > 256:
        raise StreamError(f"{key} is {_short(value)}; expected a name")
    # It is printed: nothing in it may move the cursor of a terminal.
    return "".join(letter if letter.isprintable() else "?" for letter in value)


def _number(header: dict[str, Any], key: str, whole: bool = False) -> float:
    value = header.get(key)
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < 2**53:
        what = "a whole number" if whole else "a number"
        raise StreamError(f"{key} is {_short(value)}; expected {what}, 0 or more")
    return value


def _short(value: object) -> str:
    text = repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= 60 else f"{text[:57]}..."
