# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/evaluate.py``: every clip from its start, and every number with its definition."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from ..files import written_beside
from ..learning.runs import checkpoint_number
from ..motion.doctor.diagnosis import number
from ..motion.sources import find_library
from . import checks
from .errors import USER_ERRORS, OptionError
from .evaluation_films import EvaluationFilms, check_film_options, remove_old_films
from .loaded_policy import loaded_policy
from .motion_robots import motion_robot
from .options import MOTIONS, caller_folder
from .overrides import resolve_config
from .play_plan import PlayPlan, make_plan
from .run_folder import commit_of_checkout
from .terminal import print_line, quiet

if TYPE_CHECKING:
    from ..inference.evaluation_report import ClipFacts, EpisodeResult
    from ..inference.recording import Recording

_MOST_ENVS = {"cpu": 64, "cuda": 2048}
"""Most environments at once, by the kind of device."""

COLUMNS = (
    ("success_terminations", "success %", 100.0),
    ("success_phc", "PHC %", 100.0),
    ("progress", "progress %", 100.0),
    ("mpjpe_global", "global mm", 1.0),
    ("mpjpe_local", "local mm", 1.0),
    ("mpjpe_local_rotated", "rotated mm", 1.0),
    ("mpjpe_procrustes", "PA mm", 1.0),
    ("velocity_error", "vel m/s", 1.0),
    ("joint_error", "joint rad", 1.0),
    ("foot_slide", "slide m/s", 1.0),
    ("power", "power W", 1.0),
)
"""Metric, title and factor of each column of the table on the screen; all metrics are in the files."""


@dataclass
class Evaluate:
    """Judge a policy: every clip from its start, with metrics as the field defines them.

    Settings of the task follow as KEY=VALUE, for example physics=physx.

    For example:

    evaluate.py latest

    evaluate.py logs/rsl_rl/g1_tracking/RUN --motion walk 'walk_*' --repeats 3 --setting pushed

    evaluate.py latest --episodes --worst 3

    evaluate.py 'logs/rsl_rl/g1_tracking/*/model_*.pt' --engines newton physx mujoco
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]] = ()
    """model_<iteration>.pt, a run folder, 'pretrained' or 'latest', which is taken if none is given; several, or a
    pattern of files, are compared in one table (docs/comparison.md)."""
    motion: tuple[str, ...] = ()
    """Clips: names or patterns, files (.npz), folders, manifests (.toml); the task's if not given."""
    setting: Literal["clean", "noisy", "randomized", "pushed"] = "clean"
    """What is done to the robot; each includes those before it."""
    repeats: int = 1
    """Episodes of each clip."""
    seed: int = 0
    """Seed of all random numbers."""
    output: Path | None = None
    """Folder for metrics.json, report.html, films; evaluations/<checkpoint>_<setting> in the run's if not given."""
    trajectories: Path | None = None
    """Folder for a file of each clip's first episode, which loads as a clip."""
    every: int = 1
    """Keep every N-th instant of the trajectories."""
    video: bool = False
    """Write film.mp4: the episodes one after another, the hardest clip first."""
    episodes: bool = False
    """Write a film of each episode: films/<clip>_<repeat>.mp4."""
    worst: int | None = None
    """Film only the K hardest clips; with --video, --episodes or both."""
    task: str | None = None
    """Id of the task; the run's if not given."""
    engines: tuple[str, ...] = ()
    """Engines to compare: newton, physx, mujoco (for which the policy is exported, or an .onnx is given). The task's
    own if not given."""
    device: str | None = None
    """cuda, cuda:N or cpu; a GPU if there is one."""
    num_envs: int | None = None
    """Environments at once; as many as there are episodes, within bounds, if not given."""
    verbose: bool = False
    """Print all that Isaac Lab prints."""


def evaluate(argv: Sequence[str]) -> int:
    """Examine a policy, print a table, and write what was found.

    Raises:
        OptionError, RunError, ClipError, FilmError: If something the user gave cannot be used.
    """
    options, settings = tyro.cli(Evaluate, prog="evaluate.py", args=list(argv), return_unknown_args=True)
    for name in ("repeats", "every", "num_envs"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise OptionError(f"--{name} is {value}; give a whole number above 0")
    check_film_options(options)
    from .comparison import compare, is_comparison, sort_out

    options, settings = sort_out(options, settings)
    if is_comparison(options):
        return compare(options, settings)
    plan = make_plan(play_arguments(options, settings))
    folder = options.output or plan.results / "evaluations" / f"{plan.checkpoint.stem}_{options.setting}"
    folder = caller_folder() / folder.expanduser()
    checks.need_space(folder, megabytes=20)
    examination = _Examination(options, plan)
    checks.need_space(folder, megabytes=20 + examination.films.megabytes(examination.clips))
    print_line(
        f"evaluating {plan.checkpoint} on {plan.device}: {len(examination.clips)} clips, {options.repeats} times,"
        f" {options.setting}, seed {options.seed}, {examination.plan.num_envs} environments"
    )
    episodes = examination.run()
    from ..inference.evaluation_report import make_report

    report = make_report(episodes, examination.clips, examination.about())
    print_report(report)
    try:
        examination.films.draw(folder, report, plan.device)
    finally:
        # Films take time: whoever stops them, or a film that fails, must not lose what was measured.
        write_report(folder, report, episodes)
    print_line(f"wrote {folder / 'metrics.json'} and {folder / 'report.html'}")
    return 0


class _Examination:
    """One examination, from its options to its episodes.

    Args:
        options: What the user asked for.
        plan: The same for playing: task, checkpoint, device, settings.
    """

    def __init__(self, options: Evaluate, plan: PlayPlan) -> None:
        from ..inference.contact_labels import foot_labels
        from ..inference.evaluation import choose_num_envs
        from ..inference.evaluation_report import ClipFacts

        self._options, self._robot = options, motion_robot()
        env_cfg, _ = resolve_config(plan.task, plan.overrides)
        self._engine = checks.need_engine(env_cfg.sim.physics, plan.device)
        self._train_cfg = _training_config(plan, options.setting)
        self._rate = rate = 1.0 / (env_cfg.sim.dt * env_cfg.decimation)
        self.clips: list[ClipFacts] = []
        """The clips, in the library's order."""
        self.films = EvaluationFilms(options, self._robot)
        """Films of the episodes, if any are asked for."""
        self._labels: dict[str, Any] = {}
        feet = self._robot.foot_body_names
        for entry in find_library(env_cfg.commands.motion.motions).entries:
            clip = entry.load()
            steps = int(clip.duration * rate + 1e-6)
            self.clips.append(ClipFacts(clip.name, clip.content_hash, clip.duration, steps))
            labels = foot_labels(clip, feet, rate)
            if labels is not None:
                self._labels[clip.name] = labels
        width = 5 * len(self._robot.joint_names) + 13 * len(env_cfg.commands.motion.body_names) + len(feet)
        trials, longest = options.repeats * len(self.clips), max(clip.steps for clip in self.clips)
        most = _MOST_ENVS[plan.device.partition(":")[0]]
        num_envs = options.num_envs or choose_num_envs(trials, longest, width, most)
        self.plan = dataclasses.replace(plan, num_envs=num_envs)
        """The plan, with as many environments as it takes."""

    def run(self) -> list[EpisodeResult]:
        """Play and measure all episodes, and write their trajectories if asked."""
        import torch
        from rich.console import Console
        from rich.progress import Progress

        from ..inference.evaluation import apply_setting, examine
        from ..inference.evaluation_report import EpisodeResult
        from ..inference.metrics import JointLimits

        options, robot = self._options, self._robot
        episodes = []
        with (
            quiet(self.plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
            loaded_policy(
                self.plan, curtain, lambda cfg: apply_setting(cfg, self._train_cfg, options.setting)
            ) as (env, policy),
            Progress(console=Console(stderr=True), transient=True) as progress,
        ):  # fmt: skip
            names = env.unwrapped.scene["robot"].joint_names
            order = [robot.joint_names.index(name) for name in names]
            limits = JointLimits(
                torch.tensor(robot.joint_effort_limits)[order], torch.tensor(robot.joint_speed_limits)[order]
            )
            bar = progress.add_task("episodes", total=options.repeats * len(self.clips))
            rollouts = examine(env, policy, options.repeats, options.seed, robot.foot_body_names, self._labels)
            for trial, recording in rollouts:
                episodes.append(EpisodeResult.of(recording, trial.repeat, limits))
                self.films.keep(recording, trial.repeat)
                if options.trajectories is not None and trial.repeat == 0:
                    self._write_trajectory(recording)
                progress.advance(bar)
        return episodes

    def about(self) -> dict[str, Any]:
        """Return what was examined and how, for ``metrics.json``."""
        from ..inference.evaluation import SETTINGS

        plan, options, checkpoint = self.plan, self._options, self.plan.checkpoint
        settings = [text for text in plan.overrides if not text.startswith((MOTIONS, "agent.seed="))]
        return {
            "commit": commit_of_checkout(),
            "isaaclab": importlib.metadata.version("isaaclab"),
            "task": plan.task,
            "settings": settings,
            "engine": self._engine,
            "device": plan.device,
            "setting": options.setting,
            "setting_definition": SETTINGS[options.setting],
            "seed": options.seed,
            "repeats": options.repeats,
            "num_envs": plan.num_envs,
            "control_rate": self._rate,
            "checkpoint": {
                "run": checkpoint.parent.name,
                "file": checkpoint.name,
                "iteration": checkpoint_number(checkpoint),
                "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
            },
        }

    def _write_trajectory(self, recording: Recording) -> None:
        from ..inference.trajectory import save_trajectory

        assert self._options.trajectories is not None
        if recording.steps <= self._options.every:
            print_line(f"no trajectory of {recording.clip}: it ended after {recording.steps} steps, too few for a clip")
            return
        folder = caller_folder() / self._options.trajectories.expanduser()
        name = recording.clip.replace("/", "__")
        save_trajectory(recording, folder / f"{name}.npz", self._robot, self._options.every)


def print_report(report: Mapping[str, Any]) -> None:
    """Print a line for each clip, the hardest first, and one for all and for the successes."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("clip", "s", *(title for _, title, _ in COLUMNS), "ended by"):
        table.add_column(title, justify="left" if title in ("clip", "ended by") else "right")
    for row in report["clips"]:
        ended = ", ".join(f"{name} {count}" for name, count in row["outcomes"].items())
        table.add_row(row["name"], f"{row['duration']:.1f}", *_cells(row), ended)
    table.add_section()
    for name in ("all", "successes"):
        if report[name]["episodes"]:
            table.add_row(f"{name} ({report[name]['episodes']})", "", *_cells(report[name]))
    console = Console()
    # A pipe has no width; wide enough that nothing is broken into two lines.
    Console(width=None if console.is_terminal else 200).print(table)
    for name, title in (("success_terminations", "success"), ("success_phc", "success by PHC")):
        value = report["all"]["metrics"][name]
        low, high = (100.0 * bound for bound in value["interval"])
        print_line(f"{title}: {100.0 * value['mean']:.1f} % of {value['episodes']} (95 %: {low:.1f} to {high:.1f})")


def write_report(folder: Path, report: Mapping[str, Any], episodes: Sequence[EpisodeResult]) -> None:
    """Write ``metrics.json`` and ``report.html``, each beside its place and renamed; films of former ones go."""
    from ..inference.evaluation_page import page

    folder.mkdir(parents=True, exist_ok=True)
    remove_old_films(folder, report)
    with written_beside(folder / "metrics.json") as file:
        file.write((json.dumps(report, indent=1, allow_nan=False) + "\n").encode())
    with written_beside(folder / "report.html") as file:
        file.write(page(report, episodes).encode())


def play_arguments(options: Evaluate, settings: Sequence[str]) -> list[str]:
    """Return the same request, for its first checkpoint, as ``test.sh`` takes it."""
    arguments = ["--checkpoint", options.checkpoints[0], "--seed", str(options.seed)]
    for name in ("task", "device", "num_envs"):
        if getattr(options, name) is not None:
            arguments += [f"--{name}", str(getattr(options, name))]
    arguments += ["--verbose"] if options.verbose else []
    arguments += ["--motion", *options.motion] if options.motion else []
    return [*arguments, *settings]


def _training_config(plan: PlayPlan, setting: str) -> Any:
    """Return the config of the task whose examination is planned.

    Raises:
        OptionError: If there is no such task, from which noise and pushes could be taken.
    """
    if "-Play-" not in plan.task and setting != "clean":
        raise OptionError(f"task '{plan.task}' has no examination, so --setting {setting} is unknown; give clean")
    return resolve_config(plan.task.replace("-Play-", "-"), plan.overrides)[0]


def _cells(row: Mapping[str, Any]) -> list[str]:
    cells = []
    for name, _, factor in COLUMNS:
        mean = row["metrics"][name]["mean"]
        cells.append("" if mean is None else number(factor * mean))
    return cells
