# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The one object that ``np.save`` pickled into an NPY file, read by the same rules as every pickle here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..clip import ClipError
from ..formats.unpickle import unpickle
from .raw import LARGEST_FILE

_MAGIC = b"\x93NUMPY"


def read_npy_object(path: Path) -> Any:
    """Return what ``np.save(path, thing)`` wrote for a thing that is no array: containers, numbers, text, arrays.

    Args:
        path: The file.

    Raises:
        ClipError: If the file is missing, damaged, holds a plain array, or would run code.
    """
    if not path.is_file():
        raise ClipError(f"motion file '{path}' does not exist; expected a poselib NPY file; check the path")
    if path.stat().st_size > LARGEST_FILE:
        raise ClipError(f"motion file '{path}' is larger than {LARGEST_FILE >> 20} MiB; cut it into pieces")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ClipError(f"motion file '{path}' cannot be read ({error.strerror}); check its permissions") from error
    return object_of_npy(data, path)


def object_of_npy(data: bytes, path: Path) -> Any:
    """Return the object within the bytes of an NPY file.

    Raises:
        ClipError: If they are damaged, hold a plain array, or would run code.
    """
    return unpickle(_behind_header(data, path), path)


def _behind_header(data: bytes, path: Path) -> bytes:
    """Return the pickle that follows numpy's header.

    The header is text of a Python dictionary; what numpy parses it with raises whatever comes, so it is only compared.
    """
    size = {1: 2, 2: 4, 3: 4}.get(data[6] if len(data) > 6 else 0, 0)
    length = int.from_bytes(data[8 : 8 + size], "little")
    if not data.startswith(_MAGIC) or not size or len(data) < 8 + size + length:
        raise ClipError(
            f"motion file '{path}' has no whole header of an NPY file; expected poselib's NPY; copy it again"
        )
    header = data[8 + size : 8 + size + length].decode("latin-1")
    if not re.search(r"'descr':\s*'\|O'", header) or not re.search(r"'shape':\s*\(\)", header):
        raise ClipError(
            f"motion file '{path}' is an NPY of {' '.join(header.split())[:100]}; expected a pickled SkeletonMotion of"
            " poselib; if it is the motion of a robot, convert it from CSV or NPZ"
        )
    return data[8 + size + length :]
