# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions to look at: a page in the browser that plays them, and films and pictures without one."""
