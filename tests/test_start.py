# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The scripts start in any Python: one that lacks what is needed gives way to the one of Isaac Lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(
    python: str, *arguments: str, cwd: Path = ROOT, script: str = "motions", **more: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [python, str(ROOT / "scripts" / f"{script}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=kept | more, check=False)


def bare_python() -> str:
    """The interpreter that the environment was made from, without the environment's packages."""
    return getattr(sys, "_base_executable", sys.executable)


def test_a_bare_python_finds_the_one_that_has_everything(tmp_path: Path) -> None:
    done = run(bare_python(), "list", "stand", "--json", cwd=tmp_path, ISAACLAB_PATH=sys.prefix)
    assert done.returncode == 0, done.stderr
    assert [clip["name"] for clip in json.loads(done.stdout)["clips"]] == ["stand"]


@pytest.mark.parametrize("script", ["train", "play"])
def test_scripts_of_the_wrappers_find_it_too(tmp_path: Path, script: str) -> None:
    done = run(bare_python(), "--task", "nope", script=script, cwd=tmp_path, ISAACLAB_PATH=sys.prefix)
    assert done.returncode == 2 and "\nError: task 'nope' is unknown" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_paths_are_those_of_the_folder_it_was_called_in(tmp_path: Path) -> None:
    done = run(bare_python(), "synthesize", "made", "stand", cwd=tmp_path, ISAACLAB_PATH=sys.prefix)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "stand.npz").is_file()


def test_it_does_not_look_for_ever(tmp_path: Path) -> None:
    """A Python that was found, and still lacks something, says so instead of starting a third."""
    done = run(bare_python(), "list", ISAAC_TRACKING_PYTHON_FOUND="1", cwd=tmp_path)
    assert done.returncode != 0
    assert "tried" not in done.stderr and "no Isaac Lab found" not in done.stderr


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    done = run(sys.executable, "list", str(tmp_path / "nothing.npz"), cwd=tmp_path)
    assert done.returncode == 2
    assert "nothing.npz" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_reader_that_leaves_early_is_no_mistake(tmp_path: Path) -> None:
    command = f"{sys.executable} {ROOT / 'scripts' / 'motions.py'} list --json | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.split() == ["{", "0"]
    assert "Error" not in done.stderr and "Exception" not in done.stderr


def test_every_command_finds_its_python():
    # The last is what finds it.
    found = {"_start.py", "probe_isaaclab.py"}
    scripts = [path for path in (ROOT / "scripts").glob("*.py") if path.name not in found]
    assert len(scripts) > 10
    assert [path.name for path in scripts if "from _start import start" not in path.read_text()] == []
