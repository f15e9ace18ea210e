# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Conventions that a file does not state: found by standing the robot on its feet, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.formats import ReadOptions, read_motions
from isaac_tracking.motion.formats.raw import breadth_first
from isaac_tracking.motion.formats.writers import unitree_rows

AT_50 = ReadOptions(fps=50.0)
UNITS = {"m": 1.0, "cm": 100.0, "mm": 1000.0}
NAMES = ("walk", "walk_curve", "march", "turn", "squat", "wave")


def changed(rows: np.ndarray, order: str = "xyzw", length: str = "m", angle: str = "rad", up: str = "z") -> np.ndarray:
    """Return rows (z up, xyzw, metres, radians) in another convention."""
    pos, quat, joints = rows[:, :3], rows[:, 3:7], rows[:, 7:]
    if up == "y":
        # x forward, y left, z up becomes z forward, x left, y up: the rotation by -120 degrees about (1, 1, 1).
        pos = pos[:, [1, 2, 0]]
        x, y, z, w = quat.T
        quat = 0.5 * np.stack((x + y - z - w, -x + y + z - w, x - y + z - w, x + y + z + w), axis=1)
    if order == "wxyz":
        quat = quat[:, [3, 0, 1, 2]]
    return np.concatenate((pos * UNITS[length], quat, np.degrees(joints) if angle == "deg" else joints), axis=1)


def breadth_first_rows(rows: np.ndarray, robot, wrists: bool = True) -> np.ndarray:
    """Return rows whose joints are in the order of PhysX, with or without the wrists."""
    names = [name for name in breadth_first(robot)[0] if wrists or "wrist" not in name]
    return np.concatenate((rows[:, :7], rows[:, [7 + robot.joint_names.index(name) for name in names]]), axis=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ["xyzw", "wxyz"])
def test_quaternion_orders_are_told_apart(name, order, shipped, robot, write_rows, assert_same_motion):
    rows = unitree_rows(shipped(name), robot, order)
    clip = read_motions(write_rows(rows), robot, AT_50)[0]
    assert_same_motion(clip, shipped(name))


@pytest.mark.parametrize(
    "convention",
    [
        {"length": "cm"},
        {"length": "mm", "order": "wxyz"},
        {"angle": "deg"},
        {"angle": "deg", "length": "cm", "order": "wxyz"},
        {"up": "y"},
        {"up": "y", "order": "wxyz", "length": "cm", "angle": "deg"},
    ],
)
def test_units_and_the_up_axis_are_found(convention, shipped, robot, walk_rows, write_rows, assert_same_motion):
    clip = read_motions(write_rows(changed(walk_rows, **convention)), robot, AT_50)[0]
    assert_same_motion(clip, shipped("walk"), 2e-5)
    words = {"cm": "lengths in cm", "mm": "lengths in mm", "deg": "degrees", "y": "from y up"}
    for value in convention.values():
        assert words.get(value, "") in clip.history[-1]


@pytest.mark.parametrize("order", ["xyzw", "wxyz"])
def test_a_walk_faces_where_it_goes(order, robot, walk_rows, write_rows):
    clip = read_motions(write_rows(changed(walk_rows, order)), robot, AT_50)[0]
    way = clip.body_pos_w[-1, 0] - clip.body_pos_w[0, 0]
    x, y, z, w = clip.body_quat_w[:, 0].T
    heading = np.stack((1 - 2 * (y * y + z * z), 2 * (x * y + w * z)), axis=1).mean(axis=0)
    assert heading @ way[:2] > 0.95 * np.linalg.norm(way[:2]) * np.linalg.norm(heading)
    assert np.linalg.norm(way[:2]) > 1.0


def test_a_motion_that_does_not_tell_is_refused_with_both_readings(shipped, robot, write_rows):
    """Upright, heading along x and standing still: (0, 0, 0, 1) faces forward as xyzw and backward as wxyz."""
    path = write_rows(unitree_rows(shipped("stand"), robot), "stand.csv")
    with pytest.raises(ClipError, match=r"xyzw \(first heading 0 .*wxyz \(first heading -?180 ") as error:
        read_motions(path, robot, AT_50)
    assert "--quaternion-order" in str(error.value) and "\n" not in str(error.value)
    forward = read_motions(path, robot, ReadOptions(fps=50.0, quaternion_order="xyzw"))[0]
    backward = read_motions(path, robot, ReadOptions(fps=50.0, quaternion_order="wxyz"))[0]
    assert abs(forward.body_quat_w[0, 0, 3]) > 0.999 and abs(backward.body_quat_w[0, 0, 2]) > 0.999


def test_the_name_decides_where_the_motion_does_not(shipped, robot, write_rows, assert_same_motion):
    path = write_rows(unitree_rows(shipped("stand"), robot), "stand_xyzw_50fps.csv")
    clip = read_motions(path, robot)[0]
    assert_same_motion(clip, shipped("stand"))
    assert clip.fps == 50.0


def test_the_motion_outweighs_the_name(shipped, robot, walk_rows, write_rows, assert_same_motion):
    clip = read_motions(write_rows(changed(walk_rows, "wxyz"), "walk_xyzw.csv"), robot, AT_50)[0]
    assert_same_motion(clip, shipped("walk"))
    assert "although" in clip.history[-1]


def test_two_readings_that_are_one_motion_are_not_ambiguous(shipped, robot, write_rows):
    """A quaternion of four equal components reads the same in both orders."""
    rows = unitree_rows(shipped("stand"), robot).astype(np.float64)
    rows[:, 3:7] = 0.5
    clip = read_motions(write_rows(rows), robot, ReadOptions(fps=50.0, up_axis="z"))[0]
    np.testing.assert_allclose(np.abs(clip.body_quat_w[:, 0]), 0.5, atol=1e-6)


def test_sign_flips_of_the_quaternion_change_nothing(shipped, robot, walk_rows, write_rows, assert_same_motion):
    rows = walk_rows.copy()
    rows[1::2, 3:7] *= -1.0
    assert_same_motion(read_motions(write_rows(rows), robot, AT_50)[0], shipped("walk"))


def test_small_angles_stay_radians(shipped, robot, write_rows):
    """All joints within 3 degrees, as radians: a straight pose, not one of a twentieth of that."""
    rows = np.zeros((30, 36))
    rows[:, 2], rows[:, 3] = 0.79, 1.0
    rows[:, 7:] = 0.05 * np.sin(np.arange(30))[:, None]
    clip = read_motions(write_rows(rows), robot, ReadOptions(fps=30.0, quaternion_order="wxyz"))[0]
    np.testing.assert_allclose(clip.joint_pos, rows[:, 7:], atol=1e-6)


def test_a_robot_that_lies_still_is_not_stood_up(robot, write_rows):
    """On its back with z up; with y up it would stand, its feet 0.8 m below the ground."""
    rows = np.zeros((60, 36))
    rows[:, 2] = 0.1
    rows[:, 3:7] = (0.0, -np.sqrt(0.5), 0.0, np.sqrt(0.5))
    rows[:, 7:] = np.array(robot.default_joint_pos)
    clip = read_motions(write_rows(rows), robot, ReadOptions(fps=30.0, quaternion_order="xyzw"))[0]
    np.testing.assert_allclose(clip.body_pos_w[:, 0], rows[:, :3], atol=1e-6)


@pytest.mark.parametrize("shift", [-0.76, -3.0, 5.0])
def test_the_ground_may_be_elsewhere(shift, shipped, robot, walk_rows, write_rows):
    rows = walk_rows.copy()
    rows[:, 2] += shift
    clip = read_motions(write_rows(rows), robot, AT_50)[0]
    np.testing.assert_allclose(clip.body_pos_w[:, 0], rows[:, :3], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("angle", ["rad", "deg"])
def test_joints_in_breadth_first_order_are_found_and_said(name, angle, shipped, robot, write_rows, assert_same_motion):
    rows = changed(breadth_first_rows(unitree_rows(shipped(name), robot), robot), angle=angle)
    clip = read_motions(write_rows(rows), robot, AT_50)[0]
    assert_same_motion(clip, shipped(name), 2e-5)
    assert "joints breadth first: the feet stand" in clip.history[-1] and "--joint-order decides" in clip.history[-1]
    assert ("degrees" in clip.history[-1]) == (angle == "deg")


def test_joints_in_breadth_first_order_are_found_without_the_wrists(robot, walk_rows, write_rows):
    clip = read_motions(write_rows(breadth_first_rows(walk_rows, robot, wrists=False)), robot, AT_50)[0]
    legs = [i for i, name in enumerate(robot.joint_names) if "wrist" not in name]
    np.testing.assert_allclose(clip.joint_pos[:, legs], walk_rows[:, [7 + i for i in legs]], atol=1e-6)


def test_joints_in_depth_first_order_are_told_from_the_other(robot, walk_rows, write_rows):
    clip = read_motions(write_rows(walk_rows), robot, AT_50)[0]
    assert "joints depth first: the feet stand" in clip.history[-1]


def test_the_given_order_of_joints_outweighs_the_motion(shipped, robot, walk_rows, write_rows, assert_same_motion):
    known = {"fps": 50.0, "quaternion_order": "xyzw", "angle_unit": "rad", "up_axis": "z"}
    path = write_rows(breadth_first_rows(walk_rows, robot))
    depth = read_motions(path, robot, ReadOptions(joint_order="depth_first", **known))[0]
    np.testing.assert_allclose(depth.joint_pos, breadth_first_rows(walk_rows, robot)[:, 7:], atol=1e-6)
    breadth = read_motions(path, robot, ReadOptions(joint_order="breadth_first", **known))[0]
    assert_same_motion(breadth, shipped("walk"))
    assert "depth first" not in depth.history[-1] and "breadth first" not in breadth.history[-1]


def test_joints_are_depth_first_where_the_motion_does_not_tell(robot, write_rows):
    """The last two columns are wrists in both orders: the robot stands equally well."""
    rows = np.zeros((30, 36))
    rows[:, 2], rows[:, 6] = 0.79, 1.0
    rows[:, -2] = 0.3 * np.sin(0.2 * np.arange(30))
    rows[:, -1] = 0.1
    clip = read_motions(write_rows(rows, "wave_xyzw.csv"), robot, ReadOptions(fps=30.0))[0]
    np.testing.assert_allclose(clip.joint_pos, rows[:, 7:], atol=1e-6)
    assert "assumed joints depth first" in clip.history[-1] and "--joint-order decides" in clip.history[-1]


def test_an_order_that_breaks_joint_limits_does_not_win(robot, walk_rows, write_rows):
    """An angle that an elbow reaches and a wrist does not speaks for depth first, however the feet stand."""
    column = 7 + robot.joint_names.index("right_elbow_joint")
    assert "wrist" in breadth_first(robot)[0][column - 7]
    rows = breadth_first_rows(walk_rows, robot)
    rows[:, 7:] = rows[:, 7:].clip(*robot.joint_pos_limits.T)
    rows[:, column] = 2.0
    clip = read_motions(write_rows(rows), robot, ReadOptions(fps=50.0, quaternion_order="xyzw", angle_unit="rad"))[0]
    assert "assumed joints depth first" in clip.history[-1]
