# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The Unitree G1 with 29 joints: names and their order, motors, default pose, and its articulation config."""

from __future__ import annotations

import re

from isaaclab.assets import ArticulationCfg

from .motors import Motor, action_scales, find_motor, implicit_actuators
from .spawn import mjcf_robot

MODEL = ("unitree_g1", "g1.xml")
"""Folder and file of the G1 in mjlab's asset zoo."""

MASS = 33.341142
"""Mass of all bodies [kg], as the MJCF gives it."""

_LEG = ("hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll")
_ARM = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch", "wrist_yaw")

JOINT_NAMES: tuple[str, ...] = (
    *(f"left_{part}_joint" for part in _LEG),
    *(f"right_{part}_joint" for part in _LEG),
    "waist_yaw_joint",
    "waist_roll_joint",
    "waist_pitch_joint",
    *(f"left_{part}_joint" for part in _ARM),
    *(f"right_{part}_joint" for part in _ARM),
)
"""The 29 joints, depth first: the order of Unitree's SDK, of MuJoCo and of Newton."""

BODY_NAMES: tuple[str, ...] = (
    "pelvis",
    *(f"left_{part}_link" for part in _LEG),
    *(f"right_{part}_link" for part in _LEG),
    "waist_yaw_link",
    "waist_roll_link",
    "torso_link",
    *(f"left_{part}_link" for part in _ARM),
    *(f"right_{part}_link" for part in _ARM),
)
"""The 30 bodies, depth first. Body ``i + 1`` is moved by joint ``i``."""

KEY_BODY_NAMES: tuple[str, ...] = (
    "pelvis",
    "left_hip_roll_link",
    "left_knee_link",
    "left_ankle_roll_link",
    "right_hip_roll_link",
    "right_knee_link",
    "right_ankle_roll_link",
    "torso_link",
    "left_shoulder_roll_link",
    "left_elbow_link",
    "left_wrist_yaw_link",
    "right_shoulder_roll_link",
    "right_elbow_link",
    "right_wrist_yaw_link",
)
"""The 14 bodies that are tracked (BeyondMimic ``config/g1/flat_env_cfg.py``)."""

ANCHOR_BODY_NAME = "torso_link"
"""The body whose position and heading place the reference (BeyondMimic)."""

TORSO_PRIM = "Geometry/pelvis/waist_yaw_link/waist_roll_link/torso_link"
"""Where that body lies in the USD, below the robot."""

FOOT_BODY_NAMES: tuple[str, ...] = ("left_ankle_roll_link", "right_ankle_roll_link")
"""The bodies that carry the soles."""

END_EFFECTOR_BODY_NAMES: tuple[str, ...] = (*FOOT_BODY_NAMES, "left_wrist_yaw_link", "right_wrist_yaw_link")
"""Feet and hands: they end an episode when they are lost, and may touch the ground (BeyondMimic)."""

MOTOR_7520_14 = Motor(armature=0.010177520, effort_limit=88.0, velocity_limit=32.0)
MOTOR_7520_22 = Motor(armature=0.025101925, effort_limit=139.0, velocity_limit=20.0)
MOTOR_5020 = Motor(armature=0.003609725, effort_limit=25.0, velocity_limit=37.0)
MOTOR_4010 = Motor(armature=0.00425, effort_limit=5.0, velocity_limit=22.0)
MOTOR_5020_PAIR = Motor(armature=2 * 0.003609725, effort_limit=50.0, velocity_limit=37.0)
"""Two 5020 motors on one joint through a parallel linkage, at a nominal ratio of one to one."""

MOTORS: dict[str, tuple[Motor, tuple[str, ...]]] = {
    "7520_14": (MOTOR_7520_14, (".*_hip_pitch_joint", ".*_hip_yaw_joint", "waist_yaw_joint")),
    "7520_22": (MOTOR_7520_22, (".*_hip_roll_joint", ".*_knee_joint")),
    "5020_pair": (MOTOR_5020_PAIR, (".*_ankle_(pitch|roll)_joint", "waist_(roll|pitch)_joint")),
    "5020": (MOTOR_5020, (".*_shoulder_(pitch|roll|yaw)_joint", ".*_elbow_joint", ".*_wrist_roll_joint")),
    "4010": (MOTOR_4010, (".*_wrist_(pitch|yaw)_joint",)),
}
"""Which motor drives which joints (BeyondMimic ``robots/g1.py``)."""

DEFAULT_ROOT_HEIGHT = 0.76
"""Height of the pelvis in the default pose [m]."""

DEFAULT_JOINT_POS: dict[str, float] = {
    ".*_hip_pitch_joint": -0.312,
    ".*_knee_joint": 0.669,
    ".*_ankle_pitch_joint": -0.363,
    ".*_elbow_joint": 0.6,
    "left_shoulder_roll_joint": 0.2,
    "right_shoulder_roll_joint": -0.2,
    ".*_shoulder_pitch_joint": 0.2,
}
"""Joint angles of the default pose [rad], zero where not named (BeyondMimic ``robots/g1.py``)."""


def motor_of(joint_name: str) -> Motor:
    """Return the motor that drives a joint.

    Raises:
        ValueError: If the G1 has no joint of that name.
    """
    return find_motor(MOTORS, "G1", JOINT_NAMES, joint_name)


def default_joint_pos(joint_name: str) -> float:
    """Return a joint's angle in the default pose [rad]."""
    return next((value for pattern, value in DEFAULT_JOINT_POS.items() if re.fullmatch(pattern, joint_name)), 0.0)


ACTION_SCALE: dict[str, float] = action_scales(MOTORS)
"""Joint angle per unit of action [rad], by joint name pattern."""

G1_CFG = ArticulationCfg(
    prim_path="{ENV_REGEX_NS}/Robot",
    # Self-collision as in BeyondMimic, and its solver iterations.
    spawn=mjcf_robot(MODEL, self_collisions=True, position_iterations=8, velocity_iterations=4),
    init_state=ArticulationCfg.InitialStateCfg(pos=(0.0, 0.0, DEFAULT_ROOT_HEIGHT), joint_pos=DEFAULT_JOINT_POS),
    soft_joint_pos_limit_factor=0.9,
    joint_ordering=JOINT_NAMES,
    body_ordering=BODY_NAMES,
    actuators=implicit_actuators(MOTORS),
)
"""The G1 as an Isaac Lab articulation; joints and bodies keep one order on every engine."""
