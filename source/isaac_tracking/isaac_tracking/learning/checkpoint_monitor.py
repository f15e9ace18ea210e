# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a watcher of a run knows: which checkpoints are not examined yet, what the others showed, which is best.

All of it is read from the run's folder each time, so that stopping and starting loses nothing. Needs no torch.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import re
import shutil
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import written_beside
from .runs import BEST, BEST_RECORD, RECORD, RunError, being_trained, checkpoint_number, checkpoints

FOLDER = "evaluations/watch"
"""Folder of a run folder for what the watcher finds."""
REQUEST = "watch.json"
"""File in it that says what is examined: clips, repeats, seed, settings of the task."""
METRICS = "metrics.json"
"""File of a finished examination."""
QUIET = 600.0
"""Time without a written file after which a run without our record and lock counts as ended [s]."""

_FORMAT = "isaac_tracking.evaluation"
_EXAMINED = re.compile(r"model_(\d+)_([a-z]+)")
_CHOSEN_BY = "highest success by the task's terminations, then lowest mpjpe_local; means over the settings"


@dataclass(frozen=True)
class Examination:
    """An examination to be done: one checkpoint in one setting."""

    checkpoint: Path
    setting: str
    folder: Path
    """Where ``metrics.json`` and the rest go."""


@dataclass(frozen=True)
class Finding:
    """What a finished examination showed."""

    iteration: int
    setting: str
    folder: Path
    sha256: str
    """Of the checkpoint."""
    metrics: Mapping[str, float | None]
    """Means over all episodes, by metric."""
    time: float
    """When it was written [s since 1970]."""


@dataclass(frozen=True)
class Best:
    """The best checkpoint so far."""

    iteration: int
    sha256: str
    settings: Mapping[str, Mapping[str, float | None]]
    """``success_terminations`` and ``mpjpe_local`` by setting."""
    among: int
    """Number of checkpoints that were compared."""


class CheckpointMonitor:
    """The examinations of a run: done, to be done, and the best.

    Args:
        run: Run folder.
        settings: Names of the settings in which each checkpoint is examined.
        every: Take each N-th checkpoint, counted from the first; of a run that ended also the last.
        newest_first: Whether the newest checkpoint is examined first.
    """

    def __init__(self, run: Path, settings: Sequence[str], every: int = 1, newest_first: bool = False) -> None:
        self.run, self.settings, self.folder = run, tuple(settings), run / FOLDER
        self._every, self._newest_first = every, newest_first
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._lock: int | None = None

    def begin(self, request: Mapping[str, Any]) -> None:
        """Keep other watchers away until this process ends, and note what is examined.

        Args:
            request: All that decides the numbers beside checkpoint and setting, in JSON's types.

        Raises:
            RunError: If another process watches the run, or it was watched with another request.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.end()
            raise RunError(f"run '{self.run}' is being watched by another process; stop that one first") from error
        path = self.folder / REQUEST
        before = _read_json(path)
        if before is not None and before != dict(request):
            self.end()
            changed = sorted(key for key in {*before, *request} if before.get(key) != request.get(key))
            words = "; ".join(f"{key} was {before.get(key)!r}, now {request.get(key)!r}" for key in changed)
            raise RunError(
                f"run '{self.run}' was watched otherwise, and the numbers would not compare ({words});"
                f" give the same, or move '{self.folder}' away to begin anew"
            )
        if before is None:
            with written_beside(path) as file:
                file.write((json.dumps(dict(request), indent=1) + "\n").encode())

    def end(self) -> None:
        """Let other watchers in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def live(self) -> bool:
        """Return whether the run may still write checkpoints.

        A run of ``train.sh`` is locked by the process that trains it. One of Isaac Lab's own command has neither lock
        nor record; it counts as live until it has written nothing for :data:`QUIET` seconds.
        """
        if (self.run / RECORD).is_file():
            return being_trained(self.run)
        written = [path.stat().st_mtime for path in (*checkpoints(self.run), *_training_events(self.run))]
        return being_trained(self.run) or (bool(written) and time.time() - max(written) < QUIET)

    def pending(self, ended: bool = True) -> list[Examination]:
        """Return the examinations that are to be done, in their order.

        Args:
            ended: Whether the run writes no more: then its last checkpoint is never left out, and a file that is no
                whole checkpoint is handed on, to fail, since nobody is writing it.
        """
        found = checkpoints(self.run)
        chosen = found[:: self._every]
        if ended and found and found[-1] not in chosen:
            chosen.append(found[-1])
        # torch writes a zip's end last: only a file without it can be one that is being written.
        chosen = [path for path in chosen if ended or zipfile.is_zipfile(path)]
        if self._newest_first:
            chosen.reverse()
        wanted = [
            Examination(path, setting, self.folder / f"{path.stem}_{setting}")
            for path in chosen
            for setting in self.settings
        ]
        return [examination for examination in wanted if not self.is_done(examination)]

    def is_done(self, examination: Examination) -> bool:
        """Return whether an examination of the very same file is on the disk."""
        finding = _read_finding(examination.folder)
        return finding is not None and finding.sha256 == self._sha256(examination.checkpoint)

    def findings(self) -> list[Finding]:
        """Return what the finished examinations showed, by iteration, then by setting.

        Those of a checkpoint that was replaced or set aside since, because training went on from an earlier one, do
        not count. Those of one that was deleted to save space do.
        """
        present = {checkpoint_number(path): path for path in checkpoints(self.run)}
        newest = max(present, default=-1)
        folders = self.folder.iterdir() if self.folder.is_dir() else ()
        read = [_read_finding(folder) for folder in folders if _EXAMINED.fullmatch(folder.name)]
        kept = [
            finding
            for finding in read
            if finding is not None
            and (
                finding.sha256 == self._sha256(present[finding.iteration])
                if finding.iteration in present
                else finding.iteration < newest
            )
        ]
        return sorted(kept, key=lambda finding: (finding.iteration, finding.setting))

    def best(self) -> Best | None:
        """Return the best of the checkpoints that were examined in all settings; None if there is none."""
        by_iteration: dict[int, dict[str, Finding]] = {}
        for finding in self.findings():
            by_iteration.setdefault(finding.iteration, {})[finding.setting] = finding
        whole = {number: found for number, found in by_iteration.items() if set(self.settings) <= set(found)}
        if not whole:
            return None
        number = max(whole, key=lambda number: (*self._rank(whole[number]), number))
        found = whole[number]
        values = {
            setting: {name: found[setting].metrics.get(name) for name in ("success_terminations", "mpjpe_local")}
            for setting in self.settings
        }
        return Best(number, found[self.settings[0]].sha256, values, len(whole))

    def keep_best(self) -> Best | None:
        """Copy the best checkpoint to ``best.pt``, and say in ``best.json`` which it is and why.

        Returns:
            The best if ``best.pt`` became another file; None if it is as it was.
        """
        best, place = self.best(), self.run / BEST
        source = self.run / f"model_{best.iteration}.pt" if best is not None else place
        if best is None or not (place.is_file() or source.is_file()):
            return None
        changed = not place.is_file() or self._sha256(place) != best.sha256
        if changed:
            # Gone or replaced since it was examined: the next look at the folder decides anew.
            if not source.is_file() or self._sha256(source) != best.sha256:
                return None
            with source.open("rb") as whole, written_beside(place) as file:
                shutil.copyfileobj(whole, file)
        record = {
            "iteration": best.iteration,
            "checkpoint": f"model_{best.iteration}.pt",
            "sha256": best.sha256,
            "chosen_by": _CHOSEN_BY,
            "among": best.among,
            "settings": best.settings,
        }
        if _read_json(self.run / BEST_RECORD) != record:
            with written_beside(self.run / BEST_RECORD) as file:
                file.write((json.dumps(record, indent=1) + "\n").encode())
        return best if changed else None

    def _rank(self, found: Mapping[str, Finding]) -> tuple[float, float]:
        """Return what is to be as large as possible."""
        success = [found[setting].metrics.get("success_terminations") for setting in self.settings]
        error = [found[setting].metrics.get("mpjpe_local") for setting in self.settings]
        known = [math.inf if value is None else value for value in error]
        return math.fsum(value or 0.0 for value in success), -math.fsum(known)

    def _sha256(self, path: Path) -> str:
        """Return a file's hash, empty if it is gone; read again only if its size or date changed."""
        try:
            state = path.stat()
            key = path, state.st_size, state.st_mtime_ns
            if key not in self._hashes:
                self._hashes[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""
        return self._hashes[key]


def _training_events(run: Path) -> list[Path]:
    """Return the TensorBoard files of a run that are not the watcher's."""
    return [path for path in run.glob("events.out.tfevents.*") if path.suffix != ".watch"]


def _read_finding(folder: Path) -> Finding | None:
    """Return what an examination showed; None if it is not finished, or damaged."""
    match, content = _EXAMINED.fullmatch(folder.name), _read_json(folder / METRICS)
    if match is None or content is None or content.get("format") != _FORMAT:
        return None
    try:
        metrics = {name: value["mean"] for name, value in content["all"]["metrics"].items()}
        sha256 = content["checkpoint"]["sha256"]
        written = (folder / METRICS).stat().st_mtime
    except (KeyError, TypeError, AttributeError, OSError):
        return None
    return Finding(int(match.group(1)), match.group(2), folder, sha256, metrics, written)


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None if it is not there or damaged."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
