# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The set-up's output is hidden while all goes well, and shown when it does not."""

from __future__ import annotations

import logging
import sys

import pytest

from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.terminal import print_line, quiet


def test_output_is_hidden_until_the_curtain_goes_up(capsys: pytest.CaptureFixture):
    with quiet(False) as curtain:
        print("tables")
        sys.stderr.write("warning\n")
        handler = logging.StreamHandler(sys.stdout)  # holds on to the stream for good
        curtain.down = False
        print_line("live")
        assert capsys.readouterr().out == "[isaac_tracking] live\n"
        curtain.down = True
        print("closing")
    handler.emit(logging.makeLogRecord({"msg": "later"}))
    out, err = capsys.readouterr()
    assert (out, err) == ("later\n", "")


def test_failure_shows_what_was_hidden(capsys: pytest.CaptureFixture):
    with pytest.raises(ZeroDivisionError), quiet(False):
        print("the cause")
        _ = 1 / 0
    assert "the cause" in capsys.readouterr().err


def test_user_errors_show_nothing_else(capsys: pytest.CaptureFixture):
    with pytest.raises(OptionError), quiet(False, (OptionError,)):
        print("a traceback")
        raise OptionError("one line")
    assert capsys.readouterr() == ("", "")


def test_verbose_hides_nothing(capsys: pytest.CaptureFixture):
    with quiet(True):
        print("tables")
    assert capsys.readouterr().out == "tables\n"
