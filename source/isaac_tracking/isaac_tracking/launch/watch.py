# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/watch.py``: judges each checkpoint of a run once, in a process of its own, and keeps the best."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from ..learning.checkpoint_monitor import CheckpointMonitor, Examination, Finding
from ..learning.evaluation_curves import write_curves
from ..learning.runs import BEST, RunError, checkpoints, latest_run, read_record
from . import checks
from .child_process import child_environment
from .errors import OptionError
from .families import family_of
from .options import caller_folder, choose_device, find_task, play_task, resolve_motions
from .overrides import is_setting, resolve_config
from .play_plan import DEFAULT_TASK
from .terminal import print_line

EVALUATE = (
    sys.executable,
    "-c",
    "import sys; from isaac_tracking.launch.main import main; sys.exit(main('evaluate', sys.argv[1:]))",
)
"""What runs ``scripts/evaluate.py``'s command with the Python that runs this."""

COLUMNS = (
    ("success_terminations", "success %", 100.0),
    ("success_phc", "PHC %", 100.0),
    ("progress", "progress %", 100.0),
    ("mpjpe_global", "global mm", 1.0),
    ("mpjpe_local", "local mm", 1.0),
    ("joint_error", "joint rad", 1.0),
    ("foot_slide", "slide m/s", 1.0),
)
"""Metric, title and factor of each column on the screen; all metrics are in the files and in TensorBoard."""

_PATIENCE = 10.0
"""Time that an evaluation which is to stop has before it is killed [s]."""


@dataclass
class Watch:
    """Judge each checkpoint of a run, also while it trains: numbers, films of the hardest clips, and best.pt.

    Settings of the task follow as KEY=VALUE. Stop and start it as you like: nothing is lost and nothing done twice.

    For example:

    watch.py latest

    watch.py logs/rsl_rl/g1_tracking/RUN --setting clean pushed --every 2 --last

    watch.py RUN --once --device cpu --motion walk 'walk_*' --worst 0
    """

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, or 'latest'."""
    setting: tuple[Literal["clean", "noisy", "randomized", "pushed"], ...] = ("clean",)
    """What is done to the robot, as for evaluate.py; several are examined one after another."""
    motion: tuple[str, ...] = ()
    """Clips: names or patterns, files (.npz), folders, manifests (.toml); the task's if not given."""
    repeats: int = 1
    """Episodes of each clip."""
    seed: int = 0
    """Seed of all random numbers."""
    worst: int = 3
    """Films of the K hardest clips of each examination; 0 for none."""
    every: int = 1
    """Take each N-th checkpoint; the last one of a run that ended is always taken."""
    last: bool = False
    """Newest first, so that a slow machine keeps up with the training."""
    once: bool = False
    """Judge the checkpoints that are there, and leave."""
    forever: bool = False
    """Go on waiting when the run has ended, or trains where its lock is not seen."""
    interval: float = 60.0
    """Time between two looks for new checkpoints [s]."""
    task: str | None = None
    """Id of the task; the run's if not given."""
    device: str | None = None
    """cuda, cuda:N or cpu; a GPU if there is one."""
    num_envs: int | None = None
    """Environments at once; as many as there are episodes, within bounds, if not given."""


def watch(argv: Sequence[str]) -> int:
    """Watch a run until it ends, and return 1 if a checkpoint could not be judged.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used.
    """
    # First, since they may follow an option that takes several values.
    settings = [text for text in argv if is_setting(text)]
    rest = [text for text in argv if not is_setting(text)]
    options, unknown = tyro.cli(Watch, prog="watch.py", args=rest, return_unknown_args=True)
    _check(options, unknown)
    run = _find_run(options)
    _need_clips(run)
    watcher = _Watcher(options, settings, run)
    try:
        return watcher.watch()
    except KeyboardInterrupt:
        # By name: meanwhile another run may have become the latest.
        given = [text for text in argv if text != options.run]
        print_line(f"stopped; go on with: python3 scripts/watch.py {shlex.join([str(run), *given])}")
        raise
    finally:
        watcher.monitor.end()


class _Watcher:
    """The loop, from the options to what is said at the end.

    Args:
        options: What the user asked for.
        settings: Settings of the task, ``KEY=VALUE``.
        run: Run folder.
    """

    def __init__(self, options: Watch, settings: Sequence[str], run: Path) -> None:
        self._options, self._run = options, run
        self._motions = resolve_motions(options.motion, caller_folder()) if options.motion else []
        self._settings = list(settings)
        self.monitor = CheckpointMonitor(run, list(dict.fromkeys(options.setting)), options.every, options.last)
        """What is done and what is not."""
        self._failures: dict[Examination, int] = {}
        self._shown: set[tuple[int, str, str]] = set()
        if not checkpoints(run) and (options.once or not (options.forever or self.monitor.live())):
            raise RunError(
                f"run folder '{run}' holds no model_<iteration>.pt and is not being trained; give another run,"
                " or wait for it with --forever"
            )
        request = {"motion": self._motions, "repeats": options.repeats, "seed": options.seed}
        request |= {"task": options.task, "settings": sorted(self._settings)}
        self.monitor.begin(request)

    def watch(self) -> int:
        """Judge what is there and what comes, and return the exit code."""
        options, monitor = self._options, self.monitor
        print_line(f"watching {self._run}: {', '.join(monitor.settings)}; results in {monitor.folder}")
        print_line(_line(["iteration", "setting", *(title for _, title, _ in COLUMNS), "time s"]))
        self._publish({})
        there = set(checkpoints(self._run)) if options.once else None
        waiting = False
        while True:
            # Asked before the folder is looked at, so that the last checkpoint of a run that ends now is seen.
            live = monitor.live()
            left = [one for one in monitor.pending(ended=not live) if there is None or one.checkpoint in there]
            # One that failed is tried once more, when nothing else is left.
            left = sorted((one for one in left if self._failures.get(one, 0) < 2), key=self._failures_of)
            if left:
                waiting = False
                self._examine(left[0])
            elif options.once or not (live or options.forever):
                return self._finish(live)
            else:
                if not waiting:
                    print_line(f"waiting for new checkpoints, a look each {options.interval:g} s; Ctrl-C stops")
                waiting = True
                time.sleep(options.interval)

    def _failures_of(self, examination: Examination) -> int:
        return self._failures.get(examination, 0)

    def _examine(self, examination: Examination) -> None:
        """Run an examination, and show and keep what it found; or say why it failed."""
        log = _log(examination)
        start = time.monotonic()
        terminal = sys.stdout.isatty()
        if terminal:
            sys.stdout.write(f"examining {examination.checkpoint.name}, {examination.setting} ...\r")
            sys.stdout.flush()
        code = _run(self._command(examination), log)
        if terminal:
            sys.stdout.write("\033[K")
        if code == 0 and self.monitor.is_done(examination):
            log.unlink(missing_ok=True)
            self._publish({examination.folder: time.monotonic() - start})
            return
        self._failures[examination] = self._failures_of(examination) + 1
        name = f"{examination.checkpoint.name}, {examination.setting}"
        if code == 0 or not examination.checkpoint.is_file():
            # Training went on from an earlier checkpoint meanwhile, and this one was set aside or replaced.
            print_line(f"{name}: the checkpoint changed while it was examined, so what it showed does not count")
            log.unlink(missing_ok=True)
            return
        again = "tried once more later" if self._failures[examination] == 1 else "given up"
        print_line(f"{name}: {_reason(log, code)}; {again}; all of it: {log}")

    def _command(self, examination: Examination) -> list[str]:
        options = self._options
        command = [*EVALUATE, str(examination.checkpoint), "--setting", examination.setting]
        command += ["--repeats", str(options.repeats), "--seed", str(options.seed), "--output", str(examination.folder)]
        for name in ("task", "device", "num_envs"):
            if getattr(options, name) is not None:
                command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
        command += ["--episodes", "--worst", str(options.worst)] if options.worst else []
        command += ["--motion", *self._motions] if self._motions else []
        return [*command, *self._settings]

    def _publish(self, seconds: dict[Path, float]) -> None:
        """Print the rows that are new, bring TensorBoard up to date, and keep the best."""
        findings = self.monitor.findings()
        for finding in findings:
            key = finding.iteration, finding.setting, finding.sha256
            if key not in self._shown:
                self._shown.add(key)
                print_line(_row(finding, seconds.get(finding.folder)))
        write_curves(self._run, findings)
        best = self.monitor.keep_best()
        if best is not None:
            print_line(f"{BEST} is now iteration {best.iteration}, the best of {best.among}")

    def _finish(self, live: bool) -> int:
        """Say what is left behind, and return the exit code."""
        failed = [one for one, count in self._failures.items() if count >= 2 and one.checkpoint.is_file()]
        left = "" if live else "; it is not being trained any more"
        print_line(f"all checkpoints of {self._run} are judged{left}" if not failed else f"done but for {len(failed)}:")
        for examination in failed:
            print_line(f"  {examination.checkpoint.name}, {examination.setting}: see {_log(examination)}")
        if (self._run / BEST).is_file():
            print_line(f"best         bash test.sh --checkpoint {self._run / BEST} --video")
        print_line(f"curves       tensorboard --logdir {self._run}")
        return 1 if failed else 0


def _check(options: Watch, unknown: Sequence[str]) -> None:
    """Refuse what can be seen to be wrong before anything is examined.

    Raises:
        OptionError: If an option cannot be used.
    """
    for name, least in (("repeats", 1), ("every", 1), ("num_envs", 1), ("worst", 0), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise OptionError(f"--{name} is {value}; give a whole number from {least}")
    if not options.interval > 0.0:
        raise OptionError(f"--interval is {options.interval:g}; give seconds above 0")
    if not options.setting:
        raise OptionError("--setting names none; choose from clean, noisy, randomized, pushed")
    if options.once and options.forever:
        raise OptionError("--once leaves and --forever stays; give one of them")
    if unknown:
        raise OptionError(f"'{unknown[0]}' is no option of watch.py, and no KEY=VALUE; see --help")
    if options.task is not None:
        find_task(options.task)
    choose_device(options.device)
    checks.need_packages((*checks.NEEDED, "tensorboard", *(checks.FOR_FILMS if options.worst else ())))


def _find_run(options: Watch) -> Path:
    """Return the run folder that the user names.

    Raises:
        RunError: If there is none.
    """
    if options.run == "latest":
        task = play_task(options.task or DEFAULT_TASK)
        return latest_run(Path.cwd().resolve() / "logs" / "rsl_rl" / resolve_config(task, [])[1].experiment_name)
    path = caller_folder() / Path(options.run).expanduser()
    if path.is_file():
        raise RunError(f"'{options.run}' is a file; give the run's folder, or judge one checkpoint with evaluate.py")
    if not path.is_dir():
        raise RunError(f"run folder '{options.run}' does not exist; give a run folder or 'latest'")
    return path.resolve()


def _need_clips(run: Path) -> None:
    """Refuse a run whose policy follows no clips, by which checkpoints are ranked here.

    Raises:
        OptionError: If it is one.
    """
    import gymnasium as gym

    task = read_record(run).get("task")
    # Whatever else is wrong with a run, who examines its checkpoints says.
    if task in gym.registry and family_of(task) != "tracking":
        raise OptionError(
            f"'{task}' follows velocities, and only policies that follow clips are watched; judge its checkpoints"
            " one by one with evaluate.py"
        )


def _run(command: Sequence[str], log: Path) -> int:
    """Run a command with its output in a file, and return its exit code; it ends when this process is stopped.

    It gets a session of its own: a Ctrl-C on the terminal reaches only us, and we end it with all that it started.
    """
    environment = child_environment()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            return process.wait()
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs and what it started, by the id of its own group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _reason(log: Path, code: int) -> str:
    """Return in one line why an examination failed."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return (errors or lines or [f"exit code {code}"])[-1][:300]


def _log(examination: Examination) -> Path:
    return examination.folder.with_suffix(".log")


def _row(finding: Finding, seconds: float | None) -> str:
    values = [(finding.metrics.get(name), factor) for name, _, factor in COLUMNS]
    cells = ["" if value is None else f"{factor * value:.4g}" for value, factor in values]
    return _line([str(finding.iteration), finding.setting, *cells, "" if seconds is None else f"{seconds:.0f}"])


def _line(cells: Sequence[str]) -> str:
    return "  ".join(f"{cell:>10}" for cell in cells)
