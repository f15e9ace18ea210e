# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of the policy while it learns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..inference.pose_recorder import PoseRecorder
from ..robots.mjcf import mjcf_path
from .terminal import print_line


class TrainFilm:
    """Films the first environment every so many steps; training waits while a film is drawn.

    Args:
        env: The environment, wrapped for rsl_rl; its ``step`` is replaced.
        folder: Where films go, as ``step_<number>.mp4``.
        length: Steps in each film.
        interval: Steps from the start of one film to the start of the next.
        recorder: Makes what records the poses, from environment, steps and number of environments.
    """

    stride: int = 2
    """Steps per picture."""

    def __init__(
        self, env: Any, folder: Path, length: int, interval: int, recorder: Callable[[Any, int, int], PoseRecorder]
    ) -> None:
        self._base = env.unwrapped
        self._folder, self._length, self._interval = folder, length, interval
        self._inner_step, self._make_recorder = env.step, recorder
        self._start = 0
        self._recorder: PoseRecorder | None = None
        self.steps = 0
        """Steps that the run has done."""
        env.step = self.step

    def step(self, actions: torch.Tensor) -> Any:
        """Step the environment, and record it if a film is under way."""
        if self._recorder is None and self.steps % self._interval == 0:
            self._recorder, self._start = self._make_recorder(self._base, self._length, 1), self.steps
        if self._recorder is not None:
            self._recorder.record()
            if self.steps - self._start + 1 >= self._length:
                self._draw(self._recorder)
                self._recorder = None
        self.steps += 1
        return self._inner_step(actions)

    def _draw(self, recorder: PoseRecorder) -> None:
        path = self._folder / f"step_{self._start}.mp4"
        print_line(f"training waits while {path.name} is drawn ({-(-self._length // self.stride)} pictures)")
        try:
            with torch.inference_mode(False):
                strip = recorder.film_strip(first_episodes=False)
                strip.render(path, mjcf_path(*strip.model), self.stride, str(self._base.device))
        except (ValueError, OSError) as error:
            print_line(f"no film of step {self._start}: {' '.join(str(error).split())}; training goes on")
            return
        print_line(f"film {path}")
