# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The process that measures one task: ``main([JOB, ROW])``, with any Python that has torch and the task."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..garbage import look_seldom
from .job import REFUSED, TASKS, PeerError, PeerJob

_VERSIONS = ("isaaclab", "newton", "mjlab", "wbc-mjlab", "mujoco-warp", "warp-lang", "rsl-rl-lib", "torch")
"""Packages whose versions are told."""


def main(argv: Sequence[str]) -> int:
    """Measure the job of the first file and write the numbers to the second.

    Returns:
        The exit code, :data:`.job.REFUSED` for what a user can mend.
    """
    # For all of them alike, as the threads and the folder are: ours trains with this setting in train.sh, and whatever
    # the others gain by it, which their own scripts do without, makes the comparison no easier for us.
    look_seldom()
    job, row = PeerJob.load(Path(argv[0])), Path(argv[1])
    ours = job.who == "ours"
    open_task = importlib.import_module(f"{__package__}.{'own_task' if ours else 'mjlab_task'}").open_task
    # Ours imports what the others' Python need not have.
    plain = importlib.import_module("isaac_tracking.launch.errors").USER_ERRORS if ours else (PeerError,)
    from .measure import measure

    try:
        with open_task(job) as task:
            task.facts |= {"task": TASKS[job.who], "versions": _versions()}
            numbers = measure(job, task)
    except plain as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        return REFUSED
    row.write_text(json.dumps(numbers))
    return 0


def _versions() -> dict[str, str]:
    versions = {}
    for name in _VERSIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
