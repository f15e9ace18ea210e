# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""NPZ of BeyondMimic, mjlab, holosoma, HDMI, wbc and kimodo; orders without names by forward kinematics."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isaac_tracking.motion.clip import ClipError
from isaac_tracking.motion.formats import ReadOptions, read_motions, read_outcomes
from isaac_tracking.motion.formats.raw import breadth_first
from isaac_tracking.motion.formats.writers import body_arrays


@pytest.fixture
def write_npz(tmp_path):
    def write(arrays, name="motion.npz"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        np.savez(path, **arrays)
        return path

    return write


def test_breadth_first_is_the_order_of_isaac_lab(robot):
    """The first joints and bodies of the G1 as Isaac Lab's articulation lists them (BeyondMimic)."""
    joints, bodies = breadth_first(robot)
    assert joints[:6] == (
        "left_hip_pitch_joint",
        "right_hip_pitch_joint",
        "waist_yaw_joint",
        "left_hip_roll_joint",
        "right_hip_roll_joint",
        "waist_roll_joint",
    )
    assert joints[9:13] == (
        "left_knee_joint",
        "right_knee_joint",
        "left_shoulder_pitch_joint",
        "right_shoulder_pitch_joint",
    )
    assert bodies[:2] == ("pelvis", "left_hip_pitch_link") and joints[-1] == "right_wrist_yaw_joint"
    assert sorted(joints) == sorted(robot.joint_names) and sorted(bodies) == sorted(robot.body_names)


@pytest.mark.parametrize("name", ["walk_curve", "squat", "stand"])
@pytest.mark.parametrize("physx", [True, False])
@pytest.mark.parametrize("quaternions", ["wxyz", "xyzw"])
def test_orders_are_found_from_the_bodies(name, physx, quaternions, shipped, robot, write_npz, assert_same_motion):
    clip = read_motions(write_npz(body_arrays(shipped(name), robot, physx, quaternions)), robot)[0]
    assert_same_motion(clip, shipped(name))
    assert clip.fps == 50.0
    assert ("BeyondMimic" if physx else "mjlab") in clip.history[-1]


def test_joints_and_bodies_may_be_in_different_orders(shipped, robot, write_npz, assert_same_motion):
    arrays = body_arrays(shipped("walk"), robot, True)
    for key in ("joint_pos", "joint_vel"):
        arrays[key] = body_arrays(shipped("walk"), robot, False)[key]
    clip = read_motions(write_npz(arrays), robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert "joints depth first, bodies breadth first" in clip.history[-1]


def test_further_fixed_bodies_do_not_matter(shipped, robot, write_npz, assert_same_motion):
    arrays = body_arrays(shipped("walk"), robot, True)
    for key in ("body_pos_w", "body_quat_w"):
        arrays[key] = np.concatenate((arrays[key], arrays[key][:, [8, 12]]), axis=1)
    assert_same_motion(read_motions(write_npz(arrays), robot)[0], shipped("walk"))


def test_degrees_and_centimetres_are_found(shipped, robot, write_npz, assert_same_motion):
    arrays = body_arrays(shipped("walk"), robot, True)
    arrays["joint_pos"] = np.degrees(arrays["joint_pos"])
    arrays["body_pos_w"] = arrays["body_pos_w"] * 100.0
    assert_same_motion(read_motions(write_npz(arrays), robot)[0], shipped("walk"), 2e-5)


def test_bodies_that_the_joints_do_not_give_are_refused(shipped, robot, write_npz):
    arrays = body_arrays(shipped("walk"), robot, True)
    arrays["joint_pos"] = np.random.default_rng(0).uniform(-1.5, 1.5, arrays["joint_pos"].shape)
    with pytest.raises(ClipError, match=r"0\.\d+ m off the poses"):
        read_motions(write_npz(arrays), robot)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("fps", np.array([0]), "fps is 0"),
        ("fps", np.array([-50.0]), "fps is -50"),
        ("fps", np.array([1e5]), "fps is 100000"),
        ("fps", np.array([np.nan]), "fps is nan"),
        ("fps", np.array([30, 50]), "2 numbers"),
        ("fps", np.array([25]), "velocities are those of 50 fps"),
        ("fps", np.array("fast"), "of type"),
        ("joint_pos", np.zeros((488, 12)), "12 joints"),
        ("joint_pos", np.zeros((100, 29)), "shape"),
        ("joint_pos", np.zeros(488), "shape"),
        ("body_pos_w", np.zeros((488, 30, 2)), "shape"),
        ("body_pos_w", np.zeros((488, 20, 3)), "20 bodies"),
        ("body_quat_w", np.zeros((488, 30, 4)), "unit quaternions"),
        ("body_pos_w", np.full((488, 30, 3), np.nan), "nan at frame 0"),
    ],
)
def test_faulty_members_are_named(key, value, reason, shipped, robot, write_npz):
    arrays = body_arrays(shipped("walk"), robot, True)
    if key == "body_pos_w" and value.shape[1] == 20:
        arrays["body_quat_w"] = arrays["body_quat_w"][:, :20]
    if key == "joint_pos":
        del arrays["joint_vel"]
    with pytest.raises(ClipError, match=reason) as error:
        read_motions(write_npz(arrays | {key: value}), robot)
    assert "\n" not in str(error.value)


def test_without_a_frame_rate_the_velocities_give_it(shipped, robot, write_npz):
    arrays = body_arrays(shipped("walk"), robot, True)
    del arrays["fps"]
    clip = read_motions(write_npz(arrays), robot)[0]
    assert clip.fps == pytest.approx(50.0, abs=0.1) and "by the joint velocities" in clip.history[-1]


def named(clip, robot, physx=True):
    """Return the members that holosoma writes: names, and the root before the joints."""
    arrays = body_arrays(clip, robot, physx)
    joints, bodies = breadth_first(robot)
    root = np.concatenate((arrays["body_pos_w"][:, 0], arrays["body_quat_w"][:, 0]), axis=1)
    arrays["joint_pos"] = np.concatenate((root, arrays["joint_pos"]), axis=1)
    arrays["joint_vel"] = np.concatenate((np.zeros((len(root), 6)), arrays["joint_vel"]), axis=1)
    return arrays | {
        "joint_names": np.array(joints),
        "body_names": np.array(bodies),
        "object_pos_w": np.zeros((len(root), 3)),
    }


def test_names_decide_and_objects_are_left_out(shipped, robot, write_npz, assert_same_motion):
    arrays = named(shipped("walk"), robot)
    order = np.r_[np.arange(7), 7 + np.random.default_rng(1).permutation(29)]
    arrays["joint_pos"] = arrays["joint_pos"][:, order]
    arrays["joint_names"] = arrays["joint_names"][order[7:] - 7]
    del arrays["joint_vel"]
    clip = read_motions(write_npz(arrays), robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert "left out: object_pos_w" in clip.history[-1]


def test_names_of_another_robot_are_refused(shipped, robot, write_npz):
    arrays = named(shipped("walk"), robot)
    arrays["joint_names"] = np.array([f"h1_{name}" for name in arrays["joint_names"]])
    with pytest.raises(ClipError, match="left_hip_pitch_joint is missing"):
        read_motions(write_npz(arrays), robot)
    arrays = named(shipped("walk"), robot)
    arrays["body_names"] = np.array([f"h1_{name}" for name in arrays["body_names"]])
    with pytest.raises(ClipError, match="pelvis is missing"):
        read_motions(write_npz(arrays), robot)


def test_joints_that_the_robot_lacks_are_left_out(shipped, robot, write_npz, assert_same_motion):
    arrays = named(shipped("walk"), robot)
    arrays["joint_pos"] = np.concatenate((arrays["joint_pos"], np.ones((488, 2))), axis=1)
    arrays["joint_names"] = np.array([*arrays["joint_names"], "left_thumb_joint", "right_thumb_joint"])
    del arrays["joint_vel"]
    clip = read_motions(write_npz(arrays), robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert "left_thumb_joint" in clip.history[-1]


def test_hdmi_names_lie_beside_the_file(shipped, robot, write_npz, assert_same_motion):
    arrays = body_arrays(shipped("walk"), robot, True)
    joints, bodies = breadth_first(robot)
    for key, last in (("body_pos_w", 3), ("body_quat_w", 4)):
        box = np.broadcast_to(np.eye(last)[0], (488, 1, last))
        arrays[key] = np.concatenate((arrays[key], box), axis=1)
    del arrays["fps"]
    path = write_npz(arrays, "carry/motion.npz")
    meta = {"joint_names": joints, "body_names": [*bodies, "box"], "fps": 50}
    path.with_name("meta.json").write_text(json.dumps(meta))
    clip = read_motions(path, robot)[0]
    assert_same_motion(clip, shipped("walk"))
    assert clip.fps == 50.0
    path.with_name("meta.json").write_text("{")
    with pytest.raises(ClipError, match=r"meta\.json"):
        read_motions(path, robot)


def test_a_library_of_segments_is_cut(shipped, robot, write_npz, assert_same_motion):
    parts = [body_arrays(shipped(name), robot, True) for name in ("walk", "squat")]
    arrays = {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if key != "fps"}
    lengths = [len(part["joint_pos"]) for part in parts]
    arrays |= {
        "fps": np.array([50]),
        "segment_start_idx": np.array([0, lengths[0]]),
        "segment_length": np.array(lengths),
        "segment_names": np.array(["walk", "squat"]),
    }
    clips = read_motions(write_npz(arrays), robot)
    assert [clip.name for clip in clips] == ["walk", "squat"]
    for clip in clips:
        assert_same_motion(clip, shipped(clip.name))
    arrays["body_pos_w"][3, 0, 0] = np.nan
    outcomes = read_outcomes(write_npz(arrays), robot)
    assert isinstance(outcomes[0], ClipError) and outcomes[1].name == "squat"
    arrays["segment_length"] = np.array([lengths[0], 10_000])
    with pytest.raises(ClipError, match="segments do not fit"):
        read_motions(write_npz(arrays), robot)


def test_our_own_clips_and_rollouts_are_read_as_they_are(shipped, robot, tmp_path):
    path = tmp_path / "walk.npz"
    shipped("walk").save(path)
    assert read_motions(path, robot)[0].content_hash == shipped("walk").content_hash
    with np.load(path) as file:
        content = dict(file)
    np.savez(path, **content, action=np.zeros((488, 29)))
    assert read_motions(path, robot)[0].content_hash == shipped("walk").content_hash


def test_an_npz_of_something_else_is_refused(robot, write_npz):
    with pytest.raises(ClipError, match="lacks joint_pos, body_pos_w, body_quat_w and has images"):
        read_motions(write_npz({"images": np.zeros(3)}), robot)


def test_a_stated_format_must_be_the_files(shipped, robot, write_npz):
    path = write_npz(body_arrays(shipped("walk"), robot, True))
    with pytest.raises(ClipError, match="format holosoma"):
        read_motions(path, robot, ReadOptions(format="holosoma"))
    with pytest.raises(ClipError, match="m off the poses"):
        read_motions(path, robot, ReadOptions(format="mjlab"))
    with pytest.raises(ClipError, match="expected one of"):
        ReadOptions(format="bvh")  # type: ignore[arg-type]
