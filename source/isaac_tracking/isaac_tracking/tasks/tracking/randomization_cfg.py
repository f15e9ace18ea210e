# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robots that differ as real ones do: more than BeyondMimic varies, for policies that are to adapt.

Numbers are those of the three-stage G1 tracker of Axellwppr/motion_tracking (branch compliance); what BeyondMimic
varies as well keeps BeyondMimic's numbers.
"""

from __future__ import annotations

from typing import Any

from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.utils import configclass

from . import mdp
from .tracking_env_cfg import EventsCfg

ACTION_PATH: dict[str, Any] = {"delay": (0, 3), "delay_full_at": 0.8, "smoothing": 0.9, "boot_steps": 6}
"""What happens to an action on its way to the motors, for :class:`mdp.DelayedJointPositionActionCfg`.

Delay of 0 to 3 physics steps, the whole range from 80 % of the training on; weight of the new action in each physics
step; control steps until the policy has the motors for itself.
"""


@configclass
class StrongEventsCfg(EventsCfg):
    """What BeyondMimic varies, and each robot's motors and masses.

    Each robot gets its numbers once, at the start of the run, and every joint and body its own. Every term starts
    from the numbers of the robot's config however often it is called, so that nothing drifts.
    """

    motor_gains = EventTerm(
        func=mdp.randomize_actuator_gains,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", joint_names=".*"),
            "stiffness_distribution_params": (0.8, 1.2),
            "damping_distribution_params": (0.8, 1.2),
            "operation": "scale",
        },
    )
    motor_armature = EventTerm(
        func=mdp.randomize_joint_parameters,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", joint_names=".*"),
            "armature_distribution_params": (0.75, 1.25),
            "operation": "scale",
        },
    )
    # Inertias follow the masses.
    link_mass = EventTerm(
        func=mdp.randomize_rigid_body_mass,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
            "mass_distribution_params": (0.9, 1.1),
            "operation": "scale",
        },
    )
