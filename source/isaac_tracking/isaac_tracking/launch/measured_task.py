# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Everything that the benchmark says of a task at one size, in the process that this is."""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..tasks.buffer_watch import BufferWatch
from .errors import USER_ERRORS
from .garbage import look_seldom
from .measured_env import replay_physics, time_parts, visit_steps
from .measured_runner import make_runner
from .overrides import resolve_config
from .step_counts import count_operators, count_syncs, profile_gpu
from .stopwatch import Clock, Watches, sampled, spread
from .terminal import quiet

_WARM_UP = 50
"""Steps before measuring, in which the first robots fall."""
_SETTLE = 5
"""Steps after the replay of the physics, which put all robots elsewhere."""
_COUNTED = 20
"""Steps in which operators, launches and waits are counted."""
_UPDATES = 5
"""Iterations of training that are timed, after one that is not."""


@dataclass(frozen=True)
class Job:
    """What to measure."""

    task: str
    """Id of the task."""
    overrides: tuple[str, ...]
    """Settings, as ``key=value``."""
    device: str
    """Where."""
    num_envs: int
    """Environments at once."""
    steps: int
    """Timed steps."""
    seed: int
    """Seed of all random numbers."""
    begun: float
    """When the process was started, in seconds since 1970."""
    only: str = "all"
    """``"all"``, ``"start"`` for the start and memory alone."""


@dataclass
class Compilation:
    """What Warp spent on its kernels."""

    compiled: int = 0
    """Modules that were compiled."""
    compiling: float = 0.0
    """Time for that [s]."""


def measure(job: Job) -> dict[str, Any]:
    """Measure a task, and return numbers by name; times are in ms but for the start's, which are in s.

    Raises:
        OptionError: If a setting does not fit the task.
    """
    with _watched_compiler() as compilation, quiet(False, USER_ERRORS):
        import gymnasium as gym
        from isaaclab.app import launch_simulation

        env_cfg, agent_cfg = resolve_config(job.task, [*job.overrides, f"env.scene.num_envs={job.num_envs}"])
        env_cfg.sim.device = agent_cfg.device = job.device
        env_cfg.seed = job.seed
        torch.manual_seed(job.seed)
        start = {"import": time.time() - job.begun}
        free = _free_memory(job.device)
        launcher = argparse.Namespace(device=job.device, headless=True, visualizer=[])
        with launch_simulation(env_cfg, launcher):
            clock, begin = Clock(job.device), time.perf_counter()
            env = gym.make(job.task, cfg=env_cfg).unwrapped
            clock.wait()
            start["scene"], begin = time.perf_counter() - begin, time.perf_counter()
            buffers = BufferWatch.attach()
            row = _measure(job, env, agent_cfg, clock, start, begin)
            row |= _memory(job.device, free)
            row["start"] |= {"compiled_modules": compilation.compiled, "compiling": compilation.compiling}
            row["buffers"] = _buffers(buffers)
            env.close()
    return row


def _measure(job: Job, env: Any, agent_cfg: Any, clock: Clock, start: dict, begin: float) -> dict[str, Any]:
    """Measure from the first step on; ``begin`` is when the environment was there."""
    generator = torch.Generator(job.device).manual_seed(job.seed)
    # Actions of an untrained policy of BeyondMimic's initial spread: falls, and so resets, are frequent.
    shape = 16, job.num_envs, env.action_manager.total_action_dim
    actions = torch.randn(shape, device=job.device, generator=generator)

    def step(index: int) -> None:
        with torch.inference_mode():
            env.step(actions[index % len(actions)])

    def steps(count: int) -> None:
        for index in range(count):
            step(index)

    env.reset()
    step(0)
    clock.wait()
    start["first_step"] = time.perf_counter() - begin
    row: dict[str, Any] = {"num_envs": job.num_envs, "start": start}
    if job.only == "all":
        steps(_WARM_UP)
        row |= _step_and_physics(env, actions, job.steps, clock)
        steps(_SETTLE)
        row["counts"] = _counts(steps, job.device)
        row["solver"] = _solver_iterations(steps, job.steps)
    row |= _learning(env, agent_cfg, clock, job.steps if job.only == "all" else 0)
    if job.only == "all":
        # Last, since they leave their watches in the environment.
        row |= time_parts(env, actions, job.steps, clock)
    return row


def _step_and_physics(env: Any, actions: torch.Tensor, count: int, clock: Clock) -> dict[str, Any]:
    """Return ``step``, ``physics``, the same without anything else, and ``ratio``, of the same steps."""
    times, visits = visit_steps(env, actions, count, clock)
    alone = replay_physics(env, visits, clock)
    env.reset()
    whole, floor = spread(times), spread(alone)
    ratio = spread(times[: len(visits)])["median"] / floor["median"]
    return {"step": whole, "physics": floor, "ratio": ratio, "visits": len(visits)}


def _counts(steps: Any, device: str) -> dict[str, Any]:
    """Return counts a step, with waits by operator."""
    found = count_operators(lambda: steps(_COUNTED))
    waits = {name: number / _COUNTED for name, number in found.pop("host_waits").items()}
    counts = {name: number / _COUNTED for name, number in found.items()} | {"host_waits": waits}
    syncs = count_syncs(lambda: steps(_COUNTED), device)
    counts["syncs"] = None if syncs is None else syncs / _COUNTED
    gpu = profile_gpu(lambda: steps(_COUNTED), device)
    return counts | {"gpu": gpu and {name: number / _COUNTED for name, number in gpu.items()}}


def _solver_iterations(steps: Any, count: int) -> dict[str, float] | None:
    """Return how many iterations MJWarp's solver took for a robot, in the last call of each step; None without it.

    Returns:
        ``mean``, ``p99.9`` and ``most`` over robots and steps, and ``slowest``, the mean over the steps of the robot
        that took longest, for which all others wait.
    """
    from isaaclab_newton.physics import NewtonManager

    data = getattr(NewtonManager._solver, "mjw_data", None)
    if data is None:
        return None
    taken = []
    for _ in range(count):
        steps(1)
        taken.append(data.solver_niter.numpy().copy())
    found = np.stack(taken)
    slowest = found.max(axis=1).mean()
    numbers = {"mean": found.mean(), "p99.9": np.percentile(found, 99.9), "most": found.max(), "slowest": slowest}
    return {name: float(number) for name, number in numbers.items()}


def _learning(env: Any, agent_cfg: Any, clock: Clock, policy_steps: int) -> dict[str, Any]:
    """Train for some iterations with the agent's config, by the loop of ``train.sh`` without its files.

    Returns:
        ``policy``, the actor alone, if asked for; ``act``, actor, critic and sampling, summed over an iteration;
        ``learner``, one update; ``iteration``, all of it; ``steps_per_iteration``.
    """
    runner = make_runner(env, agent_cfg)
    row: dict[str, Any] = {}
    if policy_steps:
        policy, obs = runner.get_inference_policy(device=runner.device), runner.env.get_observations()
        with torch.inference_mode():
            sampled(lambda index: policy(obs), 5, clock)
            row["policy"] = spread(sampled(lambda index: policy(obs), policy_steps, clock))
    runner.learn(1)
    if not policy_steps:
        return row
    watches = Watches(clock)
    watches.attach("act", runner.alg, "act")
    watches.attach("learner", runner.alg, "update")
    for _ in range(_UPDATES):
        watches.step(lambda: runner.learn(1))
    spreads = watches.spreads()
    for name in ("act", "update"):
        delattr(runner.alg, name)
    row |= {"act": spreads["act"], "learner": spreads["learner"], "iteration": spreads["step"]}
    return row | {"steps_per_iteration": runner.cfg["num_steps_per_env"]}


def _free_memory(device: str) -> float:
    """Return the free memory of a GPU [bytes]; 0 on a CPU, where a process says itself what it took."""
    return 0.0 if device == "cpu" else float(torch.cuda.mem_get_info(device)[0])


def _memory(device: str, free_before: float) -> dict[str, float]:
    """Return what this process took of the device's memory [GB], at most on a CPU, at the end on a GPU.

    torch and Warp keep what they once had, so that the end is the most, too.
    """
    if device == "cpu":
        return {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9}
    return {"memory": (free_before - _free_memory(device)) / 1e9}


def _buffers(watch: BufferWatch | None) -> dict[str, Any] | None:
    """Return what the physics dropped, and how near it came to it; None if the engine has no such buffers."""
    if watch is None:
        return None
    reading = watch.read()
    return reading.log() | {
        "most_contacts": reading.most_contacts,
        "contacts": reading.sizes.contacts,
        "most_constraints": reading.most_constraints,
        "constraints": reading.sizes.constraints,
        "warning": reading.warning(),
    }


@contextmanager
def _watched_compiler() -> Iterator[Compilation]:
    """Add up the time that Warp spends compiling while this is open."""
    import warp as wp

    compilation, original = Compilation(), wp.Module._compile

    def compile_and_note(module: Any, *args: Any, **kwargs: Any) -> bool:
        begin = time.perf_counter()
        fresh = original(module, *args, **kwargs)
        if fresh:
            compilation.compiled += 1
            compilation.compiling += time.perf_counter() - begin
        return fresh

    wp.Module._compile = compile_and_note
    try:
        yield compilation
    finally:
        wp.Module._compile = original


def arguments_of(job: Job) -> list[str]:
    """Return a job as arguments of :func:`main`."""
    numbers = [str(number) for number in (job.num_envs, job.steps, job.seed, job.begun)]
    return [job.task, job.device, *numbers, job.only, *job.overrides]


def main(argv: Sequence[str]) -> int:
    """Measure the job that the arguments after the first describe, and write the numbers to the file that it names.

    Returns:
        The exit code.
    """
    look_seldom()
    importlib.import_module("isaac_tracking.tasks")
    file, task, device, num_envs, steps, seed, begun, only, *overrides = argv
    job = Job(task, tuple(overrides), device, int(num_envs), int(steps), int(seed), float(begun), only)
    try:
        row = measure(job)
    except USER_ERRORS as error:
        sys.stderr.write(f"{error}\n")
        return 2
    Path(file).write_text(json.dumps(row))
    return 0
