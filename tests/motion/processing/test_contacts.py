# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Contact labels against those of motions that were planned with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isaac_tracking.motion.processing import contact_states, label_contacts
from isaac_tracking.motion.processing.contacts import _hysteresis, _steady


@pytest.mark.parametrize("name", ["walk", "march", "side_step", "squat", "turn"])
def test_labels_are_those_of_the_plan(robot, shipped, name: str) -> None:
    """No planted frame is missed; a foot that has just left or is about to land still counts for up to 0.15 s."""
    clip = shipped(name)
    found = contact_states(clip, robot, clip.contact_names)
    assert (found | ~clip.contacts).all(), "planted frames"
    swings = [run for foot in range(2) for run in _runs(~clip.contacts[:, foot])]
    for foot in range(2):
        for start, end in _runs(~clip.contacts[:, foot]):
            middle = slice(start + 8, end - 8)
            assert not found[middle, foot].any(), (name, start, end)
    assert swings or name == "squat"


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def test_labels_of_the_clip_are_kept(robot, shipped) -> None:
    clip = shipped("walk")
    assert label_contacts(clip, robot) is clip
    bare = replace(clip, contacts=None, contact_names=())
    labelled = label_contacts(bare, robot)
    assert labelled.contact_names == robot.foot_body_names and labelled.contacts.shape == (clip.num_frames, 2)
    assert "labelled" in labelled.history[-1]


def test_height_and_speed_both_decide(robot, standing) -> None:
    """At 1 cm at rest a foot stands; at 5 cm at rest, or at 1 cm and 1 m/s, it does not."""
    feet = robot.foot_body_names
    assert contact_states(standing(np.full(20, 0.01)), robot, feet).all()
    assert not contact_states(standing(np.full(20, 0.05)), robot, feet).any()
    clip = standing(np.full(20, 0.01))
    sliding = robot.clip(
        "slide",
        50.0,
        clip.body_pos_w[:, 0] + np.arange(20)[:, None] * (0.02, 0.0, 0.0),
        clip.body_quat_w[:, 0],
        clip.joint_pos,
    )
    assert not contact_states(sliding, robot, feet).any()


def test_hysteresis_by_hand() -> None:
    begin = np.array([0, 1, 0, 0, 0, 0, 1, 0], dtype=bool)
    end = np.array([0, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
    assert _hysteresis(begin, end).tolist() == [False, True, True, True, False, False, True, True]


def test_flicker_is_removed() -> None:
    state = np.array([1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
    assert _steady(state, 2).astype(int).tolist() == [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_a_body_without_collision_shapes_never_touches(robot, standing) -> None:
    assert not contact_states(standing(np.zeros(10)), robot, ("waist_yaw_link",)).any()
