# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A library on disk: what is written is read, and whatever is damaged is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from isaac_tracking.motion.bundle import Bundle, BundleWriter, DamagedBundleError
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.library import MotionLibrary
from isaac_tracking.motion.packing import reference_frames

JOINTS = ("hip", "knee")
BODIES = ("base", "thigh", "shin")


@pytest.fixture
def clips(make_clip: Callable[..., Clip]) -> list[Clip]:
    return [make_clip(frames=length, seed=length, name=f"clip{length}") for length in (11, 5, 30)]


def write(path: Path, clips: list[Clip], precision: str = "fp32") -> Bundle:
    with BundleWriter(path, JOINTS, BODIES, 50.0, precision, key="abc") as writer:
        for clip in clips:
            writer.add(clip.name, reference_frames(clip, JOINTS, BODIES, 50.0))
    return Bundle.open(path)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_what_is_written_is_read(tmp_path: Path, clips: list[Clip], precision: str) -> None:
    bundle = write(tmp_path / "x.motions", clips, precision)
    assert (bundle.key, bundle.rate, bundle.packing.precision) == ("abc", 50.0, precision)
    assert (bundle.joint_names, bundle.body_names) == (JOINTS, BODIES)
    assert bundle.names == ("clip11", "clip5", "clip30")
    assert bundle.num_frames.tolist() == [11, 5, 30]
    assert bundle.first_row.tolist() == [0, 11, 16]
    for clip, first in zip(clips, bundle.first_row, strict=True):
        rows = bundle.packing.encode(reference_frames(clip, JOINTS, BODIES, 50.0)).numpy()
        assert np.array_equal(bundle.rows[first : first + len(rows)], rows)
        read = np.zeros_like(rows)
        bundle.read_rows(int(first), read)
        assert np.array_equal(read, rows)
    assert bundle.rows.shape[0] == 47 and np.isnan(bundle.rows[46]).all()
    assert isinstance(bundle.rows, np.memmap)
    assert [path.name for path in tmp_path.iterdir()] == ["x.motions"]


def test_an_error_leaves_nothing_behind(tmp_path: Path, clips: list[Clip]) -> None:
    with pytest.raises(KeyboardInterrupt), BundleWriter(tmp_path / "x.motions", JOINTS, BODIES, 50.0, "fp32") as writer:
        writer.add("a", reference_frames(clips[0], JOINTS, BODIES, 50.0))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_open_bundle_can_be_read_after_another_took_its_place(tmp_path: Path, clips: list[Clip]) -> None:
    bundle = write(tmp_path / "x.motions", clips)
    before = np.array(bundle.rows[:11])
    write(tmp_path / "x.motions", clips[::-1])
    after = np.zeros_like(before)
    bundle.read_rows(0, after)
    assert np.array_equal(before, after) and np.array_equal(before, bundle.rows[:11])


def cut(data: bytes, at: int) -> bytes:
    return data[:at]


def flip(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: b"", "only 0 bytes"),
        (lambda data: b"x" * len(data), "does not begin and end"),
        (lambda data: cut(data, 3000), "only 3000 bytes"),
        (lambda data: cut(data, len(data) - 1), "does not begin and end"),
        (lambda data: cut(data, len(data) - 500), "does not begin and end"),
        (lambda data: data[:4096] + data[4096 + 176 :], "its size is wrong"),
        (lambda data: flip(data, 0), "does not begin and end"),
        (lambda data: flip(data, -1), "does not begin and end"),
        (lambda data: flip(data, -64), "its size is wrong"),
        (lambda data: flip(data, -100), "its index was changed"),
    ],
)
def test_damage_is_noticed_when_it_is_opened(tmp_path: Path, clips: list[Clip], damage, words: str) -> None:
    path = tmp_path / "x.motions"
    write(path, clips)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedBundleError, match=words):
        Bundle.open(path)


@pytest.mark.parametrize(
    "change", [{"num_frames": [11, 5, 31]}, {"names": ["a"]}, {"precision": "fp8"}, {"rate": None}, {"sums": 3}]
)
def test_an_index_that_does_not_fit_is_noticed(tmp_path: Path, clips: list[Clip], change: dict) -> None:
    path = tmp_path / "x.motions"
    write(path, clips)
    data = path.read_bytes()
    at, length = (int.from_bytes(data[-64 + 8 * i : -56 + 8 * i], "little") for i in range(2))
    index = json.dumps(json.loads(data[at : at + length]) | change).encode()
    ends = at.to_bytes(8, "little") + len(index).to_bytes(8, "little") + hashlib.sha256(index).digest()
    path.write_bytes(data[:at] + index + ends + data[:16])
    with pytest.raises(DamagedBundleError, match="index"):
        Bundle.open(path)


def test_a_changed_row_is_noticed_when_it_is_copied(tmp_path: Path, clips: list[Clip]) -> None:
    path = tmp_path / "x.motions"
    bundle = write(path, clips)
    # A byte in the middle of the second clip.
    path.write_bytes(flip(path.read_bytes(), 4096 + 13 * bundle.packing.row_bytes + 40))
    bundle = Bundle.open(path)
    with pytest.raises(DamagedBundleError, match="'clip5' were changed"):
        MotionLibrary.from_bundle(bundle, ("knee", "hip"))


def test_a_file_that_becomes_shorter_is_noticed(tmp_path: Path, clips: list[Clip]) -> None:
    bundle = write(tmp_path / "x.motions", clips)
    with open(bundle.path, "r+b") as file:
        file.truncate(5000)
    with pytest.raises(DamagedBundleError, match="became shorter"):
        bundle.read_rows(0, np.zeros((46, bundle.packing.width), dtype=np.float32))


def test_mapped_rows_are_private(tmp_path: Path, clips: list[Clip]) -> None:
    bundle = write(tmp_path / "x.motions", clips)
    torch.from_numpy(bundle.rows)[0] = 7.0
    assert not (Bundle.open(bundle.path).rows[0] == 7.0).any()
