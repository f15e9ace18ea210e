# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Arrays out of an npz that nobody vouches for: nothing is executed and nothing grows beyond a bound."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..clip import ClipError

_KINDS = "biufU"
"""Kinds of arrays that are read: truth values, numbers and text."""

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    KeyError,
    ValueError,
    TypeError,
    RuntimeError,
    MemoryError,
    OverflowError,
    SyntaxError,
    tokenize.TokenError,
)
"""What zipfile and numpy raise on damaged files; ``RuntimeError`` stands for encrypted members and deep recursion."""


def read_npz(path: Path, max_bytes: int) -> dict[str, np.ndarray]:
    """Return the arrays of an npz by name.

    Args:
        path: File to read.
        max_bytes: Most bytes that all members together may unpack to, by the file's own directory.

    Raises:
        OSError: If the file vanished or may not be read.
        ClipError: If the file is no npz, is damaged, unpacks to too much, or holds pickled objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > max_bytes:
                raise ClipError(
                    f"motion file '{path}' unpacks to {size / 1e6:.0f} MB; expected at most {max_bytes / 1e6:.0f} MB;"
                    " split it into shorter motions"
                )
            # zipfile never unpacks more of a member than the directory states.
            return {
                member.filename.removesuffix(".npy"): _array(path, member.filename, archive.read(member))
                for member in archive.infolist()
                if member.filename.endswith(".npy")
            }
    except (ClipError, FileNotFoundError, PermissionError):
        raise
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClipError(
            f"motion file '{path}' is damaged or not an npz ({reason}); expected a zip of arrays; copy or make it again"
        ) from error


def _array(path: Path, name: str, data: bytes) -> np.ndarray:
    """Return one member, whose header must agree with its length before memory is taken for it."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"{name} has array format {version}")
    if dtype.hasobject or dtype.kind not in _KINDS:
        what = "holds pickled objects, which are never loaded" if dtype.hasobject else f"is of type {dtype}"
        raise ClipError(f"motion file '{path}': {name} {what}; expected plain numbers or text; save plain arrays")
    if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"{name} states shape {shape}, which is not its length")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)
