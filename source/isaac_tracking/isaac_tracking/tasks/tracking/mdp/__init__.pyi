# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

__all__ = [
    "AugmentationCfg",
    "DelayedJointPositionActionCfg",
    "DelayedReferenceJointPositionActionCfg",
    "MotionCommand",
    "MotionCommandCfg",
    "ReferenceJointPositionActionCfg",
    "ResetNoiseCfg",
    "SamplerCfg",
    "anchor_errors",
    "anchor_pos_exp",
    "anchor_rot_exp",
    "applied_action",
    "applied_torque",
    "bad_anchor_height",
    "bad_anchor_tilt",
    "bad_body_height",
    "body_ang_vel_exp",
    "body_height",
    "body_lin_vel_a",
    "body_lin_vel_exp",
    "body_ori_a",
    "body_pos_a",
    "body_pos_error_a",
    "body_pos_errors",
    "body_pos_exp",
    "body_rot_errors",
    "body_rot_exp",
    "boot_indicator",
    "clip_end",
    "clip_leaving",
    "foot_contacts",
    "future_gravity",
    "future_joint_pos",
    "future_joint_pos_error",
    "future_root_height",
    "future_root_ori",
    "future_root_pos",
    "future_root_pos_b",
    "joint_limit",
    "motion_phase",
    "non_finite",
    "offset_joint_default_pos",
    "reference_anchor_ori_b",
    "reference_anchor_pos_b",
]

from isaaclab.envs.mdp import *

from .actions_cfg import (
    DelayedJointPositionActionCfg,
    DelayedReferenceJointPositionActionCfg,
    ReferenceJointPositionActionCfg,
)
from .commands import MotionCommand
from .commands_cfg import (
    AugmentationCfg,
    MotionCommandCfg,
    ResetNoiseCfg,
    SamplerCfg,
)
from .events import offset_joint_default_pos
from .future_observations import (
    boot_indicator,
    future_gravity,
    future_joint_pos,
    future_joint_pos_error,
    future_root_height,
    future_root_ori,
    future_root_pos,
)
from .observations import (
    body_ori_a,
    body_pos_a,
    reference_anchor_ori_b,
    reference_anchor_pos_b,
)
from .privileged_observations import (
    anchor_errors,
    applied_action,
    applied_torque,
    body_height,
    body_lin_vel_a,
    body_pos_error_a,
    body_pos_errors,
    body_rot_errors,
    foot_contacts,
    future_root_pos_b,
    motion_phase,
)
from .rewards import (
    anchor_pos_exp,
    anchor_rot_exp,
    body_ang_vel_exp,
    body_lin_vel_exp,
    body_pos_exp,
    body_rot_exp,
    joint_limit,
)
from .terminations import (
    bad_anchor_height,
    bad_anchor_tilt,
    bad_body_height,
    clip_end,
    clip_leaving,
    non_finite,
)
