# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``train.sh --pipeline``: each stage in a process of its own, from the checkpoint of the one before; then a table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..learning.runs import RunError, checkpoints, lock_run
from ..signals import handled_by
from .child_process import child_environment
from .comparison import compare
from .evaluate import Evaluate
from .overrides import resolve_config
from .pipeline_plan import PipelinePlan, StageRun, is_complete, make_plan, stage_arguments
from .pipeline_stage import RESUME
from .pipeline_summary import examined_rows, facts_of, is_done, is_examined, sentence, write_summary
from .run_folder import commit_of_checkout
from .terminal import print_line

STAGE = (
    sys.executable,
    "-c",
    "import sys; from isaac_tracking.launch.main import main; sys.exit(main('pipeline_stage', sys.argv[1:]))",
)
"""What trains a stage with the Python that runs this."""


def pipeline(argv: Sequence[str]) -> int:
    """Train all stages and examine them, or go on with that, and return the exit code.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used; nothing was written then.
    """
    plan = make_plan(argv)
    if is_complete(plan):
        raise RunError(f"pipeline '{plan.folder}' is complete; start a new one without --resume")
    work = _Pipeline(plan)
    with _locked(plan.folder):
        work.begin()
        code = work.train()
        return work.examine() if code == 0 else code


class _Pipeline:
    """A pipeline under way.

    Args:
        plan: What is to be done.
    """

    def __init__(self, plan: PipelinePlan) -> None:
        self._plan = plan
        before = {part["stage"]: part for part in plan.before.get("stages", [])}
        self._parts = [before.get(stage.stage) or _part(stage) for stage in plan.stages]
        self._evaluation: dict[str, Any] = dict(plan.before.get("evaluation", {}))

    def begin(self) -> None:
        """Write the first summary, so that what follows can be gone on with."""
        plan = self._plan
        self._write("running")
        print_line(f"pipeline     {', '.join(stage.stage for stage in plan.stages)}")
        print_line(f"folder       {plan.folder}")

    def train(self) -> int:
        """Train the stages that are not done, and return the exit code of the one that was not finished, or 0."""
        plan = self._plan
        for index, stage in enumerate(plan.stages):
            title = f"stage {index + 1} of {len(plan.stages)}: {stage.stage}, {stage.task}"
            if is_done(stage.run):
                self._keep(index, "done")
                _link(stage)
                print_line(f"{title}: done before")
                continue
            print_line(title)
            code = self._train_stage(index)
            if code:
                return code
        return 0

    def _train_stage(self, index: int) -> int:
        """Train a stage in a process of its own, and keep what it left behind."""
        plan, stage = self._plan, self._plan.stages[index]
        if checkpoints(stage.run):
            arguments = [*plan.arguments, "--task", stage.task, "--checkpoint", str(stage.run)]
        else:
            # Whatever a killed process left of a run without a checkpoint.
            shutil.rmtree(stage.run, ignore_errors=True)
            arguments = stage_arguments(plan, index, self._parts)
        self._keep(index, "running")
        started = time.monotonic()
        code, stopped = run_child([*STAGE, str(stage.run), *arguments], {"ISAAC_TRACKING_CALLER_DIR": plan.caller})
        self._parts[index]["seconds"] += round(time.monotonic() - started, 1)
        done = is_done(stage.run)
        if checkpoints(stage.run):
            _link(stage)
        if done and not stopped:
            self._keep(index, "done")
            return 0
        self._keep(index, "stopped" if stopped else "failed")
        self._write("stopped" if stopped else "failed")
        how = "was stopped" if stopped else f"ended with exit code {code}"
        print_line(f"stage '{stage.stage}' {how}; go on with: {RESUME}")
        return 128 + stopped if stopped else code or 1

    def examine(self) -> int:
        """Examine all stages in each setting, print tables, and return 1 if an examination failed."""
        plan = self._plan
        files = [plan.folder / part["checkpoint"] for part in self._parts]
        names = [stage.stage for stage in plan.stages]
        if plan.checkpoint is not None:
            files, names = [plan.checkpoint, *files], [plan.checkpoint_stage or "teacher", *names]
        code = 0
        self._write("trained")
        for setting in plan.settings:
            if not is_examined(self._evaluation.get(setting)):
                print_line(f"examining {', '.join(names)}: {setting}")
                folder = plan.folder / "evaluations" / setting
                code |= _compare(plan, files, setting, folder)
                comparison = json.loads((folder / "comparison.json").read_text())
                self._evaluation[setting] = examined_rows(names, comparison)
                self._write("trained")
        self._write("complete" if code == 0 else "trained")
        self._print()
        return code

    def _keep(self, index: int, status: str) -> None:
        """Take what a stage left behind into the summary."""
        self._parts[index] |= facts_of(self._plan.stages[index].run) | {"status": status}
        self._write("running")

    def _write(self, status: str) -> None:
        plan = self._plan
        write_summary(
            plan.folder,
            {
                "status": status,
                "task": plan.task,
                "commit": commit_of_checkout(),
                "arguments": plan.arguments,
                "caller": plan.caller,
                "checkpoint": None if plan.checkpoint is None else str(plan.checkpoint),
                "checkpoint_stage": plan.checkpoint_stage,
                "settings": list(plan.settings),
                "stages": self._parts,
                "evaluation": self._evaluation,
            },
        )

    def _print(self) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        settings = self._plan.settings
        titles = [title for name in settings for title in (f"success % {name}", f"local mm {name}")]
        for title in ("stage", "iterations", "steps", "time s", "reward", *titles):
            table.add_column(title, justify="left" if title == "stage" else "right")
        parts = {part["stage"]: part for part in self._parts}
        rows = {name: {row["stage"]: row for row in self._evaluation[name]} for name in settings}
        for stage in [row["stage"] for row in self._evaluation[settings[0]]] if settings else parts:
            found = [rows[name][stage][key] for name in settings for key in ("success", "mpjpe_local")]
            factors = [100.0, 1.0] * len(settings)
            cells = [
                "" if mean is None else f"{factor * mean:.1f}" for mean, factor in zip(found, factors, strict=True)
            ]
            table.add_row(stage, *_training_cells(parts.get(stage)), *cells)
        console = Console()
        # A pipe has no width; wide enough that nothing is broken into two lines.
        Console(width=None if console.is_terminal else 200).print(table)
        for name in settings:
            for row in self._evaluation[name][1:]:
                print_line(f"{name}, {sentence(row)}")
        print_line(f"summary      {self._plan.folder / 'summary.json'}")
        print_line(f"watch it     bash test.sh --video --task {self._plan.stages[-1].task}")


def run_child(command: Sequence[str], variables: Mapping[str, str]) -> tuple[int, int | None]:
    """Run a process to its end; Ctrl-C and SIGTERM are handed on to it, each once.

    It gets a session of its own, so that the terminal's Ctrl-C does not reach it a second time.

    Args:
        command: Program and arguments.
        variables: Variables of its environment besides ours.

    Returns:
        Its exit code, and the first signal that was handed on, None if there was none.
    """
    environment = child_environment(variables)
    with _forwarded() as (signals, children):
        child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        children.append(child)
        for number in list(signals):
            child.send_signal(number)
        try:
            code = child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    return code, signals[0] if signals else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from working in a pipeline's folder, which is made.

    Raises:
        RunError: If another one works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = lock_run(folder)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _forwarded() -> Iterator[tuple[list[int], list[subprocess.Popen[bytes]]]]:
    """Hand signals on to a child.

    Yields:
        The signals so far, and the list to put the child into.
    """
    signals: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: object) -> None:
        signals.append(number)
        for child in children:
            with suppress(ProcessLookupError):
                child.send_signal(number)

    with handled_by(forward):
        yield signals, children


def _part(stage: StageRun) -> dict[str, Any]:
    """Return a stage's part of the summary, before it begins."""
    part = {"stage": stage.stage, "task": stage.task, "run": stage.run.name, "after": stage.after}
    part["max_iterations"] = stage.iterations
    return part | {"status": "waiting", "seconds": 0.0, "checkpoint": None}


def _link(stage: StageRun) -> None:
    """Let the runs of the stage's task lead to this one, where test.sh, evaluate.py and --resume look for them."""
    experiment = stage.run.parents[1].with_name(resolve_config(stage.task, [])[1].experiment_name)
    experiment.mkdir(parents=True, exist_ok=True)
    link = experiment / f"{stage.run.parent.name}_{stage.stage}"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(stage.run, experiment), target_is_directory=True)


def _compare(plan: PipelinePlan, files: Sequence[Path], setting: str, folder: Path) -> int:
    """Examine checkpoints as ``evaluate.py`` does, and return its exit code."""
    from .train_plan import make_parser

    device = make_parser().parse_known_args(plan.arguments)[0].device
    physics = [text for text in plan.arguments if text.startswith("physics=")]
    names: Any = tuple(map(str, files))
    chosen: Any = setting
    return compare(Evaluate(names, setting=chosen, output=folder, device=device), physics[-1:])


def _training_cells(part: Mapping[str, Any] | None) -> list[str]:
    if part is None:
        return [""] * 4
    reward = part.get("mean_reward")
    cells = [str(part["iterations"]), str(part["steps"]), f"{part['seconds']:.0f}"]
    return [*cells, "" if reward is None else f"{reward:.2f}"]
