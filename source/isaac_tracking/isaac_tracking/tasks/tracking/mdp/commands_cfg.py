# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the motion command needs to know, as data."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.managers import CommandTermCfg
from isaaclab.utils import configclass


@configclass
class SamplerCfg:
    """Where episodes start."""

    mode: str = "adaptive"
    """``"adaptive"`` (more often where the policy fails), ``"uniform"`` or ``"start"`` (each clip's first frame)."""

    bin_duration: float = 1.0
    """Length of a bin of the adaptive sampler [s] (BeyondMimic)."""

    uniform_share: float = 0.1
    """Share of the adaptive sampler's starts that stay uniform [-] (SONIC)."""

    horizon: float = 20.0
    """Time over which failures are remembered [s]: 1000 steps, as BeyondMimic's smoothing of 0.001 at 50 Hz."""


@configclass
class ResetNoiseCfg:
    """Half-widths of the uniform noise on the state in which an episode starts (BeyondMimic)."""

    root_pos: tuple[float, float, float] = (0.05, 0.05, 0.01)
    """Position of the root [m]."""

    root_rot: tuple[float, float, float] = (0.1, 0.1, 0.2)
    """Roll, pitch and yaw of the root [rad]."""

    root_lin_vel: tuple[float, float, float] = (0.5, 0.5, 0.2)
    """Linear velocity of the root [m/s]."""

    root_ang_vel: tuple[float, float, float] = (0.52, 0.52, 0.78)
    """Angular velocity of the root [rad/s]."""

    joint_pos: float = 0.1
    """Joint angles [rad]."""


@configclass
class MotionCommandCfg(CommandTermCfg):
    """Reference motions to follow, from a library of clips."""

    class_type: type | str = "{DIR}.commands:MotionCommand"

    resampling_time_range: tuple[float, float] = (1.0e9, 1.0e9)
    """Unused: a new motion begins with a new episode and at no other time."""

    asset_name: str = "robot"
    """Name of the robot in the scene."""

    motions: list[str] = ["*"]
    """Clips: names or patterns of shipped clips (``"walk"``, ``"*"``), clip files, or folders of clip files."""

    model: tuple[str, str] = MISSING
    """Folder and file of the robot's MJCF in mjlab's asset zoo, for the collision shapes."""

    anchor_body_name: str = MISSING
    """Body that places the reference on the ground and gives its heading."""

    body_names: list[str] = MISSING
    """Bodies that are tracked; the first one must be the root."""

    sampler: SamplerCfg = SamplerCfg()
    """Where episodes start."""

    reset_noise: ResetNoiseCfg | None = ResetNoiseCfg()
    """Noise on the state in which an episode starts; None for the reference's own state."""
