# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Each fault put into a good clip is found by its own check, at its own frame, and by no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.doctor import Diagnosis, Limits, Rule, examine
from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.robot import Robot

Walk = dict[str, np.ndarray]
Make = Callable[..., Clip]


def faults(diagnosis: Diagnosis) -> dict[str, str]:
    """Return the severities of what is wrong, by check."""
    return {found.check: found.severity for found in diagnosis.faults}


def with_joints(walk: Walk, g1: Robot, **shifts: Any) -> np.ndarray:
    joint_pos = walk["joint_pos"].copy()
    for name, shift in shifts.items():
        joint_pos[:, g1.joint_names.index(f"{name}_joint")] += shift
    return joint_pos


def bump(frames: int, center: int, width: float) -> np.ndarray:
    return np.exp(-(((np.arange(frames) - center) / width) ** 2))


def ease(frames: int, first: int, last: int) -> np.ndarray:
    """Rise from 0 to 1 with continuous acceleration."""
    x = np.clip((np.arange(frames) - first) / (last - first), 0.0, 1.0)
    return x - np.sin(2.0 * np.pi * x) / (2.0 * np.pi)


@pytest.mark.parametrize("name", sorted(shipped_clips()))
def test_shipped_clips_are_ok(name: str, g1: Robot) -> None:
    diagnosis = examine(Clip.load(shipped_clips()[name]), g1)
    assert diagnosis.verdict == "ok" and faults(diagnosis) == {}


def test_the_walk_that_is_made_ill_is_well(make_walk: Make, g1: Robot) -> None:
    diagnosis = examine(make_walk(), g1)
    assert faults(diagnosis) == {}
    assert diagnosis.finding("travel").detail.startswith("forward")
    assert all(len(series.values) == 300 for series in diagnosis.series)


def test_lifted_clip_floats(make_walk: Make, walk: Walk, g1: Robot) -> None:
    diagnosis = examine(make_walk(root_pos=walk["root_pos"] + [0.0, 0.0, 0.05]), g1)
    assert faults(diagnosis) == {"float": "warn"}
    found = diagnosis.finding("float")
    assert found.value == pytest.approx(0.05, abs=0.002)
    assert found.share == 1.0
    assert found.sentence().startswith("float 0.05 m at ")
    high = examine(make_walk(root_pos=walk["root_pos"] + [0.0, 0.0, 0.12]), g1)
    assert faults(high) == {"float": "reject"}


def test_lowered_clip_penetrates(make_walk: Make, walk: Walk, g1: Robot) -> None:
    diagnosis = examine(make_walk(root_pos=walk["root_pos"] - [0.0, 0.0, 0.05]), g1)
    assert faults(diagnosis) == {"penetration": "warn"}
    assert diagnosis.finding("penetration").value == pytest.approx(0.05, abs=0.002)


def test_joint_beyond_its_limit(make_walk: Make, walk: Walk, g1: Robot) -> None:
    joint = g1.joint_names.index("left_wrist_yaw_joint")
    upper = g1.joint_pos_limits[joint, 1]
    shift = (upper + 0.1 - walk["joint_pos"][150, joint]) * bump(300, 150, 20.0)
    diagnosis = examine(make_walk(joint_pos=with_joints(walk, g1, left_wrist_yaw=shift)), g1)
    assert faults(diagnosis) == {"joint limit": "warn"}
    found = diagnosis.finding("joint limit")
    assert (found.frame, found.detail) == (150, "left wrist yaw")
    assert found.value == pytest.approx(0.1, abs=1e-5)
    assert found.time == pytest.approx(3.0)
    (span,) = found.spans
    assert span[0] < 150 < span[1]
    far = examine(make_walk(joint_pos=with_joints(walk, g1, left_wrist_yaw=1.2 * shift)), g1)
    assert faults(far)["joint limit"] == "reject"


def test_teleport_of_the_base(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_pos = walk["root_pos"].copy()
    root_pos[180:, 1] += 1.0
    diagnosis = examine(make_walk(root_pos=root_pos), g1)
    assert faults(diagnosis) == {"root jump": "reject"}
    found = diagnosis.finding("root jump")
    assert found.frame == 180
    assert found.value == pytest.approx(1.0, abs=0.01)


def test_first_frame_that_does_not_belong(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_pos = walk["root_pos"].copy()
    root_pos[0, 0] -= 0.3
    diagnosis = examine(make_walk(root_pos=root_pos), g1)
    assert faults(diagnosis) == {"root jump": "reject"}
    assert diagnosis.finding("root jump").frame == 1


def test_turn_within_a_frame(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_quat = walk["root_quat"].copy()
    half = 0.15
    turn = np.array([0.0, 0.0, np.sin(half), np.cos(half)])
    x, y, z, w = root_quat[:20].T
    # Turned about the vertical before frame 20, while the robot stands; the feet jump with the base.
    root_quat[:20] = np.stack(
        (
            turn[3] * x - turn[2] * y,
            turn[3] * y + turn[2] * x,
            turn[3] * z + turn[2] * w,
            turn[3] * w - turn[2] * z,
        ),
        axis=1,
    )
    diagnosis = examine(make_walk(root_quat=root_quat), g1)
    assert faults(diagnosis) == {"root turn": "warn"}
    found = diagnosis.finding("root turn")
    assert found.frame == 20
    assert found.value == pytest.approx(2.0 * half, abs=1e-3)


def test_changed_sign_of_a_quaternion_is_no_fault(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_quat = walk["root_quat"].copy()
    root_quat[100:200] *= -1.0
    diagnosis = examine(make_walk(root_quat=root_quat), g1)
    assert faults(diagnosis) == {}
    assert diagnosis.finding("quaternion signs").value == 2


def test_joint_jump(make_walk: Make, walk: Walk, g1: Robot) -> None:
    step = np.where(np.arange(300) < 120, 0.0, 0.6)
    diagnosis = examine(make_walk(joint_pos=with_joints(walk, g1, left_wrist_roll=step)), g1)
    assert faults(diagnosis) == {"joint jump": "warn"}
    found = diagnosis.finding("joint jump")
    assert (found.frame, found.detail) == (120, "left wrist roll")
    assert found.value == pytest.approx(0.6, abs=0.02)


def test_four_times_as_fast(make_walk: Make, g1: Robot) -> None:
    diagnosis = examine(make_walk(fps=200.0), g1)
    assert diagnosis.verdict == "reject"
    assert faults(diagnosis) == {"joint speed": "reject", "torque": "reject", "balance": "reject"}
    assert diagnosis.finding("joint speed").detail.endswith("knee")


@pytest.mark.parametrize("rate", [50.0, 100.0])
def test_every_frame_twice_is_one_fault(rate: float, make_walk: Make, walk: Walk, g1: Robot) -> None:
    twice = {name: np.repeat(array, 2, axis=0) for name, array in walk.items()}
    diagnosis = examine(make_walk(fps=rate, **twice), g1)
    assert faults(diagnosis) == {"repeated frames": "reject"}
    found = diagnosis.finding("repeated frames")
    assert "stored twice" in found.detail
    assert 0.4 < found.value <= 0.5
    assert all(len(series.values) == 600 for series in diagnosis.series)


def test_frame_of_another_fault_is_counted_in_the_clip_as_it_is(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_pos = walk["root_pos"].copy()
    root_pos[180:, 1] += 1.0
    twice = {name: np.repeat(array, 2, axis=0) for name, array in (walk | {"root_pos": root_pos}).items()}
    diagnosis = examine(make_walk(fps=100.0, **twice), g1)
    assert faults(diagnosis) == {"repeated frames": "reject", "root jump": "reject"}
    found = diagnosis.finding("root jump")
    assert (found.frame, found.time) == (360, pytest.approx(3.6))


def test_frozen_frames(make_walk: Make, walk: Walk, g1: Robot) -> None:
    frames = np.concatenate((np.arange(200), np.full(12, 200), np.arange(200, 300)))
    diagnosis = examine(make_walk(**{name: array[frames] for name, array in walk.items()}), g1)
    assert faults(diagnosis) == {"repeated frames": "warn"}
    found = diagnosis.finding("repeated frames")
    assert (found.frame, found.detail) == (201, "it freezes")
    assert found.value == pytest.approx(12 / 312)


def test_a_robot_at_rest_is_not_frozen(make_walk: Make, walk: Walk, g1: Robot) -> None:
    still = {name: np.repeat(array[:1], 100, axis=0) for name, array in walk.items()}
    assert faults(examine(make_walk(**still), g1)) == {}


def test_sideways_slide(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_pos = walk["root_pos"].copy()
    root_pos[:, 1] += 1.2 * ease(300, 80, 230)
    diagnosis = examine(make_walk(root_pos=root_pos), g1)
    assert faults(diagnosis) == {"foot slide": "warn"}
    found = diagnosis.finding("foot slide")
    # 1.2 m in 3 s: 0.4 m/s on average, and twice as much halfway.
    assert found.value == pytest.approx(0.8, abs=0.03)
    assert found.frame is not None and abs(found.frame - 155) < 10


def test_skating_is_rejected(make_walk: Make, walk: Walk, g1: Robot) -> None:
    root_pos = walk["root_pos"].copy()
    root_pos[:, 1] += 0.7 * np.arange(300) / 50.0
    diagnosis = examine(make_walk(root_pos=root_pos), g1)
    assert faults(diagnosis) == {"foot slide": "reject"}
    assert diagnosis.finding("foot slide").value == pytest.approx(0.7, abs=0.02)


def test_crossing_legs_collide(make_walk: Make, walk: Walk, g1: Robot) -> None:
    across = 0.3 * (ease(300, 20, 60) - ease(300, 230, 270))
    joint_pos = with_joints(walk, g1, left_hip_roll=-across, right_hip_roll=across)
    arrays = (torch.from_numpy(a).float() for a in (walk["root_pos"], walk["root_quat"], joint_pos))
    root_pos = walk["root_pos"].copy()
    root_pos[:, 2] -= CollisionPoints.from_mjcf(g1.mjcf).lowest(*arrays).numpy()
    diagnosis = examine(make_walk(root_pos=root_pos, joint_pos=joint_pos), g1)
    assert "self-collision" in faults(diagnosis)
    found = diagnosis.finding("self-collision")
    assert "left" in found.detail and "right" in found.detail
    assert found.frame is not None and 60 <= found.frame <= 230


def test_arm_in_the_chest_collides(make_walk: Make, walk: Walk, g1: Robot) -> None:
    shift = -0.7 * (ease(300, 50, 100) - ease(300, 150, 200))
    diagnosis = examine(make_walk(joint_pos=with_joints(walk, g1, left_shoulder_roll=shift)), g1)
    assert set(faults(diagnosis)) == {"self-collision"}
    found = diagnosis.finding("self-collision")
    assert "torso" in found.detail
    assert found.frame is not None and 90 <= found.frame <= 160


def test_left_and_right_exchanged_is_not_ok(make_walk: Make, walk: Walk, g1: Robot) -> None:
    other = {"left": "right", "right": "left"}
    names = ["_".join((other.get(n.split("_")[0], n.split("_")[0]), *n.split("_")[1:])) for n in g1.joint_names]
    columns = [g1.joint_names.index(name) for name in names]
    diagnosis = examine(make_walk(joint_pos=walk["joint_pos"][:, columns]), g1)
    assert {"self-collision", "balance"} <= set(faults(diagnosis))


def test_breadth_first_joints_are_rejected(make_walk: Make, walk: Walk, g1: Robot) -> None:
    levels = [[0], *g1.tree.levels()]
    order = [g1.tree.joint_of_body[body] for level in levels for body in level if g1.tree.joint_of_body[body] >= 0]
    assert sorted(order) == list(range(29)) and order != list(range(29))
    diagnosis = examine(make_walk(joint_pos=walk["joint_pos"][:, order]), g1)
    assert diagnosis.finding("joint limit").severity == "reject"


def test_joints_that_do_not_belong_to_the_bodies(make_walk: Make, g1: Robot) -> None:
    clip = make_walk()
    swapped = clip.joint_pos[:, [*range(6, 12), *range(6), *range(12, 29)]]
    diagnosis = examine(replace(clip, joint_pos=swapped), g1)
    assert faults(diagnosis)["bodies"] == "reject"


def test_robot_on_its_head_and_on_its_back(make_walk: Make, walk: Walk, g1: Robot) -> None:
    # wxyz read as xyzw: upright becomes half a turn about x.
    upside_down = walk["root_quat"][:, [3, 0, 1, 2]]
    diagnosis = examine(make_walk(root_quat=upside_down), g1)
    assert faults(diagnosis)["tilt"] == "reject"
    assert diagnosis.finding("tilt").value == pytest.approx(180.0, abs=2.0)
    lying = np.tile([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)], (300, 1))
    assert faults(examine(make_walk(root_quat=lying), g1))["tilt"] == "warn"


def test_centimetres(make_walk: Make, walk: Walk, g1: Robot) -> None:
    diagnosis = examine(make_walk(root_pos=100.0 * walk["root_pos"]), g1)
    assert faults(diagnosis)["root height"] == "reject"
    assert diagnosis.finding("root height").value == pytest.approx(100.0, rel=0.05)


def test_robot_that_flies(make_walk: Make, walk: Walk, g1: Robot) -> None:
    # Thrown up at 5 m/s from frame 0: it is in free fall for all of the second, which no ground carries.
    time = np.arange(50) / 50.0
    first = {name: np.repeat(array[:1], 50, axis=0) for name, array in walk.items()}
    first["root_pos"][:, 2] += 5.0 * time - 0.5 * 9.81 * time**2
    found = examine(make_walk(**first), g1).finding("airborne")
    assert (found.severity, found.value) == ("warn", pytest.approx(1.0))


@pytest.mark.parametrize(
    ("turn", "word"), [(0.0, "forward"), (0.5, "to the right"), (1.0, "backward"), (-0.5, "to the left")]
)
def test_travel_is_said_relative_to_the_heading(turn: float, word: str, make_walk: Make, walk: Walk, g1: Robot) -> None:
    # The path goes along +x; the body is turned about the vertical.
    half = 0.5 * np.pi * turn
    root_quat = np.tile([0.0, 0.0, np.sin(half), np.cos(half)], (300, 1))
    found = examine(make_walk(root_quat=root_quat), g1).finding("travel")
    assert found.severity == "info" and found.detail.startswith(word)
    assert found.value == pytest.approx(0.5, abs=0.2)


def test_clip_of_another_robot_is_rejected(make_clip: Make, make_walk: Make, g1: Robot) -> None:
    diagnosis = examine(make_clip(frames=101), g1)
    assert faults(diagnosis) == {"robot": "reject"}
    assert diagnosis.series == ()
    assert "lacks left_hip_pitch_joint" in diagnosis.faults[0].sentence()
    renamed = examine(replace(make_walk(), robot="unitree_h1"), g1)
    assert "'unitree_h1', not of 'unitree_g1'" in renamed.faults[0].sentence()


def test_mass_duration_and_rate(make_walk: Make, walk: Walk, g1: Robot) -> None:
    heavy = examine(replace(make_walk(), robot_mass=1.1 * g1.mass), g1)
    assert faults(heavy) == {"mass": "warn"}
    short = {name: array[:20] for name, array in walk.items()}
    assert faults(examine(make_walk(**short), g1)) == {"duration": "warn"}
    shorter = {name: array[:6] for name, array in walk.items()}
    assert faults(examine(make_walk(**shorter), g1)) == {"duration": "reject"}
    slow = {name: array[:15] for name, array in walk.items()}
    assert faults(examine(make_walk(fps=10.0, **slow), g1)) == {"frame rate": "warn"}


def test_two_frames_are_enough_to_be_judged(make_walk: Make, walk: Walk, g1: Robot) -> None:
    two = {name: array[:2] for name, array in walk.items()}
    assert faults(examine(make_walk(**two), g1)) == {"duration": "reject"}


def test_limits_are_the_callers(make_walk: Make, walk: Walk, g1: Robot) -> None:
    clip = make_walk(root_pos=walk["root_pos"] - [0.0, 0.0, 0.05])
    assert examine(clip, g1, Limits(penetration=Rule(warn=0.06))).verdict == "ok"
    assert examine(clip, g1, Limits(penetration=Rule(warn=0.01, reject=0.04))).verdict == "reject"
