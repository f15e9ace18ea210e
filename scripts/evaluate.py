#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Judge a policy on clips, with every metric's definition beside its number; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("evaluate")
