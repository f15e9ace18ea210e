# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Terms of the velocity tasks, over those of Isaac Lab; each file is named after the manager that calls it."""

from isaaclab.utils.module import lazy_export

lazy_export()
