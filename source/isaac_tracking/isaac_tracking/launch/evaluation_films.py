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
_SAME = ("task", "settings", "engine", "device", "setting", "seed", "num_envs", "control_rate")
"""What must be the same, besides the checkpoint, for a film to show the same examination."""
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


def keep_old_films(folder: Path, report: dict[str, Any]) -> None:
    """Name in a report the films of the folder that it did not make anew, if they show the same examination.

    That is the same policy, task, setting and clips, see :data:`_SAME`, and an episode that went the same way. A line
    says how many stay, and how many go when the report is written.

    Args:
        folder: Folder of the examination.
        report: Content of the ``metrics.json`` that is to be written, which names the films that were made anew.
    """
    old = _old_report(folder)
    films = named_films(old) - named_films(report)
    there = {name for name in films if _OURS.fullmatch(name) and (folder / name).is_file()}
    if not there:
        return
    taken: set[str] = set()
    if _about(old) == _about(report):
        before = {_episode(row, each): each for row in _rows(old) for each in row["each"]}
        pairs = [(each, before.get(_episode(row, each), {})) for row in _rows(report) for each in row["each"]]
        # What the combined film shows is not written down: it stays only with every episode.
        same = len(before) == len(pairs) and all(was for _, was in pairs)
        if same and report.get("film") is None and old.get("film") in there:
            report["film"] = old["film"]
            taken.add(old["film"])
        for each, was in pairs:
            if each["film"] is None and was.get("film") in there:
                each["film"] = was["film"]
                taken.add(was["film"])
    if taken:
        print_line(f"films of the same episodes that stay in {folder}: {len(taken)}")
    if there - taken:
        print_line(f"films of another examination that go from {folder}: {len(there - taken)}")


def _old_report(folder: Path) -> dict[str, Any]:
    """Return the report that lies in a folder; an empty one if there is none of ours."""
    try:
        old = json.loads((folder / "metrics.json").read_text())
        named_films(old)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
    return old


def _rows(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*report.get("clips", ()), *report.get("commands", ())]


def _about(report: Mapping[str, Any]) -> list[Any]:
    return [report.get("checkpoint", {}).get("sha256"), *(report.get(key) for key in _SAME)]


def _episode(row: Mapping[str, Any], each: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells an episode from all others, and how it went."""
    place = row["name"], row.get("content_hash"), each["repeat"], each.get("terrain"), each.get("level")
    return (*place, each.get("steps"), each.get("outcome"))


def remove_old_films(folder: Path, report: Mapping[str, Any]) -> None:
    """Remove the films that the folder's ``metrics.json`` names and the report that will replace it does not.

    They show another examination. Only names that an examination gives are touched.
    """
    for name in named_films(_old_report(folder)) - named_films(report):
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
