# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Every metric on episodes whose numbers can be computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from isaac_tracking.inference.metrics import METRICS, JointLimits, error_curves, measure, measure_groups
from isaac_tracking.inference.recording import Recording
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_apply, quat_from_axis_angle

NAMES = ("pelvis", "left_ankle_roll_link", "right_ankle_roll_link", "left_wrist_yaw_link")
FEET = NAMES[1:3]
RATE = 50.0
UP = torch.tensor([0.0, 0.0, 1.0])


def frame(steps: int = 5) -> MotionFrame:
    """A robot of four bodies and two joints that stands still."""
    pos = torch.tensor([[0.0, 0.0, 0.8], [0.0, 0.1, 0.0], [0.0, -0.1, 0.0], [0.3, 0.2, 0.7]]).expand(steps, 4, 3)
    quat = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(steps, 4, 4)
    still = torch.zeros(steps, 4, 3)
    return MotionFrame(torch.zeros(steps, 2), torch.zeros(steps, 2), pos, quat, still, still)


def recording(robot: MotionFrame | None = None, **changes) -> Recording:
    robot = frame() if robot is None else robot
    steps = len(robot.joint_pos)
    values = {
        "clip": "still",
        "rate": RATE,
        "joint_names": ("a", "b"),
        "body_names": NAMES,
        "robot": robot,
        "reference": frame(steps),
        "actions": torch.zeros(steps, 2),
        "targets": torch.zeros(steps, 2),
        "torques": torch.zeros(steps, 2),
        "contacts": None,
        "outcome": "clip_end",
        "clip_steps": steps,
        "feet_names": FEET,
    }
    return Recording(**(values | changes))


def moved(shift, steps: int = 5) -> MotionFrame:
    """All bodies moved, by a vector or by one of shape (T, 1, 3)."""
    still = frame(steps)
    return still._replace(body_pos_w=still.body_pos_w + torch.as_tensor(shift))


def turned(vector, scale: float = 1.0) -> MotionFrame:
    """The whole robot turned about the world's origin."""
    still, quat = frame(), quat_from_axis_angle(torch.as_tensor(vector))
    return still._replace(
        body_pos_w=scale * quat_apply(quat.expand(5, 4, 4), still.body_pos_w), body_quat_w=quat.expand(5, 4, 4)
    )


def test_following_perfectly_costs_nothing():
    values = measure(recording(), JointLimits(torch.ones(2), torch.ones(2)))
    assert list(values) == list(METRICS)
    ones = {"success_terminations", "success_phc", "progress"}
    for name, value in values.items():
        if name in ("foot_slide", "contact_agreement"):
            assert value is None
        else:
            assert value == pytest.approx(float(name in ones), abs=1e-9), name


def test_every_metric_says_what_it_is():
    for metric in METRICS.values():
        assert metric.definition.endswith(".") and metric.source and metric.unit


def test_a_drift_is_a_global_error_and_no_local_one():
    values = measure(recording(moved([0.03, 0.0, 0.04])))
    assert values["mpjpe_global"] == pytest.approx(50.0, abs=1e-4)
    assert values["root_position_error"] == pytest.approx(50.0, abs=1e-4)
    assert values["root_height_error"] == pytest.approx(40.0, abs=1e-4)
    for name in ("mpjpe_local", "mpjpe_local_rotated", "mpjpe_procrustes", "velocity_error", "acceleration_error"):
        assert values[name] == pytest.approx(0.0, abs=1e-4), name


def test_a_turn_is_a_local_error_and_no_rotated_one():
    """Turned by 90 degrees, the feet at 0.1 m move by 0.1 sqrt 2 and the wrist at sqrt 0.13 by sqrt 0.26."""
    values = measure(recording(turned([0.0, 0.0, math.pi / 2])))
    expected = 1e3 * (2 * 0.1 * math.sqrt(2.0) + math.sqrt(0.26)) / 4
    assert values["mpjpe_local"] == pytest.approx(expected, abs=1e-3)
    assert values["mpjpe_local_rotated"] == pytest.approx(0.0, abs=1e-3)
    assert values["mpjpe_procrustes"] == pytest.approx(0.0, abs=1e-3)
    assert values["root_yaw_error"] == pytest.approx(math.pi / 2, abs=1e-6)
    assert values["root_tilt_error"] == pytest.approx(0.0, abs=1e-6)


def test_leaning_is_a_tilt_and_no_yaw():
    values = measure(recording(turned([0.0, 0.3, 0.0])))
    assert values["root_tilt_error"] == pytest.approx(0.3, abs=1e-6)
    assert values["root_yaw_error"] == pytest.approx(0.0, abs=1e-6)


def test_procrustes_takes_a_scale_away_but_no_reflection():
    bigger = recording(turned([0.2, -0.4, 1.0], scale=1.5))
    assert measure_groups(bigger)["wrists"]["mpjpe_local_rotated"] > 100.0
    assert measure(bigger)["mpjpe_procrustes"] == pytest.approx(0.0, abs=1e-3)
    still = frame()
    mirrored = still._replace(body_pos_w=still.body_pos_w * torch.tensor([1.0, -1.0, 1.0]))
    assert measure_groups(recording(mirrored))["wrists"]["mpjpe_procrustes"] > 10.0


def test_one_body_that_is_off_shows_in_its_groups():
    pos = frame().body_pos_w.clone()
    pos[:, 3, 0] += 0.08
    lost = recording(frame()._replace(body_pos_w=pos))
    assert measure(lost)["mpjpe_global"] == pytest.approx(20.0, abs=1e-4)
    groups = measure_groups(lost)
    assert groups["wrists"]["mpjpe_global"] == groups["arms"]["mpjpe_local"] == pytest.approx(80.0, abs=1e-4)
    assert groups["feet"]["mpjpe_global"] == groups["legs"]["mpjpe_local_rotated"] == pytest.approx(0.0, abs=1e-4)


def test_velocity_and_acceleration_errors_are_in_si_units():
    """An error that grows with 2 t + 3/2 t^2 grows by 2 m/s + 3 m/s^2 t; the middles of 4 intervals average 0.04 s."""
    time = (torch.arange(5, dtype=torch.float64) / RATE)[:, None, None]
    shift = (2.0 * time + 1.5 * time.square()) * torch.tensor([1.0, 0.0, 0.0])
    values = measure(recording(moved(shift)))
    assert values["velocity_error"] == pytest.approx(2.0 + 3.0 * 0.04, abs=1e-6)
    assert values["acceleration_error"] == pytest.approx(3.0, abs=1e-6)


def test_jerk_is_the_robots_own():
    time = (torch.arange(6, dtype=torch.float64) / RATE)[:, None, None]
    values = measure(recording(moved(7.0 / 6.0 * time**3 * torch.tensor([0.0, 1.0, 0.0]), steps=6)))
    assert values["jerk"] == pytest.approx(7.0, abs=1e-4)


def test_short_episodes_have_no_differences():
    values = measure(recording(frame(1)))
    for name in ("velocity_error", "acceleration_error", "jerk", "action_rate"):
        assert values[name] is None


def test_success_by_terminations_and_by_phc_differ():
    shift = torch.zeros(5, 1, 3)
    shift[2, 0, 0] = 0.51
    once_far = recording(moved(shift))
    assert measure(once_far)["success_terminations"] == 1.0
    assert measure(once_far)["success_phc"] == 0.0
    fallen = recording(outcome="anchor_tilt", clip_steps=20)
    assert measure(fallen)["success_terminations"] == measure(fallen)["success_phc"] == 0.0


def test_progress_leaves_out_the_step_that_ended_it():
    assert measure(recording(outcome="anchor_tilt", clip_steps=20))["progress"] == pytest.approx(4 / 20)
    assert measure(recording(outcome="anchor_tilt", clip_steps=20, start=10))["progress"] == pytest.approx(4 / 10)
    assert measure(recording(clip_steps=5))["progress"] == 1.0


def test_joint_error_and_power():
    robot = frame()._replace(
        joint_pos=torch.tensor([0.1, -0.3]).expand(5, 2), joint_vel=torch.tensor([2.0, -3.0]).expand(5, 2)
    )
    values = measure(recording(robot, torques=torch.tensor([10.0, 5.0]).expand(5, 2)))
    assert values["joint_error"] == pytest.approx(0.2, abs=1e-7)
    assert values["power"] == pytest.approx(35.0)
    assert values["torque_saturation"] is values["speed_saturation"] is None


def test_saturation_counts_instants_and_joints():
    torques, speeds = torch.zeros(5, 2), torch.zeros(5, 2)
    torques[:2, 0] = -9.95
    speeds[0, 1] = 4.0
    robot = frame()._replace(joint_vel=speeds)
    limits = JointLimits(effort=torch.tensor([10.0, 10.0]), speed=torch.tensor([4.0, 4.0]))
    values = measure(recording(robot, torques=torques), limits)
    assert values["torque_saturation"] == pytest.approx(0.2)
    assert values["speed_saturation"] == pytest.approx(0.1)


def test_action_rate():
    actions = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, -2.0], [1.0, -2.0], [1.0, -2.0]])
    assert measure(recording(actions=actions))["action_rate"] == pytest.approx((1 + 2) / 8)


def test_feet_slide_only_while_they_stand():
    """The left foot slides by 10 mm a step throughout, the right one by 30 mm; the right stands for two instants."""
    pos = frame().body_pos_w.clone()
    pos[:, 1, 0] += 0.01 * torch.arange(5)
    pos[:, 2, 1] += 0.03 * torch.arange(5)
    robot = frame()._replace(body_pos_w=pos)
    contacts = torch.tensor([[True, False], [True, True], [True, True], [True, False], [True, False]])
    values = measure(recording(robot, contacts=contacts, reference_contacts=torch.ones(5, 2, dtype=torch.bool)))
    assert values["foot_slide"] == pytest.approx((4 * 0.5 + 1 * 1.5) / 5, abs=1e-5)
    assert values["contact_agreement"] == pytest.approx(7 / 10)
    airborne = recording(robot, contacts=torch.zeros(5, 2, dtype=torch.bool))
    assert measure(airborne)["foot_slide"] is None


def test_curves_are_means_over_the_bodies():
    shift = 0.01 * torch.arange(5.0)[:, None, None] * UP
    curves = error_curves(recording(moved(shift)))
    assert curves["mpjpe_global"].tolist() == pytest.approx([0.0, 10.0, 20.0, 30.0, 40.0], abs=1e-4)
    assert curves["mpjpe_local"].tolist() == pytest.approx([0.0] * 5, abs=1e-4)


def test_a_recording_has_one_length():
    with pytest.raises(ValueError, match="torques has 4 instants, not 5"):
        replace(recording(), torques=torch.zeros(4, 2))
