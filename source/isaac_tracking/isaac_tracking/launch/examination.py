# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One examination by ``scripts/evaluate.py``, from its options to its files, whatever the policy was trained for."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import written_beside
from ..learning.runs import RunError, checkpoint_number
from . import checks
from .errors import OptionError
from .evaluation_films import EvaluationFilms, remove_old_films
from .options import MOTIONS
from .overrides import resolve_config
from .play_plan import PlayPlan
from .run_folder import commit_of_checkout

if TYPE_CHECKING:
    from ..motion.robot import Robot
    from .evaluate import Evaluate

_MOST_ENVS = {"cpu": 64, "cuda": 2048}
"""Most environments at once, by the kind of device."""


class Examination(ABC):
    """One examination; subclasses say what is played and what is said of it.

    Args:
        options: What the user asked for.
        plan: The same for playing: task, checkpoint, device, settings.
        robot: Whose policy it is.
        remark: What is said of the films while they are drawn.

    Raises:
        OptionError: If it cannot be made.
    """

    SETTINGS: Mapping[str, str]
    """Definition of each setting."""

    def __init__(self, options: Evaluate, plan: PlayPlan, robot: Robot, remark: str = "") -> None:
        self._options, self._robot = options, robot
        self._env_cfg, _ = resolve_config(plan.task, plan.overrides)
        self._engine = checks.need_engine(self._env_cfg.sim.physics, plan.device)
        self._train_cfg = training_config(plan, options.setting)
        self._rate = 1.0 / (self._env_cfg.sim.dt * self._env_cfg.decimation)
        self.films = EvaluationFilms(options, robot, remark)
        """Films of the episodes, if any are asked for."""
        self.plan = plan
        """The plan, with as many environments as it takes."""
        # While it is examined, training may write another one in its place, or somebody delete it.
        self._sha256, self._iteration = _sha256(plan), checkpoint_number(plan.checkpoint)

    @property
    @abstractmethod
    def subject(self) -> str:
        """How much is played, e.g. ``"16 clips, 1 times"``."""

    @property
    @abstractmethod
    def filmed_steps(self) -> list[int]:
        """Most steps of each thing that may be filmed, longest first, without the repeats."""

    @abstractmethod
    def run(self) -> dict[str, Any]:
        """Play and measure all episodes, and return the content of ``metrics.json`` without films."""

    @abstractmethod
    def print(self, report: Mapping[str, Any]) -> None:
        """Print tables of what was found."""

    @abstractmethod
    def draw(self, folder: Path, report: dict[str, Any]) -> None:
        """Draw the films that are asked for, and name them in the report."""

    @abstractmethod
    def page(self, report: Mapping[str, Any]) -> str:
        """Return ``report.html``."""

    def about(self) -> dict[str, Any]:
        """Return what was examined and how, for ``metrics.json``."""
        plan, options, checkpoint = self.plan, self._options, self.plan.checkpoint
        settings = [text for text in plan.overrides if not text.startswith((MOTIONS, "agent.seed="))]
        return {
            "commit": commit_of_checkout(),
            "isaaclab": importlib.metadata.version("isaaclab"),
            "task": plan.task,
            "settings": settings,
            "engine": self._engine,
            "device": plan.device,
            "setting": options.setting,
            "setting_definition": self.SETTINGS[options.setting],
            "seed": options.seed,
            "repeats": options.repeats,
            "num_envs": plan.num_envs,
            "control_rate": self._rate,
            "checkpoint": {
                "run": checkpoint.parent.name,
                "file": checkpoint.name,
                "iteration": self._iteration,
                "sha256": self._sha256,
            },
        }

    def check_loaded(self) -> None:
        """Make sure, after the policy was loaded, that it is the one of which the report will tell.

        Raises:
            RunError: If the checkpoint was replaced meanwhile.
        """
        if _sha256(self.plan) != self._sha256:
            raise RunError(f"checkpoint '{self.plan.checkpoint}' changed while it was loaded; examine it again")

    def _size(self, trials: int, longest: int, width: int) -> None:
        """Choose how many environments play: as many as there are trials, within bounds.

        Args:
            trials: Number of episodes.
            longest: Most steps of one.
            width: Numbers that are recorded a step.
        """
        from ..inference.step_recorder import choose_num_envs

        most = _MOST_ENVS[self.plan.device.partition(":")[0]]
        num_envs = self._options.num_envs or choose_num_envs(trials, longest, width, most)
        self.plan = dataclasses.replace(self.plan, num_envs=num_envs)


def _sha256(plan: PlayPlan) -> str:
    try:
        return hashlib.sha256(plan.checkpoint.read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(f"checkpoint '{plan.checkpoint}' cannot be read any more ({error})") from error


def training_config(plan: PlayPlan, setting: str) -> Any:
    """Return the config of the task whose examination is planned.

    Raises:
        OptionError: If there is no such task, from which noise and pushes could be taken.
    """
    if "-Play-" not in plan.task and setting != "clean":
        raise OptionError(f"task '{plan.task}' has no examination, so --setting {setting} is unknown; give clean")
    return resolve_config(plan.task.replace("-Play-", "-"), plan.overrides)[0]


def write_report(folder: Path, report: Mapping[str, Any], html: str) -> None:
    """Write ``metrics.json`` and ``report.html``, each beside its place and renamed; films of former ones go."""
    folder.mkdir(parents=True, exist_ok=True)
    remove_old_films(folder, report)
    with written_beside(folder / "metrics.json") as file:
        file.write((json.dumps(report, indent=1, allow_nan=False) + "\n").encode())
    with written_beside(folder / "report.html") as file:
        file.write(html.encode())
