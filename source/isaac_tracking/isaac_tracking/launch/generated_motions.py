# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Many motions made quickly, to measure a library with; they play back and forth and are for nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from ..motion.bundle import BundleWriter
from ..motion.bundle_cache import bundle_place
from ..motion.clip import Clip
from ..motion.clip_list import ClipList
from ..motion.frame import MotionFrame
from ..motion.packing import reference_frames
from ..motion.sources import find_library, load_clips

_SPREAD = 20.0
"""Half-width of the square in which motions are put [m]."""


def write_clips(folder: Path, count: int, num_frames: int) -> ClipList:
    """Write real clip files, the shipped ones played back and forth and put elsewhere, and return them as a list."""
    shipped = load_clips(["*"])
    rng = np.random.default_rng(0)
    for index in range(count):
        clip = shipped[index % len(shipped)]
        order = _back_and_forth(clip.num_frames, num_frames, index)
        shift = np.append(rng.uniform(-_SPREAD, _SPREAD, 2), 0.0)
        Clip(
            name=_name(index),
            fps=clip.fps,
            joint_names=clip.joint_names,
            body_names=clip.body_names,
            joint_pos=clip.joint_pos[order],
            body_pos_w=clip.body_pos_w[order] + shift,
            body_quat_w=clip.body_quat_w[order],
        ).save(folder / f"{_name(index)}.npz")
    return find_library([str(folder)])


def write_stand_ins(folder: Path, count: int) -> ClipList:
    """Write files that merely are there, for :func:`write_bundle`; return them as a list.

    A library that opens from its cache looks at its clips' files but reads none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        (folder / f"{_name(index)}.npz").write_bytes(b"stands for a clip")
    return find_library([str(folder)])


def write_bundle(
    clips: ClipList,
    num_frames: int,
    joint_names: Sequence[str],
    body_names: Sequence[str],
    rate: float,
    precision: str,
    cache: Path,
) -> None:
    """Write the bundle that the cache would hold for some stand-ins, clip by clip."""
    path, key = bundle_place(clips, joint_names, body_names, rate, precision, cache)
    with BundleWriter(path, joint_names, body_names, rate, precision, key) as writer:
        moved = _moved_frames(num_frames, joint_names, body_names, rate, len(clips))
        for entry, frames in zip(clips.entries, moved, strict=True):
            writer.add(entry.name, frames)


def _moved_frames(
    num_frames: int, joint_names: Sequence[str], body_names: Sequence[str], rate: float, count: int
) -> Iterator[MotionFrame]:
    """Yield the shipped clips' frames back and forth, each time at another place."""
    shipped = [reference_frames(clip, joint_names, body_names, rate) for clip in load_clips(["*"])]
    generator = torch.Generator().manual_seed(0)
    for index in range(count):
        frames = shipped[index % len(shipped)]
        order = torch.from_numpy(_back_and_forth(len(frames.joint_pos), num_frames, index))
        moved = MotionFrame(*(part[order] for part in frames))
        shift = (torch.rand(3, generator=generator) * 2.0 - 1.0) * _SPREAD
        shift[2] = 0.0
        yield moved._replace(body_pos_w=moved.body_pos_w + shift)


def _back_and_forth(length: int, count: int, start: int) -> np.ndarray:
    """Return indices below a length that go up and down by one, from anywhere."""
    at = (np.arange(count) + start) % (2 * length - 2)
    return np.where(at < length, at, 2 * length - 2 - at)


def _name(index: int) -> str:
    return f"motion_{index:05d}"
