# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Velocities agree with the poses: summed up again they give the poses back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isaac_tracking.motion.kinematics import joint_velocities, velocities
from isaac_tracking.motion.processing import resample
from isaac_tracking.motion.quaternion import quat_error_magnitude, quat_from_axis_angle, quat_mul


@pytest.mark.parametrize("name", ["walk", "turn", "squat"])
def test_trapezoids_of_velocity_give_positions_and_angles_back(robot, shipped, name: str) -> None:
    """By algebra, the sum misses a quarter of the second difference at its two ends: no drift, at most half of it."""
    clip = resample(resample(shipped(name), robot, 30.0), robot, 50.0)
    for values in (clip.joint_pos, clip.body_pos_w):
        x = torch.from_numpy(values.astype(np.float64))
        v = joint_velocities(x, clip.fps)
        back = x[:1] + torch.cat([torch.zeros_like(x[:1]), 0.5 * (v[1:] + v[:-1]) / clip.fps]).cumsum(0)
        bound = 0.5 * float((x[2:] - 2.0 * x[1:-1] + x[:-2]).abs().max())
        error = float((back - x).abs().max())
        assert 0.0 < error <= bound * (1.0 + 1e-9)
        assert bound < 0.05


@pytest.mark.parametrize("name", ["walk", "turn"])
def test_trapezoids_of_angular_velocity_give_orientations_back(robot, shipped, name: str) -> None:
    """After 10 s of walking or turning, every body is within 1 degree: turns about moving axes do not quite add up."""
    clip = resample(resample(shipped(name), robot, 30.0), robot, 50.0)
    pos, quat = torch.from_numpy(clip.body_pos_w.astype(float)), torch.from_numpy(clip.body_quat_w.astype(float))
    _, spin = velocities(pos, quat, clip.fps)
    now, worst = quat[0], 0.0
    for frame in range(1, clip.num_frames):
        now = quat_mul(quat_from_axis_angle(0.5 * (spin[frame] + spin[frame - 1]) / clip.fps), now)
        worst = max(worst, float(quat_error_magnitude(now, quat[frame]).max()))
    assert worst < np.radians(1.0)
