# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a pipeline is to do, decided from the options, or from the summary of one that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..learning.adaptation.order import check_start, find_beginnings
from ..learning.runs import RunError
from . import options, stages, train_plan
from .errors import OptionError
from .overrides import is_setting, resolve_config
from .pipeline_options import common_arguments
from .pipeline_summary import SUMMARY, is_done, is_examined, read_summary
from .run_folder import new_run_folder

if TYPE_CHECKING:
    from ..tasks.tracking.pipeline_cfg import PipelineCfg

_DECIDED = ("stages", "stage_iterations", "max_iterations", "run_name", "task")
"""Options that were decided when the pipeline began."""


@dataclass
class StageRun:
    """A stage of a pipeline."""

    stage: str
    task: str
    run: Path
    """Folder of its run, absolute."""
    iterations: int | None
    """Iterations to train; the task's own number if None."""
    after: str | None
    """Stage that it begins from: one of the pipeline's, or else that of the checkpoint that was given."""


@dataclass
class PipelinePlan:
    """All that is decided before the first stage starts."""

    task: str
    folder: Path
    """Folder of the pipeline, absolute."""
    stages: list[StageRun]
    arguments: list[str]
    """Arguments of ``train.sh`` that every stage gets."""
    checkpoint: Path | None
    """Checkpoint that the first stage begins from."""
    checkpoint_stage: str | None
    """Stage of that checkpoint."""
    caller: str
    """Folder against which relative paths in the arguments are read."""
    settings: tuple[str, ...]
    """What is done to the robot when the stages are examined: names of settings of ``evaluate.py``."""
    before: dict[str, Any] = field(default_factory=dict)
    """Summary of the pipeline so far."""


def make_plan(argv: Sequence[str], root: Path | None = None) -> PipelinePlan:
    """Turn options into a plan without starting or writing anything, but the cache of clips.

    Args:
        argv: Arguments of ``train.sh``, with ``--pipeline``.
        root: Folder that holds ``logs``; the current one if None.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used, or the stages cannot be trained in that order.
    """
    # The whole of it first, so that a misspelt option is told like everywhere.
    request = options.read_request(
        train_plan.make_parser(), argv, train_plan.DEFAULT_TASK, train_plan.isaaclab_options, root
    )
    args = request.args
    args.evaluate = _settings(args.evaluate)
    spec = options.find_task(request.task)
    cfg = stages.pipeline_of(spec)
    if cfg is None:
        import gymnasium as gym

        others = sorted(name for name, entry in gym.registry.items() if stages.PIPELINE_KEY in entry.kwargs)
        raise OptionError(f"task '{request.task}' has no pipeline; give --task with one of {', '.join(others)}")
    common = common_arguments(argv)
    folder = _interrupted(request, cfg)
    if folder is not None:
        return _go_on(request, folder, common)
    return _begin(request, cfg, common)


def _begin(request: options.Request, cfg: PipelineCfg, common: list[str]) -> PipelinePlan:
    """Plan a new pipeline."""
    args = request.args
    names = _names(args.stages, cfg, request.task)
    tasks = [cfg.tasks[name] for name in names]
    found = {name: stages.stage_of(resolve_config(task, [])[1]) for name, task in zip(names, tasks, strict=True)}
    first = stages.Stage(names[0], found[names[0]].follows if found[names[0]] else ())  # type: ignore[union-attr]
    checkpoint, saved = _checkpoint(request, cfg, first, tasks[0])
    fix = ""
    if first.follows:
        order = cfg.order_of(tasks[0])
        last = max(order.index(name) for name in names if name in order)
        fix = f"give --stages {','.join(order[: last + 1])}, or {stages.way_there(tasks[0], first, request.logs)}"
    after = find_beginnings(names, {name: stage.follows if stage else () for name, stage in found.items()}, saved, fix)
    folder = new_run_folder(request.logs / cfg.experiment_name, args.run_name)
    iterations = _iterations(args.stage_iterations, names)
    runs = [
        StageRun(name, task, folder / f"{index + 1}_{name}", iterations.get(name, args.max_iterations), after[index])
        for index, (name, task) in enumerate(zip(names, tasks, strict=True))
    ]
    settings = ("clean",) if args.evaluate is None else args.evaluate
    plan = PipelinePlan(request.task, folder, runs, common, checkpoint, saved, str(request.base), settings)
    _check_stages(plan, request)
    return plan


def _go_on(request: options.Request, folder: Path, common: list[str]) -> PipelinePlan:
    """Plan the rest of a pipeline.

    Raises:
        OptionError: If something is given that was decided when it began.
    """
    args = request.args
    given = [f"--{name}" for name in _DECIDED if getattr(args, name) is not None]
    summary = read_summary(folder)
    if given and not (given == ["--task"] and args.task == summary["task"]):
        raise OptionError(f"{given[0]} was decided when pipeline '{folder}' began; leave it out, or start a new one")
    runs = [
        StageRun(part["stage"], part["task"], folder / part["run"], part["max_iterations"], part["after"])
        for part in summary["stages"]
    ]
    checkpoint = summary["checkpoint"] and Path(summary["checkpoint"])
    settings = args.evaluate if args.evaluate is not None else tuple(summary["settings"])
    return PipelinePlan(
        summary["task"],
        folder,
        runs,
        [*summary["arguments"], *common],
        checkpoint,
        summary["checkpoint_stage"],
        summary["caller"],
        settings,
        summary,
    )


def _interrupted(request: options.Request, cfg: PipelineCfg) -> Path | None:
    """Return the folder of the pipeline that is to go on; None for a new one.

    Raises:
        RunError: If there is none.
    """
    args = request.args
    named = request.base / Path(args.checkpoint).expanduser() if args.checkpoint else None
    if named is not None and (named / SUMMARY).is_file():
        return named.resolve()
    if named is not None and args.resume:
        raise RunError(f"'{named}' is no pipeline's folder, which has a {SUMMARY}; give one, or leave --checkpoint out")
    if not args.resume:
        return None
    experiment = request.logs / cfg.experiment_name
    found = sorted(path.parent for path in experiment.glob(f"*/{SUMMARY}"))
    if not found:
        raise RunError(f"no pipeline in '{experiment}'; start one: bash train.sh --pipeline")
    return found[-1]


def is_complete(plan: PipelinePlan) -> bool:
    """Whether nothing is left to do.

    Raises:
        RunError: If the record of a run is damaged.
    """
    examined = plan.before.get("evaluation", {})
    return all(is_done(stage.run) for stage in plan.stages) and all(
        is_examined(examined.get(name)) for name in plan.settings
    )


def _names(text: str | None, cfg: PipelineCfg, task: str) -> list[str]:
    if text is None:
        return list(cfg.order_of(task))
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in cfg.tasks]
    if unknown:
        raise OptionError(f"--stages: stage '{unknown[0]}' is unknown; choose from {', '.join(cfg.tasks)}")
    return names


def _iterations(text: str | None, names: Sequence[str]) -> dict[str, int]:
    """Read ``train=3000,adapt=400``."""
    iterations = {}
    for part in text.split(",") if text else ():
        name, _, number = part.strip().partition("=")
        if name not in names:
            raise OptionError(f"--stage_iterations: stage '{name}' is none of {', '.join(names)}; give STAGE=N,...")
        if not number.isdecimal() or int(number) < 1:
            raise OptionError(f"--stage_iterations: '{part.strip()}' is no STAGE=N with a whole number N above 0")
        iterations[name] = int(number)
    return iterations


def _settings(given: Sequence[str] | None) -> tuple[str, ...] | None:
    """Read names of settings, or ``none``."""
    if given is None:
        return None
    from ..inference.evaluation import SETTINGS

    names = tuple(dict.fromkeys(name for name in given if not is_setting(name)))
    unknown = [name for name in names if name not in (*SETTINGS, "none")]
    if unknown or not names or ("none" in names and len(names) > 1):
        what = f"'{unknown[0]}' is unknown" if unknown else "'none' stands alone"
        raise OptionError(f"--evaluate: {what}; choose from {', '.join(SETTINGS)}, or give none")
    return () if names == ("none",) else names


def _checkpoint(
    request: options.Request, cfg: PipelineCfg, first: stages.Stage, task: str
) -> tuple[Path | None, str | None]:
    """Return the checkpoint that the first stage is to begin from, and its stage.

    Raises:
        OptionError, RunError: If there is no such checkpoint, or the stage cannot begin from it.
    """
    if not request.args.checkpoint:
        return None, None
    from ..learning.checkpoint import read_checkpoint

    # 'latest' is of the stage before.
    before = next((cfg.tasks[name] for name in first.follows if name in cfg.tasks), task)
    checkpoint = options.find_checkpoint(request, request.logs / resolve_config(before, [])[1].experiment_name)
    saved = read_checkpoint(checkpoint).get("stage")
    if saved != first.name:
        fix = stages.way_there(task, first, request.logs) if first.follows else ""
        check_start(first.name, first.follows, saved, checkpoint, fix)
    return checkpoint, saved


def _check_stages(plan: PipelinePlan, request: options.Request) -> None:
    """Refuse what a later stage would refuse, as far as it can be told now.

    Raises:
        OptionError, RunError, ClipError: If a stage cannot be trained with what is given.
    """
    train_plan.make_plan(stage_arguments(plan, 0), request.logs.parents[1], plan.stages[0].run)
    for stage in plan.stages[1:]:
        try:
            resolve_config(stage.task, request.overrides)
        except OptionError as error:
            raise OptionError(f"stage '{stage.stage}': {error}") from error


def stage_arguments(plan: PipelinePlan, index: int, parts: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Return the arguments of ``train.sh`` that begin a stage.

    Args:
        plan: What is to be done.
        index: Number of the stage from zero.
        parts: What the stages so far left behind, for their checkpoints.
    """
    stage = plan.stages[index]
    saved = [part["checkpoint"] for part in parts if part["stage"] == stage.after]
    checkpoint = plan.folder / saved[0] if saved else plan.checkpoint
    arguments = [*plan.arguments, "--task", stage.task]
    arguments += [] if checkpoint is None else ["--checkpoint", str(checkpoint)]
    return arguments + ([] if stage.iterations is None else ["--max_iterations", str(stage.iterations)])
