# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Driving a robot that follows velocities: a page in the browser that shows it and takes keys, sliders and sticks."""
