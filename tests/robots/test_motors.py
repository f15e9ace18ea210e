# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motor data, the gains that follow from them, and the default pose: BeyondMimic's table, joint by joint."""

from __future__ import annotations

import re

import pytest

from isaac_tracking.robots import g1
from isaac_tracking.robots.motors import Motor

# Armature, Kp, Kd, effort, speed, action scale (HybridRobotics/whole_body_tracking, robots/g1.py).
TABLE = {
    "7520-14": (0.010177520, 40.1792, 2.55789, 88.0, 32.0, 0.5475),
    "7520-22": (0.025101925, 99.0984, 6.30880, 139.0, 20.0, 0.3507),
    "2x5020": (0.00721945, 28.5012, 1.81445, 50.0, 37.0, 0.4386),
    "5020": (0.003609725, 14.2506, 0.90722, 25.0, 37.0, 0.4386),
    "4010": (0.00425, 16.7783, 1.06814, 5.0, 22.0, 0.0745),
}
LEG = {
    "hip_pitch": "7520-14",
    "hip_roll": "7520-22",
    "hip_yaw": "7520-14",
    "knee": "7520-22",
    "ankle_pitch": "2x5020",
    "ankle_roll": "2x5020",
}
WAIST = {"waist_yaw": "7520-14", "waist_roll": "2x5020", "waist_pitch": "2x5020"}
ARM = {
    "shoulder_pitch": "5020",
    "shoulder_roll": "5020",
    "shoulder_yaw": "5020",
    "elbow": "5020",
    "wrist_roll": "5020",
    "wrist_pitch": "4010",
    "wrist_yaw": "4010",
}
MOTOR_OF = {
    **{f"left_{part}_joint": motor for part, motor in LEG.items()},
    **{f"right_{part}_joint": motor for part, motor in LEG.items()},
    **{f"{part}_joint": motor for part, motor in WAIST.items()},
    **{f"left_{part}_joint": motor for part, motor in ARM.items()},
    **{f"right_{part}_joint": motor for part, motor in ARM.items()},
}
DEFAULT = {"hip_pitch": -0.312, "knee": 0.669, "ankle_pitch": -0.363, "elbow": 0.6, "shoulder_pitch": 0.2}


def test_joints_are_in_the_order_of_the_sdk() -> None:
    assert tuple(MOTOR_OF) == g1.JOINT_NAMES
    assert len(g1.JOINT_NAMES) == 29


def test_each_joint_moves_the_body_of_its_name() -> None:
    assert g1.BODY_NAMES[0] == "pelvis"
    for joint, body in zip(g1.JOINT_NAMES, g1.BODY_NAMES[1:], strict=True):
        # The body above the waist's last joint is called the torso.
        assert body == {"waist_pitch_joint": "torso_link"}.get(joint, joint.replace("_joint", "_link"))


@pytest.mark.parametrize("joint", g1.JOINT_NAMES)
def test_each_joint_has_the_numbers_of_its_motor(joint: str) -> None:
    armature, stiffness, damping, effort, velocity, scale = TABLE[MOTOR_OF[joint]]
    motor = g1.motor_of(joint)
    assert motor.armature == pytest.approx(armature, rel=1e-9)
    assert motor.stiffness == pytest.approx(stiffness, abs=5e-5)
    assert motor.damping == pytest.approx(damping, abs=5e-6)
    assert motor.effort_limit == effort
    assert motor.velocity_limit == velocity
    assert motor.action_scale == pytest.approx(scale, abs=5e-5)


def matching(patterns: list[str], joint: str) -> list[str]:
    return [pattern for pattern in patterns if re.fullmatch(pattern, joint)]


def test_exactly_one_motor_drives_each_joint() -> None:
    groups = {name: list(patterns) for name, (_, patterns) in g1.MOTORS.items()}
    for joint in g1.JOINT_NAMES:
        assert len([name for name, patterns in groups.items() if matching(patterns, joint)]) == 1, joint
    for patterns in groups.values():
        for pattern in patterns:
            assert [joint for joint in g1.JOINT_NAMES if re.fullmatch(pattern, joint)], f"{pattern} drives nothing"


def test_exactly_one_action_scale_belongs_to_each_joint() -> None:
    for joint in g1.JOINT_NAMES:
        (pattern,) = matching(list(g1.ACTION_SCALE), joint)
        assert g1.ACTION_SCALE[pattern] == pytest.approx(TABLE[MOTOR_OF[joint]][5], abs=5e-5)


@pytest.mark.parametrize("joint", g1.JOINT_NAMES)
def test_each_joint_has_its_default_angle(joint: str) -> None:
    part = re.sub("(left|right)_(.*)_joint", r"\2", joint)
    expected = {"left_shoulder_roll_joint": 0.2, "right_shoulder_roll_joint": -0.2}.get(joint, DEFAULT.get(part, 0.0))
    assert g1.default_joint_pos(joint) == expected
    assert len(matching(list(g1.DEFAULT_JOINT_POS), joint)) == (expected != 0.0)


def test_the_robot_starts_at_beyondmimics_height() -> None:
    assert g1.G1_CFG.init_state.pos == (0.0, 0.0, 0.76)


def test_the_articulation_has_the_motors_numbers() -> None:
    for joint in g1.JOINT_NAMES:
        (actuator,) = [cfg for cfg in g1.G1_CFG.actuators.values() if matching(cfg.joint_names_expr, joint)]
        armature, stiffness, damping, effort, velocity, _ = TABLE[MOTOR_OF[joint]]
        assert actuator.armature == pytest.approx(armature, rel=1e-9)
        assert actuator.stiffness == pytest.approx(stiffness, abs=5e-5)
        assert actuator.damping == pytest.approx(damping, abs=5e-6)
        assert actuator.joint_effort_limit == effort
        assert actuator.joint_velocity_limit == velocity


def test_orders_are_pinned_and_contacts_reported() -> None:
    assert tuple(g1.G1_CFG.joint_ordering) == g1.JOINT_NAMES
    assert tuple(g1.G1_CFG.body_ordering) == g1.BODY_NAMES
    assert g1.G1_CFG.soft_joint_pos_limit_factor == 0.9
    # PhysX refuses a contact sensor on bodies without the report.
    assert g1.G1_CFG.spawn.activate_contact_sensors


def test_key_bodies_are_beyondmimics() -> None:
    sides = ("hip_roll", "knee", "ankle_roll", "shoulder_roll", "elbow", "wrist_yaw")
    expected = {"pelvis", "torso_link"} | {f"{side}_{part}_link" for side in ("left", "right") for part in sides}
    assert len(g1.KEY_BODY_NAMES) == 14
    assert set(g1.KEY_BODY_NAMES) == expected
    assert set(g1.END_EFFECTOR_BODY_NAMES) == {
        f"{side}_{part}_link" for side in ("left", "right") for part in ("ankle_roll", "wrist_yaw")
    }
    assert g1.ANCHOR_BODY_NAME == "torso_link"
    assert set(g1.KEY_BODY_NAMES) <= set(g1.BODY_NAMES)


def test_an_unknown_joint_is_named() -> None:
    for name in ("left_hip_joint", "my_waist_yaw_joint", "middle_knee_joint"):
        with pytest.raises(ValueError, match=name):
            g1.motor_of(name)


def test_gains_by_hand() -> None:
    # One unit of inertia at 10 Hz: Kp = (20 pi)^2, Kd = 4 * 20 pi; a quarter of the torque at an action of one.
    motor = Motor(armature=1.0, effort_limit=3947.84176, velocity_limit=1.0)
    assert motor.stiffness == pytest.approx(3947.84176, rel=1e-8)
    assert motor.damping == pytest.approx(251.327412, rel=1e-8)
    assert motor.action_scale == pytest.approx(0.25, rel=1e-8)
