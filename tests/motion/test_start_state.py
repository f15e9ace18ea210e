# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where a robot stands when its episode starts, against values found by hand."""

from __future__ import annotations

import math

import pytest
import torch

from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_from_axis_angle
from isaac_tracking.motion.start_state import Noise, start_state

UPRIGHT = torch.tensor([0.0, 0.0, 0.0, 1.0])
ORIGIN = torch.tensor([[10.0, 20.0, 0.5]])


def standing(height: float = 1.0) -> MotionFrame:
    still = torch.zeros(1, 1, 3)
    pos = torch.tensor([[[1.0, 2.0, height]]])
    return MotionFrame(torch.tensor([[0.1, 0.2]]), torch.ones(1, 2), pos, UPRIGHT.expand(1, 1, 4), still, still)


def feet(root_pos: torch.Tensor, root_quat: torch.Tensor, joint_pos: torch.Tensor) -> torch.Tensor:
    """A robot that reaches a metre down."""
    return root_pos[:, 2] - 1.0


def noise(**amounts: float) -> Noise:
    """Noise at its upper end, of half-widths given by their columns, as ``c3`` for roll; the others are zero."""
    widths = torch.zeros(14)
    for column, amount in amounts.items():
        widths[int(column[1:])] = amount
    return Noise(torch.ones(1, 14), widths, torch.tensor([[[-0.5, 0.5], [-0.5, 0.5]]]))


@pytest.mark.parametrize(("height", "expected"), [(1.0, 1.5), (0.7, 1.5), (1.3, 1.8)])
def test_never_in_the_ground(height: float, expected: float) -> None:
    """The ground of this environment is half a metre up."""
    state = start_state(standing(height), None, ORIGIN, feet)
    assert torch.allclose(state.root_pose, torch.tensor([[11.0, 22.0, expected, 0.0, 0.0, 0.0, 1.0]]))
    assert torch.equal(state.joint_pos, standing().joint_pos)
    assert torch.equal(state.joint_vel, standing().joint_vel)


def test_noise_of_the_root() -> None:
    state = start_state(standing(), noise(c0=0.3, c5=math.pi / 2, c7=0.4, c11=0.6), ORIGIN, feet)
    yaw = quat_from_axis_angle(torch.tensor([0.0, 0.0, math.pi / 2]))
    assert torch.allclose(state.root_pose[0], torch.cat([torch.tensor([11.3, 22.0, 1.5]), yaw]), atol=1e-6)
    assert torch.allclose(state.root_vel, torch.tensor([[0.0, 0.4, 0.0, 0.0, 0.0, 0.6]]))


def test_noise_stays_within_the_limits() -> None:
    state = start_state(standing(), noise(c12=0.2, c13=0.9), ORIGIN, feet)
    assert torch.allclose(state.joint_pos, torch.tensor([[0.3, 0.5]]))


def test_limits_matter_only_to_noise() -> None:
    bent = standing()._replace(joint_pos=torch.tensor([[3.0, -3.0]]))
    assert torch.equal(start_state(bent, None, ORIGIN, feet).joint_pos, bent.joint_pos)


def test_draws_lie_about_the_middle() -> None:
    widest = noise(c0=0.3)
    for draw, expected in ((0.0, -0.3), (0.5, 0.0), (1.0, 0.3)):
        state = start_state(standing(), widest._replace(draws=torch.full((1, 14), draw)), ORIGIN, feet)
        assert state.root_pose[0, 0].item() == pytest.approx(11.0 + expected, abs=1e-6)
