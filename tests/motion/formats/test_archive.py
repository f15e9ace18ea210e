# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Archives that lie about their size or hold more than arrays."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.formats.archive import read_npz

MEGABYTE = 1 << 20


def member(array: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def test_arrays_come_back(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, numbers=np.arange(6.0).reshape(2, 3), names=np.array(["a", "b"]))
    content = read_npz(path, MEGABYTE)
    np.testing.assert_array_equal(content["numbers"], np.arange(6.0).reshape(2, 3))
    assert content["names"].tolist() == ["a", "b"]


def test_a_bomb_is_refused_by_its_directory(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("joint_pos.npy", member(np.zeros(3 * MEGABYTE, dtype=np.uint8)))
    assert path.stat().st_size < 10_000
    with pytest.raises(ClipError, match="unpacks to 3 MB; expected at most 1 MB"):
        read_npz(path, MEGABYTE)


def test_a_directory_that_states_too_little_gives_no_more_than_that(tmp_path):
    path = tmp_path / "bomb.npz"
    data = member(np.zeros(3 * MEGABYTE, dtype=np.uint8))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("joint_pos.npy", data)
    content = path.read_bytes()
    true, false = len(data).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert content.count(true) == 2
    path.write_bytes(content.replace(true, false))
    with pytest.raises(ClipError, match="damaged"):
        read_npz(path, MEGABYTE)


def test_a_header_that_states_another_shape_is_refused(tmp_path):
    path = tmp_path / "lie.npz"
    data = member(np.zeros((2, 3))).replace(b"(2, 3), ", b"(9**9,),")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("joint_pos.npy", data)
    with pytest.raises(ClipError):
        read_npz(path, MEGABYTE)
    data = member(np.zeros((200000,)))[:-8]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("joint_pos.npy", data)
    with pytest.raises(ClipError, match="not its length"):
        read_npz(path, 4 * MEGABYTE)


def test_objects_are_never_loaded(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, joint_pos=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ClipError, match="pickled objects, which are never loaded"):
        read_npz(path, MEGABYTE)


@pytest.mark.parametrize("content", [b"PK", b"PK\x03\x04" + bytes(100), b"rubbish", b"\x93NUMPY\x01\x00"])
def test_rubbish_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "rubbish.npz"
    path.write_bytes(content)
    with pytest.raises(ClipError, match="not an npz") as error:
        read_npz(path, MEGABYTE)
    assert "\n" not in str(error.value)
