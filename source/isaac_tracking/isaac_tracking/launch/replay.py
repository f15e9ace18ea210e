# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/replay.py``: the episodes that an evaluation wrote, in the browser or as a film or picture."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from .checks import FOR_FILMS, need_packages
from .errors import OptionError
from .motion_robots import motion_robot
from .options import caller_folder
from .terminal import print_line

if TYPE_CHECKING:
    from ..inference.metrics import JointLimits
    from ..inference.recording import Recording
    from ..motion.robot import Robot

NEEDS_TASKS = False
"""Whether the tasks must be registered first."""

COLUMNS = (
    ("progress", "progress %", 100.0),
    ("mpjpe_global", "global mm", 1.0),
    ("mpjpe_local", "local mm", 1.0),
    ("joint_error", "joint rad", 1.0),
    ("foot_slide", "slide m/s", 1.0),
    ("contact_agreement", "contacts %", 100.0),
    ("torque_saturation", "torque at limit %", 100.0),
    ("power", "power W", 1.0),
)
"""Metric, title and factor of each column for several episodes; of a single one all metrics are printed."""

_MOST_PICTURES = 64


@dataclass
class Replay:
    """Look at episodes that evaluate.py --trajectories wrote: in the browser, or as a film or a picture.

    The robot is seen with the reference over it, green and see-through, and the error as a curve. Ctrl-C closes the
    page.

    For example:

    replay.py judged/trajectories

    replay.py walk.npz squat.npz --port 9000

    replay.py judged/trajectories/walk.npz --video walk.mp4

    replay.py judged/trajectories --png worst.png (each at its largest error)
    """

    trajectories: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="TRAJECTORY")]
    """Files (.npz) that evaluate.py --trajectories wrote, patterns of such files, and folders with them."""

    port: int = 8080
    """Port of the page; 0 takes a free one."""

    host: str = "127.0.0.1"
    """Address to listen on. The default is reached from this machine alone; 0.0.0.0 is open to the network."""

    video: Path | None = None
    """Write a film (.mp4) of all episodes, one after another, and open no page."""

    png: Path | None = None
    """Write a picture (.png) of each episode, side by side, and open no page."""

    time: float | None = None
    """Time after the start of each episode for --png [s]; that of its largest error if left out."""

    metrics: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the metrics and leave."""

    def __call__(self) -> int:
        """Say how the episodes went, and show them; 1 if some files of a folder could not be read."""
        self._check()
        robot = motion_robot()
        episodes, faults = read_episodes(self.trajectories, robot)
        print_episodes(episodes, robot)
        if self.png is not None:
            self._draw(caller_folder() / self.png.expanduser(), episodes, robot)
        if self.video is not None:
            self._film(caller_folder() / self.video.expanduser(), [recording for _, recording in episodes], robot)
        if self.png is None and self.video is None and not self.metrics:
            self._serve(episodes, robot)
        return int(faults > 0)

    def _check(self) -> None:
        """Refuse options that cannot be used, before anything is read."""
        for path, suffix, option in ((self.video, ".mp4", "--video"), (self.png, ".png", "--png")):
            if path is None:
                continue
            if path.suffix.lower() != suffix:
                raise OptionError(f"{option} '{path}' must end in '{suffix}'")
            target = caller_folder() / path.expanduser()
            if target.is_dir() or not target.parent.is_dir():
                raise OptionError(f"{option} '{path}' cannot be written: it is a folder, or its folder does not exist")
            need_packages(FOR_FILMS)
        if self.time is not None and (self.png is None or not math.isfinite(self.time) or self.time < 0.0):
            raise OptionError(f"--time {self.time:g} must be 0 or more, and goes with --png")

    def _draw(self, path: Path, episodes: Sequence[tuple[str, Recording]], robot: Robot) -> None:
        """Write a picture of the first episodes."""
        from PIL import Image

        from ..files import written_beside
        from ..inference.motion_viewer.replay import draw_instants

        sheet = draw_instants(episodes[:_MOST_PICTURES], robot, self.time)
        with written_beside(path) as file:
            Image.fromarray(sheet).save(file, "png")
        many = len(episodes) > _MOST_PICTURES
        left_out = f" | the first {_MOST_PICTURES} of {len(episodes)} episodes" if many else ""
        print_line(f"picture {path} | {sheet.shape[1]}x{sheet.shape[0]}{left_out}")

    def _film(self, path: Path, recordings: Sequence[Recording], robot: Robot) -> None:
        """Write a film of all episodes, and look at the result."""
        from ..inference.episode_film import write_episode_film
        from ..inference.film import FilmCfg

        rates = sorted({recording.rate for recording in recordings})
        if len(rates) > 1:
            named = " and ".join(f"{rate:g} Hz" for rate in rates)
            raise OptionError(f"--video takes episodes of one rate, not of {named}; give those of one evaluation")
        # 25 pictures a second, or as many as there are.
        cfg = FilmCfg(stride=max(1, round(rates[0] / 25.0)))
        pictures = sum(-(-recording.steps // cfg.stride) for recording in recordings)
        print_line(f"drawing {pictures} pictures; the reference is the green robot")
        report = write_episode_film(path, recordings, robot, cfg)
        print_line(f"film {path} | {report.frames} pictures | {report.fps:.3g} a second | {report.duration:.1f} s")

    def _serve(self, episodes: Sequence[tuple[str, Recording]], robot: Robot) -> None:
        """Open the page and keep it open."""
        need_packages(("viser",))
        from ..inference.motion_viewer.page import MotionPage
        from ..inference.motion_viewer.replay import ReplayShelf
        from ..inference.page_server import PageError

        try:
            page = MotionPage(ReplayShelf(episodes, robot), host=self.host, port=self.port)
        except PageError as error:
            raise OptionError(f"{error}; choose another with --port or --host") from error
        with page:
            count = len(episodes)
            print_line(f"{count} episode{'s' * (count > 1)} at {page.url} | Ctrl-C closes the page")
            while True:
                time.sleep(3600.0)


def replay(argv: Sequence[str]) -> int:
    """Run the script and return its exit code.

    Raises:
        OptionError, ClipError, FilmError: If something the user gave cannot be used.
    """
    return tyro.cli(Replay, prog="replay.py", args=list(argv))()


def read_episodes(trajectories: Sequence[str], robot: Robot) -> tuple[list[tuple[str, Recording]], int]:
    """Read what the user named; a line is printed for each file of a folder or pattern that is no trajectory.

    Returns:
        Name and recording of each episode, and how many files were left out.

    Raises:
        ClipError: If a file that was named is no trajectory.
        OptionError: If something that was named holds none.
    """
    from ..inference.trajectory import load_trajectory
    from ..motion.clip import ClipError

    found: dict[Path, Recording] = {}
    faults = 0
    for text in trajectories:
        files, alone = _files(text)
        before = len(found)
        for file in files:
            try:
                found[file] = load_trajectory(file, robot)
            except ClipError as error:
                if alone:
                    raise
                faults += 1
                print_line(f"left out: {error}")
        if len(found) == before and not any(file in found for file in files):
            raise OptionError(f"'{text}' holds no trajectory; give files that 'evaluate.py --trajectories' wrote")
    return _named(found), faults


def print_episodes(episodes: Sequence[tuple[str, Recording]], robot: Robot) -> None:
    """Print how the episodes went: of one all metrics with their units, of several a line each."""
    import torch
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ..inference.metrics import METRICS, JointLimits, measure
    from ..motion.doctor.diagnosis import number

    limits = JointLimits(torch.tensor(robot.joint_effort_limits), torch.tensor(robot.joint_speed_limits))
    for name, recording in episodes if len(episodes) == 1 else ():
        print_line(_sentence(name, recording))
        for metric, value in measure(recording, limits).items():
            unit = METRICS[metric].unit
            text = "not defined here" if value is None else number(value) + f" {unit}" * (unit != "-")
            print_line(f"  {metric:<22} {text}")
    if len(episodes) > 1:
        table = Table(box=box.SIMPLE_HEAD)
        for title in ("episode", "s", *(title for _, title, _ in COLUMNS), "largest mm", "at s", "ended by"):
            table.add_column(title, justify="left" if title in ("episode", "ended by") else "right")
        for name, recording in episodes:
            table.add_row(name, f"{recording.steps / recording.rate:.1f}", *_cells(recording, limits))
        console = Console()
        # A pipe has no width; wide enough that nothing is broken into two lines.
        Console(width=None if console.is_terminal else 200).print(table)
    if any(recording.rate != episodes[0][1].rate for _, recording in episodes):
        print_line("the episodes have different rates; compare rates of change only at the same rate")


def _cells(recording: Recording, limits: JointLimits) -> list[str]:
    from ..inference.metrics import error_curves, measure
    from ..inference.motion_viewer.replay import worst_instant
    from ..motion.doctor.diagnosis import number

    metrics, worst = measure(recording, limits), worst_instant(recording)
    cells = ["" if (value := metrics[name]) is None else number(factor * value) for name, _, factor in COLUMNS]
    largest = float(error_curves(recording)["mpjpe_global"][worst])
    return [*cells, number(largest), f"{(worst + 1) / recording.rate:.2f}", recording.outcome]


def _sentence(name: str, recording: Recording) -> str:
    from ..inference.metrics import error_curves
    from ..inference.motion_viewer.replay import ending, worst_instant

    worst = worst_instant(recording)
    largest = float(error_curves(recording)["mpjpe_global"][worst])
    return (
        f"{name}: {ending(recording)} | {recording.steps} of {recording.clip_steps - recording.start} steps at"
        f" {recording.rate:g} Hz | largest error {largest:.0f} mm at {(worst + 1) / recording.rate:.2f} s"
    )


def _files(text: str) -> tuple[list[Path], bool]:
    """Return the files that a text stands for, and whether it is the path of one file.

    Raises:
        OptionError: If it stands for nothing.
    """
    path = caller_folder() / Path(text).expanduser()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.npz") if not file.name.startswith("."))
        if not files:
            raise OptionError(f"folder '{text}' holds no .npz; give one that 'evaluate.py --trajectories' wrote")
        return files, False
    if path.exists() or not set("*?[") & set(path.name):
        return [path], True
    files = sorted(path.parent.glob(path.name))
    if not files:
        raise OptionError(f"no file matches '{text}'; give files that 'evaluate.py --trajectories' wrote")
    return files, False


def _named(found: dict[Path, Recording]) -> list[tuple[str, Recording]]:
    """Name the episodes by their clips; those of one clip by their folders too."""
    clips = [recording.clip for recording in found.values()]
    return [
        (recording.clip if clips.count(recording.clip) == 1 else f"{recording.clip} ({path.parent.name})", recording)
        for path, recording in found.items()
    ]
