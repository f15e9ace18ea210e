# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Frames as rows of numbers, in single or half precision, and clips as frames at the control rate.

A row in single precision holds a frame's fields side by side: ``2 * num_joints + 13 * num_bodies`` numbers. Rows are
filled up to a multiple of 16 bytes, the most that a GPU's thread reads at once.

A row in half precision holds the same in half the bytes. A half has 11 significant bits, which for a position 40 m
from the origin means steps of 31 mm. So positions are kept relative to the root of the same frame, and the root's own
position as two halves, the second of which holds what the first one rounds off. For the G1's 29 joints and 14 bodies
at 50 Hz an hour takes 172.8 MB in single and 89.3 MB in half precision.

Bounds of the error of half precision, which the tests check:

=====================  ===================================================================================
root position          2e-5 m up to 100 m from the origin
body position          0.45 mm where no coordinate is 1 m or more from the root's (the G1: none is)
body orientation       1 mrad
joint angle            1 mrad up to 4 rad
velocities             0.05 % of the value; 3e-8 of the unit near zero
=====================  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .clip import Clip, ClipError
from .frame import MotionFrame
from .kinematics import joint_velocities, velocities
from .quaternion import quat_slerp

PRECISIONS = ("fp32", "fp16")
"""Names of the precisions: 4 or 2 bytes a number."""

_ALIGNMENT = 16
"""A row takes a multiple of so many bytes."""


@dataclass(frozen=True)
class Packing:
    """How a frame is laid out as a row.

    Raises:
        ValueError: On construction, if the precision is unknown.
    """

    num_joints: int
    num_bodies: int
    precision: str = "fp32"
    """One of :data:`PRECISIONS`."""

    def __post_init__(self) -> None:
        """Check the precision."""
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision '{self.precision}' is unknown; choose from {', '.join(PRECISIONS)}")

    @property
    def dtype(self) -> torch.dtype:
        """Type of a row's numbers."""
        return torch.float16 if self.precision == "fp16" else torch.float32

    @property
    def dtype_on_disk(self) -> str:
        """Type of a row's numbers as numpy names it."""
        return "<f2" if self.precision == "fp16" else "<f4"

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return sum(self._sections)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.width * self.dtype.itemsize

    @property
    def _sections(self) -> list[int]:
        """Widths of the fields, then of the rest of the root's position (half precision only) and of the filling."""
        fields = [self.num_joints] * 2 + [self.num_bodies * width for width in (3, 4, 3, 3)]
        fields.append(3 if self.precision == "fp16" else 0)
        return [*fields, -sum(fields) % (_ALIGNMENT // self.dtype.itemsize)]

    def encode(self, frame: MotionFrame) -> torch.Tensor:
        """Return T frames as rows, shape (T, width).

        Raises:
            ValueError: If a number is too large for the precision.
        """
        root = frame.body_pos_w[:, 0]
        filling = root.new_zeros(len(root), self._sections[-1])
        if self.precision == "fp32":
            return torch.cat([*(part.flatten(1) for part in frame), filling], dim=-1)
        high = root.half().float()
        pos = frame.body_pos_w - root[:, None]
        # The root lies at its own origin, so its place is free.
        pos[:, 0] = high
        parts = [part.flatten(1) for part in frame._replace(body_pos_w=pos)]
        rows = torch.cat([*parts, root - high, filling], dim=-1).half()
        if not torch.isfinite(rows).all():
            raise ValueError(f"a number is beyond {torch.finfo(torch.float16).max:.0f}, the largest in half precision")
        return rows

    def decode(self, rows: torch.Tensor) -> MotionFrame:
        """Return N rows, shape (N, width), as frames in single precision, without waiting for the device."""
        parts = rows.float().split(self._sections, dim=-1)
        joint_pos, joint_vel = parts[:2]
        pos, quat, lin_vel, ang_vel = (part.unflatten(-1, (self.num_bodies, -1)) for part in parts[2:6])
        if self.precision == "fp16":
            root = pos[:, :1] + parts[6][:, None]
            pos = torch.cat([root, pos[:, 1:] + root], dim=1)
            quat = torch.nn.functional.normalize(quat, dim=-1)
        return MotionFrame(joint_pos, joint_vel, pos, quat, lin_vel, ang_vel)

    def joint_columns(self, have: Sequence[str], want: Sequence[str]) -> list[int] | None:
        """Return which of a row's first columns make these columns for another order of joints; None if it is the same.

        Args:
            have: Joints in the row's order.
            want: The same joints in the order wanted.
        """
        if tuple(have) == tuple(want):
            return None
        order = [list(have).index(name) for name in want]
        return order + [self.num_joints + i for i in order]


def reference_frames(clip: Clip, joint_names: Sequence[str], body_names: Sequence[str], rate: float) -> MotionFrame:
    """Interpolate a clip to a rate and derive velocities that agree with the new poses.

    Args:
        clip: The clip; joints and bodies are found by name.
        joint_names: Joints of the frames, in order.
        body_names: Bodies of the frames, in order.
        rate: Control rate [Hz].

    Returns:
        T frames in single precision.

    Raises:
        ClipError: If the clip lacks a joint or a body, or is shorter than one period of the rate.
    """
    joint_pos = torch.from_numpy(clip.joint_pos[:, clip.joint_indices(joint_names)]).float()
    bodies = clip.body_indices(body_names)
    pos = torch.from_numpy(clip.body_pos_w[:, bodies]).float()
    quat = torch.from_numpy(clip.body_quat_w[:, bodies]).float()
    if abs(clip.fps - rate) > 1e-6:
        # The last sample may lie up to one period before the clip's end: a clip is never extrapolated.
        count = int(clip.duration * rate + 1e-6) + 1
        if count < 2:
            raise ClipError(
                f"motion '{clip.name}': it lasts {clip.duration:.4f} s; expected at least one period of the"
                f" control rate, {1.0 / rate:.4f} s; give a longer motion"
            )
        at = torch.arange(count, dtype=torch.float64) * (clip.fps / rate)
        before = at.floor().long().clamp(max=clip.num_frames - 2)
        weight = (at - before).float()
        joint_pos = joint_pos[before].lerp(joint_pos[before + 1], weight[:, None])
        pos = pos[before].lerp(pos[before + 1], weight[:, None, None])
        quat = quat_slerp(quat[before], quat[before + 1], weight[:, None, None].expand(-1, quat.shape[1], 1))
    lin_vel, ang_vel = velocities(pos, quat, rate)
    return MotionFrame(joint_pos, joint_velocities(joint_pos, rate), pos, quat, lin_vel, ang_vel)
