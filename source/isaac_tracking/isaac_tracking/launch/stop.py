# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ctrl-C and SIGTERM before and after training: an exception at once, and a record of it.

The record is there because an exception may get lost: C++ code that imports a Python module, as that of ``pxr`` does,
reports what the import raises ("Error occurred postprocessing module") and goes on.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came where nothing is under way that should be finished first."""


STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals that ask a program to stop."""

_received: list[int] = []
"""Signals since :func:`heeded` began, the earliest first."""


@contextmanager
def heeded() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise, and remember them."""
    _received.clear()
    with handled_by(_remember):
        yield


@contextmanager
def handled_by(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Give Ctrl-C and SIGTERM to a handler; a Ctrl-C that the process ignores, as a shell's job does, stays ignored."""
    numbers = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def raise_if_stopped() -> None:
    """Raise again what a signal raised, for somebody may have swallowed it.

    Raises:
        KeyboardInterrupt: If Ctrl-C came; :class:`TerminatedError` if SIGTERM did.
    """
    if _received:
        raise_stop(_received[0])


def raise_stop(number: int) -> NoReturn:
    """Raise what stands for a signal.

    Raises:
        KeyboardInterrupt: Always; for SIGTERM :class:`TerminatedError`.
    """
    if number == signal.SIGTERM:
        raise TerminatedError
    raise KeyboardInterrupt


def _remember(number: int, frame: object) -> None:
    _received.append(number)
    raise_stop(number)
