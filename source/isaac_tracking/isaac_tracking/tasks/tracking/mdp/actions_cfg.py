# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Actions that Isaac Lab lacks, as data."""

from __future__ import annotations

from isaaclab.envs.mdp import JointPositionActionCfg
from isaaclab.utils import configclass


@configclass
class ReferenceJointPositionActionCfg(JointPositionActionCfg):
    """Joint targets relative to the reference's joint angles instead of the default pose (HDMI, wbc-mjlab)."""

    class_type: type | str = "{DIR}.actions:ReferenceJointPositionAction"

    command_name: str = "motion"
    """Name of the motion command."""
