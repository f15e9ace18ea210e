# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions over ZeroMQ: frames at the rate of their clip, each message complete in itself.

A message has a part for the topic, one for the header and one for each array:

=====  ============================================================================================================
part   content
=====  ============================================================================================================
0      the topic, ``motion``
1      the header, JSON (UTF-8): see :func:`encode`
2 ...  the arrays that ``header["arrays"]`` lists, in that order: little-endian float32, C order
=====  ============================================================================================================

Names, units and quaternion order are in every header (about 1.7 kB for the G1), so whoever listens later than the rest
lacks nothing. A listener reads text and numbers and executes nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np
import zmq

from ..motion.clip import QUATERNION_ORDER, UNITS, Clip

TOPIC = b"motion"
"""First part of every message."""

FORMAT = "isaac_tracking.motion_stream"
"""Format name that every header states."""

FORMAT_VERSION = 1
"""Version of the message that this code writes and reads."""

ENDPOINT = "tcp://127.0.0.1:5555"
"""Where motions are published unless something else is asked for."""

SLACK = 0.25
"""Delay up to which steps are caught up on instead of being left out [s]."""

_MAX_HEADER = 1 << 16
_MAX_MESSAGE = 1 << 20
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
    return StreamFrame(**texts, **whole, **numbers, **names, **arrays)


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


@dataclass
class Pace:
    """Steps at a constant rate that does not drift: each is due at its own time after the first, not after the last."""

    rate: float
    """Steps per second [Hz]."""

    clock: Callable[[], float] = time.monotonic
    """Returns the time [s]."""

    sleep: Callable[[float], None] = time.sleep
    """Waits for a time [s]."""

    steps: int = 0
    """Steps that were taken."""

    late: int = 0
    """Steps that came more than half a step after they were due."""

    skipped: int = 0
    """Steps left out because they would have come more than :data:`SLACK` late."""

    worst: float = 0.0
    """Greatest delay of a step that was taken [s]."""

    def ticks(self) -> Iterator[int]:
        """Yield 0, 1, 2, ... each at its time; numbers that are skipped are left out."""
        start, number = self.clock(), 0
        while True:
            wait = start + number / self.rate - self.clock()
            if wait > 0.0:
                self.sleep(wait)
            delay = self.clock() - start - number / self.rate
            if delay > max(SLACK, 1.0 / self.rate):
                missed = int(delay * self.rate)
                self.skipped += missed
                number += missed
                delay = self.clock() - start - number / self.rate
            self.steps += 1
            self.late += delay * self.rate > 0.5
            self.worst = max(self.worst, delay)
            yield number
            number += 1


class Publisher:
    """Sends frames to whoever listens, be it nobody. Use it as a context."""

    def __init__(self, endpoint: str = ENDPOINT, context: zmq.Context | None = None):
        """Open the endpoint.

        Args:
            endpoint: Where to publish, e.g. ``"tcp://127.0.0.1:5555"``; port ``*`` takes a free one.
            context: ZeroMQ's context; listeners within this process (``inproc://``) must share it.

        Raises:
            StreamError: If the endpoint cannot be had.
        """
        self._context = context or zmq.Context.instance()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, 100)
        # A listener that is slow loses frames; it does not hold up the rest.
        self._socket.setsockopt(zmq.SNDHWM, 100)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self._socket.close()
            raise StreamError(f"endpoint '{endpoint}' cannot be published to ({error.strerror})") from error
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """Where it is published, with the port that was taken."""
        self.sequence = 0
        """Number of the next message."""

    def send(self, clip: Clip, frame: int, speed: float = 1.0) -> None:
        """Send one frame of a motion; it never waits."""
        self._socket.send_multipart(encode(clip, frame, self.sequence, speed))
        self.sequence += 1

    def close(self) -> None:
        """Close the endpoint; what was just sent still goes out."""
        self._socket.close()

    def __enter__(self) -> Publisher:
        """Return the publisher itself."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the endpoint."""
        self.close()


@dataclass
class Reception:
    """What a subscriber has met so far."""

    frames: int = 0
    """Messages that were read."""

    lost: int = 0
    """Messages that the numbers of the others say are missing."""

    refused: int = 0
    """Messages that were not read."""

    reasons: dict[str, int] = field(default_factory=dict)
    """Why they were not, and how often; the first 20 reasons."""


class Subscriber:
    """Reads frames; what is no frame is refused and counted, and the next one is read. Use it as a context."""

    def __init__(self, endpoint: str = ENDPOINT, context: zmq.Context | None = None, newest: bool = False):
        """Listen.

        Args:
            endpoint: Where a publisher is or will be.
            context: ZeroMQ's context; see :class:`Publisher`.
            newest: Whether to skip to the newest frame when several wait, as a viewer wants.

        Raises:
            StreamError: If the endpoint is no endpoint.
        """
        self._context = context or zmq.Context.instance()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, 1000)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _MAX_MESSAGE)
        self._socket.setsockopt(zmq.SUBSCRIBE, TOPIC)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            self._socket.close()
            raise StreamError(f"endpoint '{endpoint}' cannot be listened to ({error.strerror})") from error
        self._newest = newest
        self._expected: int | None = None
        self.reception = Reception()
        """What was met so far."""

    def receive(self, timeout: float) -> StreamFrame | None:
        """Return the next frame, or None if none that can be read comes in time.

        Args:
            timeout: How long to wait [s].
        """
        end = time.monotonic() + timeout
        found = None
        while True:
            left = 0.0 if found is not None else max(end - time.monotonic(), 0.0)
            if not self._socket.poll(math.ceil(1000.0 * left)):
                return found
            frame = self._read(self._socket.recv_multipart(zmq.NOBLOCK))
            found = frame or found
            # The clock is looked at as well: a flood of messages that cannot be read must not keep us here.
            if (found is not None and not self._newest) or time.monotonic() >= end:
                return found

    def _read(self, parts: list[bytes]) -> StreamFrame | None:
        """Decode a message and count it."""
        try:
            frame = decode(parts)
        except StreamError as error:
            self._refuse(str(error))
            return None
        # A number that goes back is a publisher that was started anew.
        if self._expected is not None and frame.sequence > self._expected:
            self.reception.lost += frame.sequence - self._expected
        self._expected = frame.sequence + 1
        self.reception.frames += 1
        return frame

    def refuse(self, reason: str) -> None:
        """Count a frame that was read as refused after all, because whoever asked for it cannot use it."""
        self.reception.frames -= 1
        self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        self.reception.refused += 1
        reasons = self.reception.reasons
        if reason in reasons or len(reasons) < 20:
            reasons[reason] = reasons.get(reason, 0) + 1

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def __enter__(self) -> Subscriber:
        """Return the subscriber itself."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop listening."""
        self.close()
