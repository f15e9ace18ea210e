# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

__all__ = [
    "action_rate_l2",
    "ang_vel_xy_l2",
    "command_ranges",
    "feet_air_time",
    "feet_air_time_positive_biped",
    "feet_slide",
    "flat_orientation_l2",
    "joint_acc_l2",
    "joint_deviation_l1",
    "joint_pos_limits",
    "joint_torques_l2",
    "lin_vel_z_l2",
    "non_finite",
    "terrain_levels",
    "track_ang_vel_z_exp",
    "track_ang_vel_z_world_exp",
    "track_lin_vel_xy_exp",
    "track_lin_vel_xy_yaw_frame_exp",
    "undesired_contacts",
]

from isaaclab.envs.mdp import *
from isaaclab_tasks.core.velocity.mdp import *

from .curriculums import command_ranges, terrain_levels
from .rewards import (
    action_rate_l2,
    ang_vel_xy_l2,
    feet_air_time,
    feet_air_time_positive_biped,
    feet_slide,
    flat_orientation_l2,
    joint_acc_l2,
    joint_deviation_l1,
    joint_pos_limits,
    joint_torques_l2,
    lin_vel_z_l2,
    track_ang_vel_z_exp,
    track_ang_vel_z_world_exp,
    track_lin_vel_xy_exp,
    track_lin_vel_xy_yaw_frame_exp,
    undesired_contacts,
)
from .terminations import non_finite
