# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The one object that ``np.save`` pickled into an NPY file, read by the same rules as every pickle here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..clip import ClipError
from ..formats import unpickle
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
    pickled = _behind_header(data, path)
    try:
        return _Resolver().resolve(unpickle._Unpickler(path, pickled).load(), 0)
    except ClipError:
        raise
    except unpickle._FAULTS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClipError(
            f"motion file '{path}' is damaged or holds more than numbers and text ({reason}); expected a poselib NPY"
            " file; copy or make it again"
        ) from error


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


class _Resolver(unpickle._Resolver):
    """Sees through the array without dimensions that ``np.save`` wraps its object in; no other array holds objects."""

    def resolve(self, value: Any, depth: int) -> Any:
        """Return the value with arrays in place of holders."""
        if depth == 0 and isinstance(value, unpickle._Array):
            _, shape, dtype, _, content = value.state
            code = dtype.arguments[0] if isinstance(dtype, unpickle._Dtype) and dtype.arguments else None
            if shape == () and code in ("O", "O8") and isinstance(content, list) and len(content) == 1:
                return super().resolve(content[0], 1)
        return super().resolve(value, depth)
