# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a user can say about a foreign motion file; whatever is not said is found out from the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..clip import ClipError

LOWEST_FPS = 1.0
"""Slowest frame rate that is believed [1/s]."""

HIGHEST_FPS = 1000.0
"""Fastest frame rate that is believed [1/s]; motion capture ends at some hundred."""

MAX_BYTES = 1 << 30
"""Most bytes that a file may unpack to: an hour of 30 bodies with velocities at 50 fps takes 0.3 GB."""

_CHOICES = {
    "format": ("clip", "unitree_csv", "beyondmimic", "mjlab", "holosoma", "wbc", "twist2", "phc", "kimodo"),
    "quaternion_order": ("xyzw", "wxyz"),
    "joint_order": ("depth_first", "breadth_first"),
    "body_order": ("depth_first", "breadth_first"),
    "angle_unit": ("rad", "deg"),
    "length_unit": ("m", "cm", "mm"),
    "up_axis": ("z", "y"),
}


@dataclass(frozen=True)
class ReadOptions:
    """What is known about a file; ``None`` means: take it from the file, or find it out.

    Raises:
        ClipError: On construction, if a value is not one of its choices.
    """

    format: (
        Literal["clip", "unitree_csv", "beyondmimic", "mjlab", "holosoma", "wbc", "twist2", "phc", "kimodo"] | None
    ) = None
    """Format that the file must have. ``beyondmimic`` and ``mjlab`` also say the order of joints and bodies."""

    fps: float | None = None
    """Frames per second [1/s]."""

    quaternion_order: Literal["xyzw", "wxyz"] | None = None
    """Order of the quaternions in the file."""

    joint_order: Literal["depth_first", "breadth_first"] | None = None
    """Order of joints without names: depth first as in MuJoCo, or breadth first as in PhysX."""

    body_order: Literal["depth_first", "breadth_first"] | None = None
    """Order of bodies without names."""

    angle_unit: Literal["rad", "deg"] | None = None
    """Unit of the joint angles in the file."""

    length_unit: Literal["m", "cm", "mm"] | None = None
    """Unit of the positions in the file."""

    up_axis: Literal["z", "y"] | None = None
    """Axis of the file's world that points up."""

    max_bytes: int = MAX_BYTES
    """Most bytes that the file may unpack to."""

    def __post_init__(self) -> None:
        """Refuse what is not one of the choices."""
        for field, choices in _CHOICES.items():
            value = getattr(self, field)
            if value is not None and value not in choices:
                raise ClipError(f"{field} is '{value}'; expected one of {', '.join(choices)}; choose one of them")
        if self.fps is not None:
            check_fps(self.fps, "the given frame rate")

    def order(self, kind: Literal["joint", "body"]) -> str | None:
        """Return the order of joints or bodies that is stated, by itself or by the format; ``None`` if none is."""
        by_format = {"beyondmimic": "breadth_first", "mjlab": "depth_first"}.get(self.format or "")
        return (self.joint_order if kind == "joint" else self.body_order) or by_format


def check_fps(fps: float, subject: str) -> None:
    """Refuse a frame rate that is no number or absurd.

    Raises:
        ClipError: If it is not within :data:`LOWEST_FPS` and :data:`HIGHEST_FPS`.
    """
    if not (math.isfinite(fps) and LOWEST_FPS <= fps <= HIGHEST_FPS):
        raise ClipError(
            f"{subject}: fps is {fps:g}; expected {LOWEST_FPS:g} to {HIGHEST_FPS:g}; give the true one with --fps"
        )
