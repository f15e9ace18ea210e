# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The stock loop, with checkpoints that are always whole, a run that can be stopped, and one that goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsl_rl.runners import OnPolicyRunner

from .curves import plot_curves
from .run_logger import RunLogger
from .runs import RunError, read_checkpoint, write_checkpoint


class StopTrainingError(Exception):
    """Training was asked to stop; the iteration that was under way is complete."""


class Runner(OnPolicyRunner):
    """rsl_rl's :class:`OnPolicyRunner`; its loop is untouched, only saving, loading and logging are ours.

    The first Ctrl-C or SIGTERM lets the iteration finish, saves a checkpoint and stops; a second Ctrl-C stops at once.
    """

    def __init__(self, env, train_cfg: dict, log_dir: str | None = None, device: str = "cpu") -> None:
        """Construct the runner; see :class:`rsl_rl.runners.OnPolicyRunner`."""
        super().__init__(env, train_cfg, log_dir, device)
        self.logger = RunLogger(
            log_dir=log_dir,
            cfg=self.cfg,
            env_cfg=self.env.cfg,
            num_envs=self.env.num_envs,
            is_distributed=self.is_distributed,
            gpu_world_size=self.gpu_world_size,
            gpu_global_rank=self.gpu_global_rank,
            device=self.device,
        )
        self.stop_signal: int | None = None
        """Signal that stopped the training, None if it came to its end."""

    def learn(self, num_learning_iterations: int, init_at_random_ep_len: bool = False) -> None:
        """Train; when a signal asks for it, stop after the iteration under way, saved.

        Raises:
            RunError: If a checkpoint cannot be written.
        """
        log = self.logger.log

        def log_and_stop(**kwargs) -> None:
            log(**kwargs)
            if self.stop_signal is not None:
                raise StopTrainingError

        self.logger.log = log_and_stop  # type: ignore[method-assign]
        try:
            with self._signals():
                super().learn(num_learning_iterations, init_at_random_ep_len)
        except StopTrainingError:
            if self.logger.writer is not None:
                self.save(str(Path(self.logger.log_dir) / f"model_{self.current_learning_iteration}.pt"))
                self.logger.stop_logging_writer()
        finally:
            self.logger.log = log  # type: ignore[method-assign]
            if self.logger.writer is not None:
                plot_curves(Path(self.logger.log_dir) / "logs.csv")

    def save(self, path: str, infos: dict | None = None) -> None:
        """Save weights, optimizer, normalizers, samplers and random states.

        Raises:
            RunError: If the file cannot be written; earlier checkpoints stay as they are.
        """
        saved = self.alg.save() | {"iter": self.current_learning_iteration, "infos": infos}
        try:
            write_checkpoint(saved, Path(path))
        except (OSError, RuntimeError) as error:
            raise RunError(f"checkpoint '{path}' cannot be written ({error}); free disk space or rights, then --resume")
        self.logger.save_model(path, self.current_learning_iteration)

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict:
        """Load a checkpoint without executing code in it; training then goes on at the next iteration.

        Raises:
            RunError: If the file is no checkpoint, or one of other networks.
        """
        loaded = read_checkpoint(Path(path), map_location or self.device)
        try:
            load_iteration = self.alg.load(loaded, load_cfg, strict)
        except (RuntimeError, ValueError) as error:
            detail = " ".join(str(error).split())[:200]
            raise RunError(
                f"checkpoint '{path}' is of other networks than this task's ({detail});"
                " give the task and the agent options it was trained with"
            ) from error
        if load_iteration:
            self.current_learning_iteration = loaded["iter"] + 1
            self.logger.start_iteration = loaded["iter"] + 1
        return loaded["infos"]

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, frame: object) -> None:
            if self.stop_signal is not None and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.stop_signal = number

        previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
