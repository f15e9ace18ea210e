# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What examinations of checkpoints showed, as curves in the run's TensorBoard, each point there once."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from ..files import written_beside
from .checkpoint_monitor import Finding

SUFFIX = ".watch"
"""Suffix of our own event file, which nobody else writes."""


def write_curves(run: Path, findings: Sequence[Finding]) -> Path | None:
    """Make a run's event file hold all findings, at the iterations of their checkpoints.

    The whole file follows from the findings, so what is there already is compared byte by byte: nothing is doubled
    after a restart, and what a kill cut short is completed. Points that come after the others are appended, which a
    TensorBoard that is open takes up. When points come in between, or a training that went on opened a file of its own
    (TensorBoard reads files by date, and drops what lies behind the iteration at which a file begins), a new file
    takes the old one's place.

    Args:
        run: Run folder.
        findings: All findings, by iteration.

    Returns:
        The file, None if there is nothing to write.
    """
    wanted = _events(findings)
    ours = sorted(run.glob(f"events.out.tfevents.*{SUFFIX}"))
    if not findings:
        for path in ours:
            path.unlink()
        return None
    theirs = [path.name for path in run.glob("events.out.tfevents.*") if path.suffix != SUFFIX]
    if len(ours) == 1 and ours[0].name > max(theirs, default=""):
        there = ours[0].read_bytes()
        if wanted.startswith(there):
            if len(wanted) > len(there):
                with ours[0].open("ab") as file:
                    file.write(wanted[len(there) :])
            return ours[0]
    path = _new_file(run)
    with written_beside(path) as file:
        file.write(wanted)
    for old in ours:
        old.unlink()
    return path


def _events(findings: Sequence[Finding]) -> bytes:
    """Return the content of an event file with one event for each finding."""
    # Late, because it takes a second.
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    content = io.BytesIO()
    writer = RecordWriter(content)
    first = findings[0].time if findings else 0.0
    writer.write(Event(wall_time=first, file_version="brain.Event:2").SerializeToString())
    for finding in findings:
        values = [
            Summary.Value(tag=f"Evaluation/{finding.setting}/{name}", simple_value=value)
            for name, value in finding.metrics.items()
            if value is not None
        ]
        event = Event(wall_time=finding.time, step=finding.iteration, summary=Summary(value=values))
        writer.write(event.SerializeToString())
    return content.getvalue()


def _new_file(run: Path) -> Path:
    """Return a name that no file has and that sorts behind all event files of the run."""
    number, host = 0, socket.gethostname()
    while True:
        path = run / f"events.out.tfevents.{int(time.time())}.{host}.{os.getpid()}.z{number}{SUFFIX}"
        if not path.exists() and path.name > max(
            (other.name for other in run.glob("events.out.tfevents.*")), default=""
        ):
            return path
        number += 1
        time.sleep(0.1)
