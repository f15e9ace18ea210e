# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One stage of a pipeline, in a process of its own: ``train.sh`` with a folder that the pipeline chose."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .train import carry_out, make_plan

RESUME = "bash train.sh --pipeline --resume"
"""Command that goes on with a pipeline."""


def pipeline_stage(argv: Sequence[str]) -> int:
    """Train a stage, and return the exit code.

    Args:
        argv: Folder of the stage's run, and the arguments of ``train.sh``.

    Raises:
        OptionError, RunError, ClipError: If something the user gave cannot be used; nothing was written then.
    """
    threading.Thread(target=_stop_without_parent, args=(os.getppid(),), daemon=True).start()
    folder, *arguments = argv
    plan = make_plan(arguments, run=Path(folder))
    plan.resume = RESUME
    return carry_out(plan)


def _stop_without_parent(parent: int) -> None:
    """Finish the iteration, save and stop when the pipeline was killed: nobody would go on with the next stage."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)
