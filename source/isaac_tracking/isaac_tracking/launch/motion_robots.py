# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robots as the motion tools know them, by the name that clips carry."""

from __future__ import annotations

from ..motion.robot import Robot
from .errors import OptionError

ROBOT_NAMES = ("unitree_g1",)
"""Robots that motions can be made for."""
MODEL_NAMES = (*ROBOT_NAMES, "unitree_go1")
"""Robots that policies can be of."""


def motion_robot(name: str = "unitree_g1") -> Robot:
    """Return what the motion tools need to know of a robot.

    Raises:
        OptionError: If there is no such robot.
    """
    if name not in ROBOT_NAMES:
        raise OptionError(f"robot '{name}' is unknown; choose from {', '.join(ROBOT_NAMES)}")
    return robot_model(name)


def robot_model(name: str) -> Robot:
    """Return a robot whose policies can be shown and simulated without Isaac Lab.

    Args:
        name: Folder of its MJCF in mjlab's asset zoo, which is the robot's name in contracts and clips.

    Raises:
        OptionError: If there is no such robot.
    """
    if name not in MODEL_NAMES:
        raise OptionError(f"robot '{name}' is unknown; choose from {', '.join(MODEL_NAMES)}")
    # Imports Isaac Lab's configs, which takes a second; --help need not wait for it.
    import importlib

    from ..robots.mjcf import mjcf_path

    robot = importlib.import_module(f"..robots.{name.removeprefix('unitree_')}", __package__)
    motors = [robot.motor_of(joint) for joint in robot.JOINT_NAMES]
    return Robot(
        name=name,
        mjcf=mjcf_path(*robot.MODEL),
        joint_names=robot.JOINT_NAMES,
        body_names=robot.BODY_NAMES,
        default_joint_pos=tuple(robot.default_joint_pos(joint) for joint in robot.JOINT_NAMES),
        foot_body_names=robot.FOOT_BODY_NAMES,
        joint_speed_limits=tuple(motor.velocity_limit for motor in motors),
        joint_effort_limits=tuple(motor.effort_limit for motor in motors),
    )
