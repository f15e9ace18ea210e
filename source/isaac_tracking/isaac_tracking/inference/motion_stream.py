# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions over ZeroMQ: frames at the rate of their clip; what is in a message says :mod:`.motion_message`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from types import TracebackType

import zmq

from ..motion.clip import Clip
from .motion_message import TOPIC, StreamError, StreamFrame, decode, encode

ENDPOINT = "tcp://127.0.0.1:5555"
"""Where motions are published unless something else is asked for."""

_MAX_MESSAGE = 1 << 20


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
