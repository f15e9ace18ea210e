# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robots as the motion tools know them, by the name that clips carry."""

from __future__ import annotations

from ..motion.robot import Robot
from .errors import OptionError

ROBOT_NAMES = ("unitree_g1",)
"""Robots that motions can be made for."""


def motion_robot(name: str = "unitree_g1") -> Robot:
    """Return what the motion tools need to know of a robot.

    Raises:
        OptionError: If there is no such robot.
    """
    if name not in ROBOT_NAMES:
        raise OptionError(f"robot '{name}' is unknown; choose from {', '.join(ROBOT_NAMES)}")
    # Imports Isaac Lab's configs, which takes a second; --help need not wait for it.
    from ..robots import g1
    from ..robots.mjcf import mjcf_path

    motors = [g1.motor_of(joint) for joint in g1.JOINT_NAMES]
    return Robot(
        name=name,
        mjcf=mjcf_path(*g1.MODEL),
        joint_names=g1.JOINT_NAMES,
        body_names=g1.BODY_NAMES,
        default_joint_pos=tuple(g1.default_joint_pos(joint) for joint in g1.JOINT_NAMES),
        foot_body_names=(g1.FOOT_BODY_NAMES[0], g1.FOOT_BODY_NAMES[1]),
        joint_speed_limits=tuple(motor.velocity_limit for motor in motors),
        joint_effort_limits=tuple(motor.effort_limit for motor in motors),
    )
