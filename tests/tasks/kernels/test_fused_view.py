# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The kernel for what is seen from the anchor, against the torch function that it stands for, term by term."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from isaac_tracking.motion.anchor_view import AnchorView, anchor_view
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.tasks.tracking.kernels.anchor_view import fused_anchor_view

ANCHOR = 7
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
Frames = Callable[..., MotionFrame]


def check(actual: AnchorView, expected: AnchorView) -> None:
    for name, value in expected._asdict().items():
        found = getattr(actual, name)
        assert found.shape == value.shape, name
        assert (found - value).abs().max() < 1e-5, name


@pytest.mark.parametrize("num", [1, 7, 4096])
def test_every_term_as_with_torch(make_frame: Frames, num: int) -> None:
    frames = make_frame(num, bodies=14, seed=1), make_frame(num, bodies=14, seed=2)
    check(fused_anchor_view(*frames, ANCHOR), anchor_view(*frames, ANCHOR))


@pytest.mark.parametrize("anchor", [0, 2])
def test_with_another_anchor(make_frame: Frames, anchor: int) -> None:
    frames = make_frame(9, seed=1), make_frame(9, seed=2)
    check(fused_anchor_view(*frames, anchor), anchor_view(*frames, anchor))


def test_of_a_robot_that_broke(make_frame: Frames) -> None:
    reference = make_frame(4)
    robot = MotionFrame(*(torch.zeros_like(part) for part in reference))
    check(fused_anchor_view(reference, robot, 1), anchor_view(reference, robot, 1))


def test_of_parts_of_larger_tensors_in_inference_mode(make_frame: Frames) -> None:
    with torch.inference_mode():
        reference, robot = make_frame(5, seed=1), make_frame(5, seed=2)
        pose = torch.cat([robot.body_pos_w, robot.body_quat_w], dim=-1)
        parts = robot._replace(body_pos_w=pose[..., :3], body_quat_w=pose[..., 3:])
        check(fused_anchor_view(reference, parts, 1), anchor_view(reference, robot, 1))


@needs_gpu
def test_in_a_graph_of_torch(make_frame: Frames) -> None:
    pairs = [(make_frame(4096, 14, seed=seed), make_frame(4096, 14, seed=seed + 9)) for seed in range(3)]
    reference, robot = (MotionFrame(*(part.cuda() for part in frame)) for frame in pairs[0])
    check(
        AnchorView(*(part.cpu() for part in fused_anchor_view(reference, robot, ANCHOR))),
        anchor_view(*pairs[0], ANCHOR),
    )
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        fused = fused_anchor_view(reference, robot, ANCHOR)
    for pair in pairs[1:]:
        for frame, new in zip((reference, robot), pair, strict=True):
            for part, values in zip(frame, new, strict=True):
                part.copy_(values)
        graph.replay()
        check(AnchorView(*(part.cpu() for part in fused)), anchor_view(*pair, ANCHOR))
