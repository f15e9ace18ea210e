# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A mistake in an option that tyro reads is one line, whatever the script and the width of the terminal."""

from __future__ import annotations

import os

import pytest

from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.main import main
from isaac_tracking.launch.typed_options import mistakes_in_one_line, sentence


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("evaluate latest --repeats x", "--repeats is 'x'; give a whole number"),
        ("evaluate latest --repeats", "--repeats needs a value; 'evaluate.py --help' lists the options"),
        ("evaluate latest --command 1 2", "--command is '1 2'; give 3 numbers"),
        ("evaluate latest --setting odd", "--setting is 'odd'; choose from clean, noisy, randomized, pushed"),
        ("evaluate latest --reapeats 3", "option '--reapeats' is unknown; did you mean --repeats?"),
        ("evaluate latest --gui", "option '--gui' is unknown; choose from --help, --motion, --command,"),
        ("export", "CHECKPOINT must be given; 'export.py --help' says what that is"),
        ("export latest --outptu x", "option '--outptu' is unknown; did you mean --output?"),
        ("export latest odd", "'odd' is no setting; give KEY=VALUE, for example presets=reference_action"),
        ("pack latest", "--output PATH must be given; 'pack.py --help' says what that is"),
        ("pack latest a --output x", "'a' is unknown; 'pack.py --help' lists the options"),
        ("sim2sim", "POLICY.onnx must be given; 'sim2sim.py --help' says what that is"),
        ("sim2sim pretrained --friction a", "--friction is 'a'; give a number"),
        ("motions", "no subcommand is given; choose from synthesize, retarget, view, publish, convert, list, doctor"),
        ("motions nosuch", "'nosuch' is no subcommand; choose from synthesize, retarget, view, publish, convert"),
        ("motions view walk --size 1", "--size needs 2 values; 'motions.py view --help' lists the options"),
        ("motions list --doctro", "option '--doctro' is unknown; did you mean --doctor?"),
        (
            "motions export",
            "--output PATH and --format {clip,beyondmimic,mjlab,unitree_csv} must be given;"
            " 'motions.py export --help' says what that is",
        ),
    ],
)
@pytest.mark.parametrize(("columns", "boxes"), [("40", True), (None, False)])
def test_a_mistake_is_one_line(call: str, said: str, columns: str | None, boxes: bool, monkeypatch, capsys) -> None:
    monkeypatch.setattr("tyro._fmtlib._should_use_utf8_drawing_chars", lambda: boxes)
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    script, *arguments = call.split()
    assert main(script, arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith(f"Error: {said}") and printed.err.count("\n") == 1
    assert os.environ.get("COLUMNS") == columns


def test_help_is_as_it_was(capsys) -> None:
    with pytest.raises(SystemExit) as stop, mistakes_in_one_line(["--help"]):
        main("pack", ["--help"])
    assert stop.value.code == 0 and "usage: pack.py" in capsys.readouterr().out


def test_what_is_not_known_is_one_line_too() -> None:
    """Another tyro may word it otherwise."""
    page = "╭─ News ─╮\n│ Nobody knows   │\n│ this.  │\n│ ────── │\n│ For full helptext, run a.py --help │\n╰──────╯\n"
    assert sentence(page) == "Nobody knows this.; 'a.py --help' lists the options"
    assert "\n" not in sentence("") and sentence("no frame") == "no frame; '--help' lists the options"


def test_only_tyros_exit_becomes_a_line(capsys) -> None:
    with pytest.raises(SystemExit, match="3"), mistakes_in_one_line([]):
        raise SystemExit(3)
    with pytest.raises(OptionError), mistakes_in_one_line([]):
        raise SystemExit(2)
