# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the tests of the commands share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Checkout:
    """The project as a user has it, in a folder of its own, to which its runs go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("train.sh", "test.sh"):
            shutil.copy(ROOT / name, folder)
        # The wrappers ask where they really are.
        shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("source", "requirements"):
            (folder / name).symlink_to(ROOT / name)

    def start(self, wrapper: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Begin ``bash WRAPPER ARGUMENTS`` in the Isaac Lab of the tests."""
        environment = {**os.environ, "ISAACLAB_PATH": sys.prefix, "PYTHONUNBUFFERED": "1"}
        command = ["bash", str(self.folder / wrapper), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe, text=True)

    def call(self, wrapper: str, *arguments: str, timeout: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Do that and wait for its end."""
        with self.start(wrapper, arguments) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    yield Checkout(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def untrained_run(tmp_path_factory: pytest.TempPathFactory, _simulator) -> Path:
    """A run folder with model_0.pt, of a policy that never learned anything, as training writes it."""
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

    from isaac_tracking.launch.overrides import resolve_config
    from isaac_tracking.learning.runner import Runner
    from isaac_tracking.learning.runs import write_record

    task = "Isaac-Tracking-G1-v0"
    agent_cfg = handle_deprecated_rsl_rl_cfg(resolve_config(task, [])[1], check_rsl_rl_version())
    runner = Runner(RslRlVecEnvWrapper(_simulator), to_dict(agent_cfg), device="cpu")
    folder = tmp_path_factory.mktemp("untrained")
    runner.save(str(folder / "model_0.pt"))
    write_record(folder, {"task": task, "overrides": [], "planned": 1, "clips": ["stand"]})
    return folder
