# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The runner of ``train.sh``: says what it does, records how the run was started, and films."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

from ..learning.runner import Runner
from ..learning.runs import RunError, lock_run, set_aside_after, write_record
from .buffer_warning import BufferWarning
from .run_folder import commit_of_checkout
from .stop import raise_if_stopped
from .terminal import Curtain, print_line

if TYPE_CHECKING:
    from .train_plan import TrainPlan


class PlannedRunner(Runner):
    """A :class:`Runner` that follows a plan; nothing is written before its training starts."""

    def follow(self, plan: TrainPlan, curtain: Curtain) -> None:
        """Take a plan.

        Args:
            plan: What to do.
            curtain: What hides the set-up's output; it is up while training.
        """
        self._plan, self._curtain, self._film = plan, curtain, None
        self.logger.readings.append(BufferWarning.attach().read)
        if hasattr(self.alg, "planned_updates"):
            # Not the iterations of this session: what depends on a run's progress goes on where it was.
            self.alg.planned_updates = plan.planned
        if plan.film is not None:
            from .families import family
            from .train_film import TrainFilm

            folder, recorder = plan.run / "videos" / "train", family(plan.task).recorder
            self._film = TrainFilm(self.env, folder, plan.film.length, plan.film.interval, recorder)

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict:
        """Load a checkpoint; learning rates that the user gave anew replace the checkpoint's."""
        # Until then the optimizer's are those of the settings.
        configured = [(group.get("name"), group["lr"]) for group in self.alg.optimizer.param_groups]
        infos = super().load(path, load_cfg, strict, map_location)
        # One rate for all networks, unless the algorithm says which settings decide which.
        deciding = getattr(self.alg, "rate_settings", {})
        groups = self.alg.optimizer.param_groups
        for group, (name, rate) in zip(groups, configured, strict=True):
            if not self._plan.rates.isdisjoint(deciding.get(name, ("learning_rate",))):
                group["lr"] = rate
        self.alg.learning_rate = groups[0]["lr"]
        return infos

    def learn(self, num_learning_iterations: int, init_at_random_ep_len: bool = False) -> None:
        """Show output, record how the run was started, and train."""
        # A signal during the set-up may have been swallowed; nothing has been written but Isaac Lab's own records.
        raise_if_stopped()
        hidden = self._curtain.down
        self._curtain.down = False
        # The scene is there, and stays. Isaac Lab looks for garbage once it has captured the physics, and walked
        # through all objects of all robots for it: 0.8 of 15.3 s to a first iteration on a GPU (docs/performance.md).
        gc.freeze()
        try:
            self._begin()
            if self.is_distributed:
                self._hide_until_log_opens(hidden)
            super().learn(num_learning_iterations, init_at_random_ep_len)
        except KeyboardInterrupt:
            self.stop_signal = self.stop_signal or signal.SIGINT
            raise
        finally:
            gc.unfreeze()
            self._curtain.down = hidden

    def save(self, path: str, infos: dict | None = None) -> None:
        """Save, with what a checkpoint alone needs to be played or trained on."""
        run = {"task": self._plan.task, "overrides": list(self._plan.overrides)}
        super().save(path, {"run": run, **(infos or {})})

    def _hide_until_log_opens(self, hidden: bool) -> None:
        """Leave out the line in which the stock loop says that it equalizes the ranks."""
        self._curtain.down = hidden
        open_log = self.logger.init_logging_writer

        def lift_and_open() -> None:
            self._curtain.down = False
            open_log()

        self.logger.init_logging_writer = lift_and_open  # type: ignore[method-assign]

    def _begin(self) -> None:
        plan = self._plan
        for name, value in plan.facts.items():
            print_line(f"{name:<13}{value}")
        if note := getattr(self.env.unwrapped, "step_note", ""):
            print_line(f"{'step':<13}{note}")
        resume = plan.resume or f"bash train.sh --resume{plan.task_option}{plan.ranks_options}"
        print_line(f"Ctrl-C finishes the iteration, saves, and stops; {resume} goes on")
        if self._film is not None:
            self._film.steps = self.current_learning_iteration * self.cfg["num_steps_per_env"]
            print_line("--video: training waits while a film is drawn, on a CPU for about 0.3 s a picture")
        if self.logger.disable_logs:
            return
        if plan.checkpoint is not None and not plan.is_new and (aside := set_aside_after(plan.checkpoint)):
            print_line(f"later checkpoints of the run are now in {aside[0].parent}")
        record = {
            "task": plan.task,
            "overrides": plan.overrides,
            "planned": plan.planned,
            "clips": list(plan.clips),
            "device": plan.device,
            "gpus": plan.gpus,
            "commit": commit_of_checkout(),
        }
        if plan.began_from is not None:
            record["began_from"] = plan.began_from
        write_record(plan.run, record)
        # A run that goes on was locked before anything was started; a new one has had no folder until now.
        with contextlib.suppress(RunError, OSError):
            lock_run(plan.run)

    def _stop(self, number: int, frame: object) -> None:
        super()._stop(number, frame)
        # Not through sys.stdout, which the signal may have interrupted in the middle of a line.
        os.write(
            sys.__stdout__.fileno() if sys.__stdout__ else 1, b"\nfinishing the iteration; Ctrl-C again stops at once\n"
        )
