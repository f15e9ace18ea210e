#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Judge each checkpoint of a run while it trains, and keep the best; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("watch")
