# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The package as another project meets it: installed, from a folder of its own, through Isaac Lab's own doors."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    *("G1", "G1-NoStateEst", "G1-Teacher", "G1-Student-Adapt", "G1-Student", "G1-Teacher-ROA", "G1-Student-ROA"),
    *("G1-Student-Distill", "G1-Student-PPO"),
)
TASKS = {f"Isaac-Tracking-{name}{play}-v0" for name in NAMES for play in ("", "-Play")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package, built from a copy: building writes beside the sources."""
    for module in ("pip", "setuptools"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed here, so the package cannot be installed")
    copy, site = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(
        ROOT / "source", copy / "source", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    )
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--target", str(site), str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return site


def run(arguments: list[str], installed: Path, folder: Path) -> str:
    """Run Python in a folder outside the project, which finds the package only where it is installed."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_snippet_of_the_readme(installed: Path, tmp_path: Path):
    """Four robots on the CPU, ten steps, from a script that was copied out of the README."""
    text = (ROOT / "README.md").read_text()
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "their_project.py").write_text(snippet)
    output = run(["their_project.py"], installed, tmp_path)
    assert "\npolicy (4, 160) critic (4, 286)\n" in output
    assert "\nactions (4, 29) reward (4,)\n" in output
    assert [path.name for path in tmp_path.iterdir()] == ["their_project.py"]


@pytest.mark.slow
def test_a_task_of_ones_own(installed: Path, tmp_path: Path):
    """The file of docs/tracking.md: made by its id, and trained for one iteration by Isaac Lab's own command."""
    text = (ROOT / "docs" / "tracking.md").read_text()
    (example,) = re.findall(r"^```python\n# my_tracking.py\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "my_tracking.py").write_text(example)
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    task = 'task = "Isaac-Tracking-G1-Play-v0"'
    assert task in snippet
    made = snippet.replace(task, 'import my_tracking\n\ntask = "My-Tracking-v0"')
    made = made.replace(
        "    env.close()\n",
        "    from isaac_tracking.tasks.graphs.plan import obstacle\n\n"
        "    print(env.unwrapped.reward_manager.active_terms[-1], obstacle(env.unwrapped))\n    env.close()\n",
    )
    (tmp_path / "their_project.py").write_text(made)
    # The new reward is one that a GPU's fast step takes.
    assert "\njoint_speed None\n" in run(["their_project.py"], installed, tmp_path)
    if importlib.util.find_spec("isaaclab.__main__") is None:
        pytest.skip("this Isaac Lab has no command 'isaaclab'")
    command = ["-m", "isaaclab", "train", "--rl_library", "rsl_rl", "--task", "My-Tracking-v0"]
    command += ["--external_callback", "my_tracking.arguments", "--device", "cpu", "agent.device=cpu"]
    run([*command, "--num_envs", "4", "--max_iterations", "1"], installed, tmp_path)
    assert len(list(tmp_path.glob("logs/rsl_rl/*/*/model_0.pt"))) == 1


def test_installed_package_is_complete(installed: Path):
    package = ROOT / "source" / "isaac_tracking" / "isaac_tracking"
    names = {path.relative_to(package) for kind in ("*.py", "*.pyi", "*.npz") for path in package.rglob(kind)}
    assert [name for name in sorted(names) if not (installed / "isaac_tracking" / name).is_file()] == []


def test_isaaclab_lists_our_tasks(installed: Path, tmp_path: Path):
    if importlib.util.find_spec("isaaclab.__main__") is None:
        pytest.skip("this Isaac Lab has no command 'isaaclab'")
    output = run(["-m", "isaaclab", "list_envs", "--keyword", "Isaac-Tracking"], installed, tmp_path)
    assert set(re.findall(r"Isaac-Tracking-[\w-]+", output)) == TASKS
