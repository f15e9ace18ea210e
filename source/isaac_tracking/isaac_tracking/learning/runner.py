# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The stock loop, with checkpoints that are always whole, a run that can be stopped, and one that goes on."""

from __future__ import annotations

import logging
import math
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import torch
from rsl_rl.runners import OnPolicyRunner

from ..signals import handled_by
from .checkpoint import read_checkpoint, write_checkpoint
from .curves import plot_curves
from .hardest_clips import append_hardest
from .ranks_agree import agreed_signal, check_ranks_agree
from .run_logger import RunLogger
from .runs import TABLE, RunError, checkpoints, clean_parts

_logger = logging.getLogger(__name__)


class StopTrainingError(Exception):
    """Training was asked to stop; the iteration that was under way is complete."""


class Runner(OnPolicyRunner):
    """rsl_rl's :class:`OnPolicyRunner`; its loop is untouched, only saving, loading and logging are ours.

    The first Ctrl-C or SIGTERM lets the iteration finish, saves a checkpoint and stops; a second Ctrl-C stops at once.
    With several ranks (``WORLD_SIZE`` above 1) the first one writes the run folder, a signal to any of them stops all
    after the same iteration, and at every checkpoint their networks must be equal.
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
            RunError: If the run folder cannot be written, or learning broke down; earlier checkpoints stay.
        """
        self.logger.start_iteration = self.current_learning_iteration
        if self.logger.log_dir and not self.logger.disable_logs:
            clean_parts(Path(self.logger.log_dir))
        log = self.logger.log

        def log_and_stop(**kwargs) -> None:
            self._check_losses(kwargs["loss_dict"])
            log(**kwargs)
            number = self._settle(kwargs["it"], kwargs["total_it"])
            if number is not None:
                self.stop_signal = number
                raise StopTrainingError

        self.logger.log = log_and_stop  # type: ignore[method-assign]
        try:
            with handled_by(self._stop):
                self._learn_until_stopped(num_learning_iterations, init_at_random_ep_len)
        except OSError as error:
            raise RunError(
                f"training cannot write to '{self.logger.log_dir}' ({error}); free disk space or rights, then --resume"
            ) from error
        except (RuntimeError, ValueError) as error:
            # Sampling from weights that are not finite, for one.
            if isinstance(error, RunError) or self._weights_are_finite():
                raise
            raise self._broken_down("weights are not finite") from error
        finally:
            self.logger.log = log  # type: ignore[method-assign]
        if self.logger.writer is not None and self.logger.log_dir:
            self._plot(Path(self.logger.log_dir) / TABLE)

    def save(self, path: str, infos: dict | None = None) -> None:
        """Save weights, optimizer, normalizers, samplers, random states and totals.

        Raises:
            RunError: If the file cannot be written; earlier checkpoints stay as they are.
        """
        saved = self.alg.save() | {"iter": self.current_learning_iteration, "infos": infos}
        saved["log"] = self.logger.state_dict()
        try:
            write_checkpoint(saved, Path(path))
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"checkpoint '{path}' cannot be written ({error}); free disk space or rights, then --resume"
            ) from error
        self.logger.save_model(path, self.current_learning_iteration)
        if self.logger.writer is not None and self.logger.log_dir and hasattr(self.alg, "hardest_clips"):
            append_hardest(Path(self.logger.log_dir), self.current_learning_iteration, self.alg.hardest_clips())

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
        except RunError:
            raise
        except (RuntimeError, ValueError, KeyError) as error:
            detail = " ".join(str(error).split())[:200]
            raise RunError(
                f"checkpoint '{path}' is of other networks than this task's ({detail});"
                " give the task and the agent options it was trained with"
            ) from error
        if load_iteration:
            self.current_learning_iteration = loaded["iter"] + 1
            self._load_log(loaded)
        return loaded.get("infos") or {}

    def _load_log(self, loaded: Mapping) -> None:
        if "log" in loaded:
            self.logger.load_state_dict(loaded["log"])
            return
        # A checkpoint of the stock runner: what this number of environments would have done.
        steps = self.cfg["num_steps_per_env"] * self.env.num_envs * self.gpu_world_size
        self.logger.tot_timesteps = self.current_learning_iteration * steps

    def _learn_until_stopped(self, num_learning_iterations: int, init_at_random_ep_len: bool) -> None:
        try:
            super().learn(num_learning_iterations, init_at_random_ep_len)
        except StopTrainingError:
            if self.logger.writer is not None and self.logger.log_dir:
                self.save(str(Path(self.logger.log_dir) / f"model_{self.current_learning_iteration}.pt"))
                self.logger.stop_logging_writer()

    def _settle(self, it: int, total_it: int) -> int | None:
        """Check the networks where a checkpoint follows, and return the signal that stops all ranks, if any.

        Raises:
            RunError: If weights are not finite, or the ranks' networks differ.
        """
        # A signal that comes after this is for the next iteration, on this rank as on the others.
        number = agreed_signal(self.stop_signal, self.device) if self.is_distributed else self.stop_signal
        due = number is not None or it % self.cfg["save_interval"] == 0 or it + 1 == total_it
        if due and self.logger.log_dir:
            # A gradient of the last minibatch that is not finite shows in no loss.
            if not self._weights_are_finite():
                raise self._broken_down("weights are not finite")
            if self.is_distributed:
                check_ranks_agree(self.alg.save(), self.device)
        return number

    def _configure_multi_gpu(self) -> None:
        """Join the other ranks: as the stock runner does on GPUs, and over gloo on a CPU, which it does not know."""
        if self.device != "cpu" or int(os.environ.get("WORLD_SIZE", "1")) == 1:
            super()._configure_multi_gpu()
            return
        self.is_distributed = True
        self.gpu_world_size, self.gpu_global_rank = int(os.environ["WORLD_SIZE"]), int(os.environ["RANK"])
        self.gpu_local_rank = self.gpu_global_rank
        self.cfg["multi_gpu"] = {
            "global_rank": self.gpu_global_rank,
            "local_rank": self.gpu_local_rank,
            "world_size": self.gpu_world_size,
        }
        if torch.distributed.is_initialized():  # by an earlier runner of this process
            return
        torch.distributed.init_process_group("gloo", rank=self.gpu_global_rank, world_size=self.gpu_world_size)

    def _check_losses(self, losses: Mapping[str, float]) -> None:
        """Stop as soon as a loss says that learning broke down.

        Raises:
            RunError: If a loss is not finite.
        """
        for name, value in losses.items():
            if not math.isfinite(value):
                raise self._broken_down(f"loss '{name}' is {value}")

    def _weights_are_finite(self) -> bool:
        values = [value for model in (self.alg.actor, self.alg.critic) for value in model.parameters()]
        # The device is waited for once.
        return bool(torch.stack([torch.isfinite(value).all() for value in values]).all())

    def _broken_down(self, what: str) -> RunError:
        saved = checkpoints(Path(self.logger.log_dir)) if self.logger.log_dir else []
        last = f"go on with --checkpoint {saved[-1]} and" if saved else "start again with"
        return RunError(f"learning broke down: {what}; {last} a lower agent.algorithm.learning_rate or max_grad_norm")

    def _plot(self, table: Path) -> None:
        """Draw the curves, which can be done without: all that was learned is saved."""
        try:
            plot_curves(table)
        except OSError as error:
            _logger.warning("the curves of %s are not drawn (%s); their numbers are in it", table, error)

    def _stop(self, number: int, frame: object) -> None:
        if self.stop_signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.stop_signal = number
