# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Waiting for what other threads do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_for(get: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Return what a function returns, once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = get()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"nothing came within {seconds} s")
