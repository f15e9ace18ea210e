# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a training run is to do, decided from the options without starting or writing anything."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..learning.runs import PRETRAINED, checkpoints, latest_run, resolve_checkpoint
from . import checks, options
from .overrides import merge_overrides, resolve_config
from .planned_motions import PlannedMotions, changes, read_motions
from .run_folder import new_run_folder, record_of

DEFAULT_TASK = "Isaac-Tracking-G1-v0"
_TAKEN = {"--agent", "--experiment_name", "--run_timestamp"}
"""Options of Isaac Lab's train command that say again what our options say."""


@dataclass(frozen=True)
class FilmPlan:
    """Films to make while training."""

    length: int
    """Steps in each film."""
    interval: int
    """Steps from the start of one film to the start of the next."""


@dataclass
class TrainPlan:
    """All that is decided before training starts."""

    task: str
    device: str
    run: Path
    """Folder of the run, absolute."""
    overrides: list[str]
    """Settings of the run as ``key=value``, without device and run folder."""
    planned: int
    """Iterations after which the run is complete."""
    iterations: int
    """Iterations to do now."""
    checkpoint: Path | None = None
    """Checkpoint to go on from."""
    learning_rate: float | None = None
    """Learning rate that the user wants in place of the checkpoint's."""
    film: FilmPlan | None = None
    verbose: bool = False
    passed: list[str] = field(default_factory=list)
    """Options handed to Isaac Lab as they are."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, a line each."""
    facts: dict[str, str] = field(default_factory=dict)
    """What is trained on what, by name."""
    clips: tuple[str, ...] = ()
    """Names of the clips."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``train.sh``."""
    description = "Train a policy. Whatever is not listed goes to Isaac Lab: physics=physx, env.*, agent.*"
    parser = options.make_parser("train.sh", description, DEFAULT_TASK)
    parser.add_argument("--video_length", type=options.positive, default=200, metavar="N", help="steps in a film")
    parser.add_argument(
        "--video_interval", type=options.positive, default=2000, metavar="N", help="steps from film to film"
    )
    parser.add_argument("--max_iterations", type=options.positive, metavar="N", help="iterations to train (more)")
    parser.add_argument("--resume", action="store_true", help="go on with the newest run that has a checkpoint")
    parser.add_argument("--run_name", metavar="NAME", help="appended to the name of the run's folder")
    parser.add_argument("--logger", choices=("tensorboard", "wandb", "neptune"), help="default: tensorboard")
    return parser


def make_plan(argv: Sequence[str], root: Path | None = None) -> TrainPlan:
    """Turn options into a plan without starting anything, and without writing anything but the cache of clips.

    Args:
        argv: Arguments of ``train.sh``.
        root: Folder that holds ``logs``; the current one if None.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used.
    """
    request = options.read_request(make_parser(), argv, DEFAULT_TASK, _isaaclab_options, root)
    args, given = request.args, request.overrides
    for key, value in (("env.scene.num_envs", args.num_envs), ("agent.logger", args.logger)):
        if value is not None:
            given.append(f"{key}={value}")
    checkpoint = _checkpoint(request)
    record = record_of(checkpoint) if checkpoint else {}
    task = options.same_task(checkpoint, record, request.task, args.task)
    small = [] if record else _cpu_settings(task, request.device, given)
    overrides = merge_overrides(small, record.get("overrides", []), given)
    env_cfg, agent_cfg = resolve_config(task, overrides)
    run = _run_folder(checkpoint, request.logs / agent_cfg.experiment_name, args.run_name)
    plan = TrainPlan(task, request.device, run, overrides, agent_cfg.max_iterations, agent_cfg.max_iterations)
    plan.passed, plan.verbose = request.passed, args.verbose
    plan.film = FilmPlan(args.video_length, args.video_interval) if args.video else None
    engine = checks.need_engine(env_cfg.sim.physics, plan.device)
    checks.need_logger(agent_cfg.logger)
    checks.need_space(run)
    if small:
        plan.notes.append(_cpu_note(small, args.max_iterations))
    if checkpoint is None:
        plan.planned = plan.iterations = args.max_iterations or plan.iterations
    else:
        _go_on(plan, checkpoint, record, agent_cfg, args)
        if any(override.startswith("agent.algorithm.learning_rate=") for override in given):
            plan.learning_rate = agent_cfg.algorithm.learning_rate
    # Last, since it may take a minute.
    motions = read_motions(env_cfg)
    plan.clips, plan.facts = motions.names, _facts(plan, env_cfg, engine, motions)
    note = changes(record.get("clips"), motions.names)
    if note is not None:
        plan.notes.append(note)
    return plan


def _checkpoint(request: options.Request) -> Path | None:
    if not (request.args.checkpoint or request.args.resume):
        return None
    experiment = request.logs / resolve_config(request.task, [])[1].experiment_name
    if request.args.checkpoint:
        return resolve_checkpoint(request.args.checkpoint, experiment, request.base)
    return checkpoints(latest_run(experiment))[-1]


def _cpu_settings(task: str, device: str, given: Sequence[str]) -> list[str]:
    """Return the settings that fit training to a CPU, without those that the user gave."""
    if device != "cpu":
        return []
    keys = {override.partition("=")[0] for override in given}
    small = options.cpu_overrides(options.find_task(task))
    return [f"{key}={value}" for key, value in small.items() if key not in keys]


def _cpu_note(small: Sequence[str], max_iterations: int | None) -> str:
    shown = [text for text in small if not (max_iterations and text.startswith("agent.max_iterations="))]
    return f"no GPU: training on the CPU with sizes that fit it, which differ from the GPU's: {' '.join(shown)}"


def _run_folder(checkpoint: Path | None, experiment: Path, name: str | None) -> Path:
    """Return a checkpoint's own folder if it is a run's that may be written to, and else a new one."""
    if checkpoint is not None and checkpoint.parent != PRETRAINED and (checkpoint.parent / "params").is_dir():
        return checkpoint.parent
    return new_run_folder(experiment, name)


def _go_on(plan: TrainPlan, checkpoint: Path, record: dict, agent_cfg: Any, args: argparse.Namespace) -> None:
    """Decide how far to train from a checkpoint."""
    from ..learning.checkpoint import check_networks, read_checkpoint

    loaded = read_checkpoint(checkpoint)
    check_networks(checkpoint, loaded, {"actor": agent_cfg.actor, "critic": agent_cfg.critic})
    done = loaded["iter"] + 1
    planned = max(record.get("planned", plan.planned), done)
    plan.checkpoint = checkpoint
    plan.iterations = args.max_iterations or (planned - done) or agent_cfg.max_iterations
    plan.planned = max(planned, done + plan.iterations)
    plan.notes.append(f"resuming {checkpoint} at iteration {done}, {plan.iterations} to go")
    if plan.run != checkpoint.parent:
        plan.notes.append("the checkpoint is in no run folder, so a new run goes on from it")
    elif args.run_name is not None:
        plan.notes.append(f"the run keeps its folder: --run_name {args.run_name} is left aside")
    if args.seed is not None:
        plan.notes.append("random numbers go on from the checkpoint: --seed decides only how the simulation is set up")


def _facts(plan: TrainPlan, env_cfg: Any, engine: str, motions: PlannedMotions) -> dict[str, str]:
    return {
        "task": plan.task,
        "engine": f"{engine} on {plan.device}",
        "environments": str(env_cfg.scene.num_envs),
        "motions": str(motions),
        "run folder": str(plan.run),
    }


def _isaaclab_options() -> set[str]:
    """Return the options that Isaac Lab's own train command knows."""
    from isaaclab.app import add_launcher_args
    from isaaclab_rl.entrypoints.backends import cli_args_rsl_rl
    from isaaclab_rl.entrypoints.common import add_common_train_args

    parser = argparse.ArgumentParser(add_help=False)
    add_common_train_args(parser, agent_default=None, agent_help="")
    cli_args_rsl_rl.add_rsl_rl_args(parser)
    add_launcher_args(parser)
    return set(parser._option_string_actions) - _TAKEN
