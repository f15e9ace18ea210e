# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the motion command needs to know, as data."""

from __future__ import annotations

import math
from dataclasses import MISSING

from isaaclab.managers import CommandTermCfg
from isaaclab.utils import configclass


@configclass
class SamplerCfg:
    """Where episodes start. The constants are those of the preset where they are None here."""

    mode: str = "adaptive"
    """``"adaptive"`` (more often where the policy fails), ``"uniform"`` or ``"start"`` (each clip's first frame)."""

    preset: str = "default"
    """Constants of the adaptive sampler by name: ``"default"``, ``"beyondmimic"``, ``"sonic"``, ``"wbc"``, ``"axell"``
    (:data:`isaac_tracking.motion.sampling.settings.PRESETS`)."""

    bin_duration: float | None = None
    """Length of a bin [s]."""

    uniform_share: float | None = None
    """Share of the starts that are drawn without regard to failures [-]: a floor under every bin."""

    horizon: float | None = None
    """Time over which failures are remembered [s]."""

    max_over_mean: float | None = None
    """Cap of a bin's probability, as a multiple of what it has without any evidence [-]."""

    max_clip_probability: float | None = None
    """Cap of a clip's probability [-]."""

    length_neutral: bool | None = None
    """Whether a clip's length leaves its share of the starts alone."""

    rewind_probability: float | None = None
    """Share of failed episodes that are followed by a start shortly before the failure [-]."""

    rewind_range: tuple[float, float] | None = None
    """How long before the failure such a start lies [s]."""


@configclass
class AugmentationCfg:
    """How often references are changed; never, as it stands. SONIC's values are in the brackets."""

    freeze_probability: float = 0.0
    """Share of episodes whose clip stands still on its first frame [-] (0.1)."""

    splice_probability: float = 0.0
    """Share of episodes in which the upper body follows another clip [-] (0.5)."""

    wrist_probability: float = 0.0
    """Share of episodes in which the wrists are turned by a constant angle each [-] (0.3)."""

    wrist_noise: float = 0.1
    """Standard deviation of these angles [rad] (0.1)."""

    heading_probability: float = 0.0
    """Share of episodes whose reference is turned about the vertical [-] (1)."""

    heading_range: float = math.pi
    """Largest such turn, to either side [rad]."""


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
    """Clips: names or patterns of shipped clips (``"walk"``, ``"*"``), clip files, folders of them, or manifests
    (``.toml``)."""

    precision: str | None = None
    """``"fp32"`` or ``"fp16"``: how the frames are kept on the device. None for what a manifest says, else fp32."""

    memory_budget: float | None = None
    """Memory that the frames may take on the device [GB]; clips then come and go. None for what a manifest says, else
    as much as they need."""

    swap_interval: int = 6000
    """Steps after which clips come and go where not all fit: 250 iterations of 24 steps, as SONIC resamples."""

    share_interval: int = 4800
    """Steps after which several GPUs share what their samplers know: 200 iterations of 24 steps (SONIC)."""

    model: tuple[str, str] = MISSING
    """Folder and file of the robot's MJCF in mjlab's asset zoo, for the collision shapes."""

    anchor_body_name: str = MISSING
    """Body that places the reference on the ground and gives its heading."""

    body_names: list[str] = MISSING
    """Bodies that are tracked; the first one must be the root."""

    future_steps: tuple[int, ...] = (0, 2, 4, 8, 16)
    """Control steps from the frame that is to be reached now, at which observations look ahead (axell's numbers)."""

    sampler: SamplerCfg = SamplerCfg()
    """Where episodes start."""

    augmentation: AugmentationCfg = AugmentationCfg()
    """Changes to the references."""

    reset_noise: ResetNoiseCfg | None = ResetNoiseCfg()
    """Noise on the state in which an episode starts; None for the reference's own state."""
