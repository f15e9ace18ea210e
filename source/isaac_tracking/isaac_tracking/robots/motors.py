# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Electric joint motors, and the position gains that follow from their reflected inertia.

The gains are those of BeyondMimic (HybridRobotics/whole_body_tracking, ``robots/g1.py``): a joint is treated as
its armature on a spring and a damper with a natural frequency of 10 Hz and a damping ratio of 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NATURAL_FREQUENCY = 2.0 * math.pi * 10.0
"""Natural frequency of a position-controlled joint [rad/s]."""

DAMPING_RATIO = 2.0
"""Damping ratio of a position-controlled joint [-]."""

ACTION_FRACTION = 0.25
"""Share of the peak torque that an action of one asks for at standstill [-]."""


@dataclass(frozen=True)
class Motor:
    """One motor as seen from its joint, behind the gears."""

    armature: float
    """Reflected rotor inertia [kg m^2]."""

    effort_limit: float
    """Peak torque [N m]."""

    velocity_limit: float
    """Peak speed [rad/s]."""

    @property
    def stiffness(self) -> float:
        """Position gain Kp [N m/rad]."""
        return self.armature * NATURAL_FREQUENCY**2

    @property
    def damping(self) -> float:
        """Velocity gain Kd [N m s/rad]."""
        return 2.0 * DAMPING_RATIO * self.armature * NATURAL_FREQUENCY

    @property
    def action_scale(self) -> float:
        """Joint angle that an action of one adds to the target [rad]."""
        return ACTION_FRACTION * self.effort_limit / self.stiffness
