# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A library on disk: the frames of all its clips in one memory-mapped file.

Layout of a bundle, little-endian::

    0                 magic, 16 bytes
    4096              rows of all clips, one clip after another, as `packing` lays them out, and a last row of NaN
    end of the rows   index: JSON, UTF-8
    last 64 bytes     offset and length of the index (8 bytes each), its SHA-256 (32 bytes), magic (16 bytes)

A bundle is written beside its place and renamed, so that nobody ever sees half of one. A truncated or overwritten one
is noticed: magic, sizes and the index are checked when it is opened, and each clip's sum when its rows are copied.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .frame import MotionFrame
from .packing import Packing

_MAGIC = b"IsaacTrackingMB\x01"
_ROWS_AT = 4096
_TRAILER = struct.Struct("<QQ32s16s")


class DamagedBundleError(ValueError):
    """A file that is not a whole bundle."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """An open bundle. Nothing but its index is in memory."""

    path: Path
    key: str
    """What the bundle was made from, as hex digits."""
    packing: Packing
    rate: float
    """Control rate [Hz]."""
    joint_names: tuple[str, ...]
    """Joints in the order of the rows."""
    body_names: tuple[str, ...]
    """Bodies in the order of the rows; the first is the root."""
    names: tuple[str, ...]
    """Names of the clips."""
    num_frames: np.ndarray
    """Rows of each clip, int64, shape (num_clips,)."""
    sums: np.ndarray
    """Sum of each clip's rows, read as 64-bit integers that wrap around, int64, shape (num_clips,)."""
    rows: np.ndarray
    """Rows of all clips and a last one of NaN, memory-mapped, shape (sum of num_frames + 1, width). Writing to them
    would change this process's copy alone."""
    file: BinaryIO
    """The open file; the bundle can be read for as long, even if another one took its place."""

    @property
    def first_row(self) -> np.ndarray:
        """First row of each clip, int64, shape (num_clips,)."""
        return np.cumsum(self.num_frames) - self.num_frames

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Map a bundle into memory.

        Raises:
            DamagedBundleError: If the file is not a whole bundle.
            OSError: If it cannot be read.
        """
        # Unbuffered: rows are read in large blocks, right to where they belong.
        file = open(path, "rb", buffering=0)  # noqa: SIM115 (it stays open)
        try:
            end, index = _read_index(file)
            packing = Packing(len(index["joint_names"]), len(index["body_names"]), index["precision"])
            num_frames = np.array(index["num_frames"], dtype=np.int64)
            shape = (int(num_frames.sum()) + 1, packing.width)
            sizes = {len(index["names"]), len(num_frames), len(index["sums"])}
            if end - _ROWS_AT != shape[0] * packing.row_bytes or len(sizes) != 1:
                raise DamagedBundleError("its index does not fit its rows")
            return cls(
                path=path,
                key=index["key"],
                packing=packing,
                rate=float(index["rate"]),
                joint_names=tuple(index["joint_names"]),
                body_names=tuple(index["body_names"]),
                names=tuple(index["names"]),
                num_frames=num_frames,
                sums=np.array(index["sums"], dtype=np.int64),
                rows=np.memmap(file, dtype=packing.dtype_on_disk, mode="c", offset=_ROWS_AT, shape=shape),
                file=file,
            )
        except (KeyError, TypeError, ValueError) as error:
            file.close()
            if isinstance(error, DamagedBundleError):
                raise
            raise DamagedBundleError(f"its index is wrong ({error})") from error

    def read_rows(self, first: int, into: np.ndarray) -> None:
        """Read rows that follow each other; several times as fast as copying them from :attr:`rows`, page by page.

        Args:
            first: The first one.
            into: Where they go, contiguous, shape (N, width).

        Raises:
            DamagedBundleError: If the file ends before.
        """
        at, left = _ROWS_AT + first * self.packing.row_bytes, memoryview(into.view(np.uint8).data).cast("B")
        while left:
            count = os.preadv(self.file.fileno(), [left], at)
            if count == 0:
                raise DamagedBundleError("it became shorter")
            at, left = at + count, left[count:]

    def will_need(self, clip_ids: np.ndarray) -> None:
        """Ask the system to read clips ahead, without waiting for it."""
        first = self.first_row
        for clip in clip_ids:
            offset = _ROWS_AT + int(first[clip]) * self.packing.row_bytes
            length = int(self.num_frames[clip]) * self.packing.row_bytes
            os.posix_fadvise(self.file.fileno(), offset, length, os.POSIX_FADV_WILLNEED)


class BundleWriter:
    """Writes a bundle clip by clip, so that no more than one clip need be in memory.

    A context manager: at its end the bundle is put in its place; after an error there is none.

    Args:
        path: Where the bundle is to be.
        joint_names: Joints of the frames, in order.
        body_names: Bodies of the frames, in order.
        rate: Control rate [Hz].
        precision: ``"fp32"`` or ``"fp16"``.
        key: What the bundle is made from.

    Raises:
        OSError: If the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        rate: float,
        precision: str,
        key: str = "",
    ) -> None:
        self._path = path
        self._packing = Packing(len(joint_names), len(body_names), precision)
        self._index = {
            "key": key,
            "precision": precision,
            "rate": rate,
            "joint_names": list(joint_names),
            "body_names": list(body_names),
        }
        self._names: list[str] = []
        self._num_frames: list[int] = []
        self._sums: list[int] = []

    def __enter__(self) -> BundleWriter:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, work = tempfile.mkstemp(prefix=f".{self._path.name}-", dir=self._path.parent)
        self._work = Path(work)
        self._file = os.fdopen(handle, "wb")
        self._file.write(_MAGIC.ljust(_ROWS_AT, b"\0"))
        return self

    def add(self, name: str, frames: MotionFrame) -> None:
        """Append a clip.

        Args:
            name: Name of the clip.
            frames: Its T frames at the control rate.

        Raises:
            ValueError: If a number is too large for the precision.
            OSError: If the file cannot be written.
        """
        rows = self._packing.encode(frames).contiguous().numpy()
        self._file.write(rows.data)
        self._names.append(name)
        self._num_frames.append(len(rows))
        self._sums.append(int(rows.view(np.int64).sum()))

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self._finish()
                # mkstemp makes a file that others may not read; a cache may be shared.
                os.chmod(self._work, 0o644)
                os.replace(self._work, self._path)
        finally:
            self._file.close()
            self._work.unlink(missing_ok=True)

    def _finish(self) -> None:
        lists = {"names": self._names, "num_frames": self._num_frames, "sums": self._sums}
        self._file.write(np.full(self._packing.width, np.nan, self._packing.dtype_on_disk).data)
        index = json.dumps(self._index | lists).encode()
        at = self._file.tell()
        self._file.write(index)
        self._file.write(_TRAILER.pack(at, len(index), hashlib.sha256(index).digest(), _MAGIC))
        self._file.flush()
        # Without this, a power cut after the rename can leave a file of the right size full of zeros.
        os.fsync(self._file.fileno())


def _read_index(file: BinaryIO) -> tuple[int, dict]:
    """Return where the rows end, and the index."""
    size = file.seek(0, os.SEEK_END)
    if size < _ROWS_AT + _TRAILER.size:
        raise DamagedBundleError(f"it has only {size} bytes")
    file.seek(0)
    start = file.read(len(_MAGIC))
    file.seek(size - _TRAILER.size)
    at, length, digest, magic = _TRAILER.unpack(file.read(_TRAILER.size))
    if start != _MAGIC or magic != _MAGIC:
        raise DamagedBundleError("it does not begin and end as a bundle does")
    if at < _ROWS_AT or at + length + _TRAILER.size != size:
        raise DamagedBundleError("its size is wrong")
    file.seek(at)
    text = file.read(length)
    if hashlib.sha256(text).digest() != digest:
        raise DamagedBundleError("its index was changed")
    index = json.loads(text)
    if not isinstance(index, dict):
        raise DamagedBundleError("its index is not a table")
    return at, index
