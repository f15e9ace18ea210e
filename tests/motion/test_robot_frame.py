# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A simulator's state as a frame, against values found by hand."""

from __future__ import annotations

import math

import torch

from isaac_tracking.motion.robot_frame import RobotState, robot_frame


def test_by_hand() -> None:
    pose = torch.arange(42.0).reshape(2, 3, 7)
    vel = 100.0 + torch.arange(36.0).reshape(2, 3, 6)
    state = RobotState(pose, vel, torch.tensor([[1.0, 2.0], [3.0, math.nan]]), torch.tensor([[5.0, 6.0], [7.0, 8.0]]))
    frame, finite = robot_frame(state, torch.tensor([2, 0]))
    assert finite.tolist() == [True, False]
    assert frame.body_pos_w[0].tolist() == [[14.0, 15.0, 16.0], [0.0, 1.0, 2.0]]
    assert frame.body_quat_w[0].tolist() == [[17.0, 18.0, 19.0, 20.0], [3.0, 4.0, 5.0, 6.0]]
    assert frame.body_lin_vel_w[0].tolist() == [[112.0, 113.0, 114.0], [100.0, 101.0, 102.0]]
    assert frame.body_ang_vel_w[0].tolist() == [[115.0, 116.0, 117.0], [103.0, 104.0, 105.0]]
    assert (frame.joint_pos[0].tolist(), frame.joint_vel[0].tolist()) == ([1.0, 2.0], [5.0, 6.0])
    assert not any(part[1].any() for part in frame)
