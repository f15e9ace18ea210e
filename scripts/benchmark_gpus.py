#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure how training scales with the number of GPUs."""

from _start import start

if __name__ == "__main__":
    start("benchmark_gpus")
