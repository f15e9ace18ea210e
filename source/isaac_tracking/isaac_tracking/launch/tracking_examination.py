# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Examining a policy that follows clips: every clip from its start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..motion.doctor.diagnosis import number
from ..motion.sources import find_library
from .errors import USER_ERRORS, OptionError
from .evaluation_films import FilmKey
from .examination import Examination
from .loaded_policy import loaded_policy
from .motion_robots import motion_robot
from .options import caller_folder
from .play_plan import PlayPlan
from .terminal import print_line, quiet

if TYPE_CHECKING:
    from ..inference.evaluation_report import ClipFacts, EpisodeResult
    from ..inference.recording import Recording
    from .evaluate import Evaluate

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


class TrackingExamination(Examination):
    """Every clip from its start, some times.

    Args:
        options: What the user asked for.
        plan: The same for playing.

    Raises:
        OptionError, ClipError: If it cannot be made.
    """

    def __init__(self, options: Evaluate, plan: PlayPlan) -> None:
        from ..inference.contact_labels import foot_labels
        from ..inference.evaluation import SETTINGS
        from ..inference.evaluation_report import ClipFacts

        if options.command is not None:
            raise OptionError(
                f"--command is for policies that follow velocities, and '{plan.task}' follows clips; choose some with"
                " --motion"
            )
        self.SETTINGS = SETTINGS
        super().__init__(options, plan, motion_robot(), "; the reference is the green robot")
        self.clips: list[ClipFacts] = []
        """The clips, in the library's order."""
        self._labels: dict[str, Any] = {}
        self._episodes: list[EpisodeResult] = []
        command, feet = self._env_cfg.commands.motion, self._robot.foot_body_names
        for entry in find_library(command.motions).entries:
            clip = entry.load()
            steps = int(clip.duration * self._rate + 1e-6)
            self.clips.append(ClipFacts(clip.name, clip.content_hash, clip.duration, steps))
            labels = foot_labels(clip, feet, self._rate)
            if labels is not None:
                self._labels[clip.name] = labels
        width = 5 * len(self._robot.joint_names) + 13 * len(command.body_names) + len(feet)
        self._size(options.repeats * len(self.clips), max(clip.steps for clip in self.clips), width)

    @property
    def subject(self) -> str:
        """How much is played."""
        return f"{len(self.clips)} clips, {self._options.repeats} times"

    @property
    def filmed_steps(self) -> list[int]:
        """Steps of each clip, longest first."""
        return sorted((clip.steps for clip in self.clips), reverse=True)

    def run(self) -> dict[str, Any]:
        """Play and measure all episodes, write their trajectories if asked, and return the report."""
        import torch
        from rich.console import Console
        from rich.progress import Progress

        from ..inference.evaluation import apply_setting, examine
        from ..inference.evaluation_report import EpisodeResult, make_report
        from ..inference.metrics import JointLimits

        options, robot = self._options, self._robot
        with (
            quiet(self.plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
            loaded_policy(
                self.plan, curtain, lambda cfg: apply_setting(cfg, self._train_cfg, options.setting)
            ) as (env, policy),
            Progress(console=Console(stderr=True), transient=True) as progress,
        ):  # fmt: skip
            self.check_loaded()
            names = env.unwrapped.scene["robot"].joint_names
            order = [robot.joint_names.index(name) for name in names]
            limits = JointLimits(
                torch.tensor(robot.joint_effort_limits)[order], torch.tensor(robot.joint_speed_limits)[order]
            )
            bar = progress.add_task("episodes", total=options.repeats * len(self.clips))
            rollouts = examine(env, policy, options.repeats, options.seed, robot.foot_body_names, self._labels)
            for trial, recording in rollouts:
                self._episodes.append(EpisodeResult.of(recording, trial.repeat, limits))
                self._keep(recording, trial.repeat)
                if options.trajectories is not None and trial.repeat == 0:
                    self._write_trajectory(recording)
                progress.advance(bar)
        return make_report(self._episodes, self.clips, self.about())

    def print(self, report: Mapping[str, Any]) -> None:
        """Print a line for each clip, the hardest first, and one for all and for the successes."""
        print_report(report)

    def draw(self, folder: Path, report: dict[str, Any]) -> None:
        """Draw the films of the hardest clips, and name them in the report."""
        self.films.draw(folder, report, report["clips"], self.plan.device)

    def page(self, report: Mapping[str, Any]) -> str:
        """Return ``report.html``."""
        from ..inference.evaluation_page import page

        return page(report, self._episodes)

    def _keep(self, recording: Recording, repeat: int) -> None:
        """Keep of an episode what a film needs, if there will be one."""
        if not self.films.wanted:
            return
        from ..inference.episode_film import FilmEpisode

        title = f"{recording.clip}, repeat {repeat}" if self._options.repeats > 1 else recording.clip
        self.films.keep(FilmKey(recording.clip, repeat), FilmEpisode.of(recording, self._robot, title))

    def _write_trajectory(self, recording: Recording) -> None:
        from ..inference.trajectory import is_trajectory, save_trajectory

        assert self._options.trajectories is not None
        name = recording.clip.replace("/", "__")
        path = caller_folder() / self._options.trajectories.expanduser() / f"{name}.npz"
        if recording.steps <= self._options.every:
            print_line(f"no trajectory of {recording.clip}: it ended after {recording.steps} steps, too few for a clip")
            if is_trajectory(path):
                # Of a policy before, and it would pass for one of this.
                path.unlink()
            return
        save_trajectory(recording, path, self._robot, self._options.every)


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


def _cells(row: Mapping[str, Any]) -> list[str]:
    cells = []
    for name, _, factor in COLUMNS:
        mean = row["metrics"][name]["mean"]
        cells.append("" if mean is None else number(factor * mean))
    return cells
