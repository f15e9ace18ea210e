# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The kernels that read the robots, against the torch function that they stand for, to the bit."""

from __future__ import annotations

import math

import pytest
import torch

from isaac_tracking.motion.robot_frame import RobotState, robot_frame
from isaac_tracking.tasks.tracking.kernels.robot_frame import fused_robot_frame

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
BODY_IDS = torch.tensor([0, 5, 2, 9, 7])


def draw(num: int, seed: int = 0) -> RobotState:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((10, 7), (10, 6), (29,), (29,))
    return RobotState(*(torch.randn(num, *shape, generator=generator) for shape in shapes))


def check(state: RobotState, broken: list[int]) -> None:
    frame, finite = fused_robot_frame(state, BODY_IDS)
    expected, expected_finite = robot_frame(state, BODY_IDS)
    assert torch.equal(finite, expected_finite)
    assert (~finite).nonzero().flatten().tolist() == broken
    for name, value in expected._asdict().items():
        assert torch.equal(getattr(frame, name), value), name
    assert not any(part[broken].any() for part in frame)


@pytest.mark.parametrize("num", [1, 7, 4096])
def test_every_part_as_with_torch(num: int) -> None:
    check(draw(num), [])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_number_that_is_not_finite_breaks_a_robot(value: float) -> None:
    state = draw(8)
    state.body_pose[1, 7, 6] = state.body_vel[3, 0, 5] = state.joint_pos[4, 28] = state.joint_vel[6, 0] = value
    check(state, [1, 3, 4, 6])


def test_infinities_of_both_signs_do_not_cancel() -> None:
    state = draw(3)
    state.joint_vel[1, 2], state.joint_vel[1, 3] = math.inf, -math.inf
    check(state, [1])


def test_bodies_that_nobody_tracks_may_be_broken() -> None:
    state = draw(3)
    state.body_pose[:, 4] = state.body_vel[:, 1] = math.nan
    check(state, [])


def test_the_frame_is_a_copy() -> None:
    state = draw(3)
    frame, _ = fused_robot_frame(state, BODY_IDS)
    kept = [part.clone() for part in frame]
    for part in state:
        part.zero_()
    assert all(torch.equal(a, b) for a, b in zip(frame, kept, strict=True))


@needs_gpu
def test_in_a_graph_of_torch() -> None:
    body_ids = BODY_IDS.cuda()
    state = RobotState(*(part.cuda() for part in draw(4096)))
    fused_robot_frame(state, body_ids)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        frame, finite = fused_robot_frame(state, body_ids)
    for seed in (1, 2):
        new = draw(4096, seed)
        new.joint_pos[seed, 3] = math.nan
        for part, values in zip(state, new, strict=True):
            part.copy_(values)
        graph.replay()
        expected, expected_finite = robot_frame(new, BODY_IDS)
        assert torch.equal(finite.cpu(), expected_finite)
        assert all(torch.equal(a.cpu(), b) for a, b in zip(frame, expected, strict=True))
