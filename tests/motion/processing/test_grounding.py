# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""On the ground: stances at zero, nothing below, jumps as high as before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isaac_tracking.motion.processing import put_on_ground, sole_heights, support
from isaac_tracking.motion.processing.foot_lift import bell_average, lift_feet
from isaac_tracking.motion.processing.grounding import lasting, lift_out, stance_height
from isaac_tracking.motion.processing.poses import poses_of


@pytest.mark.parametrize("height", [-0.3, -0.02, 0.0, 0.05, 1.0])
@pytest.mark.parametrize("slow", [True, False])
def test_standing_at_any_height_ends_on_the_ground(robot, standing, height: float, slow: bool) -> None:
    clip = put_on_ground(standing(np.full(60, height)), robot, slow)
    assert np.abs(support(clip, robot).height).max() < 1e-5
    assert np.abs(clip.joint_pos - robot.default_joint_pos).max() < 1e-6


def test_lowest_point_is_that_of_mujoco(robot, shipped) -> None:
    """The sole of the G1 is 7 capsules of 1 cm radius around points 2.5 cm below the foot's frame: 3.5 cm in all."""
    clip = shipped("stand")
    feet = clip.body_pos_w[:, clip.body_indices(robot.foot_body_names), 2]
    assert np.abs(sole_heights(clip, robot) - (feet - 0.035)).max() < 1e-3


def test_a_jump_keeps_its_height(robot, standing) -> None:
    """Half a second in the air, 30.7 cm high, while all stances float by 4 cm."""
    time = np.arange(150) / 50.0
    flight = np.clip(4.905 * (time - 1.0) * (1.5 - time), 0.0, None)
    clip = put_on_ground(standing(flight + 0.04), robot)
    height = support(clip, robot).height
    assert height.max() == pytest.approx(flight.max(), abs=2e-3) and flight.max() == pytest.approx(0.3066, abs=1e-3)
    assert np.abs(height[flight == 0.0]).max() < 2e-3


def test_a_box_is_left_where_it_is(robot, standing) -> None:
    """Standing on the floor for 1 s, then 20 cm higher for 2 s: the floor is the lower one."""
    heights = np.interp(np.arange(160), [50, 60], [0.03, 0.23])
    height = support(put_on_ground(standing(heights), robot), robot).height
    assert np.abs(height[:45]).max() < 2e-3 and np.abs(height[65:] - 0.2).max() < 5e-3


def test_stances_that_wander_are_followed(robot, standing) -> None:
    """3 cm up and down within 8 s is an error of the recording."""
    heights = 0.03 * np.sin(2.0 * np.pi * np.arange(400) / 400.0)
    height = support(put_on_ground(standing(heights), robot), robot).height
    assert np.abs(height).max() < 6e-3


def test_one_dipping_foot_is_raised_by_its_leg(robot, shipped) -> None:
    """The left ankle bent so that the toes are in the ground: the other foot and the pelvis stay where they are."""
    clip = shipped("stand")
    joints = clip.joint_pos.copy()
    joints[100:160, robot.joint_names.index("left_ankle_pitch_joint")] += 0.25 * np.hanning(60)
    dipped = robot.clip("dip", 50.0, clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], joints)
    assert sole_heights(dipped, robot)[:, 0].min() < -0.02
    mended = put_on_ground(dipped, robot)
    left, right = robot.foot_body_names
    assert support(mended, robot).height.min() > -1e-5
    pelvis, other = (mended.body_pos_w[:, mended.body_indices([name])[0]] for name in ("pelvis", right))
    assert np.abs(pelvis - dipped.body_pos_w[:, 0]).max() < 4e-3
    assert np.abs(other - dipped.body_pos_w[:, dipped.body_indices([right])[0]]).max() < 4e-3
    foot = mended.body_indices([left])[0]
    assert np.abs(mended.body_pos_w[:, foot, :2] - dipped.body_pos_w[:, foot, :2]).max() < 5e-3
    assert "raised" in mended.history[-1]


def test_only_an_offset_if_that_is_asked_for(robot, shipped) -> None:
    clip = shipped("walk")
    ground = put_on_ground(clip, robot, slow=False)
    change = ground.body_pos_w - clip.body_pos_w
    assert np.abs(change - change[0, 0]).max() < 1e-6 and np.array_equal(ground.joint_pos, clip.joint_pos)


def test_feet_are_raised_by_what_was_asked(robot, shipped) -> None:
    poses = poses_of(shipped("squat"), robot)
    lifts = np.zeros((len(poses), 2))
    lifts[:, 1] = 0.04
    raised = lift_feet(poses, robot, lifts, 50.0)
    before, after = (robot.clip("a", 50.0, p.root_pos, p.root_quat, p.joint_pos) for p in (poses, raised))
    change = sole_heights(after, robot) - sole_heights(before, robot)
    assert np.abs(change[:, 0]).max() < 1e-6 and np.abs(change[:, 1] - 0.04).max() < 1e-3
    legs = [i for i, name in enumerate(robot.joint_names) if name.startswith("right_") and i < 12]
    others = [i for i in range(29) if i not in legs]
    assert np.array_equal(raised.joint_pos[:, others], poses.joint_pos[:, others])


def test_a_leg_stays_within_its_limits(robot, standing) -> None:
    """Half a metre is more than a leg can do."""
    poses = poses_of(standing(np.zeros(20)), robot)
    raised = lift_feet(poses, robot, np.full((20, 2), 0.5), 50.0)
    low, high = robot.joint_pos_limits.T
    assert (raised.joint_pos >= low).all() and (raised.joint_pos <= high).all()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-0.05, 0.3), min_size=3, max_size=120), st.sampled_from([20.0, 50.0, 100.0]))
def test_lift_leaves_nothing_below_and_never_pulls(heights: list[float], fps: float) -> None:
    height = np.array(heights)
    lift = lift_out(height, fps)
    assert lift.shape == height.shape and lift.min() >= 0.0
    assert (height + lift).min() >= -1e-9
    assert lift.max() <= max(0.0, -height.min()) + 1e-9


def test_lift_is_smooth() -> None:
    """One frame 3 cm deep at 50 fps becomes a bell: less than 4 m/s^2 instead of 150."""
    height = np.zeros(100)
    height[50] = -0.03
    bend = np.abs(np.diff(lift_out(height, 50.0), n=2)).max() * 50.0**2
    assert bend < 4.0


def test_short_spells_are_dropped() -> None:
    mask = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1], dtype=bool)
    assert lasting(mask, 3).tolist() == [False, False, False, True, True, True, False, False, False]
    assert lasting(np.ones(2, dtype=bool), 9).all(), "a motion shorter than the time cannot do more"


def test_motion_without_stances_stands_on_its_lowest_twentieth(robot, standing) -> None:
    from isaac_tracking.motion.processing.grounding import Support

    heights = np.linspace(0.1, 1.1, 101)
    assert stance_height(Support(heights, np.zeros(101, dtype=bool))) == pytest.approx(0.15)


def test_bell_average_keeps_constants_and_lines_inside() -> None:
    line = np.arange(20.0)
    assert np.abs(bell_average(line, 3)[3:-3] - line[3:-3]).max() < 1e-12
    assert np.allclose(bell_average(np.ones((20, 2)), 4), 1.0)


def test_shipped_clips_are_on_the_ground_already(robot, shipped) -> None:
    for name in ("walk", "squat", "side_step"):
        clip = shipped(name)
        ground = put_on_ground(clip, robot)
        assert np.abs(ground.body_pos_w - clip.body_pos_w).max() < 1e-4, name
