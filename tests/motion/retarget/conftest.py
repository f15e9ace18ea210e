# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robot that people's motions are brought to."""

from __future__ import annotations

import pytest

from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.retarget.humanoid import Humanoid, humanoid
from isaac_tracking.motion.robot import Robot


@pytest.fixture(scope="session")
def robot() -> Robot:
    return motion_robot("unitree_g1")


@pytest.fixture(scope="session")
def body(robot: Robot) -> Humanoid:
    return humanoid(robot)
