# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A library of motions described in TOML: datasets with weights and patterns, and what is to be known of single clips.

.. code-block:: toml

    [library]
    name = "walks and dances"
    precision = "fp16"        # how frames are kept on the device: fp32 or fp16
    memory_budget = "8 GB"    # of the device; clips that do not fit are streamed

    [[dataset]]
    name = "walks"
    path = "converted/TWIST2" # folder, file, or pattern of files or of shipped clips; or a list of them
    weight = 0.3              # share of the starts; all datasets have one, or none has
    include = ["*walk*"]
    exclude = ["*_bad*"]

    [dataset.clips."0807_yanjie_walk_008"]
    weight = 2.0              # a second of it is twice as likely a start as one of the dataset's other clips
    tags = ["sideways"]
    start = 0.5               # [s]
    end = 6.0                 # [s]
    exclude = false

Relative paths are read against the manifest's folder. A clip is called by its file's name without ``.npz``, or with
folders before it. Whatever is misspelt or stands for nothing is an error.
"""

from __future__ import annotations

import difflib
import fnmatch
import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .clip import ClipError
from .clip_list import ClipEntry, ClipList, clip_files, name_clips
from .packing import PRECISIONS

_TABLES = ("library", "dataset")
_LIBRARY_KEYS = ("name", "precision", "memory_budget")
_DATASET_KEYS = ("name", "path", "weight", "include", "exclude", "clips")
_CLIP_KEYS = ("weight", "tags", "exclude", "start", "end")
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def load_manifest(path: str | os.PathLike) -> ClipList:
    """Read a manifest and find its clips; no clip is read.

    Raises:
        ClipError: If the file is missing or not TOML, a key or a value in it is wrong, or something in it stands for
            no clip.
    """
    return _Reader(Path(path)).read()


class _Reader:
    """Reads one manifest; all of its errors name the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> ClipList:
        content = self._parse()
        self._known("the manifest", content, _TABLES)
        library = self._table("[library]", content.get("library", {}))
        self._known("[library]", library, _LIBRARY_KEYS)
        datasets = content.get("dataset", [])
        if not isinstance(datasets, list) or not datasets:
            raise self._fault("it has no [[dataset]]", "one or more, each with a name and a path")
        entries: list[ClipEntry] = []
        weights: dict[str, float | None] = {}
        for number, item in enumerate(datasets, start=1):
            table = self._table(f"[[dataset]] number {number}", item)
            name = self._text(f"[[dataset]] number {number}", table, "name")
            if name in weights:
                raise self._fault(f"two datasets are called '{name}'", "a name for each; rename one")
            weights[name] = self._weight(f"dataset '{name}'", table)
            entries += self._dataset(f"dataset '{name}'", name, table)
        self._each_once(entries)
        return ClipList(
            name_clips(entries),
            self._shares(weights),
            self._text("[library]", library, "name", ""),
            self._precision(library),
            self._budget(library),
        )

    def _parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ClipError(f"manifest '{self._path}' does not exist; expected a TOML file; check the path") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ClipError(f"manifest '{self._path}' cannot be read ({error}); expected a TOML file") from error
        except tomllib.TOMLDecodeError as error:
            raise self._fault(f"it is not TOML: {error}", "valid TOML; correct that line") from error

    """
    Datasets.
    """

    def _dataset(self, where: str, name: str, table: Mapping[str, Any]) -> list[ClipEntry]:
        """Return the clips of one dataset."""
        self._known(where, table, _DATASET_KEYS)
        found = self._found(where, table)
        include, exclude = (self._patterns(where, table, key, found) for key in ("include", "exclude"))
        of_clip = self._of_clips(where, table, found)
        entries = []
        for path, aliases in found.items():
            said = of_clip.get(path, {})
            if (include and not _matches(aliases, include)) or _matches(aliases, exclude) or said.get("exclude"):
                continue
            entries.append(self._entry(f"{where}, clip '{aliases[0]}'", path, name, said))
        if not entries:
            raise self._fault(f"{where} has no clip left", "one or more; change include or exclude")
        return entries

    def _found(self, where: str, table: Mapping[str, Any]) -> dict[Path, tuple[str, ...]]:
        """Return the files that a dataset's paths stand for, each with the names that it can be called by."""
        given = table.get("path")
        paths = self._texts(where, table, "path") if isinstance(given, list) else [self._text(where, table, "path")]
        base = Path(os.path.abspath(self._path.parent))
        found: dict[Path, tuple[str, ...]] = {}
        for text in paths:
            try:
                files = clip_files(text, base)
            except ClipError as error:
                raise ClipError(f"manifest '{self._path}': {where}: {error}") from error
            wrong = [file for file in files if file.suffix == ".toml"]
            if wrong:
                raise self._fault(f"{where} names the manifest '{text}'", "clips; name both manifests instead")
            root = base / Path(text).expanduser()
            for file in files:
                # A shipped clip may be called like a folder that is there as well.
                inside = file.relative_to(root) if root.is_dir() and file.is_relative_to(root) else Path(file.name)
                found.setdefault(file, (file.stem, inside.with_suffix("").as_posix()))
        return found

    def _patterns(self, where: str, table: Mapping[str, Any], key: str, found: Mapping[Path, Any]) -> list[str]:
        """Return patterns, each of which matches some clip."""
        patterns = self._texts(where, table, key)
        for pattern in patterns:
            if not any(_matches(aliases, [pattern]) for aliases in found.values()):
                raise self._fault(
                    f"{where}: the pattern '{pattern}' of '{key}' matches none of its {len(found)} clips",
                    f"one that does; they are {_some(aliases[-1] for aliases in found.values())}",
                )
        return patterns

    def _of_clips(self, where: str, table: Mapping[str, Any], found: Mapping[Path, tuple[str, ...]]) -> dict[Path, Any]:
        """Return what is said of single clips, by file."""
        said: dict[Path, Any] = {}
        by_name: dict[str, list[Path]] = {}
        for path, aliases in found.items():
            for alias in dict.fromkeys(aliases):
                by_name.setdefault(alias, []).append(path)
        for clip, values in self._table(f"{where}, clips", table.get("clips", {})).items():
            paths = by_name.get(clip, [])
            if not paths:
                raise self._fault(f"{where} has no clip '{clip}'", _choices(clip, by_name))
            if len(paths) > 1:
                both = " and ".join(str(path) for path in paths[:2])
                raise self._fault(f"{where}: '{clip}' can be {both}", "its name with the folder before it")
            if paths[0] in said:
                raise self._fault(f"{where}: '{clip}' is described twice", "one table for each clip; join them")
            said[paths[0]] = self._table(f"{where}, clip '{clip}'", values)
            self._known(f"{where}, clip '{clip}'", said[paths[0]], _CLIP_KEYS)
            if not isinstance(said[paths[0]].get("exclude", False), bool):
                raise self._fault(f"{where}, clip '{clip}': 'exclude' is not a truth value", "true or false")
        return said

    def _entry(self, where: str, path: Path, dataset: str, said: Mapping[str, Any]) -> ClipEntry:
        start = self._number(where, said, "start", 0.0, above_zero=False)
        end = self._number(where, said, "end", None, above_zero=True)
        if end is not None and end <= start:
            raise self._fault(f"{where}: 'end' is {end:g} s and 'start' {start:g} s", "an end after the start")
        weight = self._weight(where, said)
        tags = tuple(self._texts(where, said, "tags"))
        return ClipEntry(path, "", dataset, 1.0 if weight is None else weight, tags, start, end)

    def _each_once(self, entries: Sequence[ClipEntry]) -> None:
        seen: dict[Path, str] = {}
        for entry in entries:
            if entry.path in seen:
                raise self._fault(
                    f"'{entry.path}' is in the datasets '{seen[entry.path]}' and '{entry.dataset}'",
                    "each clip once; exclude it from one of them",
                )
            seen[entry.path] = entry.dataset

    def _shares(self, weights: Mapping[str, float | None]) -> dict[str, float]:
        given = {name: weight for name, weight in weights.items() if weight is not None}
        if given and len(given) < len(weights):
            lacking = next(name for name in weights if name not in given)
            raise self._fault(
                f"dataset '{lacking}' has no weight, but '{next(iter(given))}' has", "a weight for all or for none"
            )
        return given

    """
    Values.
    """

    def _precision(self, library: Mapping[str, Any]) -> str | None:
        if "precision" not in library:
            return None
        value = library["precision"]
        if value not in PRECISIONS:
            raise self._fault(f"[library]: precision is {value!r}", f"{' or '.join(PRECISIONS)}")
        return value

    def _budget(self, library: Mapping[str, Any]) -> int | None:
        if "memory_budget" not in library:
            return None
        value = library["memory_budget"]
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(value))
        size = float(match[1]) * _UNITS.get(match[2].upper(), 0) if match else 0
        if isinstance(value, bool) or size < 1:
            raise self._fault(f"[library]: memory_budget is {value!r}", 'bytes, or a text such as "8 GB"')
        return int(size)

    def _weight(self, where: str, table: Mapping[str, Any]) -> float | None:
        return self._number(where, table, "weight", None, above_zero=True)

    def _number(self, where: str, table: Mapping[str, Any], key: str, default: Any, above_zero: bool) -> Any:
        if key not in table:
            return default
        value = table[key]
        right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not right or value < 0 or (above_zero and value == 0):
            fix = "; leave clips out with 'exclude'" if key == "weight" else ""
            raise self._fault(f"{where}: {key} is {value!r}", f"a number {'above' if above_zero else 'from'} 0{fix}")
        return float(value)

    def _text(self, where: str, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = table.get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            what = f"has no '{key}'" if value is None else f"has {key} = {value!r}"
            raise self._fault(f"{where} {what}", f'{key} = "a text"')
        return value

    def _texts(self, where: str, table: Mapping[str, Any], key: str) -> list[str]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self._fault(f"{where}: {key} is {value!r}", f'a list of texts, {key} = ["..."]')
        if key == "path" and not value:
            raise self._fault(f"{where}: path is an empty list", "one or more paths")
        return value

    def _table(self, where: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._fault(f"{where} is {value!r}", "a table of keys and values")
        return value

    def _known(self, where: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
        for key in table:
            if key not in keys:
                raise self._fault(f"{where} has the unknown key '{key}'", _choices(key, keys))

    def _fault(self, wrong: str, expected: str) -> ClipError:
        return ClipError(f"manifest '{self._path}': {wrong}; expected {expected}")


def _matches(aliases: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(alias, pattern) for pattern in patterns for alias in aliases)


def _choices(wrong: str, choices: Iterable[str]) -> str:
    """Return what may be meant and what can be chosen."""
    choices = list(choices)
    near = difflib.get_close_matches(wrong, choices, n=1, cutoff=0.6)
    return (f"perhaps '{near[0]}', or " if near else "") + f"one of {_some(choices)}"


def _some(names: Iterable[str], limit: int = 20) -> str:
    """Return names in one line, not thousands of them."""
    names = list(dict.fromkeys(names))
    return ", ".join(names[:limit]) + (f", ... ({len(names)} in all)" if len(names) > limit else "")
