# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the tests of foreign motion files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion import data
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.formats.writers import unitree_rows
from isaac_tracking.motion.robot import Robot


@pytest.fixture(scope="session")
def robot() -> Robot:
    return motion_robot()


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Clip]:
    """Load a clip that comes with the project."""
    folder = Path(data.__file__).parent
    return lambda name: Clip.load(folder / f"{name}.npz")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the real samples, which are not part of the project."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "motions"
    if not folder.is_dir():
        pytest.skip("the real samples are not here")
    return folder


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    """Write rows of numbers as a CSV and return its path."""

    def write(rows: np.ndarray, name: str = "motion.csv", delimiter: str = ",") -> Path:
        path = tmp_path / name
        np.savetxt(path, rows, delimiter=delimiter, fmt="%.9g")
        return path

    return write


@pytest.fixture(scope="session")
def walk_rows(shipped: Callable[[str], Clip], robot: Robot) -> np.ndarray:
    """Rows of the shipped walk: position, quaternion xyzw, 29 joints; 50 fps."""
    return unitree_rows(shipped("walk"), robot).astype(np.float64)


@pytest.fixture(scope="session")
def assert_same_motion() -> Callable[..., None]:
    """Check that two clips are the same motion to 1e-5."""

    def check(found: Clip, expected: Clip, tolerance: float = 1e-5) -> None:
        assert found.joint_names == expected.joint_names
        np.testing.assert_allclose(found.joint_pos, expected.joint_pos, atol=tolerance)
        np.testing.assert_allclose(found.body_pos_w, expected.body_pos_w, atol=tolerance)
        sign = np.sign((found.body_quat_w * expected.body_quat_w).sum(-1, keepdims=True))
        np.testing.assert_allclose(sign * found.body_quat_w, expected.body_quat_w, atol=tolerance)

    return check
