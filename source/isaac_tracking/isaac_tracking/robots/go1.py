# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The Unitree Go1 with 12 joints: names and their order, motors, default pose, and its articulation config."""

from __future__ import annotations

import re

from isaaclab.actuators import ActuatorNetMLPCfg
from isaaclab.assets import ArticulationCfg
from isaaclab.utils.assets import ISAACLAB_NUCLEUS_DIR

from .motors import Motor, action_scales, find_motor, implicit_actuators
from .spawn import mjcf_robot

MODEL = ("unitree_go1", "go1.xml")
"""Folder and file of the Go1 in mjlab's asset zoo."""

MASS = 12.743448
"""Mass of all bodies [kg], as the MJCF gives it."""

_LEGS = ("FR", "FL", "RR", "RL")
_PARTS = ("hip", "thigh", "calf")

JOINT_NAMES: tuple[str, ...] = tuple(f"{leg}_{part}_joint" for leg in _LEGS for part in _PARTS)
"""The 12 joints, depth first: the order of Unitree's SDK, of MuJoCo and of Newton."""

BODY_NAMES: tuple[str, ...] = ("trunk", *(f"{leg}_{part}" for leg in _LEGS for part in _PARTS))
"""The 13 bodies, depth first. Body ``i + 1`` is moved by joint ``i``."""

BASE_BODY_NAME = "trunk"
"""The body whose velocity is commanded."""

BASE_PRIM = "Geometry/trunk"
"""Where that body lies in the USD, below the robot."""

FOOT_BODY_NAMES: tuple[str, ...] = tuple(f"{leg}_calf" for leg in _LEGS)
"""The bodies that carry the feet; in the MJCF a foot is a sphere at the end of the calf."""

_ROTOR_INERTIA = 0.000111842
"""Of the rotor about its axis [kg m^2] (unitree_ros, ``go1.urdf``; mjlab, ``unitree_go1/go1_constants.py``)."""

_HIP_GEAR, _KNEE_GEAR = 6.0, 9.0
"""Ratios of the gears: the calf sits behind another 1.5 to 1 (mjlab, ``unitree_go1/go1_constants.py``)."""

MOTOR_HIP = Motor(armature=_ROTOR_INERTIA * _HIP_GEAR**2, effort_limit=23.7, velocity_limit=30.1)
MOTOR_KNEE = Motor(armature=_ROTOR_INERTIA * _KNEE_GEAR**2, effort_limit=35.55, velocity_limit=20.06)
"""Torque and speed as in Isaac Lab's ``GO1_ACTUATOR_CFG`` and mjlab's ``go1_constants.py``, which agree."""

MOTORS: dict[str, tuple[Motor, tuple[str, ...]]] = {
    "hip": (MOTOR_HIP, (".*_hip_joint", ".*_thigh_joint")),
    "knee": (MOTOR_KNEE, (".*_calf_joint",)),
}
"""Which motor drives which joints."""

DEFAULT_ROOT_HEIGHT = 0.4
"""Height of the trunk at the start [m], some centimetres above standing (Isaac Lab, ``UNITREE_GO1_CFG``)."""

DEFAULT_JOINT_POS: dict[str, float] = {
    ".*L_hip_joint": 0.1,
    ".*R_hip_joint": -0.1,
    "F[LR]_thigh_joint": 0.8,
    "R[LR]_thigh_joint": 1.0,
    ".*_calf_joint": -1.5,
}
"""Joint angles of the default pose [rad] (Isaac Lab, ``UNITREE_GO1_CFG``)."""


def motor_of(joint_name: str) -> Motor:
    """Return the motor that drives a joint.

    Raises:
        ValueError: If the Go1 has no joint of that name.
    """
    return find_motor(MOTORS, "Go1", JOINT_NAMES, joint_name)


def default_joint_pos(joint_name: str) -> float:
    """Return a joint's angle in the default pose [rad]."""
    return next((value for pattern, value in DEFAULT_JOINT_POS.items() if re.fullmatch(pattern, joint_name)), 0.0)


ACTION_SCALE: dict[str, float] = action_scales(MOTORS)
"""Joint angle per unit of action [rad], by joint name pattern."""

ACTUATOR_NET_FILE = f"{ISAACLAB_NUCLEUS_DIR}/ActuatorNets/Unitree/unitree_go1.pt"
"""Network that was fitted to real motors (Improbable-AI/walk-these-ways), on Isaac Lab's server."""

ACTUATOR_NET_SCALE = 0.25
"""Joint angle per unit of action with that network [rad] (Isaac Lab, ``UnitreeGo1RoughEnvCfg``)."""

ACTUATOR_NET_CFG = ActuatorNetMLPCfg(
    joint_names_expr=[".*"],
    network_file=ACTUATOR_NET_FILE,
    pos_scale=-1.0,
    vel_scale=1.0,
    torque_scale=1.0,
    input_order="pos_vel",
    input_idx=[0, 1, 2],
    **{
        limit: {pattern: getattr(motor, of) for motor, patterns in MOTORS.values() for pattern in patterns}
        for limit, of in (
            ("actuator_effort_limit", "effort_limit"),
            ("actuator_velocity_limit", "velocity_limit"),
            ("saturation_effort", "effort_limit"),
        )
    },
)
"""All motors as that network (Isaac Lab, ``GO1_ACTUATOR_CFG``); reading it needs the server."""

GO1_CFG = ArticulationCfg(
    prim_path="{ENV_REGEX_NS}/Robot",
    # Without self-collision, and PhysX's solver iterations, as in Isaac Lab's UNITREE_GO1_CFG.
    spawn=mjcf_robot(MODEL, self_collisions=False, position_iterations=4, velocity_iterations=0),
    init_state=ArticulationCfg.InitialStateCfg(pos=(0.0, 0.0, DEFAULT_ROOT_HEIGHT), joint_pos=DEFAULT_JOINT_POS),
    soft_joint_pos_limit_factor=0.9,
    joint_ordering=JOINT_NAMES,
    body_ordering=BODY_NAMES,
    actuators=implicit_actuators(MOTORS),
)
"""The Go1 as an Isaac Lab articulation; joints and bodies keep one order on every engine."""
