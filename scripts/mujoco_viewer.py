#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Show a stream of motions, or files, in MuJoCo's viewer; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("mujoco_viewer")
