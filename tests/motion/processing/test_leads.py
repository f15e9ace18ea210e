# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From the default pose and back: at rest outside, at the motion's speed at the join, on the ground between."""

from __future__ import annotations

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.processing import lead_in, lead_out, support, trim
from isaac_tracking.motion.processing.leads import _approach, default_stance
from isaac_tracking.motion.processing.poses import poses_of, yaw_of


@pytest.fixture
def part(shipped):
    """The middle of a walk: both ends at speed, one foot in the air."""
    return trim(shipped("walk_curve"), 3.0, 4.2)


def test_own_frames_are_unchanged(robot, part) -> None:
    clip = lead_out(lead_in(part, robot, 2.0), robot, 1.0)
    assert clip.num_frames == part.num_frames + 150
    for name in ("joint_pos", "body_pos_w", "body_quat_w", "contacts"):
        assert np.array_equal(getattr(clip, name)[100:-50], getattr(part, name)), name
    assert clip.history[-2:] == ("Led in from the default pose in 2 s.", "Led out to the default pose in 1 s.")


def test_outer_ends_are_the_default_pose_at_rest(robot, part) -> None:
    clip = lead_out(lead_in(part, robot, 2.0), robot, 2.0)
    for frame, step in ((0, 1), (-1, -2)):
        assert np.abs(clip.joint_pos[frame] - robot.default_joint_pos).max() < 1e-3
        assert np.abs(clip.joint_pos[step] - clip.joint_pos[frame]).max() * 50.0 < 2e-3, "rad/s"
        assert np.abs(clip.body_pos_w[step] - clip.body_pos_w[frame]).max() * 50.0 < 2e-3, "m/s"
        assert np.abs(clip.body_quat_w[frame, 0, :2]).max() < 1e-3, "upright"
    heights = support(clip, robot).height
    assert abs(heights[0]) < 1e-4 and abs(heights[-1]) < 1e-4
    # The heading is that of the join.
    assert yaw_of(clip.body_quat_w[0, 0]) == pytest.approx(yaw_of(part.body_quat_w[0, 0]), abs=2e-3)
    assert yaw_of(clip.body_quat_w[-1, 0]) == pytest.approx(yaw_of(part.body_quat_w[-1, 0]), abs=2e-3)


def test_speed_is_continuous_at_the_join(robot, part) -> None:
    """No step of speed: the largest bend around the join is no larger than twice that of the walk itself."""
    clip = lead_out(lead_in(part, robot, 2.0), robot, 2.0)
    for values in (clip.joint_pos, clip.body_pos_w[:, 0]):
        bend = np.abs(np.diff(values.astype(np.float64), n=2, axis=0)).max(axis=1)
        own = bend[101:-101].max()
        assert bend[96:101].max() < 2.0 * own and bend[-101:-96].max() < 2.0 * own
        assert bend[:60].max() < own


def test_nothing_is_pushed_into_the_ground_nor_far_above(robot, part) -> None:
    heights = support(lead_out(lead_in(part, robot, 2.0), robot, 2.0), robot).height
    assert heights.min() > -0.003 and heights.max() < 0.02


def test_joints_stay_within_their_limits(robot, sample) -> None:
    """The dance starts with fast arms near their limits."""
    clip = sample("g1-moves/M_Move10.csv")
    clip = trim(clip, 5.0, 7.0)
    low, high = robot.joint_pos_limits.T
    low, high = np.minimum(low, clip.joint_pos.min(0)), np.maximum(high, clip.joint_pos.max(0))
    joints = lead_out(lead_in(clip, robot, 1.0), robot, 1.0).joint_pos
    assert (joints >= low - 1e-5).all() and (joints <= high + 1e-5).all()


def test_no_lead_is_the_same_clip(robot, part) -> None:
    assert lead_in(part, robot, 0.0) is part
    assert lead_in(part, robot, 0.005) is part and lead_in(part, robot, 0.02) is part


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_impossible_lengths_are_refused(robot, part, seconds: float) -> None:
    with pytest.raises(ClipError, match="expected a number of seconds"):
        lead_in(part, robot, seconds)


@pytest.mark.parametrize("frames", [2, 3])
def test_leads_of_a_few_frames(robot, part, frames: int) -> None:
    assert lead_in(part, robot, frames / 50.0).num_frames == part.num_frames + frames


def test_labels_begin_with_both_feet_on_the_ground(robot, part) -> None:
    clip = lead_in(part, robot, 2.0)
    assert clip.contact_names == part.contact_names and clip.contacts[:20].all()


def test_stance_stands_over_the_feet_of_the_frame(robot, part) -> None:
    poses = poses_of(part, robot)[:1]
    stance = default_stance(robot, poses)
    feet = part.body_indices(robot.foot_body_names)
    two = [np.repeat(a, 2, axis=0) for a in (stance.root_pos, stance.root_quat, stance.joint_pos)]
    posed = robot.clip("stance", 50.0, *two)
    middle = posed.body_pos_w[0, feet].mean(axis=0)
    assert middle[:2] == pytest.approx(part.body_pos_w[0, feet].mean(axis=0)[:2], abs=1e-5)


def test_approach_by_hand() -> None:
    """Something that takes up 1 m/s within 0.2 s comes from 0.1 m behind, and is there with that speed."""
    time = np.array([-1.0, -0.2, -1e-6, 0.0])
    found = _approach(time, np.array([0.2]))[:, 0]
    assert found[:2] == pytest.approx([-0.1, -0.1]) and found[3] == pytest.approx(0.0, abs=1e-12)
    assert (found[3] - found[2]) / 1e-6 == pytest.approx(1.0, abs=1e-6)
