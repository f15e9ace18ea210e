# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Parts of a policy's contract: what it sees, what it does, and what it may be told to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ObservationTerm:
    """One term of the policy's input; the terms follow each other without gaps."""

    name: str
    """Name of the term in the task."""
    function: str
    """Function of the task's ``mdp`` that computes it."""
    slice: tuple[int, int]
    """Where it lies in the input: first index and the one after the last."""
    size: int
    """Number of values, all of the history together."""
    frame: str
    """Frame in which it is expressed."""
    scale: float | tuple[float, ...] | None
    """Factor that is applied to it [-]."""
    clip: tuple[float, float] | None
    """Range to which it is clipped, before the factor."""
    history: int
    """Number of control steps whose values are stacked, the oldest first and the present one last; 0 for the present
    one alone. In an episode's first step all are the present one."""
    noise: Mapping[str, Any] | None
    """Noise that it was trained with; none is to be added when the policy runs."""
    definition: str
    """How to compute it, in one sentence."""
    joint_names: tuple[str, ...] | None = None
    """Joints in the order of its values, where it is one per joint."""
    body_names: tuple[str, ...] | None = None
    """Bodies it speaks of."""
    future_steps: tuple[int, ...] | None = None
    """Control steps from the frame that is to be reached now at which it looks at the reference, whose values follow
    each other; the clip's last frame stays. None if it does not look ahead."""
    points: tuple[tuple[float, float], ...] | None = None
    """Where a scan of heights looks at the ground, one point for each of its values: x and y [m] from the one body of
    ``body_names``, in a frame that turns with that body's heading but stays level. None for all else."""
    scan_offset: float | None = None
    """What is taken off the heights of such a scan [m]; None for all else."""


@dataclass(frozen=True)
class ActionContract:
    """What the policy's output means."""

    kind: str
    """One of :data:`ACTION_KINDS`."""
    joint_names: tuple[str, ...]
    """Joints in the order of the output."""
    scale: tuple[float, ...]
    """Joint angle per unit of action [rad]."""
    offset: tuple[float, ...] | None
    """Joint targets of a zero action [rad]; None where the reference's joint angles take its place."""
    clip: tuple[tuple[float, float], ...] | None
    """Ranges to which the joint targets are clipped [rad], None for no clipping."""
    smoothing: float | None = None
    """Weight of the action in the moving average that becomes the joint targets [-], 1 for none; None where the kind
    has no such average."""
    boot_steps: int | None = None
    """Control steps over which the targets go from the joint angles at the start to the policy's; None as before."""
    definition: str | None = None
    """How to compute the joint targets where the kind needs more than a sentence."""


@dataclass(frozen=True)
class CommandContract:
    """What a policy that follows velocities may be told to do, and when it has fallen."""

    name: str
    """Name of the command in the task."""
    lin_vel_x: tuple[float, float]
    """Range of the forward speed in training [m/s]."""
    lin_vel_y: tuple[float, float]
    """Range of the speed to the left [m/s]."""
    ang_vel_z: tuple[float, float]
    """Range of the turning rate to the left [rad/s]."""
    definition: str
    """What the three numbers mean, in one sentence."""
    fall_body_names: tuple[str, ...]
    """Bodies that must not touch anything: the robot has fallen then."""
    fall_force: float
    """Force on one of them above which it has fallen [N]."""

    @property
    def ranges(self) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
        """Ranges of the three numbers, in order."""
        return self.lin_vel_x, self.lin_vel_y, self.ang_vel_z
