# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Frames at the ends that do not belong to the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.doctor import examine
from isaac_tracking.motion.processing import drop_bad_ends, resample, trim
from isaac_tracking.motion.processing.poses import poses_of, with_poses
from isaac_tracking.motion.quaternion import quat_mul

NAMES = ("joint_pos", "body_pos_w", "body_quat_w", "contacts")


def broken(clip, robot, frames: list[int], kind: str):
    """Return the clip with frames that are somewhere else: moved by 0.4 m, turned by 0.6 rad, or a joint by 1 rad."""
    import torch

    poses = poses_of(clip, robot)
    if kind == "moved":
        poses.root_pos[frames, 0] += 0.4
    elif kind == "turned":
        turn = torch.tensor([0.0, 0.0, np.sin(0.3), np.cos(0.3)], dtype=torch.float64)
        poses.root_quat[frames] = quat_mul(turn, torch.from_numpy(poses.root_quat[frames])).numpy()
    else:
        poses.joint_pos[frames, 20] += 1.0
    return with_poses(clip, robot, poses, "broken")


@pytest.mark.parametrize("kind", ["moved", "turned", "bent"])
@pytest.mark.parametrize(
    ("frames", "keep"),
    [([0], slice(1, None)), ([0, 1], slice(2, None)), ([-1], slice(0, -1)), ([0, -2, -1], slice(1, -2))],
)
def test_bad_frames_at_the_ends_go(robot, shipped, frames, keep, kind: str) -> None:
    good = trim(shipped("walk"), 0.0, 4.0)
    bad = broken(good, robot, frames, kind)
    clip = drop_bad_ends(bad, robot)
    for name in NAMES:
        assert np.array_equal(getattr(clip, name), getattr(bad, name)[keep]), name
    assert clip.history[-1].startswith("Dropped frames from which the motion jumps to the rest: ")
    assert ("at the start" in clip.history[-1]) == (0 in frames)
    assert ("at the end" in clip.history[-1]) == (-1 in frames)
    assert drop_bad_ends(clip, robot) is clip


def test_the_sentence_counts(robot, shipped) -> None:
    clip = drop_bad_ends(broken(trim(shipped("walk"), 0.0, 4.0), robot, [0, 1, -1], "turned"), robot)
    assert clip.history[-1].endswith("to the rest: 2 at the start and 1 at the end.")


@pytest.mark.parametrize("frames", [[1, 2], [2], [0, 1, 2], [100], [-3]])
def test_what_cannot_be_mended_at_the_ends_stays(robot, shipped, frames: list[int]) -> None:
    """Else a frame that is no better would come first."""
    bad = broken(trim(shipped("walk"), 0.0, 4.0), robot, frames, "moved")
    assert drop_bad_ends(bad, robot) is bad


def test_a_wild_motion_may_begin_wildly(robot, shipped) -> None:
    """Where frames jump all over, the first one is as good as any."""
    clip = trim(shipped("walk"), 0.0, 2.0)
    bad = broken(clip, robot, list(range(0, clip.num_frames, 7)), "bent")
    assert drop_bad_ends(bad, robot) is bad


def test_few_frames_say_nothing(robot, shipped) -> None:
    bad = broken(trim(shipped("walk"), 0.0, 0.16), robot, [0], "moved")
    assert bad.num_frames == 9 and drop_bad_ends(bad, robot) is bad


def test_the_doctor_warns_of_the_frame_that_goes(robot, shipped) -> None:
    """And no longer does so after resampling, which spreads the jump over several frames: hence before it."""

    def turn(clip) -> str:
        return next(found.severity for found in examine(clip, robot).findings if found.check == "root turn")

    bad = replace(broken(trim(shipped("walk"), 0.0, 4.0), robot, [0], "turned"), fps=25.0)
    assert turn(bad) == "warn" and turn(drop_bad_ends(bad, robot)) == "ok"
    fixed, spread = (resample(clip, robot, 50.0) for clip in (drop_bad_ends(bad, robot), bad))
    assert (
        np.abs(np.diff(fixed.body_quat_w[:4, 0], axis=0)).max()
        < 0.2 * np.abs(np.diff(spread.body_quat_w[:4, 0], axis=0)).max()
    )


@pytest.mark.parametrize("name", sorted(shipped_clips()))
def test_shipped_clips_lose_nothing(robot, name: str) -> None:
    clip = Clip.load(shipped_clips()[name])
    assert drop_bad_ends(clip, robot) is clip


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("TWIST2/0807_yanjie_walk_001.pkl", 1),
        ("TWIST2/0807_yanjie_walk_003.pkl", 0),
        ("TWIST2/0807_yanjie_walk_005.pkl", 1),
        ("TWIST2/0807_yanjie_walk_008.pkl", 0),
        ("cmu/amp_humanoid_run_g1_rough.csv", 0),
        ("kimodo/06_root_waypoints_qpos_wxyz_30fps.csv", 0),
        ("ProtoMotions/output_walk.csv", 0),
        ("g1-moves/B_ChopsKarate.csv", 0),
        ("g1-moves/M_Move10.csv", 0),
    ],
)
def test_captures_lose_their_first_frame_where_it_is_bad(robot, sample, name: str, dropped: int) -> None:
    clip = sample(name)
    kept = drop_bad_ends(clip, robot)
    assert clip.num_frames - kept.num_frames == dropped
    assert np.array_equal(kept.joint_pos, clip.joint_pos[dropped:])
