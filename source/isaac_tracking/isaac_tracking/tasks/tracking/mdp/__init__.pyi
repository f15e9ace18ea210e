# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

__all__ = [
    "AugmentationCfg",
    "MotionCommand",
    "MotionCommandCfg",
    "ReferenceJointPositionActionCfg",
    "ResetNoiseCfg",
    "SamplerCfg",
    "anchor_pos_exp",
    "anchor_rot_exp",
    "bad_anchor_height",
    "bad_anchor_tilt",
    "bad_body_height",
    "body_ang_vel_exp",
    "body_lin_vel_exp",
    "body_ori_a",
    "body_pos_a",
    "body_pos_exp",
    "body_rot_exp",
    "clip_end",
    "clip_leaving",
    "joint_limit",
    "non_finite",
    "offset_joint_default_pos",
    "reference_anchor_ori_b",
    "reference_anchor_pos_b",
]

from isaaclab.envs.mdp import *

from .actions_cfg import ReferenceJointPositionActionCfg
from .commands import MotionCommand
from .commands_cfg import (
    AugmentationCfg,
    MotionCommandCfg,
    ResetNoiseCfg,
    SamplerCfg,
)
from .events import offset_joint_default_pos
from .observations import (
    body_ori_a,
    body_pos_a,
    reference_anchor_ori_b,
    reference_anchor_pos_b,
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
