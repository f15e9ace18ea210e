# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Timing an environment's step and its parts, and counting how often it waits for the device."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

PARTS = ("physics", "command", "rewards", "terminations", "observations", "events", "resets")
"""Shares of a step that are timed apart; what is left is "other"."""


def run_steps(env: Any, actions: torch.Tensor, count: int) -> None:
    """Step an environment, with actions of shape (period, num_envs, num_actions) over and over."""
    with torch.inference_mode():
        for index in range(count):
            env.step(actions[index % len(actions)])


def timed(work: Callable[[], None], device: str) -> float:
    """Return the time that some work takes until the device has done it [s]."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def count_syncs(work: Callable[[], None], device: str) -> int | None:
    """Return how often torch waits for the device during some work; None where there is no GPU."""
    if device == "cpu":
        return None
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def shares_of_step(env: Any, actions: torch.Tensor, steps: int, device: str) -> list[float]:
    """Return the share of each part in a step and that of the rest, waiting for the device around each of them."""
    watch = _Watch(device)
    for target, method, part in (
        (env.sim, "step", "physics"),
        (env.scene, "write_data_to_sim", "physics"),
        (env.scene, "update", "physics"),
        (env.command_manager, "compute", "command"),
        (env.reward_manager, "compute", "rewards"),
        (env.termination_manager, "compute", "terminations"),
        (env.observation_manager, "compute", "observations"),
        (env.event_manager, "apply", "events"),
        (env, "_reset_idx", "resets"),
    ):
        watch.attach(target, method, part)
    total = timed(lambda: run_steps(env, actions, steps), device)
    shares = [watch.spent[part] / total for part in PARTS]
    return [*shares, 1.0 - sum(shares)]


class _Watch:
    """Adds up the time spent in methods; a method called by another one counts for that one."""

    def __init__(self, device: str) -> None:
        self.spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self._device, self._busy = device, False

    def attach(self, target: Any, method: str, part: str) -> None:
        original = getattr(target, method)

        def measured(*args: Any, **kwargs: Any) -> Any:
            if self._busy:
                return original(*args, **kwargs)
            self._busy = True
            _wait(self._device)
            start = time.perf_counter()
            result = original(*args, **kwargs)
            _wait(self._device)
            self.spent[part] += time.perf_counter() - start
            self._busy = False
            return result

        setattr(target, method, measured)


def _wait(device: str) -> None:
    if device != "cpu":
        import warp as wp

        torch.cuda.synchronize(device)
        wp.synchronize_device(device)
