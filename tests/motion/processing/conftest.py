# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.robot import Robot

SHARED = Path(__file__).resolve().parents[4] / "shared" / "motions"


@pytest.fixture(scope="session")
def robot() -> Robot:
    return motion_robot()


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Clip]:
    """Load a shipped clip by name."""
    return lambda name: Clip.load(shipped_clips()[name])


@pytest.fixture
def standing(robot: Robot) -> Callable[..., Clip]:
    """Make the default pose, its lowest point at given heights above the ground, one frame for each."""
    from isaac_tracking.motion.processing import default_stance
    from isaac_tracking.motion.processing.poses import Poses

    def make(heights: np.ndarray, fps: float = 50.0, **fields: Any) -> Clip:
        frames = len(heights)
        joints = np.tile(robot.default_joint_pos, (frames, 1))
        upright = np.tile([0.0, 0.0, 0.0, 1.0], (frames, 1))
        stance = default_stance(robot, Poses(np.zeros((1, 3)), upright[:1], joints[:1]))
        place = np.zeros((frames, 3))
        place[:, 2] = stance.root_pos[0, 2] + heights
        return robot.clip("standing", fps, place, upright, joints, **fields)

    return make


@pytest.fixture
def sample(robot: Robot) -> Callable[[str], Clip]:
    """Read one motion of the samples beside the project; skip where they are absent."""

    def read(name: str) -> Clip:
        from isaac_tracking.motion.formats import read_motions

        if not (SHARED / name).is_file():
            pytest.skip(f"no {name} beside the project")
        return read_motions(SHARED / name, robot)[0]

    return read
