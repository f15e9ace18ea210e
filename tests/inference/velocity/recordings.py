# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Episodes made by hand."""

from __future__ import annotations

from typing import Any

import torch

from isaac_tracking.inference.velocity.commands import Command
from isaac_tracking.inference.velocity.recording import VelocityRecording


def make_recording(command: tuple[float, float, float], steps: int = 4, **changes: Any) -> VelocityRecording:
    """Return an episode at 50 Hz of a robot of 10 kg and two joints that stands still; changes say what it does."""
    values: dict[str, Any] = {
        "command": Command(*command),
        "rate": 50.0,
        "joint_names": ("hip", "knee"),
        "mass": 10.0,
        **{name: torch.zeros(steps, 3) for name in ("lin_vel_b", "ang_vel_b", "root_pos_w")},
        "root_quat_w": torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(steps, 4),
        **{name: torch.zeros(steps, 2) for name in ("joint_pos", "joint_vel", "torques")},
        "outcome": "time_out",
        "fell": False,
        "max_steps": 1000,
    }
    return VelocityRecording(**(values | changes))
