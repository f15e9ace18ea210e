# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure the speed of a task, and where its time goes; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("benchmark")
