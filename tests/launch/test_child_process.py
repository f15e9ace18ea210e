# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A process that is started from anywhere imports this package, and what it is told besides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isaac_tracking.launch.child_process import PACKAGE, child_environment


def paths(environment: dict[str, str]) -> list[str]:
    return environment["PYTHONPATH"].split(os.pathsep)


def test_a_child_imports_the_package_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    command = [sys.executable, "-c", "import isaac_tracking; print(isaac_tracking.__file__)"]
    environment = child_environment()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).parents[1] == PACKAGE and paths(environment) == [str(PACKAGE)]


def test_order_of_folders_and_variables(monkeypatch: pytest.MonkeyPatch):
    # An empty entry would be whatever folder the child is in.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/ours", "", "/theirs"]))
    monkeypatch.setenv("KEPT", "1")
    found = child_environment({"KEPT": "2", "NEW": "3"}, ["/first"])
    assert paths(found) == [str(PACKAGE), "/first", "/ours", "/theirs"]
    assert (found["KEPT"], found["NEW"], found["PATH"]) == ("2", "3", os.environ["PATH"])
    assert os.environ["KEPT"] == "1" and "NEW" not in os.environ
    assert paths(child_environment(inherit_path=False)) == [str(PACKAGE)]
