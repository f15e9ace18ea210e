# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run says while it trains: TensorBoard as always, a CSV with a row an iteration, and one live line."""

from __future__ import annotations

import contextlib
import io
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import torch
from rsl_rl.utils.logger import Logger

from .run_table import RunTable
from .runs import TABLE

_BODY_ERROR = "Metrics/motion/error_body_pos"
_BUFFERS = {
    "rewards": "rewbuffer",
    "lengths": "lenbuffer",
    "extrinsic_rewards": "erewbuffer",
    "intrinsic_rewards": "irewbuffer",
}
"""The stock logger's buffers of the latest episodes, by name in a checkpoint; the last two are there with RND alone."""


class RunLogger(Logger):
    """rsl_rl's logger with ``logs.csv`` and a progress line in place of its page of text per iteration.

    On a terminal the line is rewritten in place, elsewhere it is printed every ``quiet_period`` seconds. Everything
    that steps report stays on the device until the iteration ends, and is read in one go.
    """

    quiet_period: float = 10.0
    """Time between two lines where output is no terminal [s]."""

    def __init__(self, *args, **kwargs) -> None:
        """Construct the logger; see :class:`rsl_rl.utils.logger.Logger`."""
        super().__init__(*args, **kwargs)
        self.start_iteration = 0
        """First iteration to come."""
        self.readings: list[Callable[[], Mapping[str, float]]] = []
        """Called once at the end of an iteration for more quantities by name, for example of the simulator."""
        self._last_line = -math.inf
        self._session_time = 0.0
        self._table: RunTable | None = None
        self._ended: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        on_gpu = torch.device(self.device).type == "cuda"
        self._collected = torch.cuda.Event(enable_timing=True) if on_gpu else None
        """When the GPU had done the last step."""

    @property
    def stream(self) -> TextIO:
        """Where the line goes."""
        return sys.stdout

    def state_dict(self) -> dict:
        """Return what the next row needs to continue the last one: totals, and the latest episodes."""
        episodes = {name: list(buffer) for name, buffer in self._buffers().items()}
        return {"total_steps": self.tot_timesteps, "total_time": self.tot_time} | episodes

    def load_state_dict(self, state: Mapping) -> None:
        """Restore totals and the latest episodes."""
        self.tot_timesteps = int(state["total_steps"])
        self.tot_time = float(state["total_time"])
        buffers = self._buffers()
        # Those of a run without RND, or saved before RND's were, would leave some empty, of which there is no mean.
        if buffers.keys() <= state.keys():
            for name, buffer in buffers.items():
                buffer.extend(state[name])

    def init_logging_writer(self) -> None:
        """Open the writer and the CSV, whose rows at or after the first iteration to come are dropped.

        TensorBoard hides its events from there on, too; other writers keep what they were sent.
        """
        if self.cfg.get("logger", "tensorboard") == "tensorboard" and self.log_dir and not self.disable_logs:
            from torch.utils.tensorboard import SummaryWriter

            purge = self.start_iteration or None
            self.writer = SummaryWriter(log_dir=self.log_dir, flush_secs=10, purge_step=purge)  # type: ignore
            with contextlib.redirect_stdout(io.StringIO()):
                self._store_code_state()
        else:
            super().init_logging_writer()
        self._session_time = 0.0
        if self.writer is not None and self.log_dir:
            self._table = RunTable(Path(self.log_dir) / TABLE, self.start_iteration)

    def process_env_step(
        self, rewards: torch.Tensor, dones: torch.Tensor, extras: dict, intrinsic_rewards: torch.Tensor | None = None
    ) -> None:
        """Remember what a step reports; unlike the stock logger's, this does not wait for the device.

        Args:
            rewards: Rewards of the step, shape (num_envs,).
            dones: Above 0 where the episode ended, shape (num_envs,).
            extras: Under ``episode`` or ``log``, quantities by name: numbers or tensors, of which the mean counts.
            intrinsic_rewards: RND's rewards, shape (num_envs,); None without RND. With RND the stock logger waits.
        """
        if self._collected is not None:
            self._collected.record(torch.cuda.current_stream(self.device))
        if self.writer is None or intrinsic_rewards is not None:
            super().process_env_step(rewards, dones, extras, intrinsic_rewards)
            return
        log = extras.get("episode", extras.get("log"))
        if log is not None:
            self.ep_extras.append(log)
        self.cur_reward_sum += rewards
        self.cur_episode_length += 1
        done = dones > 0
        self._ended.append((done, self.cur_reward_sum.clone(), self.cur_episode_length.clone()))
        self.cur_reward_sum.masked_fill_(done, 0.0)
        self.cur_episode_length.masked_fill_(done, 0.0)

    def log(self, it: int, start_it: int, total_it: int, collect_time: float, learn_time: float, **kwargs) -> None:  # type: ignore[override]
        """Log one iteration."""
        if self.writer is None:
            return
        collect_time, learn_time = self._times_of_device(collect_time, learn_time)
        self._read_ended_episodes()
        means = mean_of_steps(self.ep_extras)
        # The stock logger would average key by key and step by step on the device: thousands of kernels.
        self.ep_extras.clear()
        for read in self.readings:
            means |= read()
        for key, value in means.items():
            self.writer.add_scalar(key if "/" in key else f"Episode/{key}", value, it)
        row = self._row(it, collect_time, learn_time, means, kwargs)
        # It also prints a page; everything in it is in the row, in TensorBoard or on the line.
        with contextlib.redirect_stdout(io.StringIO()):
            super().log(
                it=it, start_it=start_it, total_it=total_it, collect_time=collect_time, learn_time=learn_time, **kwargs
            )
        if self._table is not None:
            self._table.append(row)
        self._session_time += collect_time + learn_time
        self._print_line(row, it, total_it, self._session_time / (it + 1 - start_it) * (total_it - it - 1))

    def stop_logging_writer(self) -> None:
        """Flush and close everything."""
        if self.stream.isatty():
            self.stream.write("\n")
        super().stop_logging_writer()
        if self.writer is not None and hasattr(self.writer, "close"):
            self.writer.close()

    def _buffers(self) -> dict[str, deque[float]]:
        """Return what is known of the latest episodes, by name in a checkpoint."""
        return {name: getattr(self, buffer) for name, buffer in _BUFFERS.items() if hasattr(self, buffer)}

    def _times_of_device(self, collect_time: float, learn_time: float) -> tuple[float, float]:
        """Return how long rollouts and update took [s], with the sum that the host has measured.

        Steps and minibatches are launched ahead of the GPU, so by the host's clock half of a rollout falls into the
        update.
        """
        if self._collected is None:
            return collect_time, learn_time
        learned = torch.cuda.Event(enable_timing=True)
        learned.record(torch.cuda.current_stream(self.device))
        learned.synchronize()
        both = collect_time + learn_time
        learn_time = min(1e-3 * self._collected.elapsed_time(learned), both)
        return both - learn_time, learn_time

    def _read_ended_episodes(self) -> None:
        """Move the episodes that ended in this iteration into the buffers, in the order in which they ended."""
        if not self._ended:
            return
        done, rewards, lengths = (torch.stack(part) for part in zip(*self._ended, strict=True))
        self._ended.clear()
        ended = torch.stack([rewards[done], lengths[done]]).tolist()
        self.rewbuffer.extend(ended[0])
        self.lenbuffer.extend(ended[1])

    def _row(
        self, it: int, collect_time: float, learn_time: float, means: Mapping[str, float], kwargs: Mapping
    ) -> dict[str, float]:
        steps = self.cfg["num_steps_per_env"] * self.num_envs * self.gpu_world_size
        row: dict[str, float] = {
            "iteration": it,
            "total_steps": self.tot_timesteps + steps,
            "steps_per_second": steps / (collect_time + learn_time),
            "collection_time": collect_time,
            "learning_time": learn_time,
        }
        if self.rewbuffer:
            row["mean_reward"] = statistics.mean(self.rewbuffer)
            row["mean_episode_length"] = statistics.mean(self.lenbuffer)
        row |= means
        row |= {f"loss/{name}": float(value) for name, value in kwargs["loss_dict"].items()}
        row["learning_rate"] = kwargs["learning_rate"]
        row["action_std"] = kwargs["action_std"].mean().item()
        return row

    def _print_line(self, row: Mapping[str, float], it: int, total_it: int, left: float) -> None:
        terminal = self.stream.isatty()
        now = time.monotonic()
        if not terminal and now - self._last_line < self.quiet_period and it + 1 < total_it:
            return
        self._last_line = now
        parts = [f"iteration {it + 1}/{total_it}"]
        if "mean_reward" in row:
            parts += [f"reward {row['mean_reward']:.2f}", f"episode {row['mean_episode_length']:.0f} steps"]
        if _BODY_ERROR in row:
            parts.append(f"body error {1000 * row[_BODY_ERROR]:.0f} mm")
        parts += [f"{row['steps_per_second']:.0f} steps/s", f"{duration(left)} left"]
        line = " | ".join(parts)
        # Whoever reads the line may leave; that is no reason to stop training.
        with contextlib.suppress(BrokenPipeError):
            self.stream.write(f"\r\x1b[2K{line}" if terminal else f"{line}\n")
            self.stream.flush()


def mean_of_steps(steps: Sequence[Mapping[str, float | torch.Tensor]]) -> dict[str, float]:
    """Return the mean of every quantity over the steps that report it, after a single transfer from the device.

    Args:
        steps: What each step reports: numbers or tensors, of which the mean counts.
    """
    keys: list[str] = []
    tensors: list[torch.Tensor] = []
    numbers: dict[str, list[float]] = {}
    for key, value in (item for step in steps for item in step.items()):
        numbers.setdefault(key, [])
        if isinstance(value, torch.Tensor):
            keys.append(key)
            tensors.append((value if value.ndim == 0 else value.float().mean()).detach())
        else:
            numbers[key].append(float(value))
    for key, value in zip(keys, _values(tensors), strict=True):
        numbers[key].append(value)
    return {key: statistics.fmean(values) for key, values in numbers.items() if values}


def _values(tensors: Sequence[torch.Tensor]) -> list[float]:
    """Return the values of scalars; one stack and one transfer unless they are of different kinds."""
    kinds = {(tensor.dtype, tensor.device) for tensor in tensors}
    if len(kinds) > 1:
        device = next((tensor.device for tensor in tensors if tensor.device.type != "cpu"), torch.device("cpu"))
        tensors = [tensor.to(device, torch.float) for tensor in tensors]
    return torch.stack(list(tensors)).tolist() if tensors else []


def duration(seconds: float) -> str:
    """Return a time as minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
