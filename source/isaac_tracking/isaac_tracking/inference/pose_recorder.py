# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The poses that a film needs, recorded while a policy runs, whatever its task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from .film import BodyPath, FilmCamera, FilmCfg, render_film
from .ground_mesh import GroundMesh

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv


@dataclass(frozen=True)
class FilmStrip:
    """What is seen in a film: T instants, of which several episodes may follow one another."""

    model: tuple[str, str]
    """Folder and file of the robot's MJCF in mjlab's asset zoo."""

    body_names: tuple[str, ...]
    """Names of the B bodies."""

    rate: float
    """Instants per second [Hz]."""

    robot: np.ndarray
    """Poses of the robot, [m] and xyzw, shape (T, B, 7)."""

    reference: np.ndarray | None
    """Poses of what it is to follow, drawn see-through, shape (T, B, 7)."""

    captions: tuple[str, ...]
    """What is written at each instant."""

    ground: GroundMesh | None = None
    """The ground, if it is not a plane."""

    camera: FilmCamera = field(default_factory=FilmCamera)
    """Where it is seen from."""

    def __len__(self) -> int:
        """Return the number of instants T."""
        return len(self.robot)

    def render(self, path: Path, mjcf: Path, stride: int, device: str) -> Path:
        """Draw the film, which runs in real time, and return its path.

        Args:
            path: The film, ``.mp4``.
            mjcf: The robot's model.
            stride: Instants per picture.
            device: Where to draw.

        Raises:
            ValueError: If a pose is not finite.
        """
        ghost = self.reference
        return render_film(
            path,
            mjcf,
            self.body_names,
            BodyPath(self.robot[..., :3], self.robot[..., 3:]),
            None if ghost is None else BodyPath(ghost[..., :3], ghost[..., 3:]),
            rate=self.rate,
            captions=self.captions,
            cfg=FilmCfg(stride=stride, camera=self.camera),
            ground=self.ground,
            device=device,
        )


class Instant(NamedTuple):
    """What is recorded at one instant, of E environments."""

    steps: torch.Tensor
    """Numbers of the step in the episodes, shape (E,)."""

    pose: torch.Tensor
    """Poses of the robot's B bodies, [m] and xyzw, shape (E, B, 7)."""

    reference: torch.Tensor | None
    """Poses of what it is to follow."""

    values: torch.Tensor
    """What captions are made of, shape (E, n)."""


class PoseRecorder(ABC):
    """Poses of all bodies of the robot in the first environments; subclasses say what else is recorded and written.

    Args:
        env: The environment.
        num_steps: Steps to keep in all.
        num_envs: Environments to record; all if None.
    """

    def __init__(self, env: ManagerBasedRLEnv, num_steps: int, num_envs: int | None = None) -> None:
        self.env = env
        self.first = slice(num_envs)
        """The environments that are recorded."""
        self.robot: Articulation = env.scene["robot"]
        self._num_steps = num_steps
        self._instants: list[Instant] = []

    def record(self) -> None:
        """Keep the present instant, before a step."""
        if len(self._instants) < self._num_steps:
            self._instants.append(Instant(*(None if part is None else part.cpu() for part in self.observe())))

    @abstractmethod
    def observe(self) -> Instant:
        """Return the present instant of the first environments, in tensors of its own."""

    @abstractmethod
    def caption(self, step: int, values: Sequence[float]) -> str:
        """Return what is written at an instant: a step of an episode, and its values."""

    def look(self) -> dict[str, Any]:
        """Return fields of the strip that say where the robot is and how it is seen."""
        return {}

    def film_strip(self, first_episodes: bool = True) -> FilmStrip:
        """Put the environments one after another.

        Args:
            first_episodes: Whether to take only the first episode of each environment.
        """
        steps = torch.stack([instant.steps for instant in self._instants], dim=1)
        places: list[tuple[int, int]] = []
        for env, row in enumerate(steps):
            # The first episode ends where the step goes back.
            again = (row[1:] <= row[:-1]).nonzero().flatten()
            end = int(again[0]) + 1 if first_episodes and len(again) else len(row)
            places += [(env, time) for time in range(end)]
            if len(places) >= self._num_steps:
                break
        places = places[: self._num_steps]
        cfg: Any = self.env.cfg
        instants = self._instants
        return FilmStrip(
            model=tuple(cfg.scene.robot.spawn.model),
            body_names=tuple(self.robot.body_names),
            rate=1.0 / self.env.step_dt,
            robot=torch.stack([instants[time].pose[env] for env, time in places]).numpy(),
            reference=self._references(places),
            captions=tuple(
                self.caption(int(steps[env, time]), instants[time].values[env].tolist()) for env, time in places
            ),
            **self.look(),
        )

    def _references(self, places: Sequence[tuple[int, int]]) -> np.ndarray | None:
        poses = [instant.reference for instant in self._instants]
        taken = [pose[env] for env, time in places if (pose := poses[time]) is not None]
        return torch.stack(taken).numpy() if taken else None
