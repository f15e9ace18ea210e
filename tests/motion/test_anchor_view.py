# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is seen from the robot's anchor, against values found by hand."""

from __future__ import annotations

import math

import torch

from isaac_tracking.motion.anchor_view import anchor_view
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_from_axis_angle

LEFT = quat_from_axis_angle(torch.tensor([0.0, 0.0, math.pi / 2]))
AHEAD = torch.tensor([0.0, 0.0, 0.0, 1.0])


def frame(pos: list[list[float]], quat: list[torch.Tensor]) -> MotionFrame:
    still = torch.zeros(1, len(pos), 3)
    return MotionFrame(torch.zeros(1, 2), torch.zeros(1, 2), torch.tensor([pos]), torch.stack(quat)[None], still, still)


def test_by_hand() -> None:
    reference = frame([[9.0, 9.0, 9.0], [1.0, 5.0, 1.5]], [LEFT, AHEAD])
    # The anchor is the second body: it stands at (1, 2, 1) and faces y.
    robot = frame([[0.0, 2.0, 1.0], [1.0, 2.0, 1.0]], [AHEAD, LEFT])
    view = anchor_view(reference, robot, 1)
    to_the_right = [0.0, 1.0, -1.0, 0.0, 0.0, 0.0]  # two columns of a quarter turn to the right, row by row
    assert torch.allclose(view.reference_pos, torch.tensor([[3.0, 0.0, 0.5]]), atol=1e-6)
    assert torch.allclose(view.reference_ori, torch.tensor([to_the_right]), atol=1e-6)
    # The first body is a metre towards -x, which is to the left of who faces y.
    assert torch.allclose(view.body_pos, torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]), atol=1e-6)
    itself = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    assert torch.allclose(view.body_ori, torch.tensor([to_the_right + itself]), atol=1e-6)


def test_shapes() -> None:
    one = frame([[0.0, 0.0, 0.0]] * 4, [AHEAD] * 4)
    assert [tuple(part.shape) for part in anchor_view(one, one, 0)] == [(1, 3), (1, 6), (1, 12), (1, 24)]
