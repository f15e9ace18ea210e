# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tasks that are stages of one training, as ``train.sh --pipeline`` runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PipelineCfg:
    """Stages of one robot.

    The registry of a task names its pipeline with the key ``pipeline_entry_point``.
    """

    experiment_name: str
    """Folder of the pipelines' folders under ``logs/rsl_rl``."""
    tasks: Mapping[str, str]
    """Id of the task of each stage, by the stage's name."""
    orders: tuple[tuple[str, ...], ...]
    """Stages that are trained one after another; for a task the first order that has it, else the first of all."""

    def order_of(self, task: str) -> tuple[str, ...]:
        """Return the stages that are trained if a task is all that is named."""
        return next((order for order in self.orders if task in map(self.tasks.get, order)), self.orders[0])
