# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions that were recorded elsewhere: forward, upright and on the ground after processing."""

from __future__ import annotations

import numpy as np
import pytest

from isaac_tracking.motion.processing import drop_repeats, normalize, put_on_ground, resample, support
from isaac_tracking.motion.processing.poses import poses_of, yaw_of

WALKS = (
    "ProtoMotions/output_walk.csv",
    "kimodo/06_root_waypoints_qpos_wxyz_30fps.csv",
    "cmu/amp_humanoid_run_g1_rough.csv",
    "TWIST2/0807_yanjie_walk_001.pkl",
    "TWIST2/0807_yanjie_walk_003.pkl",
    "TWIST2/0807_yanjie_walk_005.pkl",
)
DANCES = ("g1-moves/M_Move8.csv", "g1-moves/J_Dance17_Shuffle.csv", "ProtoMotions/output_jumpjack.csv")


def _processed(clip, robot):
    return normalize(put_on_ground(resample(drop_repeats(clip, robot), robot, 50.0), robot))


def _speeds(clip, robot) -> np.ndarray:
    """Return the base's velocity as seen in its own heading [m/s], shape (T - 1, 2)."""
    poses = poses_of(clip, robot)
    yaw = yaw_of(poses.root_quat[:-1])
    x, y = np.diff(poses.root_pos[:, :2], axis=0).T * clip.fps
    return np.stack([np.cos(yaw) * x + np.sin(yaw) * y, -np.sin(yaw) * x + np.cos(yaw) * y], axis=-1)


@pytest.mark.parametrize("name", WALKS)
def test_walks_go_forward(robot, sample, name: str) -> None:
    """By far the most of the way is forward, neither sideways nor backward, and the head is up."""
    clip = _processed(sample(name), robot)
    ahead, aside = _speeds(clip, robot).mean(axis=0)
    assert ahead > 0.2 and abs(aside) < 0.3 * ahead
    assert clip.body_pos_w[:, clip.body_indices(["torso_link"])[0], 2].min() > clip.body_pos_w[:, 0, 2].min()


def test_a_straight_walk_goes_along_x(robot, sample) -> None:
    way = _processed(sample("ProtoMotions/output_walk.csv"), robot).body_pos_w[-1, 0]
    assert way[0] > 5.0 and abs(way[1]) < 0.1 * way[0]


def test_a_walk_to_the_side_goes_to_the_side(robot, sample) -> None:
    ahead, aside = np.abs(_speeds(_processed(sample("TWIST2/0807_yanjie_walk_008.pkl"), robot), robot).mean(axis=0))
    assert aside > 2.0 * ahead


@pytest.mark.parametrize("name", WALKS + DANCES)
def test_float_and_dip_are_gone_and_nothing_becomes_jerky(robot, sample, name: str) -> None:
    before = resample(sample(name), robot, 50.0)
    after = put_on_ground(before, robot)
    body = support(after, robot)
    assert body.height.min() > -1e-4
    assert np.median(body.height[body.planted]) < 0.008
    assert np.quantile(body.height[body.planted], 0.95) < 0.025

    def peak(clip) -> float:
        return float(np.abs(np.diff(clip.joint_pos, axis=0)).max() * clip.fps)

    assert peak(after) < max(1.2 * peak(before), peak(before) + 1.0)
    low, high = robot.joint_pos_limits.T
    low, high = np.minimum(low, before.joint_pos), np.maximum(high, before.joint_pos)
    assert (after.joint_pos >= low - 1e-6).all() and (after.joint_pos <= high + 1e-6).all()
