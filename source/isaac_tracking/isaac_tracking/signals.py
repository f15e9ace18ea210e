# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ctrl-C and SIGTERM in other hands for a while; every room takes them with this."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals that ask a program to stop."""


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Give Ctrl-C and SIGTERM to a handler, and afterwards back to whoever had them.

    One that the process ignores stays ignored: ``train.sh &`` in a script is not meant by the terminal's Ctrl-C. In
    another thread than the main one, where Python takes no handlers, nothing happens.
    """
    main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in STOPPING if main and signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
