# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training: our options and checks around Isaac Lab's own entry point."""

from __future__ import annotations

import contextlib
import shutil
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..learning.runs import RunError, checkpoints, lock_run
from .errors import USER_ERRORS, OptionError
from .memory_probe import need_room_for
from .run_folder import has_record
from .stop import raise_if_stopped
from .terminal import Curtain, print_line, quiet
from .train_plan import TrainPlan, make_parser, make_plan

if TYPE_CHECKING:
    from .planned_runner import PlannedRunner

__all__ = ["make_parser", "make_plan", "train"]
_REASON = 400
"""Characters of a reason that is not ours."""


def train(argv: Sequence[str]) -> int:
    """Train, or go on training, and return the exit code.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used; nothing was written then.
    """
    if "--pipeline" in argv:
        from .pipeline import pipeline

        return pipeline(argv)
    plan = make_plan(argv)
    _need_room(plan)
    return carry_out(plan)


def _need_room(plan: TrainPlan) -> None:
    """Refuse more environments than fit.

    Raises:
        OptionError: If they do not; says how many do.
    """
    from .measured_task import Job

    job = Job(plan.task, tuple(plan.overrides), plan.device, plan.num_envs, 0, plan.seed or 0, 0.0)
    need_room_for(job, plan.gpus if plan.device == "cpu" else 1)


def carry_out(plan: TrainPlan) -> int:
    """Train as planned, and return the exit code.

    Raises:
        OptionError: If the simulator or the learner refuses a setting.
        RunError: If the run cannot be written, or learning breaks down.
    """
    if plan.run.is_dir() and plan.hosts.index == 0:
        lock_run(plan.run)
    for note in plan.notes:
        print_line(note)
    print_line("starting the simulator; the first time takes longer, since its kernels are compiled")
    try:
        if plan.ranks == 1:
            return run_plan(plan)
        from .ranks import run_ranks

        return run_ranks(plan, run_plan)
    except BaseException as error:
        # What broke down while it learned is kept to be looked at; before, there are only Isaac Lab's own records.
        in_vain = isinstance(error, KeyboardInterrupt) or not has_record(plan.run)
        if plan.is_new and in_vain and not checkpoints(plan.run):
            shutil.rmtree(plan.run, ignore_errors=True)
        raise


def run_plan(plan: TrainPlan) -> int:
    """Train in this process, which with several GPUs is one of the ranks, and return the exit code.

    Raises:
        OptionError: If the simulator or the learner refuses a setting.
        RunError: If the run cannot be written, or learning breaks down.
        KeyboardInterrupt: If a signal came before training.
    """
    # What a rank fails with is said by the process that started it.
    plain = (KeyboardInterrupt, SystemExit, *USER_ERRORS) if plan.ranks == 1 else (BaseException,)
    with quiet(plan.verbose, plain) as curtain:
        from isaaclab_rl.entrypoints import run_train_cli

        with _our_runner(plan, curtain) as runners:
            code = run_train_cli(_isaaclab_arguments(plan))
    # Isaac Lab's entry point ends well when a signal stops it.
    raise_if_stopped()
    return _report(plan, runners[0] if runners else None, code)


def _isaaclab_arguments(plan: TrainPlan) -> list[str]:
    """Return the command line of ``isaaclab train`` that does what was planned."""
    arguments = ["--rl_library", "rsl_rl", "--task", plan.task, "--device", plan.device]
    arguments += ["--max_iterations", str(plan.iterations), "--run_timestamp", str(plan.isaaclab_folder or plan.run)]
    if plan.checkpoint is not None:
        arguments += ["--checkpoint", str(plan.checkpoint)]
    if plan.verbose:
        arguments.append("--verbose")
    # The folder's name already holds the run's name.
    return [*arguments, *plan.passed, *plan.overrides, f"agent.device={plan.device}", "agent.run_name=''"]


@contextlib.contextmanager
def _our_runner(plan: TrainPlan, curtain: Curtain) -> Iterator[list[PlannedRunner]]:
    """Let Isaac Lab's entry point construct our runner, whose loop is the stock one's.

    The entry point constructs the two runners that it knows and takes no other; see
    :class:`isaac_tracking.learning.runner.Runner` for what ours adds.

    What either refuses while it is made is a setting's fault, and said in one line.

    Yields:
        A list that holds the runner once it exists.
    """
    from isaaclab.utils import to_dict
    from isaaclab_rl.entrypoints.backends import train_rsl_rl

    from .planned_runner import PlannedRunner

    stock, stock_env = train_rsl_rl.create_rsl_rl_runner, train_rsl_rl.create_isaaclab_env
    runners: list[PlannedRunner] = []

    def create(env: Any, agent_cfg: Any, log_dir: str | None = None) -> Any:
        if agent_cfg.class_name != "OnPolicyRunner":
            curtain.down = False
            return stock(env, agent_cfg, log_dir)
        with _refusals("learner", plan):
            runner = PlannedRunner(env, to_dict(agent_cfg), log_dir=str(plan.run), device=agent_cfg.device)
        runner.follow(plan, curtain)
        runners.append(runner)
        return runner

    def create_env(*args: Any, **kwargs: Any) -> Any:
        with _refusals("environment", plan):
            return stock_env(*args, **kwargs)

    train_rsl_rl.create_rsl_rl_runner, train_rsl_rl.create_isaaclab_env = create, create_env
    try:
        yield runners
    finally:
        train_rsl_rl.create_rsl_rl_runner, train_rsl_rl.create_isaaclab_env = stock, stock_env


@contextlib.contextmanager
def _refusals(what: str, plan: TrainPlan) -> Iterator[None]:
    """Say in one line why something cannot be made with the settings of a plan.

    Raises:
        OptionError: If it cannot.
    """
    try:
        yield
    except USER_ERRORS:
        raise
    except ValueError as error:
        if plan.verbose:
            traceback.print_exc()
        more = "" if plan.verbose else " (--verbose shows where)"
        reason = " ".join(str(error).split())[:_REASON]
        raise OptionError(f"the {what} cannot be made with these settings: {reason}{more}") from error


def _report(plan: TrainPlan, runner: PlannedRunner | None, code: int) -> int:
    """Say what the run left behind, and return the exit code: 128 + signal when it was stopped."""
    if code or runner is None:
        return code
    stopped = runner.stop_signal
    if plan.rank:
        return 0 if stopped is None else 128 + stopped
    found = checkpoints(plan.run)
    if not found and stopped is None:
        raise RunError(f"training ended without a checkpoint in '{plan.run}'; run again with --verbose")
    print_line(f"run folder   {plan.run}")
    if found:
        print_line(f"checkpoint   {found[-1].name}")
        print_line("curves       curves.png, logs.csv, and: tensorboard --logdir " + str(plan.run.parent))
        print_line("watch it     bash test.sh --video" + plan.task_option)
    if stopped is None:
        return 0
    print_line(f"stopped as asked; {'go on with: ' + _resume_command(plan) if found else 'nothing was saved'}")
    return 128 + stopped


def _resume_command(plan: TrainPlan) -> str:
    """Return the command that goes on with a run, by name if it is not the newest."""
    if plan.resume is not None:
        return plan.resume
    newest = sorted(run.name for run in plan.run.parent.iterdir() if run.is_dir() and checkpoints(run))[-1]
    which = "--resume" if newest == plan.run.name else f"--checkpoint {_short(plan.run)}"
    return f"bash train.sh {which}{plan.task_option}{plan.ranks_options}"


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
