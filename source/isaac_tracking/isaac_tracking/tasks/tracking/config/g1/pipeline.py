# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The G1's stages, from a teacher that sees everything to a student that a robot can run."""

from __future__ import annotations

from ...pipeline_cfg import PipelineCfg

PIPELINE = PipelineCfg(
    experiment_name="g1_pipeline",
    tasks={
        "train": "Isaac-Tracking-G1-Teacher-v0",
        "adapt": "Isaac-Tracking-G1-Student-Adapt-v0",
        "finetune": "Isaac-Tracking-G1-Student-v0",
        "roa_train": "Isaac-Tracking-G1-Teacher-ROA-v0",
        "roa_finetune": "Isaac-Tracking-G1-Student-ROA-v0",
        "distill": "Isaac-Tracking-G1-Student-Distill-v0",
    },
    # Axellwppr/motion_tracking; HDMI; rsl_rl's distillation for comparison.
    orders=(("train", "adapt", "finetune"), ("roa_train", "roa_finetune"), ("train", "distill")),
)
"""All stages; the key names a stage as its algorithm does (``isaac_tracking.learning.adaptation``)."""
