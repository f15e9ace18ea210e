# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Options that tyro reads from a typed class: a mistake in them is one line, not a framed page."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence

from .errors import OptionError

_WIDE = "2000"
"""Columns in which tyro breaks no line that a sentence is made of."""
_NUMBERS = {"INT": ("a whole number", "whole numbers"), "FLOAT": ("a number", "numbers")}


@contextlib.contextmanager
def mistakes_in_one_line(argv: Sequence[str]) -> Iterator[None]:
    """Say in one line what tyro, called within, says of a mistake in a frame of many; help stays as it is.

    Args:
        argv: Arguments that tyro reads.

    Raises:
        OptionError: If tyro refuses them.
    """
    if {"-h", "--help"} & set(argv):
        yield
        return
    columns, said = os.environ.get("COLUMNS"), io.StringIO()
    os.environ["COLUMNS"] = _WIDE
    try:
        with contextlib.redirect_stderr(said):
            yield
    except SystemExit as stop:
        if stop.code != 2:
            raise
        raise OptionError(sentence(said.getvalue())) from None
    finally:
        if columns is None:
            os.environ.pop("COLUMNS", None)
        else:
            os.environ["COLUMNS"] = columns
    sys.stderr.write(said.getvalue())


def sentence(page: str) -> str:
    """Return what tyro's page about a mistake says: what is wrong, the choices if there are, and what helps."""
    *sections, last = _sections(page)
    sections = sections or [last]
    said = " ".join(" ".join(sections[0]).split())
    # Each option of a section is indented by four; what it means, by more.
    options = [row.strip() for section in sections[:2] for row in section if re.match(r" {4}\S", row)]
    found = re.search(r"(?:run:?|see) +(\S.*? --help)", " ".join(last))
    help_of = found[1] if found else "--help"
    more = f"'{help_of}' lists the options"
    if said.startswith("Missing from ") and options:
        return f"{' and '.join(options)} must be given; '{help_of}' says what that is"
    if found := re.match(r"Unrecognized options: (\S+?)(?:,|$)", said):
        return _unknown(found[1], sections, options, more)
    if found := re.match(r"Expected one of \{(.+)\}", said):
        return f"no subcommand is given; choose from {found[1]}"
    if found := re.match(r"invalid choice (.+) for argument '(.+?)'\. Expected one of \((.+)\)", said):
        return f"{found[2]} is {found[1]}; choose from {found[3].replace(chr(39), '').rstrip(',')}"
    if found := re.match(r"Missing value for argument '(.+?)'\. Expected (\d+)", said):
        return f"{found[1]} needs {'a value' if found[2] == '1' else f'{found[2]} values'}; {more}"
    if found := re.match(r"Error parsing (\S+): (.*?)(?: Got errors:.*)?$", said):
        return _bad_value(found[1], found[2], options, more)
    return f"{said}; {more}" if said else more


def _sections(page: str) -> list[list[str]]:
    """Return the rows between the lines of the frame, which is of spaces where there are no better characters."""
    sections: list[list[str]] = [[]]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page)
    for line in plain.splitlines():
        row = re.sub(r"^[│ ] |│$", "", line).rstrip()
        if line[:1] in ("╭", "╰") or not row:
            continue
        if row.strip("─- "):
            sections[-1].append(row)
        else:
            sections.append([])
    # Without characters for it, the frame's title is a row.
    return sections if plain.startswith("╭") or len(sections) == 1 else sections[1:]


def _unknown(text: str, sections: Sequence[Sequence[str]], near: Sequence[str], more: str) -> str:
    nearby = " ".join(sections[1]) if len(sections) > 1 else ""
    if nearby.startswith("Available subcommands: "):
        return f"'{text}' is no subcommand; choose from {nearby.partition(': ')[2]}"
    what = "option " if text.startswith("-") else ""
    hint = f"did you mean {re.split('[ ,]', near[0])[0]}?" if near else more
    return f"{what}'{text}' is unknown; {hint}"


def _bad_value(name: str, reason: str, options: Sequence[str], more: str) -> str:
    """Return the sentence on a value of the wrong kind: the value, and what is expected."""
    kind = options[0].removeprefix(name).strip().removeprefix("{None}|") if options else ""
    words = kind.strip("{}").split()
    if words and set(words) <= {words[0]} & _NUMBERS.keys():
        one, several = _NUMBERS[words[0]]
        kind = one if len(words) == 1 else f"{len(words)} {several}"
    given = re.search(r"from (\[.*\])|(?:base 10|float): '(.*)'", reason)
    if given is None or not kind:
        return f"{name}: {reason.rstrip('.')}; {more}"
    value = given[2] if given[1] is None else " ".join(re.findall(r"'(.*?)'", given[1]))
    return f"{name} is '{value}'; give {kind}"
