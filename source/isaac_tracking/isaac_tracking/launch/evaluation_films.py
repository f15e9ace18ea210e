# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of an examination: which episodes are filmed, what the files are called, and that old ones go."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .checks import FOR_FILMS, need_packages
from .errors import OptionError
from .terminal import print_line

if TYPE_CHECKING:
    from ..inference.episode_film import Filmed
    from ..inference.ground_mesh import GroundMesh
    from ..motion.robot import Robot
    from .evaluate import Evaluate

COMBINED = "film.mp4"
"""File of the combined film in the folder of an examination."""

_PICTURE_MEGABYTES = 0.02
"""Twice the room that a picture takes [MB]."""
_OURS = re.compile(r"film\.mp4|films/[^/]+\.mp4")


def check_film_options(options: Evaluate) -> None:
    """Refuse films that cannot be made, and a choice of films when none is asked for.

    Raises:
        OptionError: If an option cannot be used, or a package is missing.
    """
    if options.worst is not None and options.worst < 1:
        raise OptionError(f"--worst is {options.worst}; give a whole number above 0")
    if options.video or options.episodes:
        need_packages(FOR_FILMS)
    elif options.worst is not None:
        raise OptionError(
            f"--worst {options.worst} chooses what is filmed, and no film is asked for; add --video (one film)"
            " or --episodes (one film an episode)"
        )


class FilmKey(NamedTuple):
    """Which episode of an examination a film is of."""

    name: str
    """Of the clip or the command."""
    repeat: int
    terrain: str | None = None
    """Kind of the ground; ``None`` for a plane."""
    level: int | None = None
    """Difficulty of the ground; ``None`` for a plane."""


class EvaluationFilms:
    """Keeps what films need of each episode, and draws them when it is known which are the worst.

    Args:
        options: What the user asked for.
        robot: Who is filmed.
        remark: What is said of the films while they are drawn.
    """

    def __init__(self, options: Evaluate, robot: Robot, remark: str = "") -> None:
        self._options, self._robot, self._remark = options, robot, remark
        self._kept: dict[FilmKey, Filmed] = {}
        self.ground: GroundMesh | None = None
        """The ground of all episodes, if it is no plane."""

    @property
    def wanted(self) -> bool:
        """Whether there will be films."""
        return self._options.video or self._options.episodes

    def megabytes(self, steps: Sequence[int]) -> int:
        """Return the room that the films may take [MB], from the steps of what may be filmed, longest first."""
        if not self.wanted:
            return 0
        copies = int(self._options.video) + int(self._options.episodes)
        return round(_PICTURE_MEGABYTES * copies * self._options.repeats * sum(steps[: self._options.worst]) / 2)

    def keep(self, key: FilmKey, film: Filmed) -> None:
        """Keep an episode that may be filmed."""
        self._kept[key] = film

    def draw(self, folder: Path, report: dict[str, Any], rows: Sequence[Mapping[str, Any]], device: str) -> None:
        """Draw the films of the report's first rows, the hardest, and name them in the report.

        Args:
            folder: Folder of the examination.
            report: Content of ``metrics.json``.
            rows: Its rows, by clip or command, each with its episodes.
            device: Where to draw.

        Raises:
            FilmError: If a film shows nothing.
        """
        if not self.wanted:
            return
        chosen = [
            (key, each)
            for row in rows[: self._options.worst]
            for each in row["each"]
            if (key := FilmKey(row["name"], each["repeat"], each.get("terrain"), each.get("level"))) in self._kept
        ]
        names = film_names([(key.name.replace(" ", "_"), key.repeat) for key, _ in chosen])
        combined = folder / COMBINED if self._options.video else None
        each = [folder / name for name in names] if self._options.episodes else None
        self._write(folder, [self._kept[key] for key, _ in chosen], combined, each, device)
        if combined is not None:
            report["film"] = COMBINED
        if each is not None:
            for (_, one), name in zip(chosen, names, strict=True):
                one["film"] = name

    def _write(
        self,
        folder: Path,
        episodes: Sequence[Filmed],
        combined: Path | None,
        each: Sequence[Path] | None,
        device: str,
    ) -> None:
        from rich.console import Console
        from rich.progress import Progress

        from ..inference.episode_film import num_pictures, write_films

        count = sum(map(num_pictures, episodes))
        print_line(f"drawing {count} pictures of {len(episodes)} episodes{self._remark}")
        with ExitStack() as unless_done:
            # Whatever ends this early, a film that fails or a Ctrl-C.
            unless_done.callback(_remove_films, folder, (*(each or ()), *(() if combined is None else (combined,))))
            with Progress(console=Console(stderr=True), transient=True) as progress:
                bar = progress.add_task("pictures", total=count)
                films = write_films(
                    episodes,
                    self._robot,
                    combined,
                    each,
                    ground=self.ground,
                    device=device,
                    on_picture=lambda: progress.advance(bar),
                )
            unless_done.pop_all()
        for path, film in films.items():
            print_line(f"film {path} | {film.frames} pictures | {film.fps:.3g} a second | {film.duration:.1f} s")


def film_names(episodes: Sequence[tuple[str, int]]) -> list[str]:
    """Return the files of episodes, given by clip and repeat, relative to the folder of an examination.

    A name that is taken, which only a clip ``a/b`` beside a clip ``a__b`` can cause, gets a further number.
    """
    names: list[str] = []
    for clip, repeat in episodes:
        stem = name = f"{clip.replace('/', '__')}_{repeat}"
        number = 1
        while f"films/{name}.mp4" in names:
            number += 1
            name = f"{stem}_{number}"
        names.append(f"films/{name}.mp4")
    return names


def named_films(report: Mapping[str, Any]) -> set[str]:
    """Return the films that a report names, relative to its folder."""
    rows = [*report.get("clips", ()), *report.get("commands", ())]
    named = [report.get("film"), *(each.get("film") for row in rows for each in row["each"])]
    return {name for name in named if isinstance(name, str)}


def remove_old_films(folder: Path, report: Mapping[str, Any]) -> None:
    """Remove the films that the folder's ``metrics.json`` names and the report that will replace it does not.

    They show another examination. Only names that an examination gives are touched.
    """
    try:
        old = named_films(json.loads((folder / "metrics.json").read_text()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # No report, or none of ours.
        return
    for name in old - named_films(report):
        if _OURS.fullmatch(name):
            (folder / name).unlink(missing_ok=True)
    _remove_if_empty(folder)


def _remove_films(folder: Path, films: Sequence[Path]) -> None:
    """Remove films that the report will not name: they would be taken for another examination's."""
    for path in films:
        path.unlink(missing_ok=True)
    _remove_if_empty(folder)
    print_line("no films are kept; the report is written without them")


def _remove_if_empty(folder: Path) -> None:
    films = folder / "films"
    if films.is_dir() and not any(films.iterdir()):
        films.rmdir()
