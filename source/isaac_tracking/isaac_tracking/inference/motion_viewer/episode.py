# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a policy was to follow and how it did, for the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .poses import BodyPoses


@dataclass(frozen=True, eq=False)
class Episode:
    """The other half of a motion that a policy made, frame by frame."""

    reference: BodyPoses
    """What was to be done."""

    error: np.ndarray
    """Mean distance of the tracked bodies from the reference in the world [mm], shape (T,)."""

    facts: str
    """How it ended and how well it went, one line."""
