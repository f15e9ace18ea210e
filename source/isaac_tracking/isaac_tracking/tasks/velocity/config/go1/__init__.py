# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Following velocities with the Unitree Go1."""

from ...registration import register

register("Unitree-Go1", __name__, "go1_velocity_env_cfg:Go1Velocity", "Go1Velocity")
