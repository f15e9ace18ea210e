# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One episode of following a commanded velocity as it was, whatever simulated it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .commands import Command


@dataclass(frozen=True)
class VelocityRecording:
    """One episode under one command, T instants at the control rate, each after a control step.

    Tensors are on the CPU.

    Raises:
        ValueError: On construction, if the arrays' lengths differ.
    """

    command: Command
    """What was commanded from the first step to the last."""

    rate: float
    """Control rate [Hz]."""

    joint_names: tuple[str, ...]
    """Names of the J joints."""

    mass: float
    """Mass of the robot, as it was simulated [kg]."""

    lin_vel_b: torch.Tensor
    """Linear velocity of the base, in its own frame [m/s], shape (T, 3)."""

    ang_vel_b: torch.Tensor
    """Angular velocity of the base, in its own frame [rad/s], shape (T, 3)."""

    root_pos_w: torch.Tensor
    """Position of the base in the world [m], shape (T, 3)."""

    root_quat_w: torch.Tensor
    """Orientation of the base in the world, xyzw, shape (T, 4)."""

    joint_pos: torch.Tensor
    """Joint angles [rad], shape (T, J)."""

    joint_vel: torch.Tensor
    """Joint speeds [rad/s], shape (T, J)."""

    torques: torch.Tensor
    """Joint torques applied in the last physics step of each control step [N m], shape (T, J)."""

    outcome: str
    """Name of the termination that ended it."""

    fell: bool
    """Whether that termination is a failure, and not the end of the time or of the ground."""

    max_steps: int
    """Control steps after which the time is out."""

    terrain: str | None = None
    """Kind of the ground that it was played on; ``None`` for a plane."""

    level: int | None = None
    """Difficulty of that ground, from 0; ``None`` for a plane."""

    left_tile: bool = False
    """Whether it ended because the robot walked off the piece of ground that it was put on."""

    def __post_init__(self) -> None:
        """Check that all arrays have as many instants."""
        names = "ang_vel_b", "root_pos_w", "root_quat_w", "joint_pos", "joint_vel", "torques"
        for name in names:
            if len(getattr(self, name)) != self.steps:
                raise ValueError(f"recording: {name} has {len(getattr(self, name))} instants, not {self.steps}")

    @property
    def steps(self) -> int:
        """Number of instants T."""
        return len(self.lin_vel_b)
