# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A robot as motions see it: its model is read once and stays in its process."""

from __future__ import annotations

import pickle

import mujoco
import numpy as np
import pytest

from isaac_tracking.launch.motion_robots import motion_robot


def test_the_model_is_read_once_and_does_not_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    read, robot = [], motion_robot()
    load = mujoco.MjModel.from_xml_path

    def counted(path: str) -> mujoco.MjModel:
        read.append(path)
        return load(path)

    monkeypatch.setattr(mujoco.MjModel, "from_xml_path", counted)
    mass, limits = robot.mass, robot.joint_pos_limits
    assert robot.mass == mass and read == [str(robot.mjcf)]
    data = pickle.dumps(robot)
    assert len(data) < 100_000
    other = pickle.loads(data)
    assert other == robot and other.mass == mass and np.array_equal(other.joint_pos_limits, limits)
    assert len(read) == 1  # the numbers travel
    fresh = pickle.loads(pickle.dumps(motion_robot()))
    assert fresh.mass == mass and len(read) == 2
