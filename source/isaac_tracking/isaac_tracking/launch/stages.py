# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tasks that are stages of a training: what each begins from, and what of the stage before goes on in it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..learning.adaptation.order import check_start
from ..learning.runs import RunError, latest_run
from . import options
from .errors import OptionError
from .overrides import has_setting, resolve_config

if TYPE_CHECKING:
    from ..tasks.tracking.pipeline_cfg import PipelineCfg

PIPELINE_KEY = "pipeline_entry_point"
"""Registry key of a task's pipeline."""
_NETWORKS = ("agent.actor.", "agent.critic.")
"""Settings that must agree from stage to stage, for the weights to fit."""


@dataclass(frozen=True)
class Stage:
    """How a task's algorithm stands in a training of several stages."""

    name: str
    follows: tuple[str, ...]
    """Stages whose checkpoint it begins from; none if it begins from nothing."""


def stage_of(agent_cfg: Any) -> Stage | None:
    """Return the stage of an agent's algorithm; None for training without stages."""
    module, _, name = agent_cfg.algorithm.class_name.partition(":")
    if not name:
        return None
    # Heavy: torch.
    algorithm = getattr(importlib.import_module(module), name)
    stage = getattr(algorithm, "stage", None)
    return Stage(stage, tuple(algorithm.follows)) if stage else None


def pipeline_of(spec: Any) -> PipelineCfg | None:
    """Return the pipeline that a task belongs to; None if it belongs to none."""
    entry = spec.kwargs.get(PIPELINE_KEY)
    if entry is None:
        return None
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)


def check_begins(task: str, stage: Stage | None, saved: str | None, checkpoint: Path | None, logs: Path) -> None:
    """Refuse to begin a stage from nothing, or from a checkpoint of another stage than it follows.

    Args:
        task: Task that is to be trained.
        stage: Its stage.
        saved: Stage of the checkpoint.
        checkpoint: The checkpoint; None if there is none.
        logs: Folder of all experiments, for the sentence.

    Raises:
        OptionError: If there is no checkpoint, and there must be one.
        RunError: If the checkpoint is of another stage.
    """
    if checkpoint is not None:
        follows = stage.follows if stage else ()
        fix = way_there(task, stage, logs) if stage and follows else ""
        check_start(stage.name if stage else None, follows, saved, checkpoint, fix)
    elif stage is not None and stage.follows:
        names = " or ".join(f"'{name}'" for name in stage.follows)
        raise OptionError(
            f"task '{task}' is stage '{stage.name}', which begins from a checkpoint of stage {names}, and none is"
            f" given; {way_there(task, stage, logs)}"
        )


def is_shared(override: str) -> bool:
    """Whether a setting should be the same in all stages: the task's, its clips', and those of the networks."""
    key = override.partition("=")[0].lstrip("+~")
    return not key.startswith("agent.") or key.startswith(_NETWORKS)


def kept_settings(task: str, overrides: Sequence[str]) -> list[str]:
    """Return the settings of a run that the stage after it takes over.

    Args:
        task: Task of the stage; what its agent has no field for is left out.
        overrides: Settings of the run, as recorded.
    """
    agent = {"agent": resolve_config(task, [])[1]}
    kept = []
    for override in filter(is_shared, overrides):
        key, equals, value = override.partition("=")
        # A stage whose actor only imitates the one before has that one's networks elsewhere.
        teacher = key.replace("agent.actor.", "agent.algorithm.teacher.")
        key = teacher if has_setting(teacher, agent) else key
        if not key.startswith("agent.") or has_setting(key, agent):
            kept.append(f"{key}{equals}{value}")
    return kept


def way_there(task: str, stage: Stage, logs: Path) -> str:
    """Return in words how to come to a checkpoint that a stage begins from.

    Args:
        task: Task of the stage.
        stage: The stage, which begins from a checkpoint.
        logs: Folder of all experiments.
    """
    pipeline = pipeline_of(options.find_task(task))
    known = pipeline.tasks if pipeline else {}
    tasks = [known[name] for name in stage.follows if name in known]
    runs = [run for run in (_newest(before, logs) for before in tasks) if run is not None]
    ways = [f"give --checkpoint {max(runs, key=lambda run: run.name)}"] if runs else []
    ways += [f"make one: bash train.sh --task {before}" for before in tasks]
    return ", or ".join(ways)


def _newest(task: str, logs: Path) -> Path | None:
    try:
        return latest_run(logs / resolve_config(task, [])[1].experiment_name)
    except RunError:
        return None
