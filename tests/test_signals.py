# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Signals are lent and given back, and those that the process ignores are left alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from isaac_tracking.signals import STOPPING, handled_by


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = [signal.getsignal(number) for number in STOPPING]
    yield
    for number, handler in zip(STOPPING, before, strict=True):
        signal.signal(number, handler)


def test_a_handler_gets_both_and_gives_them_back():
    before, got = [signal.getsignal(number) for number in STOPPING], []
    with pytest.raises(ZeroDivisionError), handled_by(lambda number, frame: got.append(number)):
        for number in STOPPING:
            signal.raise_signal(number)
        _ = 1 / 0
    assert got == list(STOPPING) and [signal.getsignal(number) for number in STOPPING] == before


@pytest.mark.parametrize("ignored", STOPPING)
def test_what_is_ignored_stays_ignored(ignored: signal.Signals):
    signal.signal(ignored, signal.SIG_IGN)
    got: list[int] = []
    with handled_by(lambda number, frame: got.append(number)):
        for number in STOPPING:
            signal.raise_signal(number)
    assert got == [number for number in STOPPING if number != ignored]
    assert signal.getsignal(ignored) is signal.SIG_IGN


def test_another_thread_takes_none():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with handled_by(lambda number, frame: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
