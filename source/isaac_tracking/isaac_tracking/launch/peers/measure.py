# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measuring any of the tasks: steps with given actions, iterations of training, time to a tracking error."""

from __future__ import annotations

import contextlib
import itertools
import resource
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from ..stopwatch import Clock, sampled, spread
from .job import PeerJob

_WARM_UP = 50
"""Steps before measuring, in which the first robots fall."""
_WARM_UP_ITERATIONS = 2
"""Iterations of training before measuring."""
_EVERY = 4
"""Errors are looked at in every so many steps, which costs nobody much."""
_WINDOW = 10
"""Iterations whose mean error counts."""


class _EnoughError(Exception):
    """A training has done what it was to do."""


class ErrorMeter:
    """Mean distance of the tracked bodies from the reference, over steps and environments, without waiting [m].

    The definition is the same for all tasks: after the physics of a step and against the frame that the step was to
    reach, the reference put where the robot stands and turned to its heading
    (:func:`isaac_tracking.motion.errors.relative_reference`), the mean over the 14 tracked bodies, of all environments
    whose episode did not end with the step.
    """

    def __init__(self) -> None:
        self.wanted = False
        """Whether errors are looked at at all."""
        self._means: list[torch.Tensor] = []

    def due(self, step: int) -> bool:
        """Whether the errors of a step are to be recorded."""
        return self.wanted and step % _EVERY == 0

    def record(self, distances: torch.Tensor, counted: torch.Tensor) -> None:
        """Take in a step.

        Args:
            distances: Distance of each body from the relative reference [m], shape (N, B).
            counted: Environments that count, shape (N,).
        """
        means = torch.where(counted, distances.mean(dim=-1), 0.0)
        self._means.append(means.sum() / counted.sum().clamp_min(1))

    def take(self) -> float:
        """Return the mean since the last time [m], NaN if there was no step; waits for the device."""
        mean = float(torch.stack(self._means).mean()) if self._means else float("nan")
        self._means.clear()
        return mean


@dataclass
class OpenTask:
    """A task that is ready to be stepped, whoever made it."""

    env: Any
    """The environment, with ``step``, ``reset``, ``num_envs``, ``step_dt`` and ``episode_length_buf``."""
    num_actions: int
    """Width of an action."""
    make_runner: Callable[[], Any]
    """Returns rsl_rl's runner with the task's own settings; it writes no files."""
    spread_episodes: bool
    """Whether the task's training begins with episodes of random age."""
    meter: ErrorMeter
    """Told the errors of each step."""
    ended: Callable[[], torch.Tensor]
    """Returns which episodes ended with the last step, shape (N,)."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What is said of the task: ``task``, ``mass`` [kg], ``physics_dt`` and ``step_dt`` [s], ``versions``, ``offset``
    [m], the largest distance of the robot's bodies from the reference after it was put there, None if nobody looked."""


def measure(job: PeerJob, task: OpenTask) -> dict[str, Any]:
    """Measure a task, and return numbers by name.

    Returns:
        The task's facts; what :func:`time_training` and :func:`time_steps` return or, with a goal, what
        :func:`train_to_goal` returns; ``memory`` [GB].
    """
    torch.manual_seed(job.seed)
    clock = Clock(job.device)
    row: dict[str, Any] = {"who": job.who, "num_envs": job.num_envs, "seed": job.seed, **task.facts}
    if job.goal is not None:
        row |= train_to_goal(task, job.goal, job.time_limit, clock)
    else:
        # In this order: what steps leave behind in inference mode, mjlab cannot reset outside of it.
        row |= time_training(task, job.iterations, clock)
        row |= time_steps(task, job, clock)
    return row | {"memory": _memory(job.device)}


def time_steps(task: OpenTask, job: PeerJob, clock: Clock) -> dict[str, Any]:
    """Step with normal actions of a spread of 1, those of an untrained policy.

    Returns:
        ``step`` [ms, spread]; ``steps_per_second`` of all environments together; ``resets_per_step``.
    """
    generator = torch.Generator(job.device).manual_seed(job.seed)
    shape = 16, task.env.num_envs, task.num_actions
    actions = torch.randn(shape, device=job.device, generator=generator)
    resets: list[torch.Tensor] = []

    def step(index: int) -> None:
        task.env.step(actions[index % len(actions)])
        resets.append(task.ended().sum())

    with torch.inference_mode():
        task.env.reset()
        for index in range(_WARM_UP):
            step(index)
        resets.clear()
        times = sampled(step, job.steps, clock)
    return {
        "step": spread(times),
        "steps_per_second": 1000.0 * task.env.num_envs * len(times) / sum(times),
        "resets_per_step": float(torch.stack(resets).sum()) / len(resets),
    }


def time_training(task: OpenTask, iterations: int, clock: Clock) -> dict[str, Any]:
    """Train with the task's own settings, timed from the end of an update to the end of the next one.

    Returns:
        ``iteration`` [ms, spread]; ``steps_per_iteration`` of an environment; ``trained_per_second``, steps of all
        environments together, collection and learning.
    """
    marks: list[Any] = []
    runner = task.make_runner()
    _after_updates(runner, lambda: marks.append(clock.mark()))
    runner.learn(iterations + _WARM_UP_ITERATIONS, init_at_random_ep_len=task.spread_episodes)
    clock.wait()
    marks = marks[_WARM_UP_ITERATIONS - 1 :]
    times = [clock.milliseconds(*pair) for pair in itertools.pairwise(marks)]
    steps = runner.cfg["num_steps_per_env"]
    return {
        "iteration": spread(times),
        "steps_per_iteration": steps,
        "trained_per_second": 1000.0 * task.env.num_envs * steps * len(times) / sum(times),
    }


def train_to_goal(task: OpenTask, goal: float, time_limit: float, clock: Clock) -> dict[str, Any]:
    """Train until the error of the last iterations is below a goal, and return how long it took.

    Args:
        task: The task.
        goal: Mean distance of the bodies from the reference [m].
        time_limit: Time after which training ends in any case [s].
        clock: The device's.

    Returns:
        ``reached``, ``seconds``, ``iterations``, ``error`` [m] of the last iterations, ``episode`` [s], the mean age of
        the episodes under way, and ``curve`` of time [s] and error [m] of each iteration.
    """
    runner = task.make_runner()
    curve: list[tuple[float, float]] = []
    window: deque[float] = deque(maxlen=_WINDOW)
    result: dict[str, Any] = {"reached": False}

    def look() -> None:
        window.append(task.meter.take())
        clock.wait()
        seconds, error = time.perf_counter() - begin, sum(window) / len(window)
        curve.append((round(seconds, 3), round(window[-1], 5)))
        result.update(seconds=seconds, iterations=len(curve), error=error)
        result["reached"] = len(window) == _WINDOW and error < goal
        if result["reached"] or seconds > time_limit:
            raise _EnoughError

    _after_updates(runner, look)
    task.meter.wanted = True
    begin = time.perf_counter()
    with contextlib.suppress(_EnoughError):
        runner.learn(10**9, init_at_random_ep_len=task.spread_episodes)
    age = float(task.env.episode_length_buf.float().mean()) * task.env.step_dt
    return result | {"episode": age, "curve": curve, "steps_per_iteration": runner.cfg["num_steps_per_env"]}


def _after_updates(runner: Any, call: Callable[[], None]) -> None:
    """Let a runner call something after each update of its networks."""
    update = runner.alg.update

    def update_and_call(*args: Any, **kwargs: Any) -> Any:
        result = update(*args, **kwargs)
        call()
        return result

    runner.alg.update = update_and_call


def _memory(device: str) -> float:
    """Return the most memory of this process [GB]; on a GPU, what is in use on it by all of it."""
    if device == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    free, total = torch.cuda.mem_get_info(device)
    return (total - free) / 1e9
