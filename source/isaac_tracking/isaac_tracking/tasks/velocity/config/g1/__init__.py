# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Following velocities with the Unitree G1."""

from ...registration import register

register("G1", __name__, "g1_velocity_env_cfg:G1Velocity", "G1Velocity")
