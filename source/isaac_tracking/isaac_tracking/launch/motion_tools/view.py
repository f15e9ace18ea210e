# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py view``: look at motions, in the browser or as a film or picture."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ..motion_robots import motion_robot

if TYPE_CHECKING:
    from ...inference.motion_viewer.poses import BodyPoses
    from ...inference.motion_viewer.shelf import Shelf
    from ...motion.clip import Clip
    from ...motion.robot import Robot


@dataclass
class View:
    """Look at motions: a page in the browser, or a film or a picture without one.

    Each browser that opens the page has a player of its own. Ctrl-C closes the page.

    For example:

    motions.py view walk squat

    motions.py view my_clips/ dance.csv --port 9000

    motions.py view walk --video walk.mp4

    motions.py view '*' --png sheet.png --time 2
    """

    motions: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP")]
    """Names or patterns of shipped clips, files and folders; files of other projects as well."""

    port: int = 8080
    """Port of the page; 0 takes a free one."""

    host: str = "127.0.0.1"
    """Address to listen on. The default is reached from this machine alone; 0.0.0.0 is open to the network."""

    video: Path | None = None
    """Write a film (.mp4) of all motions, one after another, and open no page."""

    png: Path | None = None
    """Write a picture (.png) with one view of each motion, and open no page."""

    time: float | None = None
    """Instant of each motion for --png [s]; its middle if left out."""

    size: tuple[int, int] = (640, 480)
    """Width and height of the film, or of each motion in the picture [px]."""

    doctor: bool = True
    """Have the motions judged, and mark on the timeline what is wrong."""

    def __call__(self) -> int:
        """Show the motions; 1 if some of several could not be read."""
        self._check()
        robot = motion_robot()
        shelf, faults = open_shelf(self.motions, robot)
        if self.png is not None:
            _write_png(self.png, shelf, robot, self.time, self.size)
        if self.video is not None:
            _write_video(self.video, shelf, robot, self.size)
        if self.png is None and self.video is None:
            self._serve(shelf, robot)
        return int(faults > 0)

    def _check(self) -> None:
        """Refuse options that contradict each other before anything is read."""
        from ..errors import OptionError

        for path, suffix, option in ((self.video, ".mp4", "--video"), (self.png, ".png", "--png")):
            if path is not None and path.suffix.lower() != suffix:
                raise OptionError(f"{option} '{path}' must end in '{suffix}'")
        if self.time is not None and (self.png is None or not math.isfinite(self.time) or self.time < 0.0):
            raise OptionError(f"--time {self.time:g} must be 0 or more, and goes with --png")
        if any(not 16 <= length <= 4096 or length % 2 for length in self.size):
            raise OptionError(f"--size {self.size[0]} {self.size[1]} must be two even numbers from 16 to 4096")

    def _serve(self, shelf: Shelf, robot: Robot) -> None:
        """Open the page and keep it open."""
        from ...inference.motion_viewer.judge import Judge
        from ...inference.motion_viewer.page import MotionPage
        from ...inference.page_server import PageError
        from ..checks import need_packages
        from ..errors import OptionError
        from ..terminal import print_line

        need_packages(("viser",))
        judge = Judge(robot) if self.doctor else None
        try:
            page = MotionPage(shelf, host=self.host, port=self.port, judge=judge)
        except PageError as error:
            raise OptionError(f"{error}; choose another with --port or --host") from error
        with page:
            count = len(shelf.entries)
            print_line(f"{count} motion{'s' * (count > 1)} at {page.url} | Ctrl-C closes the page")
            while True:
                time.sleep(3600.0)


def open_shelf(motions: Sequence[str], robot: Robot) -> tuple[Shelf, int]:
    """Put what a user named on a shelf; a line is printed for each file that cannot be read.

    Returns:
        The shelf and the number of files that cannot be read.

    Raises:
        ClipError: If a name stands for nothing, or no file can be read.
    """
    from ...inference.motion_viewer.shelf import read_shelf
    from ...motion.clip import ClipError
    from ..terminal import print_line
    from .inputs import motion_files

    shelf, faults = read_shelf(motion_files(motions), robot)
    if shelf is None:
        more = f" (and {len(faults) - 1} more files cannot be read)" if len(faults) > 1 else ""
        raise ClipError(faults[0] + more)
    for fault in faults:
        print_line(f"left out: {fault}")
    if len(shelf.entries) == 1:
        shelf.take(0)  # a lone motion that cannot be read is said at once, not in the page
    return shelf, len(faults)


def _taken(shelf: Shelf) -> Iterator[tuple[Clip, BodyPoses]]:
    return (shelf.take(i) for i in range(len(shelf.entries)))


def _write_png(path: Path, shelf: Shelf, robot: Robot, instant: float | None, size: tuple[int, int]) -> None:
    """Write a picture of all motions."""
    from PIL import Image

    from ...inference.motion_viewer.film import draw_sheet
    from ..terminal import print_line

    most = 64
    sheet = draw_sheet(itertools.islice(_taken(shelf), most), robot, instant, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)
    left_out = f" | the first {most} of {len(shelf.entries)} motions" if len(shelf.entries) > most else ""
    print_line(f"picture {path} | {sheet.shape[1]}x{sheet.shape[0]}{left_out}")


def _write_video(path: Path, shelf: Shelf, robot: Robot, size: tuple[int, int]) -> None:
    """Write a film of all motions, and look at the result."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ...inference.film import check_film
    from ...inference.motion_viewer.film import film_times, write_film
    from ..checks import FOR_FILMS, need_packages
    from ..terminal import print_line

    need_packages(FOR_FILMS)
    total = sum(len(film_times(clip.duration)) for clip, _ in _taken(shelf))
    console = Console(stderr=True)
    columns = TextColumn("film"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("film", total=total)
        for pictures in write_film(path, _taken(shelf), robot, size):
            progress.update(bar, completed=pictures)
    report = check_film(path, frames=total, may_stand_still=True)
    print_line(f"film {path} | {report.frames} pictures | {report.fps:.3g} a second | {report.duration:.1f} s")
