# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The library: names, rates, velocities, ends of clips, and one gather for any number of clips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.library import MotionLibrary
from isaac_tracking.motion.quaternion import quat_error_magnitude, quat_from_axis_angle

JOINTS = ("hip", "knee")
BODIES = ("base", "thigh", "shin")
Clips = Callable[..., Clip]


def library(*clips: Clip, rate: float = 50.0, joints=JOINTS, bodies=BODIES) -> MotionLibrary:
    return MotionLibrary(clips, joints, bodies, rate)


def all_frames(lib: MotionLibrary, clip: int = 0) -> MotionFrame:
    steps = torch.arange(int(lib.num_frames[clip]))
    return lib.frames(torch.full_like(steps, clip), steps)


def same(a: MotionFrame, b: MotionFrame, tolerance: float = 0.0) -> bool:
    return all(torch.allclose(x, y, atol=tolerance, rtol=0.0) for x, y in zip(a, b, strict=True))


def test_frames_of_a_clip_at_the_control_rate_are_the_clip(make_clip: Clips) -> None:
    clip = make_clip()
    lib = library(clip)
    frames = all_frames(lib)
    assert lib.names == ("tiny",)
    assert lib.num_frames.tolist() == [11]
    assert lib.duration == pytest.approx(0.22)
    assert torch.equal(frames.joint_pos, torch.tensor(clip.joint_pos))
    assert torch.equal(frames.body_pos_w, torch.tensor(clip.body_pos_w))
    assert torch.equal(frames.body_quat_w, torch.tensor(clip.body_quat_w))


def test_joints_and_bodies_are_found_by_name(make_clip: Clips) -> None:
    clip = make_clip()
    joints, bodies = [1, 0], [2, 0, 1]
    shuffled = make_clip(
        joint_names=[JOINTS[i] for i in joints],
        body_names=[BODIES[i] for i in bodies],
        joint_pos=clip.joint_pos[:, joints],
        body_pos_w=clip.body_pos_w[:, bodies],
        body_quat_w=clip.body_quat_w[:, bodies],
    )
    assert not np.array_equal(shuffled.joint_pos, clip.joint_pos)
    assert same(all_frames(library(clip)), all_frames(library(shuffled)))


def test_frames_have_the_order_that_was_asked_for(make_clip: Clips) -> None:
    clip = make_clip()
    frames = all_frames(library(clip, joints=("knee", "hip"), bodies=("shin", "base")))
    assert torch.equal(frames.joint_pos, torch.tensor(clip.joint_pos[:, [1, 0]]))
    assert torch.equal(frames.body_pos_w, torch.tensor(clip.body_pos_w[:, [2, 0]]))
    assert torch.equal(frames.body_quat_w, torch.tensor(clip.body_quat_w[:, [2, 0]]))


def test_a_joint_or_body_that_is_missing_is_named(make_clip: Clips) -> None:
    with pytest.raises(ClipError, match=r"tiny.*ankle"):
        library(make_clip(), joints=(*JOINTS, "ankle"))
    with pytest.raises(ClipError, match=r"tiny.*foot"):
        library(make_clip(), bodies=(*BODIES, "foot"))


def test_a_library_needs_a_clip() -> None:
    with pytest.raises(ValueError, match="no clip"):
        library()


@pytest.mark.parametrize(("fps", "rate"), [(30.0, 50.0), (120.0, 50.0), (60.0, 50.0), (25.0, 50.0), (50.0, 30.0)])
def test_another_rate_keeps_the_duration_to_one_frame(make_clip: Clips, fps: float, rate: float) -> None:
    clip = make_clip(frames=91, fps=fps)
    duration = (int(library(clip, rate=rate).num_frames[0]) - 1) / rate
    assert clip.duration - 1.0 / rate < duration <= clip.duration + 1e-9


def test_resampled_positions_lie_on_the_line(make_clip: Clips) -> None:
    # The tiny clips move evenly, so that every instant between two samples is known.
    clip = make_clip(frames=31, fps=30.0)
    frames = all_frames(library(clip))
    time = torch.arange(51) / 50.0
    speed = torch.tensor(clip.body_pos_w[-1] - clip.body_pos_w[0])  # over one second
    expected = torch.tensor(clip.body_pos_w[0]) + time[:, None, None] * speed
    assert frames.body_pos_w.shape == (51, 3, 3)
    assert torch.allclose(frames.body_pos_w, expected, atol=1e-5)
    joints = torch.tensor(clip.joint_pos[0]) + time[:, None] * torch.tensor(clip.joint_pos[-1] - clip.joint_pos[0])
    assert torch.allclose(frames.joint_pos, joints, atol=1e-5)


def test_resampled_orientations_turn_evenly(make_clip: Clips) -> None:
    # Half a radian per sample: a straight line between quaternions would miss the arc.
    sign = np.where(np.arange(31) % 3 == 0, -1.0, 1.0)[:, None]  # a file may hold either sign
    angle = torch.zeros(31, 3, dtype=torch.float64)
    angle[:, 2] = 0.5 * torch.arange(31)
    quat = np.repeat((quat_from_axis_angle(angle).numpy() * sign)[:, None], 3, axis=1)
    frames = all_frames(library(make_clip(frames=31, fps=30.0, body_quat_w=quat)))
    expected = torch.zeros(51, 3)
    expected[:, 2] = 15.0 * torch.arange(51) / 50.0
    error = quat_error_magnitude(frames.body_quat_w[:, 0], quat_from_axis_angle(expected))
    assert error.max() < 2e-3
    assert torch.allclose(frames.body_ang_vel_w[..., 2], torch.full((51, 3), 15.0), atol=0.01)
    assert frames.body_ang_vel_w[..., :2].abs().max() < 0.01


def test_velocities_belong_to_the_poses(make_clip: Clips) -> None:
    for fps in (50.0, 30.0):
        frames = all_frames(library(make_clip(frames=31, fps=fps, seed=2)))
        step = (frames.body_pos_w[2:] - frames.body_pos_w[:-2]) * 25.0
        assert torch.allclose(frames.body_lin_vel_w[1:-1], step, atol=1e-4)
        rate = (frames.joint_pos[2:] - frames.joint_pos[:-2]) * 25.0
        assert torch.allclose(frames.joint_vel[1:-1], rate, atol=1e-4)
        # Turning on with the velocity of a frame leads to the next frame.
        turn = quat_from_axis_angle(frames.body_ang_vel_w[:-1] / 50.0)
        from isaac_tracking.motion.quaternion import quat_mul

        onward = quat_mul(turn, frames.body_quat_w[:-1])
        assert quat_error_magnitude(onward, frames.body_quat_w[1:]).max() < 3e-3


def test_velocities_do_not_look_into_the_next_clip(make_clip: Clips) -> None:
    alone = all_frames(library(make_clip(seed=1)))
    together = library(make_clip(seed=0), make_clip(seed=1), make_clip(seed=2))
    assert same(alone, all_frames(together, clip=1))


def test_steps_after_the_end_stay_on_the_last_frame(make_clip: Clips) -> None:
    lib = library(make_clip(seed=0), make_clip(frames=5, seed=1), make_clip(seed=2))
    steps = torch.tensor([4, 5, 1000])
    frames = lib.frames(torch.ones_like(steps), steps)
    last = MotionFrame(*(part[-1:].expand_as(part[:1]) for part in all_frames(lib, clip=1)))
    for i in range(3):
        assert same(MotionFrame(*(part[i : i + 1] for part in frames)), last)


def test_steps_before_the_start_stay_on_the_first_frame(make_clip: Clips) -> None:
    lib = library(make_clip(seed=0), make_clip(seed=1))
    before, first = (lib.frames(torch.tensor([1]), torch.tensor([step])) for step in (-3, 0))
    assert same(before, first)


def test_any_mixture_of_clips_equals_one_lookup_at_a_time(make_clip: Clips) -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(2, 40, (60,), generator=generator).tolist()
    clips = [make_clip(frames=length, seed=i, name=f"clip{i}") for i, length in enumerate(lengths)]
    lib = library(*clips)
    assert lib.num_clips == 60
    assert lib.num_frames.tolist() == lengths
    assert lib.total_frames == sum(lengths)
    clip_ids = torch.randint(60, (500,), generator=generator)
    steps = torch.randint(45, (500,), generator=generator)
    frames = lib.frames(clip_ids, steps)
    alone = [all_frames(library(clip)) for clip in clips]
    for i, (clip, step) in enumerate(zip(clip_ids.tolist(), steps.tolist(), strict=True)):
        row = min(step, lengths[clip] - 1)
        for part, expected in zip(frames, alone[clip], strict=True):
            assert torch.equal(part[i], expected[row])


def test_a_lookup_does_the_same_work_for_one_clip_and_for_many(make_clip: Clips) -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):
        calls = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.calls += 1
            return func(*args, **(kwargs or {}))

    counts = []
    for num in (1, 50):
        lib = library(*(make_clip(seed=i) for i in range(num)))
        with Count() as counter:
            lib.frames(torch.arange(8) % num, torch.arange(8))
        counts.append(counter.calls)
    assert counts[0] == counts[1]
    assert counts[0] < 30


def test_changing_a_frame_leaves_the_library_alone(make_clip: Clips) -> None:
    lib = library(make_clip())
    before = all_frames(lib)
    touched = all_frames(lib)
    for part in touched:
        part += 1.0
    assert same(before, all_frames(lib))


def test_half_precision_is_close_and_says_so(make_clip: Clips) -> None:
    clips = [make_clip(frames=31, seed=seed) for seed in range(3)]
    exact, half = library(*clips), MotionLibrary(clips, JOINTS, BODIES, 50.0, precision="fp16")
    assert (exact.precision, half.precision) == ("fp32", "fp16")
    assert all(part.dtype == torch.float32 for part in all_frames(half))
    for clip in range(3):
        found, expected = all_frames(half, clip), all_frames(exact, clip)
        # The tiny clips' bodies are up to 8 m apart, where halves lie 8 mm apart.
        assert 0.0 < (found.body_pos_w - expected.body_pos_w).abs().max() < 4e-3
        assert quat_error_magnitude(found.body_quat_w, expected.body_quat_w).max() < 1e-3
        assert torch.allclose(found.joint_vel, expected.joint_vel, rtol=5e-4)
    assert half.device_bytes < 0.6 * exact.device_bytes


def test_an_unknown_precision_is_refused(make_clip: Clips) -> None:
    with pytest.raises(ValueError, match="'fp8' is unknown"):
        MotionLibrary([make_clip()], JOINTS, BODIES, 50.0, precision="fp8")


def test_a_library_of_clips_is_all_on_the_device(make_clip: Clips) -> None:
    lib = library(*(make_clip(seed=i, name=f"clip{i}") for i in range(3)))
    assert lib.resident.tolist() == [True] * 3 and not lib.streams
    assert lib.weights().tolist() == [1.0] * 3
    assert lib.datasets == ("",) * 3 and lib.tags == ((),) * 3
    # 33 frames and the row that stands for absent clips; 2 * 2 + 3 * 13 = 43 numbers, filled up to 44.
    assert lib.device_bytes == 34 * 44 * 4
    plan = lib.plan_swap()
    lib.apply_swap(plan)
    assert not plan.leaving.any() and not plan.entering.any() and lib.resident.all()
