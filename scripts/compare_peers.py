#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure our tracking task beside those of mjlab and wbc-mjlab."""

from _start import start

if __name__ == "__main__":
    start("peer_benchmark")
