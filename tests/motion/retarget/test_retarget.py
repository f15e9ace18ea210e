# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from human_files import PERSON, bvh_text, person_of_clip, walking_person
from scipy.spatial.transform import Rotation

from isaac_tracking.motion import data
from isaac_tracking.motion.clip import Clip, ClipError
from isaac_tracking.motion.doctor import Diagnosis, examine
from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.retarget import RetargetOptions, bvh, is_human_file, retarget_file, retarget_motion
from isaac_tracking.motion.retarget.axes import to_human
from isaac_tracking.motion.retarget.human import HumanMotion
from isaac_tracking.motion.retarget.humanoid import Humanoid
from isaac_tracking.motion.retarget.reference import find_reference
from isaac_tracking.motion.retarget.retarget import Retargeting, retarget
from isaac_tracking.motion.retarget.skeleton import find_skeleton
from isaac_tracking.motion.robot import Robot

CMU = Path(__file__).resolve().parents[3].parent / "shared" / "motions" / "cmu"
SHIPPED = Path(str(data.__file__)).parent


def read(text: str, name: str = "person.bvh") -> HumanMotion:
    return to_human(bvh.parse(text, Path(name)))


@pytest.fixture(scope="module")
def walk(robot: Robot) -> Retargeting:
    """A person's walk of two seconds, in a recording that drifts to the left at 0.2 m/s."""
    return retarget(read(walking_person(2.0, skate=0.2)), robot, RetargetOptions())


def part(clip: Clip, start: int, end: int) -> Clip:
    arrays = {name: getattr(clip, name)[start:end] for name in ("joint_pos", "body_pos_w", "body_quat_w", "contacts")}
    return replace(clip, **arrays)


def sole_speed(clip: Clip, body: Humanoid) -> np.ndarray:
    """Return the speed of the slower end of each sole [m/s], shape (T - 1, 2), where it is planted; else 0."""
    speeds = []
    for side, name in enumerate(body.ankle):
        index = clip.body_names.index(name)
        turn = Rotation.from_quat(clip.body_quat_w[:, index])
        ends = np.stack([clip.body_pos_w[:, index] + turn.apply(point[side]) for point in (body.heel, body.toe)], 1)
        speeds.append(np.linalg.norm(np.diff(ends[..., :2], axis=0), axis=-1).min(axis=1) * clip.fps)
    assert clip.contacts is not None
    return np.stack(speeds, axis=1) * (clip.contacts[1:] & clip.contacts[:-1])


@pytest.mark.parametrize(("name", "start", "end"), [("walk", 150, 270), ("reach", 60, 160), ("turn", 100, 200)])
def test_a_robot_as_a_person_gives_back_its_own_motion(
    robot: Robot, body: Humanoid, name: str, start: int, end: int
) -> None:
    clip = part(Clip.load(SHIPPED / f"{name}.npz"), start, end)
    result = retarget(read(person_of_clip(clip, body)), robot, RetargetOptions())
    assert result.scale == pytest.approx(1.0, abs=0.01)
    points = [*body.ankle, *body.knee, *body.elbow, *body.wrist, body.pelvis, body.torso]
    at = clip.body_indices(points)
    error = np.linalg.norm(result.clip.body_pos_w[:, at] - clip.body_pos_w[:, at], axis=-1)
    assert error.mean() < 0.015
    assert error.max() < 0.06


def test_planted_feet_do_not_slide(walk: Retargeting, robot: Robot, body: Humanoid) -> None:
    assert sole_speed(walk.clip, body).max() < 0.05
    free = retarget(read(walking_person(2.0, skate=0.2)), robot, RetargetOptions(lock_feet=False))
    # As fast as the recording drifts, at the robot's size.
    assert sole_speed(free.clip, body).max() > 0.12


def test_limits_of_joints_hold(walk: Retargeting, robot: Robot) -> None:
    low, high = robot.joint_pos_limits.T
    assert (walk.clip.joint_pos >= low - 1e-5).all() and (walk.clip.joint_pos <= high + 1e-5).all()
    speed = np.abs(np.diff(walk.clip.joint_pos, axis=0)) * walk.clip.fps
    assert (speed <= robot.joint_speed_limits).all()


def test_speed_limits_hold_where_a_recording_jumps(robot: Robot) -> None:
    count = 30
    jump = Rotation.from_euler("y", np.where(np.arange(count) < 15, 0.0, -2.5)[:, None])
    text = bvh_text(PERSON, np.tile([0.0, 0.0, 0.88], (count, 1)), {"LeftArm": jump, "LeftUpLeg": jump})
    clip = retarget(read(text), robot, RetargetOptions(cutoff=0.0)).clip
    speed = np.abs(np.diff(clip.joint_pos, axis=0)) * clip.fps
    assert (speed <= robot.joint_speed_limits).all()


def test_the_walk_is_sound_and_goes_forward(walk: Retargeting, robot: Robot) -> None:
    diagnosis = examine(walk.clip, robot)
    assert diagnosis.verdict == "ok", diagnosis.findings
    root = walk.clip.body_pos_w[:, 0]
    facing = Rotation.from_quat(walk.clip.body_quat_w[:, 0]).apply([1.0, 0.0, 0.0]).mean(axis=0)
    way = root[-1] - root[0]
    assert way @ facing > 0.9 * np.linalg.norm(way)
    # 0.6 m/s and two seconds, by the ratio of the legs: 0.654 m to 0.82 m.
    assert walk.scale == pytest.approx(0.654 / 0.82, abs=0.002)
    assert way[0] == pytest.approx(0.6 * (2.0 - 1.0 / 30.0) * walk.scale, abs=0.02)


def test_the_clip_says_what_was_done(walk: Retargeting) -> None:
    clip = walk.clip
    assert (clip.fps, clip.robot, clip.contact_names) == (
        50.0,
        "unitree_g1",
        ("left_ankle_roll_link", "right_ankle_roll_link"),
    )
    assert clip.contacts is not None and 0.5 < clip.contacts.mean() < 0.8
    assert clip.source == "retargeted from person.bvh"
    said = "\n".join(clip.history)
    for words in ("read as BVH", "y is up", "in cm", "low-passed at 8 Hz", "30 to 50 fps", "scaled by 0.798", "mink"):
        assert words in said


def test_the_lowest_point_is_the_ground(walk: Retargeting, robot: Robot) -> None:
    points = CollisionPoints.from_mjcf(robot.mjcf)
    clip = walk.clip
    parts = clip.body_pos_w[:, 0], clip.body_quat_w[:, 0], clip.joint_pos
    lowest = points.lowest(*(torch.tensor(array) for array in parts))
    assert lowest.min().item() == pytest.approx(0.0, abs=1e-4)
    assert lowest.max().item() < 0.01


def test_frames_of_joints_may_be_any(walk: Retargeting, robot: Robot) -> None:
    """LAFAN1's bones all point along x at rest: the straight pose must then be found in the motion."""
    rng = np.random.default_rng(3)
    motion = read(walking_person(2.0, skate=0.2))
    frames = Rotation.random(len(motion.joint_names), rng)
    parents = list(motion.parents)
    above = Rotation.concatenate([Rotation.identity() if p < 0 else frames[p] for p in parents])
    local = Rotation.concatenate([above[j].inv() * Rotation.from_quat(motion.local_quat[:, j]) * frames[j]
                                  for j in range(len(parents))])  # fmt: skip
    turned = replace(
        motion,
        offsets=above.inv().apply(motion.offsets),
        local_pos=np.stack([above[j].inv().apply(motion.local_pos[:, j]) for j in range(len(parents))], axis=1),
        local_quat=local.as_quat().reshape(len(parents), -1, 4).swapaxes(0, 1),
    )
    np.testing.assert_allclose(turned.pose[0], motion.pose[0], atol=1e-9)
    skeleton = find_skeleton(turned.joint_names, turned.parents, "x")
    assert not find_reference(turned, skeleton).is_rest and find_reference(motion, skeleton).is_rest
    clip = retarget(turned, robot, RetargetOptions()).clip
    points = np.linalg.norm(clip.body_pos_w - walk.clip.body_pos_w, axis=-1)
    assert points.mean() < 0.02


def test_scale_and_rate_may_be_chosen(robot: Robot) -> None:
    motion = read(walking_person(1.0))
    clip = retarget(motion, robot, RetargetOptions(fps=100.0, scale=0.4)).clip
    assert clip.fps == 100.0 and clip.duration == pytest.approx(29 / 30, abs=0.011)
    way = clip.body_pos_w[-1, 0] - clip.body_pos_w[0, 0]
    assert way[0] == pytest.approx(0.6 * clip.duration * 0.4, abs=0.02)


def test_a_motion_of_two_frames_is_retargeted(robot: Robot) -> None:
    text = bvh_text(PERSON, np.array([[0.0, 0.0, 0.88], [0.01, 0.0, 0.88]]), {}, fps=20.0)
    assert retarget(read(text), robot, RetargetOptions()).clip.num_frames == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (RetargetOptions(fps=0.0), "--fps-out"),
        (RetargetOptions(fps=float("nan")), "--fps-out"),
        (RetargetOptions(scale=0.0), "--scale"),
        (RetargetOptions(scale=float("inf")), "--scale"),
        (RetargetOptions(unit=-1.0), "--unit"),
        (RetargetOptions(cutoff=-1.0), "--cutoff"),
    ],
)
def test_options_that_cannot_be_are_refused(robot: Robot, options: RetargetOptions, words: str) -> None:
    with pytest.raises(ClipError, match=words):
        retarget(read(walking_person(1.0)), robot, options)


def test_files_of_humans_are_known_by_their_ending() -> None:
    assert is_human_file("a/B.BVH") and is_human_file(Path("run.npy"))
    assert not is_human_file("clip.npz") and not is_human_file("bvh")


def test_a_file_becomes_a_list_of_clips(tmp_path: Path, robot: Robot) -> None:
    path = tmp_path / "stroll.bvh"
    path.write_text(walking_person(1.0))
    (clip,) = retarget_file(path, robot)
    assert clip.name == "stroll" and clip.robot_mass == pytest.approx(robot.mass)


@pytest.fixture(scope="module")
def samples(robot: Robot) -> dict[str, tuple[Retargeting, Diagnosis]]:
    """CMU's run and walk, and what the doctor says."""
    if not CMU.is_dir():
        pytest.skip("no ../shared/motions")
    results = {name: retarget_motion(CMU / f"amp_humanoid_{name}.npy", robot) for name in ("run", "walk")}
    return {name: (result, examine(result.clip, robot)) for name, result in results.items()}


def mean_slide(clip: Clip, body: Humanoid) -> float:
    """Return the mean speed of the planted soles [m/s]."""
    assert clip.contacts is not None
    return float(sole_speed(clip, body)[clip.contacts[1:] & clip.contacts[:-1]].mean())


def value(diagnosis: Diagnosis, check: str) -> float:
    return next(finding.value for finding in diagnosis.findings if finding.check == check)


def test_the_samples_walk_is_sound(samples: dict[str, tuple[Retargeting, Diagnosis]]) -> None:
    result, diagnosis = samples["walk"]
    assert diagnosis.verdict == "ok", diagnosis.findings
    assert value(diagnosis, "foot slide") < 0.1
    assert result.point_error < 0.02


def test_the_samples_run_slides_less_than_the_rough_one(
    samples: dict[str, tuple[Retargeting, Diagnosis]], robot: Robot, body: Humanoid
) -> None:
    result, diagnosis = samples["run"]
    complaints = {finding.check for finding in diagnosis.findings if finding.severity == "reject"}
    # A human runner's ankles are stronger than the robot's; nothing else may be wrong.
    assert complaints <= {"torque"}
    assert result.point_error < 0.03
    rows = np.loadtxt(CMU / "amp_humanoid_run_g1_rough.csv", delimiter=",")
    rough = robot.clip("rough", 30.0, rows[:, :3], rows[:, [4, 5, 6, 3]], rows[:, 7:])
    assert result.clip.contacts is not None
    nearest = np.minimum(np.round(np.arange(rough.num_frames) / 30.0 * 50.0).astype(int), result.clip.num_frames - 1)
    labelled = replace(rough, contact_names=result.clip.contact_names, contacts=result.clip.contacts[nearest])
    ours, theirs = (mean_slide(clip, body) for clip in (result.clip, labelled))
    assert ours < 0.1 and ours < 0.3 * theirs


def test_noise_in_place_of_a_motion_ends_in_a_clip_within_the_limits(robot: Robot) -> None:
    """Every joint in any direction, from frame to frame: no pose of a person, but numbers."""
    rng = np.random.default_rng(1)
    local = {name: Rotation.random(12, rng) for name, _, _ in PERSON}
    text = bvh_text(PERSON, rng.normal(size=(12, 3)), local)
    motion = to_human(bvh.parse(text, Path("noise.bvh")), up="y")
    clip = retarget(motion, robot, RetargetOptions()).clip
    low, high = robot.joint_pos_limits.T
    assert (clip.joint_pos >= low - 1e-5).all() and (clip.joint_pos <= high + 1e-5).all()
