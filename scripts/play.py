# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Play a trained policy; ``bash test.sh --help`` lists the options."""

from _start import start

if __name__ == "__main__":
    start("play")
