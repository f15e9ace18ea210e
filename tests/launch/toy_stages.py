# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoints of stages whose networks are small and were never trained."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

NETWORKS = [
    "agent.actor.hidden_dims=[24,16]",
    "agent.actor.encoder_dims=[12]",
    "agent.actor.adapt_dims=[10]",
    "agent.actor.latent_dim=6",
    "agent.critic.hidden_dims=[14]",
]
"""Settings that are those of the networks below."""


def layers(part: str, sizes: Sequence[int]) -> dict[str, torch.Tensor]:
    """Linear layers with a layer norm and an activation between them, under their names in a checkpoint."""
    weights = {}
    for index, (before, after) in enumerate(itertools.pairwise(sizes)):
        weights[f"{part}.{3 * index}.weight"] = torch.zeros(after, before)
        if index < len(sizes) - 2:
            weights[f"{part}.{3 * index + 1}.weight"] = torch.zeros(after)
    return weights


def save(path: Path, stage: str | None, **changes: Any) -> Path:
    """Write a checkpoint of a stage, of networks that nobody has trained."""
    actor = layers("encoder_priv", (5, 12, 6)) | layers("adapt_module.net", (7, 10, 6))
    actor |= layers("actor_teacher.net", (13, 24, 16, 29)) | layers("actor_student.net", (13, 24, 16, 29))
    saved = {
        "actor_state_dict": actor,
        "critic_state_dict": layers("net", (9, 14, 1)),
        "optimizer_state_dict": {},
        "iter": int(path.stem.removeprefix("model_")),
        "infos": None,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(saved | ({} if stage is None else {"stage": stage}) | changes, path)
    return path
