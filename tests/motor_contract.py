# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What an exported policy says of motors, against the module of its robot."""

from __future__ import annotations

from types import ModuleType

import pytest

from isaac_tracking.inference.policy_contract import PolicyContract, check_joints


def check_motors(contract: PolicyContract, robot: ModuleType) -> None:
    """Compare joints, motors, default pose and mass with a module such as :mod:`isaac_tracking.robots.g1`."""
    check_joints(contract, robot.JOINT_NAMES, "the robot")
    motors = [robot.motor_of(name) for name in robot.JOINT_NAMES]
    for values, name in (
        (contract.joint_stiffness, "stiffness"),
        (contract.joint_damping, "damping"),
        (contract.joint_armature, "armature"),
        (contract.joint_effort_limits, "effort_limit"),
        (contract.joint_velocity_limits, "velocity_limit"),
        (contract.action.scale, "action_scale"),
    ):
        assert values == pytest.approx([getattr(motor, name) for motor in motors], rel=1e-6), name
    assert list(contract.default_joint_pos) == [robot.default_joint_pos(name) for name in robot.JOINT_NAMES]
    assert contract.robot_mass == pytest.approx(robot.MASS, abs=1e-4)
