# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Families of tasks, and what the scripts do for each: whatever differs by family is chosen here, once."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .errors import OptionError

if TYPE_CHECKING:
    from ..inference.pose_recorder import PoseRecorder
    from .evaluate import Evaluate
    from .examination import Examination
    from .play_plan import PlayPlan

FAMILY_KEY = "family"
"""Registry key of a task's family."""
FAMILIES = ("tracking", "velocity")
"""Names of the families. Of each there is a module ``<name>_family`` with a :class:`Family` named ``FAMILY``."""


@dataclass(frozen=True)
class Subject:
    """What a task's config says of the thing that is learned, before anything is started."""

    facts: dict[str, str]
    """Lines of the header, by name."""

    clips: tuple[str, ...] = ()
    """Names of the clips; none for a family without."""

    play_envs: int = 1
    """Environments to play in, if no number is given."""


class Family(Protocol):
    """What the scripts do for the tasks of a family."""

    kept: tuple[str, ...]
    """Beginnings of those settings of a run, besides networks, actions and observations, with which it is played."""

    def check(self, env_cfg: Any) -> None:
        """Refuse a config that makes no sense, in words that the simulator would not find.

        Raises:
            OptionError: If it does.
        """
        ...

    def subject(self, env_cfg: Any) -> Subject:
        """Read what is learned; of clips this may take a minute.

        Raises:
            OptionError, ClipError: If it cannot be used.
        """
        ...

    def recorder(self, env: Any, num_steps: int, num_envs: int | None = None) -> PoseRecorder:
        """Return what records the poses for a film.

        Args:
            env: The environment, not wrapped.
            num_steps: Steps to record in all.
            num_envs: Environments to record; all if None.
        """
        ...

    def play(self, env: Any, policy: Callable, episodes: int, recorder: PoseRecorder | None) -> Iterator[str]:
        """Play, and yield a line for each episode when it ends, and at last one for all of them.

        Args:
            env: The environment, wrapped for rsl_rl.
            policy: From observations to actions.
            episodes: Episodes of each environment.
            recorder: Records poses, if given.
        """
        ...

    def examination(self, options: Evaluate, plan: PlayPlan) -> Examination:
        """Return what ``scripts/evaluate.py`` examines a policy with.

        Args:
            options: What the user asked for.
            plan: The same for playing.

        Raises:
            OptionError, ClipError: If it cannot be made.
        """
        ...


def family_of(task: str) -> str:
    """Return the family of a registered task, one of :data:`FAMILIES`; a task that names none is a tracking task."""
    import gymnasium as gym

    return gym.spec(task).kwargs.get(FAMILY_KEY, FAMILIES[0])


def family(task: str) -> Family:
    """Return what the scripts do for a registered task."""
    return importlib.import_module(f".{family_of(task)}_family", __package__).FAMILY


def refuse_motions(task: str, motions: Sequence[str] | None) -> None:
    """Refuse motions for a task that tracks none.

    Raises:
        OptionError: If there are any, and the task has no use for them.
    """
    if motions and family_of(task) != "tracking":
        raise OptionError(
            f"--motion is for tracking tasks, and '{task}' follows commanded velocities; leave --motion out, or give"
            " --task Isaac-Tracking-G1-v0"
        )
