# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One episode as it was: what the robot did, what it was to do, and what was commanded, whatever simulated it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..motion.frame import MotionFrame

CLIP_END = "clip_end"
"""Outcome of an episode that followed its clip to the end."""


@dataclass(frozen=True)
class Recording:
    """One episode, T instants at the control rate, each after a control step.

    Instant ``t`` holds the robot after step ``t + 1`` and the frame of the clip that it was to reach with that step,
    so that the two are compared as they stand. The instants are consecutive frames of the clip, and the first is frame
    ``start + 1``. Tensors are on the CPU; positions are in the world of the clip, without the place of an environment.

    Raises:
        ValueError: On construction, if the arrays' lengths differ.
    """

    clip: str
    """Name of the clip."""

    rate: float
    """Control rate [Hz]."""

    joint_names: tuple[str, ...]
    """Names of the J joints of the frames, targets and torques."""

    body_names: tuple[str, ...]
    """Names of the B tracked bodies of the frames; the first is the root."""

    robot: MotionFrame
    """The robot, T instants."""

    reference: MotionFrame
    """The reference in the world, T instants."""

    actions: torch.Tensor
    """Actions as the policy gave them [-], shape (T, A)."""

    targets: torch.Tensor
    """Commanded joint angles, after scale and offset [rad], shape (T, J)."""

    torques: torch.Tensor
    """Joint torques applied in the last physics step of each control step [N m], shape (T, J)."""

    contacts: torch.Tensor | None
    """Whether the feet touch the ground, bool, shape (T, 2), in the order of ``feet_names``; ``None`` if unknown."""

    outcome: str
    """Name of the termination that ended it; ``"clip_end"`` when the clip was followed to its end."""

    clip_steps: int
    """Control steps from the clip's start to its end: its frames less one."""

    start: int = 0
    """Frame of the clip on which the robot was placed."""

    feet_names: tuple[str, ...] = ()
    """Names of the two feet of ``contacts``; bodies of ``body_names``."""

    reference_contacts: torch.Tensor | None = None
    """Whether the clip's feet are labelled as on the ground, bool, shape (T, 2); ``None`` if the clip has no labels."""

    def __post_init__(self) -> None:
        """Check that all arrays have as many instants."""
        arrays = {"actions": self.actions, "targets": self.targets, "torques": self.torques}
        arrays |= {f"robot.{name}": array for name, array in self.robot._asdict().items()}
        arrays |= {f"reference.{name}": array for name, array in self.reference._asdict().items()}
        if self.contacts is not None:
            arrays["contacts"] = self.contacts
        if self.reference_contacts is not None:
            arrays["reference_contacts"] = self.reference_contacts
        for name, array in arrays.items():
            if len(array) != self.steps:
                raise ValueError(f"recording of '{self.clip}': {name} has {len(array)} instants, not {self.steps}")

    @property
    def steps(self) -> int:
        """Number of instants T."""
        return len(self.robot.joint_pos)

    @property
    def completed(self) -> bool:
        """Whether the clip was followed to its end."""
        return self.outcome == CLIP_END
