# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tasks that are stages of a training: what each begins from, and what of the stage before goes on in it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    fixed: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Settings that its algorithm does not look at, and what it does."""


def stage_of(agent_cfg: Any) -> Stage | None:
    """Return the stage of an agent's algorithm; None for training without stages."""
    module, _, name = agent_cfg.algorithm.class_name.partition(":")
    if not name:
        return None
    # Heavy: torch.
    algorithm = getattr(importlib.import_module(module), name)
    stage = getattr(algorithm, "stage", None)
    return Stage(stage, tuple(algorithm.follows), getattr(algorithm, "fixed", {})) if stage else None


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


def check_settings(stage: Stage | None, env_cfg: Any, agent_cfg: Any) -> None:
    """Refuse settings of a stage that its algorithm and its networks would refuse once the simulator runs, or ignore.

    Raises:
        OptionError: If one makes no sense.
    """
    if stage is None:
        return
    # Heavy: torch.
    from ..learning.adaptation.networks import ADAPT_MODULES
    from ..learning.adaptation.vecnorm import MODES

    algorithm, kind = agent_cfg.algorithm, getattr(agent_cfg.actor, "adapt_kind", None)
    mode, groups = getattr(algorithm, "vecnorm", None), getattr(algorithm, "reward_groups", None)
    for key, value, choices in (
        ("agent.algorithm.vecnorm", mode, MODES),
        ("agent.actor.adapt_kind", kind, tuple(ADAPT_MODULES)),
    ):
        if value is not None and value not in choices:
            raise OptionError(f"setting '{key}={value}' is unknown; choose from {', '.join(choices)}")
    if mode == "train" and stage.follows:
        raise OptionError(
            f"stage '{stage.name}' would move the statistics in front of networks that stay as they are;"
            " give agent.algorithm.vecnorm=eval"
        )
    if kind is not None and ADAPT_MODULES[kind].is_recurrent and algorithm.symmetry_cfg is not None:
        raise OptionError(
            f"symmetry needs an adapt module without memory, not agent.actor.adapt_kind={kind};"
            " give agent.actor.adapt_kind=mlp or agent.algorithm.symmetry_cfg=null"
        )
    for key, done in stage.fixed.items():
        if getattr(algorithm, key, done) != done:
            raise OptionError(
                f"stage '{stage.name}' does not look at setting 'agent.algorithm.{key}';"
                f" give agent.algorithm.{key}={'null' if done is None else done}, which is what it does"
            )
    if groups:
        _check_groups(groups, [name for name, term in vars(env_cfg.rewards).items() if term is not None])


def _check_groups(groups: Mapping[str, Sequence[str]], terms: Sequence[str]) -> None:
    named = [name for members in groups.values() for name in members]
    wrong = [name for name in named if name not in terms]
    wrong += [term for term in terms if named.count(term) != 1]
    if wrong:
        what = f"is in {named.count(wrong[0])} groups" if wrong[0] in terms else "is no reward of this task"
        raise OptionError(
            f"agent.algorithm.reward_groups: '{wrong[0]}' {what}; put each of {', '.join(terms)} into exactly one group"
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
