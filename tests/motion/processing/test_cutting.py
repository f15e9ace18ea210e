# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Trims and the place of the first frame."""

from __future__ import annotations

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.processing import normalize, trim
from isaac_tracking.motion.processing.poses import moved, yaw_of, yaw_turn


def test_trim_keeps_the_frames_from_start_to_end(shipped) -> None:
    clip = shipped("walk")
    part = trim(clip, 1.0, 2.5)
    assert part.num_frames == 76 and part.duration == pytest.approx(1.5)
    for name in ("joint_pos", "body_pos_w", "body_quat_w", "contacts"):
        assert np.array_equal(getattr(part, name), getattr(clip, name)[50:126]), name
    assert part.history == ("Trimmed to 1 to 2.5 s.",)


def test_trim_between_frames_stays_inside(shipped) -> None:
    part = trim(shipped("walk"), 1.001, 2.499)
    assert part.history[-1] == "Trimmed to 1.02 to 2.48 s."


@pytest.mark.parametrize("end", [None, 99.0, float("inf")])
def test_trim_ends_with_the_motion(shipped, end: float | None) -> None:
    clip = shipped("walk")
    assert np.array_equal(trim(clip, 9.0, end).joint_pos, clip.joint_pos[450:])
    assert trim(clip, 0.0, end) is clip


@pytest.mark.parametrize(
    ("start", "end"), [(-1.0, 2.0), (3.0, 2.0), (2.0, 2.01), (99.0, None), (float("nan"), 1.0), (0.0, float("nan"))]
)
def test_trims_that_leave_nothing_are_refused(shipped, start: float, end: float | None) -> None:
    with pytest.raises(ClipError, match=r"motion 'walk': nothing is left .* 0 to 9.74 s"):
        trim(shipped("walk"), start, end)


@pytest.mark.parametrize(("x", "y", "yaw"), [(3.0, -2.0, 1.0), (0.0, 0.0, 3.0), (-50.0, 7.0, -2.5)])
def test_normalized_motion_starts_at_the_origin_heading_along_x(robot, shipped, x: float, y: float, yaw: float) -> None:
    clip = shipped("walk_curve")
    away = moved(clip, yaw_turn(yaw), np.array([x, y, 0.0]), "away")
    back = normalize(away)
    assert np.abs(back.body_pos_w[0, 0, :2]).max() < 1e-5
    assert abs(yaw_of(back.body_quat_w[0, 0])) < 1e-5
    assert np.abs(back.body_pos_w[..., 2] - clip.body_pos_w[..., 2]).max() < 1e-5
    assert np.array_equal(back.joint_pos, clip.joint_pos)
    # Wherever it was put, it comes back to the same place.
    assert np.abs(back.body_pos_w - normalize(clip).body_pos_w).max() < 1e-4
    again = robot.clip("again", clip.fps, back.body_pos_w[:, 0], back.body_quat_w[:, 0], back.joint_pos)
    assert np.abs(again.body_pos_w - back.body_pos_w).max() < 1e-4
    twice = normalize(back)
    assert np.abs(twice.body_pos_w - back.body_pos_w).max() < 1e-5


def test_a_quarter_turn_by_hand(shipped) -> None:
    """Turned by 90 degrees to the left and put at (1, 2): what was 3 m ahead is 3 m to the left of it."""
    clip = shipped("stand")
    start = clip.body_pos_w[0, 0]
    turned = moved(clip, yaw_turn(np.pi / 2.0), np.array([1.0, 2.0, 0.0]), "")
    assert turned.body_pos_w[0, 0] == pytest.approx([1.0 - start[1], 2.0 + start[0], start[2]], abs=1e-5)
    assert yaw_of(turned.body_quat_w[0, 0]) == pytest.approx(np.pi / 2.0, abs=1e-4)
