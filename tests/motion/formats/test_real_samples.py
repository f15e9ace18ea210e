# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The real samples: every file is read without a flag, and as what it is. They are not part of the project."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isaac_tracking.motion.formats import is_motion_file, read_motions
from isaac_tracking.motion.formats.unpickle import read_pickle
from isaac_tracking.motion.quaternion import quat_apply_inverse

# Frame rate and quaternion order by the samples' README.
KNOWN = {
    "g1-moves": (60.0, "quaternions xyzw"),
    "TWIST2": (29.87, "quaternions xyzw"),
    "ProtoMotions": (30.0, "quaternions wxyz"),
    "cmu": (30.0, "quaternions wxyz"),
}
FORWARD = (
    "ProtoMotions/output_walk.csv",
    "TWIST2/0807_yanjie_walk_001.pkl",
    "TWIST2/0807_yanjie_walk_003.pkl",
    "kimodo/06_root_waypoints_motion.npz",
    "cmu/amp_humanoid_run_g1_rough.csv",
)


@pytest.fixture(scope="module")
def samples(shared, robot):
    paths = [p for p in sorted(shared.rglob("*")) if p.is_file() and is_motion_file(p) and p.suffix != ".npy"]
    return {p.relative_to(shared).as_posix(): read_motions(p, robot)[0] for p in paths}


def test_every_file_is_read_as_what_it_is(samples):
    assert len(samples) == 28
    for name, clip in samples.items():
        fps, order = KNOWN.get(name.partition("/")[0], (30.0, ""))
        assert clip.fps == pytest.approx(fps, rel=1e-3), clip.history
        assert order in clip.history[-1], clip.history


def test_every_motion_stands_upright_on_a_level_ground(samples, robot):
    feet = [robot.body_names.index(name) for name in robot.foot_body_names]
    for name, clip in samples.items():
        x, y, _, _ = clip.body_quat_w[:, 0].T
        assert (1 - 2 * (x * x + y * y)).mean() > 0.85, name
        # Soles are 3.5 cm below the ankles; runners are in the air half of the time.
        lowest = clip.body_pos_w[:, feet, 2].min(axis=1)
        assert 0.0 < np.median(lowest) < 0.11, name


@pytest.mark.parametrize("name", FORWARD)
def test_walks_go_forward(name, samples):
    """While it moves, the robot faces where it goes, to 30 degrees on average.

    Number 005 of TWIST2 goes backward as well, and 008 sideways.
    """
    clip = samples[name]
    steps = np.diff(clip.body_pos_w[:, 0, :2], axis=0)
    span = max(1, round(clip.fps / 2))
    way = np.stack([np.convolve(steps[:, i], np.ones(span) / span, "same") for i in (0, 1)], axis=1)
    x, y, z, w = clip.body_quat_w[:-1, 0].T
    heading = np.stack((1 - 2 * (y * y + z * z), 2 * (x * y + w * z)), axis=1)
    forward = (way * heading).sum(axis=1)
    moving = np.linalg.norm(way, axis=1) * clip.fps > 0.3
    assert moving.sum() > 20
    assert forward[moving].sum() > np.cos(np.radians(30.0)) * np.linalg.norm(way[moving], axis=1).sum()


def test_the_skeleton_of_kimodo_is_the_motion_beside_it(samples):
    """The CSV is kimodo's own fit to the same skeleton: both are within a few millimetres of it."""
    ours = samples["kimodo/06_root_waypoints_motion.npz"]
    theirs = samples["kimodo/06_root_waypoints_qpos_wxyz_30fps.csv"]
    distance = np.linalg.norm(ours.body_pos_w - theirs.body_pos_w, axis=-1)
    assert distance.mean() < 0.0015
    assert np.abs(ours.joint_pos - theirs.joint_pos).mean() < 0.005


def test_the_skeleton_of_kimodo_is_met(samples, shared):
    clip = samples["kimodo/06_root_waypoints_motion.npz"]
    with np.load(shared / "kimodo" / "06_root_waypoints_motion.npz") as file:
        posed = file["posed_joints"]
    # y up and z forward; toes (7, 14) and hands (25, 33) are no bodies of the robot.
    posed = np.delete(posed, (7, 14, 25, 33), axis=1)[..., [2, 0, 1]]
    assert np.linalg.norm(clip.body_pos_w - posed, axis=-1).mean() < 0.0015


def test_the_bodies_that_twist2_stores_are_met(samples, shared, robot):
    """Their pickles hold the bodies as seen from the base: forward kinematics gives the same."""
    for path in sorted((shared / "TWIST2").glob("*.pkl")):
        content = read_pickle(path, 1 << 30)
        columns = [content["link_body_list"].index(name) for name in robot.body_names]
        clip = samples[f"TWIST2/{path.name}"]
        pos, quat = torch.from_numpy(clip.body_pos_w.copy()), torch.from_numpy(clip.body_quat_w.copy())
        seen = quat_apply_inverse(quat[:, :1].expand_as(quat), pos - pos[:, :1]).numpy()
        np.testing.assert_allclose(seen, content["local_body_pos"][:, columns], atol=1e-5)
