#!/usr/bin/env python3
# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Export a policy as ONNX and TorchScript, with all that is needed to run it; ``--help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("export")
