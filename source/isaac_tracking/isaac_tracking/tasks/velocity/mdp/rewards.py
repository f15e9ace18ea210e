# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Isaac Lab's rewards, of which a state that is not finite gets nothing.

Such a state ends its episode, but its rewards are computed before that, and one NaN among them would spoil the
estimated returns of all environments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from isaaclab.envs import mdp
from isaaclab_tasks.core.velocity import mdp as walking

from ...graphs.plan import in_graph, reads_efforts


def _finite(func: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return the term with zero in place of what is not finite."""

    # With its signature, by which Isaac Lab checks the parameters of a config.
    @functools.wraps(func)
    def term(*args: Any, **kwargs: Any) -> torch.Tensor:
        return func(*args, **kwargs).nan_to_num(0.0, 0.0, 0.0)

    in_graph(term)
    # And with its place, by which Isaac Lab finds a term again that a config names.
    term.__module__ = __name__
    return term


track_lin_vel_xy_exp = _finite(mdp.track_lin_vel_xy_exp)
track_ang_vel_z_exp = _finite(mdp.track_ang_vel_z_exp)
track_lin_vel_xy_yaw_frame_exp = _finite(walking.track_lin_vel_xy_yaw_frame_exp)
track_ang_vel_z_world_exp = _finite(walking.track_ang_vel_z_world_exp)
lin_vel_z_l2 = _finite(mdp.lin_vel_z_l2)
ang_vel_xy_l2 = _finite(mdp.ang_vel_xy_l2)
joint_torques_l2 = reads_efforts(_finite(mdp.joint_torques_l2))
joint_acc_l2 = _finite(mdp.joint_acc_l2)
action_rate_l2 = _finite(mdp.action_rate_l2)
flat_orientation_l2 = _finite(mdp.flat_orientation_l2)
joint_pos_limits = _finite(mdp.joint_pos_limits)
joint_deviation_l1 = _finite(mdp.joint_deviation_l1)
feet_air_time = _finite(walking.feet_air_time)
feet_air_time_positive_biped = _finite(walking.feet_air_time_positive_biped)
feet_slide = _finite(walking.feet_slide)
undesired_contacts = _finite(mdp.undesired_contacts)
