# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Examining a policy that follows velocities: every command of a grid, on every kind and level of ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..motion.doctor.diagnosis import number
from .errors import USER_ERRORS, OptionError
from .evaluation_films import FilmKey
from .examination import Examination
from .loaded_policy import loaded_policy
from .motion_robots import robot_model
from .play_plan import PlayPlan
from .terminal import print_line, quiet

if TYPE_CHECKING:
    from ..inference.velocity.commands import Command
    from ..inference.velocity.examination import Trial
    from ..inference.velocity.recording import VelocityRecording
    from ..inference.velocity.report import VelocityEpisode
    from .evaluate import Evaluate

COLUMNS = (
    ("fall", "falls %", 100.0),
    ("error_x", "x m/s", 1.0),
    ("error_y", "y m/s", 1.0),
    ("error_yaw", "yaw rad/s", 1.0),
    ("linear_tracking", "linear %", 100.0),
    ("yaw_tracking", "yaw %", 100.0),
    ("distance", "distance m", 1.0),
    ("speed_along", "along m/s", 1.0),
    ("power", "power W", 1.0),
    ("cost_of_transport", "CoT", 1.0),
    ("passed", "passed %", 100.0),
)
"""Metric, title and factor of each column of the tables on the screen; all metrics are in the files."""


class VelocityExamination(Examination):
    """Every command on every piece of ground, some times.

    Args:
        options: What the user asked for.
        plan: The same for playing.

    Raises:
        OptionError: If it cannot be made.
    """

    def __init__(self, options: Evaluate, plan: PlayPlan) -> None:
        from ..inference.velocity.commands import CommandRange
        from ..inference.velocity.examination import plan_trials
        from ..inference.velocity.settings import SETTINGS, every_terrain, has_terrain

        _need_no_clips(options, plan.task)
        self.SETTINGS = SETTINGS
        super().__init__(options, plan, _robot(plan))
        self._range = CommandRange.of(self._env_cfg.commands.base_velocity.ranges)
        self._commands = self._range.grid() if options.command is None else [_command(options, self._range)]
        self._terrain: dict[str, Any] = {}
        if has_terrain(self._train_cfg):
            generator = every_terrain(self._train_cfg.scene.terrain.terrain_generator, options.seed)
            self._terrain = {"kinds": list(generator.sub_terrains), "levels": generator.num_rows}
        levels, kinds = self._terrain.get("levels", 0), len(self._terrain.get("kinds", ()))
        self._trials = plan_trials(self._commands, options.repeats, levels, kinds)
        self._episodes: list[VelocityEpisode] = []
        self._mass = 0.0
        self._steps = round(self._env_cfg.episode_length_s * self._rate)
        self._size(len(self._trials), self._steps, 13 + 3 * len(self._robot.joint_names))

    @property
    def subject(self) -> str:
        """How much is played."""
        ground = f" on {self._terrain['levels']} levels of {len(self._terrain['kinds'])} kinds" if self._terrain else ""
        return f"{len(self._commands)} commands{ground}, {self._options.repeats} times"

    @property
    def filmed_steps(self) -> list[int]:
        """Steps of each command's film."""
        # On uneven ground one episode of each command is filmed, whatever the repeats.
        return [self._steps // (self._options.repeats if self._terrain else 1)] * len(self._commands)

    def run(self) -> dict[str, Any]:
        """Play and measure all episodes, and return the report."""
        from rich.console import Console
        from rich.progress import Progress

        from ..inference.ground_mesh import ground_mesh_of
        from ..inference.velocity.examination import examine
        from ..inference.velocity.report import VelocityEpisode, make_report
        from ..inference.velocity.settings import apply_setting

        options = self._options
        with (
            quiet(self.plan.verbose, (KeyboardInterrupt, SystemExit, *USER_ERRORS)) as curtain,
            loaded_policy(
                self.plan, curtain, lambda cfg: apply_setting(cfg, self._train_cfg, options.setting, options.seed)
            ) as (env, policy),
            Progress(console=Console(stderr=True), transient=True) as progress,
        ):  # fmt: skip
            self.check_loaded()
            bar = progress.add_task("episodes", total=len(self._trials))
            if self.films.wanted:
                self.films.ground = ground_mesh_of(env.unwrapped)
            masses = []
            for trial, recording in examine(env, policy, self._trials, options.seed):
                self._episodes.append(VelocityEpisode.of(recording, trial.repeat))
                masses.append(recording.mass)
                self._keep(trial, recording)
                progress.advance(bar)
            self._mass = sum(masses) / len(masses)
        return make_report(self._episodes, self.about())

    def about(self) -> dict[str, Any]:
        """Return what was examined and how, for ``metrics.json``."""
        axes = dict(zip(("x", "y", "yaw"), map(list, self._range.axes), strict=True))
        grid = self._options.command is None
        return super().about() | {
            "command_range": axes,
            "commands_chosen_by": "grid" if grid else "--command",
            "mass": self._mass,
            "episode_length": self._steps / self._rate,
            "ground": self._terrain or "plane",
        }

    def print(self, report: Mapping[str, Any]) -> None:
        """Print a line for each direction and each kind of ground, and what is most asked for."""
        # Columns of which nothing is known, as those of uneven ground on a plane, only take room.
        columns = [column for column in COLUMNS if report["all"]["metrics"][column[0]]["mean"] is not None]
        rows = [(row["name"], row) for row in report["directions"]]
        print_table("direction", [*rows, (f"all ({report['all']['episodes']})", report["all"])], columns)
        if report["terrains"]:
            levels = self._terrain["levels"]
            rows = [(f"{row['name']}, level {row['level_reached']} of {levels}", row) for row in report["terrains"]]
            print_table("ground, level reached", rows, columns)
        fall = report["all"]["metrics"]["fall"]
        low, high = (100.0 * bound for bound in fall["interval"])
        print_line(f"falls: {100.0 * fall['mean']:.1f} % of {fall['episodes']} (95 %: {low:.1f} to {high:.1f})")
        if report["terrains"]:
            print_line(f"level reached: {report['level_reached']:.1f} of {levels}, mean over the kinds of ground")

    def draw(self, folder: Path, report: dict[str, Any]) -> None:
        """Draw the films of the hardest commands, and name them in the report."""
        self.films.draw(folder, report, report["commands"], self.plan.device)

    def page(self, report: Mapping[str, Any]) -> str:
        """Return ``report.html``."""
        from ..inference.velocity.page import page

        return page(report, self._episodes)

    def _keep(self, trial: Trial, recording: VelocityRecording) -> None:
        """Keep an episode that may be filmed: on uneven ground one of each command, the kinds in turns."""
        if not self.films.wanted:
            return
        if trial.place is not None:
            index = self._commands.index(trial.command)
            if trial.repeat or trial.place != (self._terrain["levels"] // 2, index % len(self._terrain["kinds"])):
                return
        from ..inference.velocity.episode_film import VelocityFilm

        key = FilmKey(str(trial.command), trial.repeat, recording.terrain, recording.level)
        self.films.keep(key, VelocityFilm(recording))


def print_table(
    kind: str, rows: Sequence[tuple[str, Mapping[str, Any]]], columns: Sequence[tuple[str, str, float]]
) -> None:
    """Print a table of means.

    Args:
        kind: Title of the first column.
        rows: What stands in it, and a part of the report.
        columns: Metric, title and factor of the others.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title in (kind, *(title for _, title, _ in columns), "ended by"):
        table.add_column(title, justify="left" if title in (kind, "ended by") else "right")
    for name, row in rows:
        means = [(row["metrics"][metric]["mean"], factor) for metric, _, factor in columns]
        ended = ", ".join(f"{outcome} {count}" for outcome, count in row["outcomes"].items())
        table.add_row(name, *("" if mean is None else number(factor * mean) for mean, factor in means), ended)
    console = Console()
    # A pipe has no width; wide enough that nothing is broken into two lines.
    Console(width=None if console.is_terminal else 200).print(table)


def _robot(plan: PlayPlan) -> Any:
    from .overrides import resolve_config

    env_cfg, _ = resolve_config(plan.task, plan.overrides)
    return robot_model(env_cfg.scene.robot.spawn.model[0])


def _command(options: Evaluate, trained: Any) -> Command:
    """Return the command that the user gave.

    Raises:
        OptionError: If it was not trained.
    """
    from ..inference.velocity.commands import Command

    assert options.command is not None
    command = Command(*options.command)
    try:
        trained.check(command)
    except ValueError as error:
        raise OptionError(f"--command: {error}") from error
    return command


def _need_no_clips(options: Evaluate, task: str) -> None:
    """Refuse options that are about clips.

    Raises:
        OptionError: If there is one.
    """
    for name, given in (("--trajectories", options.trajectories is not None), ("--every", options.every != 1)):
        if given:
            raise OptionError(
                f"{name} is for policies that follow clips, and '{task}' follows velocities; leave it out"
            )
