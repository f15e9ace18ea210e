# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Importing the package is free, and Isaac Lab can find it."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ["torch", "numpy", "isaaclab", "isaaclab_tasks", "isaaclab_rl", "gymnasium", "warp", "newton", "mujoco", "pxr"]
HEAVY += ["rsl_rl", "scipy", "onnx", "onnxruntime", "mjlab", "omni", "carb", "isaacsim", "wandb", "matplotlib"]

MEASURE = """
import json, sys, time
for name in {blocked!r}:
    sys.modules[name] = None  # importing it raises
before = set(sys.modules)
start = time.perf_counter()
import isaac_tracking
seconds = time.perf_counter() - start
new = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})
print(json.dumps({{"seconds": seconds, "new": new, "version": isaac_tracking.__version__}}))
"""


def import_in_fresh_process(blocked: list[str]) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "source" / "isaac_tracking")}
    command = [sys.executable, "-c", MEASURE.format(blocked=blocked)]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_import_takes_under_a_tenth_of_a_second_and_brings_nothing_heavy():
    best = min((import_in_fresh_process([]) for _ in range(3)), key=lambda run: run["seconds"])
    assert best["seconds"] < 0.1
    assert not set(best["new"]) & set(HEAVY)


def test_import_works_where_nothing_else_is_installed():
    run = import_in_fresh_process(HEAVY)
    assert run["version"] == pyproject()["project"]["version"]


def test_entry_point_is_declared():
    assert pyproject()["project"]["entry-points"]["isaaclab.tasks"] == {"isaac_tracking": "isaac_tracking.tasks"}
    assert (ROOT / "source" / "isaac_tracking" / "isaac_tracking" / "tasks" / "__init__.py").is_file()


def test_entry_point_is_installed():
    found = [point for point in entry_points(group="isaaclab.tasks") if point.name == "isaac_tracking"]
    if not found:
        pytest.skip("isaac-tracking is not installed here, only on the path")
    assert {point.value for point in found} == {"isaac_tracking.tasks"}


def test_installing_the_package_cannot_change_an_isaac_lab():
    assert pyproject()["project"]["dependencies"] == []


def test_every_pin_is_exact_and_explained():
    explained = (ROOT / "docs" / "dependencies.md").read_text().lower()
    paths = sorted((ROOT / "requirements").glob("*.txt"))
    assert "project.txt" in [path.name for path in paths]
    for path in paths:
        for line in path.read_text().splitlines():
            pin = line.partition("#")[0].strip()
            if pin:
                name, _, version = pin.partition("==")
                assert version, f"{path.name}: {pin} is no exact pin"
                assert f"`{name.lower()}`" in explained, f"docs/dependencies.md does not say why {name} is needed"
