# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""An exported policy in MuJoCo's own engine, from nothing but what its file says, a clip and the robot's MJCF."""
