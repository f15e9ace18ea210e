# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How far the robot reaches down, against MuJoCo's own collision shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
import torch

from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.quaternion import quat_from_axis_angle
from isaac_tracking.robots import g1

SHAPES = """
<mujoco>
  <worldbody>
    <geom type="plane" size="1 1 1"/>
    <body name="base"><freejoint/>
      <geom type="sphere" size="0.1" pos="0 0 -0.2"/>
      <geom type="sphere" size="5.0" contype="0" conaffinity="0"/>
      <body name="arm"><joint name="hinge" axis="0 1 0"/>
        <geom type="capsule" size="0.05 0.5" pos="0 0 -0.5"/>
        <body name="tip" pos="1 0 0"><geom type="{tip}" size="0.3 0.2 0.1"/></body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
UPRIGHT = torch.tensor([[0.0, 0.0, 0.0, 1.0]])


@pytest.fixture
def shapes(tmp_path: Path) -> CollisionPoints:
    path = tmp_path / "shapes.xml"
    path.write_text(SHAPES.format(tip="box"))
    return CollisionPoints.from_mjcf(path)


@pytest.fixture(scope="module")
def robot(g1_mjcf: Path) -> CollisionPoints:
    return CollisionPoints.from_mjcf(g1_mjcf)


def mujoco_lowest(model: Any, qpos: np.ndarray) -> float:
    """Lowest point of the shapes that collide, as MuJoCo places them; the world's own are left out."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    lowest = np.inf
    for geom in range(model.ngeom):
        if model.geom_bodyid[geom] == 0 or not (model.geom_contype[geom] or model.geom_conaffinity[geom]):
            continue
        size, height = model.geom_size[geom], data.geom_xpos[geom][2]
        vertical = np.abs(data.geom_xmat[geom].reshape(3, 3)[2])  # how much of each axis points up or down
        kind = model.geom_type[geom]
        if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
            reach = size[0]
        elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
            reach = size[0] + size[1] * vertical[2]
        else:
            assert kind == mujoco.mjtGeom.mjGEOM_BOX
            reach = float(vertical @ size)
        lowest = min(lowest, height - reach)
    return lowest


@pytest.mark.parametrize(
    ("angle", "height", "expected"),
    [(0.0, 2.0, 0.95), (np.pi / 2, 2.0, 0.7), (np.pi, 2.0, 1.7), (0.0, 0.0, -1.05)],
)
def test_lowest_point_by_hand(shapes: CollisionPoints, angle: float, height: float, expected: float) -> None:
    # Hanging: the capsule's end. Swung back: the tip, 1 m below, on its long side of 0.3. Up: the base's sphere.
    lowest = shapes.lowest(torch.tensor([[7.0, -3.0, height]]), UPRIGHT, torch.tensor([[angle]]))
    assert lowest.tolist() == pytest.approx([expected], abs=1e-5)


def test_shapes_that_do_not_collide_do_not_count(shapes: CollisionPoints) -> None:
    assert shapes.radii.max() < 5.0
    assert len(shapes.radii) == 1 + 2 + 8


def test_a_shape_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shapes.xml").write_text(SHAPES.format(tip="ellipsoid"))
    with pytest.raises(ValueError, match="expected a sphere, a capsule or a box"):
        CollisionPoints.from_mjcf(tmp_path / "shapes.xml")


def test_g1_reaches_as_low_as_in_mujoco(robot: CollisionPoints, g1_model: Any) -> None:
    rng = np.random.default_rng(0)
    num = 40
    limits = g1_model.jnt_range[1:]
    joints = rng.uniform(limits[:, 0], limits[:, 1], size=(num, 29))
    quat = rng.normal(size=(num, 4))
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    pos = rng.normal(size=(num, 3))
    expected = [mujoco_lowest(g1_model, np.concatenate([pos[i], quat[i, [3, 0, 1, 2]], joints[i]])) for i in range(num)]
    lowest = robot.lowest(*(torch.from_numpy(array).float() for array in (pos, quat, joints)))
    assert lowest.tolist() == pytest.approx(expected, abs=1e-5)


def test_g1_stands_on_the_ground_in_its_default_pose(robot: CollisionPoints) -> None:
    joints = torch.tensor([[g1.default_joint_pos(name) for name in robot.tree.joint_names]])
    root = torch.tensor([[0.0, 0.0, g1.DEFAULT_ROOT_HEIGHT]])
    assert robot.lowest(root, UPRIGHT, joints).abs().item() < 0.005
    fallen = quat_from_axis_angle(torch.tensor([[0.0, np.pi / 2, 0.0]]))
    assert robot.lowest(root, fallen, joints).item() > 0.3
