# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What became of the clips: errors as ``test.sh`` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...motion.errors import tracking_errors
from ..recording import Recording


@dataclass(frozen=True)
class ClipResult:
    """What became of one clip; means are over its steps, as ``test.sh`` takes them."""

    clip: str
    """Name of the clip."""
    steps: int
    """Control steps until it ended."""
    clip_steps: int
    """Control steps from the clip's start to its end."""
    body_pos_error: float
    """Mean distance of the tracked bodies from the relative reference [m]."""
    anchor_pos_error: float
    """Mean distance of the anchor from the reference's in the world [m]: the drift."""
    outcome: str
    """Name of the termination that ended it; ``"clip_end"`` if it was followed to its end."""

    @classmethod
    def of(cls, recording: Recording, anchor_body_name: str) -> ClipResult:
        """Measure a recording.

        Args:
            recording: The episode.
            anchor_body_name: Body that places the reference.
        """
        anchor = recording.body_names.index(anchor_body_name)
        errors = tracking_errors(recording.reference, recording.robot, anchor)
        return cls(
            clip=recording.clip,
            steps=recording.steps,
            clip_steps=recording.clip_steps,
            body_pos_error=float(errors.body_pos.mean()),
            anchor_pos_error=float(errors.anchor_pos.mean()),
            outcome=recording.outcome,
        )


@dataclass(frozen=True)
class Summary:
    """All clips together; means are over all steps, so that long clips count more, as in ``test.sh``."""

    clips: int
    """Number of clips."""
    completed: int
    """Clips that were followed to their end."""
    steps: int
    """Control steps of all clips."""
    body_pos_error: float
    """Mean body error [m]."""
    anchor_pos_error: float
    """Mean drift [m]."""

    @classmethod
    def of(cls, results: Sequence[ClipResult]) -> Summary:
        """Sum up the results of at least one clip."""
        steps = sum(result.steps for result in results)
        return cls(
            clips=len(results),
            completed=sum(result.outcome == "clip_end" for result in results),
            steps=steps,
            body_pos_error=sum(result.body_pos_error * result.steps for result in results) / steps,
            anchor_pos_error=sum(result.anchor_pos_error * result.steps for result in results) / steps,
        )
