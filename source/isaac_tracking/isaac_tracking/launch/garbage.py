# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How often Python looks for garbage in a process that simulates."""

from __future__ import annotations

import atexit
import gc

THRESHOLDS = (50_000, 20, 20)
"""When Python looks for garbage. By itself it looks 70 times as often, through the millions of objects that kernels are
made of and that stay: that took 2.4 s of the 9.7 s to a first iteration (docs/performance.md)."""


def look_seldom() -> None:
    """Let Python look for garbage seldom, and not at its exit; to be called first in a process that simulates."""
    gc.set_threshold(*THRESHOLDS)
    # At its exit Python would look once more, for 3.4 s of 11.8 s after one iteration. What must be written is closed
    # by then, and memory goes back anyway. A process that leaves by os._exit looks no more in any case.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
