# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ctrl-C and SIGTERM before and after training: an exception, and a record of it.

The record is there because an exception may get lost: C++ code that imports a Python module, as that of ``pxr`` does,
reports what the import raises ("Error occurred postprocessing module", and a traceback) and goes on. While ``pxr`` is
being imported the exception waits; where else one is lost, the record is asked before training.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from ..signals import handled_by


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came where nothing is under way that should be finished first."""


_PATIENCE = 0.05
"""Time after which a signal that came in the middle of an import of pxr looks again whether it is over [s]."""

_received: list[int] = []
"""Signals since :func:`heeded` began, the earliest first."""


@contextmanager
def heeded() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise, and remember them; a second one raises wherever it comes."""
    _received.clear()
    previous = signal.signal(signal.SIGALRM, _look_again)
    try:
        with handled_by(_remember):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


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


def _remember(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    if len(_received) == 1:
        _look_again(number, frame)
    else:
        raise_stop(_received[0])


def _look_again(number: int, frame: FrameType | None) -> None:
    if _imports_pxr(frame):
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    else:
        raise_if_stopped()


def _imports_pxr(frame: FrameType | None) -> bool:
    """Whether code that is under way imports a module of pxr, or is one."""
    while frame is not None:
        importing = frame.f_locals.get("name") if frame.f_code.co_name == "_find_and_load" else None
        for name in (importing, frame.f_globals.get("__name__")):
            if isinstance(name, str) and (name == "pxr" or name.startswith("pxr.")):
                return True
        frame = frame.f_back
    return False
