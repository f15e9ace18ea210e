# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Play a trained policy; ``bash test.sh --help`` lists the options."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "source" / "isaac_tracking"))

from isaac_tracking.launch.main import main

if __name__ == "__main__":
    sys.exit(main("play", sys.argv[1:]))
