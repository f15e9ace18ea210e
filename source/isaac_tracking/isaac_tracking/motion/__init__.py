# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The reference: motion clips, kinematics, sampling and errors. Knows no simulator, robot or task."""
