# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Lines of ours among those of Isaac Lab."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


def print_line(text: str) -> None:
    """Print a line that can be told from Isaac Lab's."""
    sys.stdout.write(f"[isaac_tracking] {text}\n")
    sys.stdout.flush()


@contextmanager
def quiet(verbose: bool) -> Iterator[None]:
    """Keep what Isaac Lab and rsl_rl print while they set up; it is shown if they fail.

    Args:
        verbose: Whether to print it all the same.
    """
    if verbose:
        yield
        return
    kept = io.StringIO()
    try:
        with redirect_stdout(kept):
            yield
    except BaseException:
        sys.stdout.write(kept.getvalue())
        raise
