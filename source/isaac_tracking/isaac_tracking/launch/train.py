# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training: our options and checks around Isaac Lab's own entry point."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..learning.runs import (
    RunError,
    checkpoints,
    latest_run,
    read_checkpoint,
    read_record,
    resolve_checkpoint,
    write_record,
)
from . import options
from .options import OptionError
from .run_folder import commit_of_checkout, new_run_folder
from .terminal import print_line

DEFAULT_TASK = "Isaac-Tracking-G1-v0"


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
    passed: list[str] = field(default_factory=list)
    """Options handed to Isaac Lab as they are."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, a line each."""


def make_parser() -> options.OptionParser:
    """Return the parser of ``train.sh``."""
    parser = options.OptionParser(
        prog="train.sh",
        description="Train a policy. Whatever is not listed goes to Isaac Lab: physics=physx, env.*, agent.*",
    )
    options.add_common_options(parser, DEFAULT_TASK)
    parser.add_argument("--max_iterations", type=options.positive, metavar="N", help="iterations to train (more)")
    parser.add_argument("--resume", action="store_true", help="go on with the newest run that has a checkpoint")
    parser.add_argument("--run_name", metavar="NAME", help="appended to the name of the run's folder")
    parser.add_argument("--logger", choices=("tensorboard", "wandb", "neptune"), help="default: tensorboard")
    return parser


def train(argv: Sequence[str]) -> int:
    """Train, or go on training, and return the exit code.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used; nothing was written then.
    """
    plan = make_plan(argv)
    for note in plan.notes:
        print_line(note)
    write_record(plan.run, _record(plan))
    from isaaclab_rl.entrypoints import run_train_cli

    with _our_runner() as runners:
        code = run_train_cli(_isaaclab_arguments(plan))
    return _report(plan, runners[0] if runners else None, code)


def make_plan(argv: Sequence[str], root: Path | None = None) -> TrainPlan:
    """Turn options into a plan without starting or writing anything.

    Args:
        argv: Arguments of ``train.sh``.
        root: Folder that holds ``logs``; the current one if None.

    Raises:
        OptionError, RunError, ClipError: If an option cannot be used.
    """
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    overrides, passed = options.split_rest(rest, parser._option_string_actions, _isaaclab_options())
    options.need_display(args.gui)
    base, logs = options.caller_folder(), (root or Path.cwd()).resolve() / "logs" / "rsl_rl"
    task = args.task or DEFAULT_TASK
    spec = options.find_task(task)
    device = options.choose_device(args.device)
    if args.motion:
        motions = json.dumps(options.resolve_motions(args.motion, base))
        overrides.append(f"env.commands.motion.motions={motions}")
    for key, value in (("env.scene.num_envs", args.num_envs), ("agent.seed", args.seed), ("agent.logger", args.logger)):
        if value is not None:
            overrides.append(f"{key}={value}")

    checkpoint = _checkpoint_to_resume(args, logs / _agent_cfg(task, overrides).experiment_name, base)
    record = read_record(checkpoint.parent) if checkpoint else {}
    if record.get("task", task) != task:
        if args.task is not None:
            trained = record["task"]
            raise OptionError(f"checkpoint '{checkpoint}' is of task '{trained}', not '{task}'; give --task {trained}")
        task = record["task"]
    notes = []
    cpu = {} if device != "cpu" or record else options.cpu_overrides(spec)
    given = {override.partition("=")[0] for override in overrides} | (
        {"agent.max_iterations"} if args.max_iterations else set()
    )
    cpu = [f"{key}={value}" for key, value in cpu.items() if key not in given]
    if cpu:
        notes.append(
            f"no GPU: training on the CPU with sizes that fit it, which differ from the GPU's: {' '.join(cpu)}"
        )
    overrides = options.merge_overrides(cpu, record.get("overrides", []), overrides)
    agent_cfg = _agent_cfg(task, overrides)
    run = _run_folder(checkpoint, logs / agent_cfg.experiment_name, args.run_name)
    options.need_space(run)
    planned, iterations = agent_cfg.max_iterations, args.max_iterations
    if checkpoint is None:
        planned = iterations = iterations or planned
    else:
        done = read_checkpoint(checkpoint)["iter"] + 1
        planned = max(record.get("planned", planned), done)
        iterations = iterations or (planned - done) or agent_cfg.max_iterations
        planned = max(planned, done + iterations)
        notes.append(f"resuming {checkpoint} at iteration {done}, {iterations} to go")
    return TrainPlan(task, device, run, overrides, planned, iterations, checkpoint, _video(args) + passed, notes)


def _agent_cfg(task: str, overrides: Sequence[str]) -> Any:
    return options.resolve_config(task, overrides)[1]


def _checkpoint_to_resume(args: argparse.Namespace, experiment: Path, base: Path) -> Path | None:
    if args.checkpoint:
        return resolve_checkpoint(args.checkpoint, experiment, base)
    return checkpoints(latest_run(experiment))[-1] if args.resume else None


def _run_folder(checkpoint: Path | None, experiment: Path, name: str | None) -> Path:
    """Return a checkpoint's own folder if it is a run's, and else a new one."""
    if checkpoint is not None and (checkpoint.parent / "params").is_dir():
        return checkpoint.parent
    return new_run_folder(experiment, name)


def _record(plan: TrainPlan) -> dict:
    return {
        "task": plan.task,
        "overrides": plan.overrides,
        "planned": plan.planned,
        "device": plan.device,
        "commit": commit_of_checkout(),
    }


def _isaaclab_arguments(plan: TrainPlan) -> list[str]:
    """Return the command line of ``isaaclab train`` that does what was planned."""
    arguments = ["--rl_library", "rsl_rl", "--task", plan.task, "--device", plan.device]
    arguments += ["--max_iterations", str(plan.iterations), "--run_timestamp", str(plan.run)]
    if plan.checkpoint is not None:
        arguments += ["--checkpoint", str(plan.checkpoint)]
    # The folder's name already holds the run's name.
    return [*arguments, *plan.passed, *plan.overrides, f"agent.device={plan.device}", "agent.run_name=''"]


def _isaaclab_options() -> set[str]:
    """Return the options that Isaac Lab's own train command knows."""
    from isaaclab.app import add_launcher_args
    from isaaclab_rl.entrypoints.backends import cli_args_rsl_rl
    from isaaclab_rl.entrypoints.common import add_common_train_args

    parser = argparse.ArgumentParser(add_help=False)
    add_common_train_args(parser, agent_default=None, agent_help="")
    cli_args_rsl_rl.add_rsl_rl_args(parser)
    add_launcher_args(parser)
    return set(parser._option_string_actions)


def _video(args: argparse.Namespace) -> list[str]:
    passed = ["--viz", "newton"] if args.gui else []
    if args.verbose:
        passed.append("--verbose")
    return passed


@contextlib.contextmanager
def _our_runner() -> Iterator[list]:
    """Let Isaac Lab's entry point construct our runner, whose loop is the stock one's.

    The entry point constructs the two runners that it knows and takes no other; see
    :class:`isaac_tracking.learning.runner.Runner` for what ours adds.

    Yields:
        A list that holds the runner once it exists.
    """
    from isaaclab.utils import to_dict
    from isaaclab_rl.entrypoints.backends import train_rsl_rl

    from ..learning.runner import Runner

    stock = train_rsl_rl.create_rsl_rl_runner
    runners: list[Runner] = []

    def create(env: Any, agent_cfg: Any, log_dir: str | None = None) -> Any:
        if agent_cfg.class_name != "OnPolicyRunner":
            return stock(env, agent_cfg, log_dir)
        runners.append(Runner(env, to_dict(agent_cfg), log_dir=log_dir, device=agent_cfg.device))
        return runners[0]

    train_rsl_rl.create_rsl_rl_runner = create
    try:
        yield runners
    finally:
        train_rsl_rl.create_rsl_rl_runner = stock


def _report(plan: TrainPlan, runner: Any, code: int) -> int:
    """Say what the run left behind, and return the exit code: 128 + signal when it was stopped."""
    if code or runner is None:
        return code
    found = checkpoints(plan.run)
    if not found:
        raise RunError(f"training ended without a checkpoint in '{plan.run}'; run again with --verbose")
    print_line(f"run folder   {plan.run}")
    print_line(f"checkpoint   {found[-1].name}")
    print_line("curves       curves.png, logs.csv, and: tensorboard --logdir " + str(plan.run.parent))
    print_line("watch it     bash test.sh --video" + ("" if plan.task == DEFAULT_TASK else f" --task {plan.task}"))
    if runner.stop_signal is None:
        return 0
    print_line("stopped as asked; go on with: bash train.sh --resume")
    return 128 + runner.stop_signal
