# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files that are whole or not there; every room writes with this."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_beside(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a file beside a place, and rename it to the place once it is whole.

    A kill at any moment leaves either the old file or the new one, and perhaps a hidden ``.part`` beside it.

    Args:
        path: File to write; its folder must exist.
        durable: Whether to wait until it is on the disk, so that it also outlives a loss of power.

    Raises:
        OSError: If the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
