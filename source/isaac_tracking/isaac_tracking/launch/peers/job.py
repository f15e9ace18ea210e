# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a process is to measure, as a file that any Python can read."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE = 50.0
"""Control rate of all tasks [Hz]."""
TASKS = {"ours": "Isaac-Tracking-G1-v0", "mjlab": "Mjlab-Tracking-Flat-Unitree-G1", "wbc": "Wbc-G1"}
"""Task of each project."""
REFUSED = 2
"""Exit code of a process that says in its last line why it cannot measure."""


class PeerError(ValueError):
    """Something that keeps a task from being measured, in one sentence."""


@dataclass(frozen=True)
class PeerJob:
    """One measurement of one task."""

    who: str
    """One of :data:`TASKS`."""
    motions: tuple[str, ...]
    """The clips, as our own task takes them."""
    archive: str
    """The same clips as a file for the others, see :mod:`.archive`."""
    overrides: tuple[str, ...]
    """Settings of our own task, as ``key=value``."""
    device: str
    """``"cpu"`` or a GPU."""
    num_envs: int
    """Environments at once."""
    seed: int
    """Seed of all random numbers."""
    steps: int = 0
    """Timed steps."""
    iterations: int = 0
    """Timed iterations of training."""
    goal: float | None = None
    """Mean error of the bodies' positions at which a training ends [m]; None to measure speed."""
    time_limit: float = 0.0
    """Time after which such a training ends in any case [s]."""

    def save(self, path: Path) -> None:
        """Write the job to a file."""
        path.write_text(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def load(cls, path: Path) -> PeerJob:
        """Read a job from a file."""
        content: dict[str, Any] = json.loads(path.read_text())
        for name in ("motions", "overrides"):
            content[name] = tuple(content[name])
        return cls(**content)
