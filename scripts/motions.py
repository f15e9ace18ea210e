#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Convert, judge, list, show, make, export and publish motions; ``--help`` lists the subcommands."""

from _start import start

if __name__ == "__main__":
    start("motions")
