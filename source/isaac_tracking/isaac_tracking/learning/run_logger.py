# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run says while it trains: TensorBoard as always, a CSV with a row an iteration, and one live line."""

from __future__ import annotations

import contextlib
import csv
import io
import statistics
import sys
import time
from pathlib import Path

import torch
from rsl_rl.utils.logger import Logger

_BODY_ERROR = "Metrics/motion/error_body_pos"


class RunLogger(Logger):
    """rsl_rl's logger with ``logs.csv`` and a progress line in place of its page of text per iteration.

    The line goes to ``stream``; on a terminal it is rewritten in place, elsewhere it is printed every
    ``quiet_period`` seconds.
    """

    quiet_period: float = 10.0
    """Time between two lines where output is no terminal [s]."""

    def __init__(self, *args, **kwargs) -> None:
        """Construct the logger; see :class:`rsl_rl.utils.logger.Logger`."""
        super().__init__(*args, **kwargs)
        self.stream = sys.stdout
        self.start_iteration = 0
        self._last_line = 0.0
        self._table: RunTable | None = None

    def init_logging_writer(self) -> None:
        """Open TensorBoard and the CSV; rows and events at or after the first iteration to come are dropped."""
        if self.cfg.get("logger", "tensorboard") == "tensorboard" and self.log_dir and not self.disable_logs:
            from torch.utils.tensorboard import SummaryWriter

            self._store_code_state()
            purge = self.start_iteration or None
            self.writer = SummaryWriter(log_dir=self.log_dir, flush_secs=10, purge_step=purge)  # type: ignore
        else:
            super().init_logging_writer()
        if self.writer is not None and self.log_dir:
            self._table = RunTable(Path(self.log_dir) / "logs.csv", self.start_iteration)

    def log(self, it: int, start_it: int, total_it: int, collect_time: float, learn_time: float, **kwargs) -> None:  # type: ignore[override]
        """Log one iteration."""
        if self.writer is None:
            return
        row = self._row(it, collect_time, learn_time, kwargs)
        # The stock logger prints a page; everything in it is in the row, in TensorBoard or on the line.
        with contextlib.redirect_stdout(io.StringIO()):
            super().log(
                it=it, start_it=start_it, total_it=total_it, collect_time=collect_time, learn_time=learn_time, **kwargs
            )
        if self._table is not None:
            self._table.append(row)
        done = it + 1 - start_it
        self._print_line(row, it, total_it, self.tot_time / done * (total_it - it - 1))

    def stop_logging_writer(self) -> None:
        """Flush and close everything."""
        if self.stream.isatty():
            self.stream.write("\n")
        super().stop_logging_writer()

    def _row(self, it: int, collect_time: float, learn_time: float, kwargs: dict) -> dict[str, float]:
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
        for key in dict.fromkeys(key for extras in self.ep_extras for key in extras):
            values = [torch.as_tensor(e[key], dtype=torch.float).mean() for e in self.ep_extras if key in e]
            row[key] = torch.stack([value.to(self.device) for value in values]).mean().item()
        row |= {f"loss/{name}": float(value) for name, value in kwargs["loss_dict"].items()}
        row["learning_rate"] = kwargs["learning_rate"]
        row["action_std"] = kwargs["action_std"].mean().item()
        return row

    def _print_line(self, row: dict[str, float], it: int, total_it: int, left: float) -> None:
        terminal = self.stream.isatty()
        now = time.monotonic()
        if not terminal and now - self._last_line < self.quiet_period and it + 1 < total_it:
            return
        self._last_line = now
        minutes, seconds = divmod(int(left), 60)
        parts = [f"iteration {it + 1}/{total_it}"]
        if "mean_reward" in row:
            parts += [f"reward {row['mean_reward']:.2f}", f"episode {row['mean_episode_length']:.0f} steps"]
        if _BODY_ERROR in row:
            parts.append(f"body error {1000 * row[_BODY_ERROR]:.0f} mm")
        parts += [f"{row['steps_per_second']:.0f} steps/s", f"{minutes}:{seconds:02d} left"]
        line = " | ".join(parts)
        self.stream.write(f"\r\x1b[2K{line}" if terminal else f"{line}\n")
        self.stream.flush()


class RunTable:
    """A CSV that grows by a row an iteration, and by a column whenever a new quantity appears.

    Args:
        path: The file; rows of an earlier part of the run are kept.
        start_iteration: First iteration to come; rows at or after it are dropped.
    """

    def __init__(self, path: Path, start_iteration: int = 0) -> None:
        self._path = path
        self._rows: list[dict[str, str]] = []
        self._columns = ["iteration"]
        if path.is_file():
            with path.open(newline="") as file:
                reader = csv.DictReader(file)
                self._columns = list(reader.fieldnames or self._columns)
                # A row that was cut off by a kill has no value in its last column.
                whole = [row for row in reader if None not in row.values()]
                self._rows = [row for row in whole if int(row["iteration"]) < start_iteration]
            self._rewrite()

    def append(self, row: dict[str, float]) -> None:
        """Add a row; a quantity that appears for the first time adds a column."""
        new = [key for key in row if key not in self._columns]
        text = {key: f"{value:.6g}" if isinstance(value, float) else str(value) for key, value in row.items()}
        self._rows.append(text)
        if new or not self._path.is_file():
            self._columns += new
            self._rewrite()
            return
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, self._columns, restval="").writerow(text)

    def _rewrite(self) -> None:
        beside = self._path.with_name(f".{self._path.name}.part")
        with beside.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns, restval="")
            writer.writeheader()
            writer.writerows(self._rows)
        beside.replace(self._path)
