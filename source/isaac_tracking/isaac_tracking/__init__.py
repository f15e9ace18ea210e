# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whole-body motion tracking for humanoids on Isaac Lab 3.0.

Importing this package does nothing but name its version: tasks are registered by
:mod:`isaac_tracking.tasks`, which Isaac Lab finds through the entry-point group ``isaaclab.tasks``.
"""

__version__ = "0.1.0"
