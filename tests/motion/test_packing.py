# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Frames as rows: sizes, exactness in single precision, bounds of the error in half precision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.packing import Packing, reference_frames
from isaac_tracking.motion.quaternion import quat_error_magnitude
from isaac_tracking.motion.sources import load_clips

Frames = Callable[..., MotionFrame]


@pytest.fixture(scope="module")
def shipped() -> MotionFrame:
    """All shipped clips at 50 Hz, all joints and bodies, one after another."""
    clips = load_clips(["*"])
    each = [reference_frames(clip, clips[0].joint_names, clips[0].body_names, 50.0) for clip in clips]
    return MotionFrame(*(torch.cat(parts) for parts in zip(*each, strict=True)))


def half(frame: MotionFrame) -> MotionFrame:
    packing = Packing(frame.joint_pos.shape[1], frame.body_pos_w.shape[1], "fp16")
    return packing.decode(packing.encode(frame))


def test_an_hour_of_the_g1_takes_as_much_as_is_said() -> None:
    # 2 * 29 + 13 * 14 = 240 numbers; in half precision 243, filled up to 248.
    single, halves = Packing(29, 14, "fp32"), Packing(29, 14, "fp16")
    assert (single.width, single.row_bytes) == (240, 960)
    assert (halves.width, halves.row_bytes) == (248, 496)
    assert single.row_bytes * 50 * 3600 == pytest.approx(172.8e6)
    assert halves.row_bytes * 50 * 3600 == pytest.approx(89.3e6, rel=1e-3)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("joints", "bodies"), [(2, 3), (1, 1), (29, 14), (23, 30)])
def test_rows_are_whole_units_of_16_bytes(precision: str, joints: int, bodies: int) -> None:
    packing = Packing(joints, bodies, precision)
    assert packing.row_bytes % 16 == 0
    numbers = 2 * joints + 13 * bodies + (3 if precision == "fp16" else 0)
    assert 0 <= packing.row_bytes - numbers * packing.dtype.itemsize < 16


def test_single_precision_is_exact(make_frame: Frames) -> None:
    frame, packing = make_frame(5), Packing(2, 3)
    assert all(torch.equal(a, b) for a, b in zip(packing.decode(packing.encode(frame)), frame, strict=True))


@pytest.mark.parametrize("distance", [0.0, 40.0, 100.0])
def test_half_precision_keeps_its_bounds(shipped: MotionFrame, distance: float) -> None:
    far = torch.tensor([distance, -distance, 0.0]) / 2**0.5
    frame = shipped._replace(body_pos_w=shipped.body_pos_w + far)
    # The bounds hold for what the module says they hold for.
    assert (shipped.body_pos_w - shipped.body_pos_w[:, :1]).abs().max() < 1.0
    assert shipped.joint_pos.abs().max() < 4.0
    found = half(frame)
    error = (found.body_pos_w - frame.body_pos_w).norm(dim=-1)
    assert error[:, 0].max() < 2e-5
    assert 1e-5 < error.max() < 4.5e-4
    assert quat_error_magnitude(found.body_quat_w, frame.body_quat_w).max() < 1e-3
    assert (found.body_quat_w.norm(dim=-1) - 1.0).abs().max() < 1e-6
    assert (found.joint_pos - frame.joint_pos).abs().max() < 1e-3
    for name in ("joint_vel", "body_lin_vel_w", "body_ang_vel_w"):
        exact = getattr(frame, name)
        assert ((getattr(found, name) - exact).abs() <= exact.abs() * 5e-4 + 3e-8).all()


def test_half_precision_keeps_its_bounds_in_the_worst_places() -> None:
    generator = torch.Generator().manual_seed(0)
    num = 20000
    quat = torch.nn.functional.normalize(torch.randn(num, 2, 4, generator=generator), dim=-1)
    # Components just above one half are rounded the most.
    quat[:1000] = torch.nn.functional.normalize(0.5 + 0.0005 * torch.rand(1000, 2, 4, generator=generator), dim=-1)
    root = (torch.rand(num, 1, 3, generator=generator) * 2.0 - 1.0) * 57.0
    body = root + (torch.rand(num, 1, 3, generator=generator) * 2.0 - 1.0) * 0.999
    joints = (torch.rand(num, 2, generator=generator) * 2.0 - 1.0) * 4.0
    zero = torch.zeros(num, 2, 3)
    frame = MotionFrame(joints, joints, torch.cat([root, body], dim=1), quat, zero, zero)
    found = half(frame)
    error = (found.body_pos_w - frame.body_pos_w).norm(dim=-1)
    assert error[:, 0].max() < 2e-5
    assert 3e-4 < error[:, 1].max() < 4.5e-4
    assert 5e-4 < quat_error_magnitude(found.body_quat_w, frame.body_quat_w).max() < 1e-3
    assert 9e-4 < (found.joint_pos - frame.joint_pos).abs().max() < 1e-3


def test_what_half_precision_cannot_hold_is_refused(make_frame: Frames) -> None:
    frame = make_frame(3)
    frame.joint_vel[1, 0] = 70000.0
    with pytest.raises(ValueError, match="beyond 65504"):
        half(frame)


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(ValueError, match="'bf16' is unknown; choose from fp32, fp16"):
        Packing(2, 3, "bf16")


def test_columns_bring_joints_into_another_order(make_frame: Frames) -> None:
    frame = make_frame(4)
    packing = Packing(2, 3)
    rows = packing.encode(frame)
    columns = packing.joint_columns(("hip", "knee"), ("knee", "hip"))
    assert columns == [1, 0, 3, 2]
    rows[:, : len(columns)] = rows[:, columns]
    other = packing.decode(rows)
    assert torch.equal(other.joint_pos, frame.joint_pos[:, [1, 0]])
    assert torch.equal(other.joint_vel, frame.joint_vel[:, [1, 0]])
    assert torch.equal(other.body_pos_w, frame.body_pos_w)
    assert packing.joint_columns(("hip", "knee"), ["hip", "knee"]) is None


def test_a_clip_shorter_than_a_control_period_is_refused(make_clip: Callable[..., Clip]) -> None:
    clip = make_clip(frames=2, fps=120.0)
    with pytest.raises(ClipError, match=r"'tiny': it lasts 0\.0083 s; expected .* 0\.0200 s; give a longer motion"):
        reference_frames(clip, clip.joint_names, clip.body_names, 50.0)
