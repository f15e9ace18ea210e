# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How policies are made: torch and rsl_rl, under the stock runner; knows no task."""
