# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py synthesize``: make the clips that come with the project again."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..motion_robots import motion_robot


@dataclass
class Synthesize:
    """Make the motions that come with the project, by its own code.

    Example: motions.py synthesize out walk squat
    """

    output: Annotated[Path, tyro.conf.Positional]
    """Folder for the clips."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Motions to make; all if none is named. An unknown name is answered with the choices."""

    jobs: int = 1
    """Number of processes."""

    def __call__(self) -> int:
        """Make the clips; 1 if one of them failed."""
        from ...motion.synthesis import CLIP_NAMES
        from ..errors import OptionError
        from ..terminal import print_line
        from .batch import run_batch

        unknown = [name for name in self.names if name not in CLIP_NAMES]
        if unknown:
            raise OptionError(f"motion '{unknown[0]}' is unknown; choose from {', '.join(CLIP_NAMES)}")
        work = functools.partial(_synthesize, output=self.output)
        outcomes = run_batch("synthesize", self.names or CLIP_NAMES, work, self.jobs)
        for outcome in outcomes:
            print_line(f"{outcome.item}: {outcome.fault or outcome.result}")
        return int(any(outcome.fault for outcome in outcomes))


def _synthesize(name: str, output: Path) -> str:
    """Make one clip and return what was written."""
    from ...motion.synthesis import synthesize

    clip = synthesize(name, motion_robot())
    clip.save(output / f"{name}.npz")
    return f"{clip.duration:.2f} s, {output / f'{name}.npz'}"
