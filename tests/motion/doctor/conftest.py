# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The G1, the shipped walk, and a way to make it ill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.robot import Robot

FRAMES = 300


@pytest.fixture(scope="session")
def g1() -> Robot:
    return motion_robot()


@pytest.fixture(scope="session")
def walk() -> dict[str, np.ndarray]:
    """The first six seconds of the shipped walk as it is changed: float64 arrays of the base and the joints."""
    clip = Clip.load(shipped_clips()["walk"])
    arrays = {
        "root_pos": clip.body_pos_w[:FRAMES, 0],
        "root_quat": clip.body_quat_w[:FRAMES, 0],
        "joint_pos": clip.joint_pos[:FRAMES],
    }
    return {name: array.astype(np.float64) for name, array in arrays.items()}


@pytest.fixture
def make_walk(g1: Robot, walk: dict[str, np.ndarray]) -> Callable[..., Clip]:
    """Make the walk with some of its arrays replaced."""

    def make(name: str = "ill", fps: float = 50.0, **changes: Any) -> Clip:
        return g1.clip(name, fps, **(walk | changes))

    return make
