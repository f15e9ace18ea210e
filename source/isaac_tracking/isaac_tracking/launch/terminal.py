# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Lines of ours among those of Isaac Lab."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


def print_line(text: str) -> None:
    """Print a line that can be told from Isaac Lab's."""
    sys.stdout.write(f"[isaac_tracking] {text}\n")
    sys.stdout.flush()


class Curtain:
    """Hides what is printed while it is down, and keeps it."""

    def __init__(self, down: bool) -> None:
        self.down = down
        """Whether output is hidden at present."""
        self.kept = io.StringIO()
        """What was hidden."""


class _Veiled(io.TextIOBase):
    """A stream behind a curtain.

    It outlives the set-up, since loggers that were made behind the curtain hold on to it.
    """

    def __init__(self, stream: TextIO, curtain: Curtain) -> None:
        self._stream, self._curtain = stream, curtain

    @property
    def encoding(self) -> str:
        return self._stream.encoding

    def write(self, text: str) -> int:
        return (self._curtain.kept if self._curtain.down else self._stream).write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return not self._curtain.down and self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Leave the stream behind open; it is not ours."""


@contextmanager
def quiet(verbose: bool, plain_errors: tuple[type[BaseException], ...] = (KeyboardInterrupt,)) -> Iterator[Curtain]:
    """Keep what Isaac Lab and rsl_rl print while they set up; it is shown if they fail.

    Args:
        verbose: Whether to print it all the same.
        plain_errors: Errors that say all there is to say, for which nothing is shown.

    Yields:
        The curtain, down unless ``verbose``.
    """
    curtain = Curtain(down=not verbose)
    streams = sys.stdout, sys.stderr
    lifted = False
    sys.stdout, sys.stderr = (_Veiled(stream, curtain) for stream in streams)  # type: ignore[assignment]
    try:
        yield curtain
        lifted = True
    except plain_errors:
        lifted = True
        raise
    finally:
        sys.stdout, sys.stderr = streams
        curtain.down = False
        if not lifted:
            sys.stderr.write(curtain.kept.getvalue())
            sys.stderr.flush()
