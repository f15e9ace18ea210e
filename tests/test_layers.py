# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Who may import whom, and what a config must not import."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "source" / "isaac_tracking"
PACKAGE = SOURCE / "isaac_tracking"

ALLOWED: dict[str, set[str]] = {
    "robots": set(),
    "motion": set(),
    "learning": set(),
    "tasks": {"robots", "motion", "learning"},
    "inference": {"motion", "tasks", "learning"},
    "launch": {"robots", "motion", "learning", "tasks", "inference"},
}
"""The rooms that each room may import besides itself; tasks may import no more than config classes from learning."""

HEAVY = ("pxr", "omni", "carb", "isaacsim", "scipy", "onnx", "wandb", "mujoco", "mink", "mjlab", "mujoco_usd_converter")
"""What resolving a task must not import: simulators, robot models, export and logging."""

Import = tuple[str, str, int]
"""Module, imported name (empty for a whole module), line."""


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[Import]:
    """Yield every import of a module of this package, wherever it stands, by absolute names."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, "", node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield target, alias.name, node.lineno


def breaches(module: str, found: Iterator[Import]) -> list[str]:
    """Return the imports that a module must not have, one line each."""
    room = module.split(".")[1] if "." in module else ""
    wrong = []
    for target, name, line in found:
        parts = [*target.split("."), name]
        if parts[0] != "isaac_tracking" or len(parts) < 2:
            continue
        other = parts[1]
        if other not in ALLOWED or other == room:
            continue
        if other not in ALLOWED.get(room, set()):
            wrong.append(f"{module}:{line} imports {target} {name}")
        elif (room, other) == ("tasks", "learning") and not name.endswith("Cfg"):
            wrong.append(f"{module}:{line} imports {name or target} from learning, which is no config class")
    return wrong


def modules() -> list[tuple[str, Path]]:
    def name(path: Path) -> str:
        return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")

    return [(name(path), path) for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")])]


def test_every_folder_is_a_room_of_the_plan() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if any(path.glob("**/*.py"))}
    assert folders == set(ALLOWED)
    # A policy, no code.
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} - folders <= {"pretrained", "__pycache__"}


def test_the_package_itself_imports_nothing() -> None:
    found = list(imports(ast.parse((PACKAGE / "__init__.py").read_text()), "isaac_tracking", True))
    assert found == []


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    wrong, seen = [], 0
    for module, path in modules():
        if module.split(".")[1:2] == [room]:
            seen += 1
            found = imports(ast.parse(path.read_text(), str(path)), module, path.stem == "__init__")
            wrong += breaches(module, found)
    assert seen > 0
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "is_package", "text", "wrong"),
    [
        ("isaac_tracking.motion.library", False, "from ..robots import g1", 1),
        ("isaac_tracking.motion.library", False, "from .robots import g1", 0),
        ("isaac_tracking.motion", True, "from .robots import g1", 0),
        ("isaac_tracking.motion", True, "from ..robots import g1", 1),
        ("isaac_tracking.motion.library", False, "from .. import robots", 1),
        ("isaac_tracking.motion.library", False, "def f():\n    import isaac_tracking.tasks.tracking", 1),
        ("isaac_tracking.learning.ppo", False, "if TYPE_CHECKING:\n    from ..tasks import x", 1),
        ("isaac_tracking.tasks.tracking.mdp.commands", False, "from ....motion.errors import tracking_errors", 0),
        ("isaac_tracking.tasks.tracking.mdp.commands", False, "from ....learning.ppo import PPO", 1),
        ("isaac_tracking.tasks.tracking.mdp.commands", False, "from ....learning.ppo import PpoCfg", 0),
        ("isaac_tracking.tasks.tracking.mdp.commands", False, "from ....inference import film", 1),
        ("isaac_tracking.inference.film", False, "from ..robots import g1", 1),
        ("isaac_tracking.inference.film", False, "from ..launch import play", 1),
        ("isaac_tracking.launch.play", False, "from ..inference import film\nfrom ..robots import g1", 0),
        ("isaac_tracking", True, "from .motion import clip", 1),
        ("isaac_tracking.motion.library", False, "import torch\nfrom isaaclab.utils import configclass", 0),
    ],
)
def test_the_rule_itself(module: str, is_package: bool, text: str, wrong: int) -> None:
    assert len(breaches(module, imports(ast.parse(text), module, is_package))) == wrong


def test_motion_and_learning_know_no_simulator() -> None:
    ours = [(module, path) for module, path in modules() if module.split(".")[1:2] in (["motion"], ["learning"])]
    assert {"isaac_tracking.motion.clip", "isaac_tracking.learning.runner"} <= {module for module, _ in ours}
    for module, path in ours:
        found = {target.split(".")[0] for target, _, _ in imports(ast.parse(path.read_text()), module, False)}
        assert not found & {"isaaclab", "isaaclab_tasks", "isaaclab_newton", "newton", "warp", "pxr"}, module


MEASURE = """
import json, sys
import isaaclab_tasks
from isaaclab_tasks.utils import resolve_task_config
{work}
print("RESULT" + json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
RESOLVE = """
import gymnasium as gym
import isaac_tracking.tasks
ids = [name for name in gym.registry if name.startswith("Isaac-Tracking-")]
assert len(ids) >= 4, ids
for task in ids:
    for overrides in ([], ["physics=newton_mjwarp"], ["physics=physx"], ["physics=isaacsim_physx"]):
        resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)
"""


def imported_by(work: str) -> set[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    run = subprocess.run(
        [sys.executable, "-c", MEASURE.format(work=work)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-2000:]
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
    return set(json.loads(line.removeprefix("RESULT")))


def test_resolving_every_task_imports_nothing_heavy() -> None:
    ours = imported_by(RESOLVE) & set(HEAVY)
    # What Isaac Lab's own package imports by itself is not ours to answer for.
    assert not ours or not ours - imported_by("")
