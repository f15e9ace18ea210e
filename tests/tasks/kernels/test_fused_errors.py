# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The kernel for tracking errors, by hand and against the torch function that it stands for, term by term."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from isaac_tracking.motion.errors import TrackingErrors, tracking_errors
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_from_axis_angle, quat_mul
from isaac_tracking.tasks.tracking.kernels.errors import fused_tracking_errors

ANCHOR = 7
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
Frames = Callable[..., MotionFrame]


def near(frame: MotionFrame, amount: float = 0.3, seed: int = 9) -> MotionFrame:
    """A robot about where it should be: no relative pose of it is near a half turn, where a heading is anyone's."""
    generator = torch.Generator().manual_seed(seed)
    parts = [part + amount * torch.randn(part.shape, generator=generator) for part in frame]
    turn = quat_from_axis_angle(amount * torch.randn(*frame.body_pos_w.shape, generator=generator))
    return MotionFrame(*parts)._replace(body_quat_w=quat_mul(turn, frame.body_quat_w))


def check(actual: TrackingErrors, expected: TrackingErrors, tolerance: float = 1e-5) -> None:
    for name, value in expected._asdict().items():
        found = getattr(actual, name)
        assert found.shape == value.shape and found.is_contiguous(), name
        assert torch.isfinite(found).all(), name
        assert (found - value).abs().max() < tolerance, name


@pytest.mark.parametrize("num", [1, 7, 4096])
def test_every_term_as_with_torch(make_frame: Frames, num: int) -> None:
    reference = make_frame(num, bodies=14, seed=num)
    robot = near(reference)
    check(fused_tracking_errors(reference, robot, ANCHOR), tracking_errors(reference, robot, ANCHOR))


def test_of_states_that_have_nothing_to_do_with_each_other(make_frame: Frames) -> None:
    frames = make_frame(500, bodies=14, seed=1), make_frame(500, bodies=14, seed=2)
    check(fused_tracking_errors(*frames, ANCHOR), tracking_errors(*frames, ANCHOR), 1e-4)


@pytest.mark.parametrize("anchor", [0, 2])
def test_with_another_anchor(make_frame: Frames, anchor: int) -> None:
    reference = make_frame(9)
    robot = near(reference)
    check(fused_tracking_errors(reference, robot, anchor), tracking_errors(reference, robot, anchor))


def test_by_hand() -> None:
    pos = torch.tensor([[[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]])
    quat = torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(1, 2, 1)
    still = torch.zeros(1, 2, 3)
    reference = MotionFrame(torch.zeros(1, 4), torch.zeros(1, 4), pos, quat, still, still)
    # Turned to the left and 3 m ahead; the second body 0.3 m too far out and 0.4 m too high, and rolled by 0.7.
    left = quat_from_axis_angle(torch.tensor([0.0, 0.0, math.pi / 2]))
    rolled = quat_mul(left, quat_from_axis_angle(torch.tensor([0.7, 0.0, 0.0])))
    robot = MotionFrame(
        torch.tensor([[0.3, 0.0, 0.4, 0.0]]),
        torch.tensor([[2.0, -2.0, 2.0, -2.0]]),
        torch.tensor([[[3.0, 0.0, 1.0], [3.0, 1.3, 1.4]]]),
        torch.stack([left, rolled])[None],
        torch.tensor([[[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]]]),
        torch.tensor([[[0.0, 0.0, 0.0], [0.0, -2.0, 0.0]]]),
    )
    expected = TrackingErrors(
        anchor_pos=torch.tensor([3.0]),
        anchor_rot=torch.tensor([math.pi / 2]),
        anchor_height=torch.tensor([0.0]),
        anchor_tilt=torch.tensor([0.0]),
        body_pos=torch.tensor([[0.0, 0.5]]),
        body_height=torch.tensor([[0.0, 0.4]]),
        body_rot=torch.tensor([[0.0, 0.7]]),
        body_lin_vel=torch.tensor([[5.0, 0.0]]),
        body_ang_vel=torch.tensor([[0.0, 2.0]]),
        joint_pos=torch.tensor([0.25]),
        joint_vel=torch.tensor([2.0]),
    )
    check(fused_tracking_errors(reference, robot, 0), expected)


def test_a_robot_that_broke_has_errors_that_are_numbers(make_frame: Frames) -> None:
    """The command shows zeros in place of a state that is not finite, also as quaternions."""
    reference = make_frame(4)
    robot = MotionFrame(*(torch.zeros_like(part) for part in reference))
    check(fused_tracking_errors(reference, robot, 1), tracking_errors(reference, robot, 1))


def test_equal_frames_have_no_errors(make_frame: Frames) -> None:
    frame = make_frame(50)
    for name, error in fused_tracking_errors(frame, frame, 1)._asdict().items():
        assert error.max() < 1e-5, name


def test_parts_of_larger_tensors(make_frame: Frames) -> None:
    """As the simulator and the library hand them out: poses, velocities and joints lie in rows together."""
    reference = make_frame(6)
    robot = near(reference)

    def rows(frame: MotionFrame) -> MotionFrame:
        row = torch.cat([part.flatten(1) for part in frame], dim=-1)
        parts = row.split([part[0].numel() for part in frame], dim=-1)
        return MotionFrame(*(part.unflatten(-1, old.shape[1:]) for part, old in zip(parts, frame, strict=True)))

    assert not rows(robot).body_pos_w.is_contiguous()
    check(fused_tracking_errors(rows(reference), rows(robot), 1), tracking_errors(reference, robot, 1))


def test_results_are_not_overwritten_by_the_next(make_frame: Frames) -> None:
    reference = make_frame(5)
    first = fused_tracking_errors(reference, near(reference, seed=1), 1)
    kept = [error.clone() for error in first]
    fused_tracking_errors(reference, near(reference, seed=2), 1)
    assert all(torch.equal(a, b) for a, b in zip(first, kept, strict=True))


def test_frames_of_different_bodies_are_refused(make_frame: Frames) -> None:
    with pytest.raises(
        ValueError, match=r"body_pos_w of the reference has shape \(4, 3, 3\), of the robot \(4, 2, 3\)"
    ):
        fused_tracking_errors(make_frame(), make_frame(bodies=2), 1)


def test_in_inference_mode(make_frame: Frames) -> None:
    with torch.inference_mode():
        reference = make_frame(5)
        robot = near(reference)
        check(fused_tracking_errors(reference, robot, 1), tracking_errors(reference, robot, 1))


@needs_gpu
def test_in_a_graph_of_torch(make_frame: Frames) -> None:
    pairs = [(frame, near(frame)) for frame in (make_frame(4096, bodies=14, seed=seed) for seed in range(3))]
    reference, robot = (MotionFrame(*(part.cuda() for part in frame)) for frame in pairs[0])
    fused = fused_tracking_errors(reference, robot, ANCHOR)
    check(TrackingErrors(*(error.cpu() for error in fused)), tracking_errors(*pairs[0], ANCHOR))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        fused = fused_tracking_errors(reference, robot, ANCHOR)
    for pair in pairs[1:]:
        for frame, new in zip((reference, robot), pair, strict=True):
            for part, values in zip(frame, new, strict=True):
                part.copy_(values)
        graph.replay()
        check(TrackingErrors(*(error.cpu() for error in fused)), tracking_errors(*pair, ANCHOR))
