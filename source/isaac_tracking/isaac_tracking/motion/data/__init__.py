# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clips that come with the package, made by :mod:`isaac_tracking.motion.synthesis`."""

from __future__ import annotations

from pathlib import Path


def shipped_clips() -> dict[str, Path]:
    """Return the files of the clips that come with the package, by clip name, in alphabetical order."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.npz"))}
