#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Look at recorded episodes, with what was to be done and the error; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("replay")
