# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of an examination: which episodes are filmed, what the files are called, and that old ones go."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import FOR_FILMS, need_packages
from .errors import OptionError
from .terminal import print_line

if TYPE_CHECKING:
    from ..inference.episode_film import FilmEpisode
    from ..inference.evaluation_report import ClipFacts
    from ..inference.recording import Recording
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


class EvaluationFilms:
    """Keeps what films need of each episode, and draws them when it is known which clips are the worst.

    Args:
        options: What the user asked for.
        robot: Who is filmed.
    """

    def __init__(self, options: Evaluate, robot: Robot) -> None:
        self._options, self._robot = options, robot
        self._kept: dict[tuple[str, int], FilmEpisode] = {}

    @property
    def wanted(self) -> bool:
        """Whether there will be films."""
        return self._options.video or self._options.episodes

    def megabytes(self, clips: Sequence[ClipFacts]) -> int:
        """Return the room that the films may take [MB], taking the longest clips for the worst."""
        if not self.wanted:
            return 0
        steps = sorted((clip.steps for clip in clips), reverse=True)[: self._options.worst]
        copies = int(self._options.video) + int(self._options.episodes)
        return round(_PICTURE_MEGABYTES * copies * self._options.repeats * sum(steps) / 2)

    def keep(self, recording: Recording, repeat: int) -> None:
        """Keep of an episode what a film needs."""
        if not self.wanted:
            return
        from ..inference.episode_film import FilmEpisode

        title = f"{recording.clip}, repeat {repeat}" if self._options.repeats > 1 else recording.clip
        self._kept[recording.clip, repeat] = FilmEpisode.of(recording, self._robot, title)

    def draw(self, folder: Path, report: dict[str, Any], device: str) -> None:
        """Draw the films of the report's first clips, the hardest, and name them in the report.

        Args:
            folder: Folder of the examination.
            report: Content of ``metrics.json``.
            device: Where to draw.

        Raises:
            FilmError: If a film shows nothing.
        """
        if not self.wanted:
            return
        chosen = [(row, each) for row in report["clips"][: self._options.worst] for each in row["each"]]
        names = film_names([(row["name"], each["repeat"]) for row, each in chosen])
        combined = folder / COMBINED if self._options.video else None
        each = [folder / name for name in names] if self._options.episodes else None
        self._write(folder, [self._kept[row["name"], one["repeat"]] for row, one in chosen], combined, each, device)
        if combined is not None:
            report["film"] = COMBINED
        if each is not None:
            for (_, one), name in zip(chosen, names, strict=True):
                one["film"] = name

    def _write(
        self,
        folder: Path,
        episodes: Sequence[FilmEpisode],
        combined: Path | None,
        each: Sequence[Path] | None,
        device: str,
    ) -> None:
        from rich.console import Console
        from rich.progress import Progress

        from ..inference.episode_film import num_pictures, write_films

        count = sum(map(num_pictures, episodes))
        print_line(f"drawing {count} pictures of {len(episodes)} episodes; the reference is the green robot")
        try:
            with Progress(console=Console(stderr=True), transient=True) as progress:
                bar = progress.add_task("pictures", total=count)
                films = write_films(
                    episodes, self._robot, combined, each, device=device, on_picture=lambda: progress.advance(bar)
                )
        except BaseException:
            # Films that the report does not name would be taken for another's.
            for path in (*(each or ()), *(() if combined is None else (combined,))):
                path.unlink(missing_ok=True)
            _remove_if_empty(folder)
            print_line("no films are kept; the report is written without them")
            raise
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
    named = [report.get("film"), *(each.get("film") for row in report.get("clips", ()) for each in row["each"])]
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


def _remove_if_empty(folder: Path) -> None:
    films = folder / "films"
    if films.is_dir() and not any(films.iterdir()):
        films.rmdir()
