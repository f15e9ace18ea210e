#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run an exported policy in MuJoCo's own engine; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("sim2sim")
