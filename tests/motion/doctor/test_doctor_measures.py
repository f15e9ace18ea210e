# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The doctor's arithmetic, against values found by hand or by other code."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.doctor import Diagnosis, Finding, Limits, Rule, examine
from isaac_tracking.motion.doctor.checks import judge
from isaac_tracking.motion.doctor.diagnosis import SHARE, number, share_text
from isaac_tracking.motion.doctor.dynamics import bridged, filtered_derivatives, jumps
from isaac_tracking.motion.doctor.measures import doctor_model, measure, support_margins
from isaac_tracking.motion.robot import Robot
from isaac_tracking.motion.synthesis.dynamics import support_margin, zero_moment_point
from isaac_tracking.motion.synthesis.quality import generalized_positions

Make = Callable[..., Clip]


def test_support_margins_by_hand() -> None:
    square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [9.0, 9.0]])
    points = np.array([[1.0, 0.75], [2.5, 1.0], [3.0, 3.0]])
    used = np.tile([True, True, True, True, False], (3, 1))
    margins = support_margins(points, np.tile(square, (3, 1, 1)), used)
    assert margins == pytest.approx([0.75, -0.5, -np.sqrt(2.0)], abs=2e-3)


def test_support_margins_agree_with_the_polygon() -> None:
    rng = np.random.default_rng(0)
    points, corners = rng.normal(size=(20, 2)), rng.normal(size=(20, 9, 2))
    margins = support_margins(points, corners, np.ones((20, 9), dtype=bool))
    for point, polygon, margin in zip(points, corners, margins, strict=True):
        exact = support_margin(point, polygon)
        # Outside, support_margin measures to the line of an edge, which may be nearer than the edge.
        assert margin == pytest.approx(exact, abs=3e-3) if exact > 0.0 else margin <= exact + 3e-3


def test_jumps_by_hand() -> None:
    steps = np.array([0.1, 0.1, 1.1, 0.1, 0.1])[:, None, None]
    assert jumps(steps)[:, 0] == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])
    ends = np.array([0.8, 0.1, 0.1])[:, None, None]
    assert jumps(ends)[:, 0] == pytest.approx([0.7, 0.35, 0.0])
    assert jumps(steps[:1])[:, 0] == 0.0


def test_bridging_takes_a_teleport_out_and_leaves_the_rest() -> None:
    steps = np.full((9, 8), 0.01)
    steps[4, 1] += 1.0
    smooth = bridged(steps, Limits())
    assert smooth == pytest.approx(np.full((9, 8), 0.01))
    assert bridged(smooth, Limits()) is smooth


def test_accelerations_of_slow_motion_pass_the_filter() -> None:
    fps, frequency = 50.0, 0.5
    time = np.arange(400) / fps
    position = np.sin(2.0 * np.pi * frequency * time)
    vel, acc = filtered_derivatives(np.diff(position)[:, None], fps, 6.0)
    omega = 2.0 * np.pi * frequency
    middle = slice(50, 350)
    assert vel[middle, 0] == pytest.approx(omega * np.cos(omega * time[middle]), abs=0.01 * omega)
    assert acc[middle, 0] == pytest.approx(-(omega**2) * position[middle], abs=0.01 * omega**2)


@pytest.mark.parametrize("frames", [2, 3, 5, 9])
def test_short_motions_have_finite_derivatives(frames: int) -> None:
    vel, acc = filtered_derivatives(np.ones((frames - 1, 2)), 50.0, 6.0)
    assert vel.shape == acc.shape == (frames, 2)
    assert vel == pytest.approx(50.0) and acc == pytest.approx(0.0, abs=1e-9)


def test_ground_carries_the_weight_of_a_robot_at_rest(make_walk: Make, walk: dict, g1: Robot) -> None:
    still = {name: np.repeat(array[:1], 20, axis=0) for name, array in walk.items()}
    m = measure(make_walk(**still), g1, Limits())
    assert m.load == pytest.approx(1.0, abs=1e-6)
    assert m.carried.all()
    # The zero-moment point of a body at rest is below its centre of mass.
    assert m.zmp_margin == pytest.approx(m.com_margin, abs=1e-4)
    assert 0.03 < m.com_margin[0] < 0.15
    # A knee bent by 0.67 rad under half of the 33 kg needs some newton metres of its 139.
    knee = g1.joint_names.index("left_knee_joint")
    assert 0.02 < m.torque[0, knee] < 0.2


def test_torque_at_rest_is_that_of_gravity(make_walk: Make, walk: dict, g1: Robot) -> None:
    # An arm held out to the side: torque of the shoulder is the weight of what hangs on it times its lever.
    import mujoco

    joint_pos = walk["joint_pos"][:20].copy()
    joint_pos[:] = joint_pos[0]
    shoulder = g1.joint_names.index("left_shoulder_roll_joint")
    joint_pos[:, shoulder] = 1.4
    still = {name: np.repeat(array[:1], 20, axis=0) for name, array in walk.items()} | {"joint_pos": joint_pos}
    clip = make_walk(**still)
    m = measure(clip, g1, Limits())
    model = doctor_model(g1).dynamics
    model.set(generalized_positions(clip, model)[0])
    body = model.mujoco.body("left_shoulder_roll_link").id
    joint = model.mujoco.joint("left_shoulder_roll_joint").id
    lever = np.cross(model.data.subtree_com[body] - model.data.xanchor[joint], [0.0, 0.0, -9.81])
    torque = abs(float(lever @ model.data.xaxis[joint])) * model.mujoco.body_subtreemass[body]
    assert isinstance(model.data, mujoco.MjData)
    assert m.torque[10, shoulder] * g1.joint_effort_limits[shoulder] == pytest.approx(torque, rel=1e-3)


def test_zero_moment_point_agrees_with_the_synthesis(make_walk: Make, g1: Robot) -> None:
    clip = make_walk()
    model = doctor_model(g1)
    qpos = generalized_positions(clip, model.dynamics)
    exact, _ = zero_moment_point(model.dynamics, qpos, clip.fps)
    points = model.points(clip.body_pos_w.astype(np.float64), clip.body_quat_w.astype(np.float64))
    touching = points[..., 2] < points[..., 2].min(axis=1, keepdims=True) + Limits().touch
    expected = support_margins(exact, points[..., :2], touching)
    found = measure(clip, g1, Limits()).zmp_margin
    # The doctor's accelerations are low-passed at 6 Hz, the others are not.
    assert np.abs(found - expected)[5:-5].mean() < 0.01


def test_rule_by_hand() -> None:
    values = np.array([0.1, np.nan, 0.3, 0.5, 0.1, 0.1])

    def severity(rule: Rule) -> tuple[str, float | None, float | None]:
        found = judge("x", values, "m", rule, 10.0)
        assert (found.value, found.frame, found.time) == (0.5, 3, pytest.approx(0.3))
        return found.severity, found.limit, found.share

    assert severity(Rule(warn=0.6)) == ("ok", 0.6, 0.0)
    assert severity(Rule(warn=0.2)) == ("warn", 0.2, pytest.approx(0.4))
    assert severity(Rule(warn=0.2, warn_share=0.4)) == ("ok", 0.2, pytest.approx(0.4))
    assert severity(Rule(warn=0.2, reject=0.4)) == ("reject", 0.4, pytest.approx(0.2))
    assert severity(Rule(warn=0.2, reject=0.4, reject_share=0.2)) == ("warn", 0.2, pytest.approx(0.4))
    assert judge("x", values, "m", Rule(warn=0.2), 10.0).spans == ((2, 3),)
    assert judge("x", np.full(3, np.nan), "m", Rule(warn=0.2), 10.0).severity == "ok"


def test_sentences_and_verdicts() -> None:
    slide = Finding("foot slide", "warn", 0.4512, "m/s", 0.3, 162, 3.24, 0.123, "left foot")
    assert slide.sentence() == "foot slide 0.45 m/s at 3.24 s (frame 162), limit 0.3, 12 % of the frames: left foot"
    stutter = Finding("repeated frames", "reject", 0.5, SHARE, 0.0, 1, 0.02, None, "it freezes")
    assert stutter.sentence() == "repeated frames 50 % of the frames at 0.02 s (frame 1), limit 0 %: it freezes"
    fact = Finding("travel", "info", 0.0, "m/s")
    diagnosis = Diagnosis("a", 101, 50.0, (fact, slide, stutter))
    assert (diagnosis.verdict, diagnosis.seconds) == ("reject", 2.0)
    assert diagnosis.faults == (stutter, slide)
    assert diagnosis.finding("travel") is fact
    assert Diagnosis("a", 101, 50.0, (fact,)).verdict == "ok"
    assert Diagnosis("a", 101, 50.0, (fact, slide)).verdict == "warn"
    with pytest.raises(KeyError, match="check 'x' was not made; there are travel, foot slide"):
        diagnosis.finding("x")


def test_numbers_as_a_reader_wants_them() -> None:
    texts = [number(value) for value in (0.0, -0.0001, 0.0123, 0.5, 1.0, 12.345, 1234.5, np.nan)]
    assert texts == ["0", "0", "0.012", "0.5", "1", "12.35", "1234", "none"]
    assert [share_text(share) for share in (0.0, 0.0012, 0.5, 1.0)] == ["0 %", "0.1 %", "50 %", "100 %"]


def test_diagnosis_travels_between_processes_and_into_json(make_walk: Make, g1: Robot) -> None:
    import json

    diagnosis = examine(make_walk(), g1)
    again = pickle.loads(pickle.dumps(diagnosis))
    assert again.findings == diagnosis.findings
    content = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert content["verdict"] == "ok"
    assert {"foot slide", "torque", "travel"} <= {found["check"] for found in content["findings"]}
