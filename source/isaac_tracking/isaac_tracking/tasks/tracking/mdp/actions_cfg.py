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


@configclass
class DelayedJointPositionActionCfg(JointPositionActionCfg):
    """Joint targets that reach the motors late, smoothed, and gently at an episode's start.

    As given it does nothing and equals :class:`JointPositionActionCfg`. The three-stage G1 tracker of
    Axellwppr/motion_tracking has ``delay=(0, 3)``, ``smoothing=0.9`` and ``boot_steps=6``, HDMI ``delay=(2, 6)`` and
    ``smoothing=(0.8, 1.0)``.
    """

    class_type: type | str = "{DIR}.delayed_action:DelayedJointPositionAction"

    delay: tuple[int, int] = (0, 0)
    """Least and largest delay [physics steps], both included; drawn per environment at every reset."""
    delay_full_at: float = 0.8
    """Share of the training's progress, in (0, 1], from which the whole range of delays is drawn.

    Before it the upper end of the range grows linearly from the lower end (Axellwppr/motion_tracking: full at 80 %).
    """
    smoothing: float | tuple[float, float] = 1.0
    """Weight, in (0, 1], of the delayed action in a moving average that advances with every physics step.

    One means no smoothing; of a pair, each episode has a number drawn between the two.
    """
    boot_steps: int = 0
    """Control steps over which the targets go from the robot's joint angles at the reset to the policy's."""


@configclass
class DelayedReferenceJointPositionActionCfg(DelayedJointPositionActionCfg):
    """The same around the reference's joint angles instead of the default pose (HDMI's residual actions)."""

    class_type: type | str = "{DIR}.delayed_action:DelayedReferenceJointPositionAction"

    command_name: str = "motion"
    """Name of the motion command."""
