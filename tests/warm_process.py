# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripts in processes of their own that need not import everything anew.

A simulator takes one process, and a process some nine seconds of imports, most of them Newton's kernels. Here one
process imports them once, and is forked for each script: what a script does is its own, what it imports is not. The
tests of ``train.sh`` and ``test.sh`` start theirs from nothing, as users do.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["warm_imports"])
_PLACES = os.pathsep.join(map(str, (Path(__file__).parent, ROOT / "source" / "isaac_tracking")))


def warm_context() -> ForkServerContext:
    """Return what makes processes that have everything imported."""
    with pytest.MonkeyPatch.context() as patch:
        # The server leaves out in silence what it does not find.
        patch.setenv("PYTHONPATH", _PLACES)
        ensure_running()
    return _CONTEXT


class WarmProcess:
    """A Python script that runs."""

    def __init__(self, script: Path, *arguments: object, cwd: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._printed = [Path(self._folder.name) / name for name in ("out", "err")]
        self.args = [str(script), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": _PLACES, "CUDA_VISIBLE_DEVICES": ""}
        self._process = warm_context().Process(target=_run, args=(self.args, cwd, environment, self._printed))
        self._process.start()

    def wait(self, timeout: float = 300.0) -> CompletedProcess[str]:
        """Wait for its end and return what it printed; after the timeout [s] it is killed."""
        self._process.join(timeout)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        out, err = (path.read_text() if path.is_file() else "" for path in self._printed)
        self._folder.cleanup()
        assert self._process.exitcode is not None
        return CompletedProcess(self.args, self._process.exitcode, out, err)


def _run(args: list[str], cwd: Path, environment: dict[str, str], printed: list[Path]) -> None:
    """Be ``python SCRIPT ARGUMENTS``."""
    for stream, path in zip((1, 2), printed, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = args
    sys.path.insert(0, str(Path(args[0]).parent))
    runpy.run_path(args[0], run_name="__main__")
