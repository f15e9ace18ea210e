# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What was converted from what and how: one line of JSON for each file, so that a second call goes on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ...files import written_beside
from ..errors import OptionError

FILE_NAME = "convert.jsonl"
"""Name of the record in the output folder."""


@dataclass(frozen=True)
class Entry:
    """What became of one input file."""

    key: str
    """Path of its output within the output folder, without suffix."""

    input: str
    """The file as it was named."""

    input_hash: str
    """SHA-256 of its content, as hex digits."""

    recipe: str
    """Fingerprint of the options."""

    path: str = ""
    """The file's absolute path; empty in a record of an earlier version."""

    outputs: tuple[str, ...] = ()
    """Files that it became, as paths within the output folder."""

    done: bool = False
    """Whether all of them are written; ``False`` is noted before the first one is."""

    read: tuple[str, ...] = ()
    """What was found out about the file."""

    seconds: float = 0.0
    """Length of its motions together, before mirroring [s]."""

    fps: float = 0.0
    """Frame rate of the file [1/s]."""

    faults: tuple[str, ...] = ()
    """What went wrong."""


def load_entries(folder: Path) -> dict[str, Entry]:
    """Return the latest entry of each key; lines that were cut off or are of another version are passed over.

    Raises:
        OptionError: If there is a record that cannot be read.
    """
    try:
        lines = (folder / FILE_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise OptionError(
            f"record '{folder / FILE_NAME}' cannot be read ({error.strerror}); give another folder"
        ) from error
    entries: dict[str, Entry] = {}
    for line in lines:
        try:
            values = json.loads(line)
            lists = {name: tuple(values[name]) for name in ("outputs", "read", "faults")}
            entry = Entry(**(values | lists))
        except (ValueError, TypeError, KeyError):
            continue
        entries[entry.key] = entry
    return entries


def append_entry(folder: Path, entry: Entry) -> None:
    """Add an entry, in a new folder if need be.

    Several processes may do so at once, since each line is written by one call at the file's end.

    Raises:
        OSError: If the record cannot be written.
    """
    line = (json.dumps(asdict(entry), ensure_ascii=False) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def tidy(folder: Path) -> None:
    """Rewrite the record with one line for each key.

    Raises:
        OSError: If the record cannot be written.
    """
    entries = load_entries(folder)
    if not entries:
        return
    lines = (json.dumps(asdict(entries[key]), ensure_ascii=False) + "\n" for key in sorted(entries))
    with written_beside(folder / FILE_NAME) as file:
        file.write("".join(lines).encode())


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's content as hex digits.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
