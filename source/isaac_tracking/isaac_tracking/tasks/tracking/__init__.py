# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whole-body motion tracking: follow reference motions with every link of the body."""
