#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Turn a checkpoint into a small run folder that can be given away; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("pack")
