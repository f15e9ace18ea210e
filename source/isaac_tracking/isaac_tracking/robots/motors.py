# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Electric joint motors, and the position gains that follow from their reflected inertia.

The gains are those of BeyondMimic (HybridRobotics/whole_body_tracking, ``robots/g1.py``): a joint is treated as
its armature on a spring and a damper with a natural frequency of 10 Hz and a damping ratio of 2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isaaclab.actuators import ActuatorBaseCfg, ImplicitActuatorCfg

NATURAL_FREQUENCY = 2.0 * math.pi * 10.0
"""Natural frequency of a position-controlled joint [rad/s]."""

DAMPING_RATIO = 2.0
"""Damping ratio of a position-controlled joint [-]."""

ACTION_FRACTION = 0.25
"""Share of the peak torque that an action of one asks for at standstill [-]."""


@dataclass(frozen=True)
class Motor:
    """One motor as seen from its joint, behind the gears."""

    armature: float
    """Reflected rotor inertia [kg m^2]."""

    effort_limit: float
    """Peak torque [N m]."""

    velocity_limit: float
    """Peak speed [rad/s]."""

    @property
    def stiffness(self) -> float:
        """Position gain Kp [N m/rad]."""
        return self.armature * NATURAL_FREQUENCY**2

    @property
    def damping(self) -> float:
        """Velocity gain Kd [N m s/rad]."""
        return 2.0 * DAMPING_RATIO * self.armature * NATURAL_FREQUENCY

    @property
    def action_scale(self) -> float:
        """Joint angle that an action of one adds to the target [rad]."""
        return ACTION_FRACTION * self.effort_limit / self.stiffness


Motors = Mapping[str, tuple[Motor, tuple[str, ...]]]
"""Which motor drives which joints: by a name of the motor, the motor and patterns of joint names."""


def find_motor(motors: Motors, robot: str, joint_names: Sequence[str], joint_name: str) -> Motor:
    """Return the motor that drives a joint.

    Args:
        motors: The robot's motors.
        robot: The robot's name, for the message.
        joint_names: All of its joints.
        joint_name: The joint.

    Raises:
        ValueError: If the robot has no joint of that name.
    """
    for motor, patterns in motors.values():
        if joint_name in joint_names and any(re.fullmatch(pattern, joint_name) for pattern in patterns):
            return motor
    raise ValueError(f"joint '{joint_name}' is not one of the {robot}'s: {', '.join(joint_names)}")


def action_scales(motors: Motors) -> dict[str, float]:
    """Return the joint angle per unit of action [rad], by joint name pattern."""
    return {pattern: motor.action_scale for motor, patterns in motors.values() for pattern in patterns}


def implicit_actuators(motors: Motors) -> dict[str, ActuatorBaseCfg]:
    """Return the motors as position control that the engine itself integrates, by name of the motor."""
    return {
        name: ImplicitActuatorCfg(
            joint_names_expr=list(patterns),
            stiffness=motor.stiffness,
            damping=motor.damping,
            armature=motor.armature,
            joint_effort_limit=motor.effort_limit,
            joint_velocity_limit=motor.velocity_limit,
        )
        for name, (motor, patterns) in motors.items()
    }
