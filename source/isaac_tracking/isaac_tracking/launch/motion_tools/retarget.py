# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py retarget``: from the motion of a human to clips of a robot."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ..motion_robots import motion_robot

if TYPE_CHECKING:
    from ...motion.retarget import RetargetOptions

_DONE_BEFORE = "there already; --force makes it again"


@dataclass
class Retarget:
    """Bring human motion capture to the robot: BVH (CMU, LAFAN1, Mixamo, SMPL names) and poselib NPY in, clips out.

    What a file does not say is found in it: the length unit by the legs, the vertical axis by the way from feet to
    head. Planted feet are held in their places. Files that are done already are left alone, so a batch can be
    taken up again.

    Examples:
    motions.py retarget walk.bvh walk.npz
    motions.py retarget mocap/ clips --jobs 4
    motions.py retarget run.npy dance.bvh clips --fps-out 50 --force
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="INPUT... OUTPUT")]
    """Files (.bvh, .npy) and folders of them; then a folder for the clips, or the clip (.npz) of one file."""

    fps_out: float = 50.0
    """Frames per second of the clips [1/s]."""

    scale: str = "auto"
    """Size of the robot's motion as a share of the human's: a number, or auto for the ratio of the legs' lengths."""

    up: str = "auto"
    """Axis that points up in the files: y, z, or auto."""

    unit: str = "auto"
    """Length unit of the files: m, cm, mm, inch, cmu, a number of metres, or auto."""

    cutoff: float = 8.0
    """Low-pass filter of the human's motion [Hz]; 0 for none."""

    lock_feet: bool = True
    """Hold planted feet in their places."""

    jobs: int = 1
    """Number of processes."""

    force: bool = False
    """Make clips again that exist."""

    def __call__(self) -> int:
        """Retarget the files; 1 if one of them failed."""
        from ..terminal import print_line
        from .batch import run_batch

        _check_packages()
        options = self._options()
        todo = _plan(self.paths)
        work = functools.partial(_retarget, options=options, force=self.force)
        outcomes = run_batch("retarget", todo, work, self.jobs)
        for outcome in outcomes:
            print_line(f"{outcome.item[0]}: {outcome.fault or outcome.result}")
        failed = [outcome for outcome in outcomes if outcome.fault]
        skipped = sum(outcome.result == _DONE_BEFORE for outcome in outcomes)
        made = len(outcomes) - len(failed) - skipped
        print_line(f"{made} retargeted, {skipped} there already, {len(failed)} failed")
        return int(bool(failed))

    def _options(self) -> RetargetOptions:
        """Return the options with numbers for words.

        Raises:
            OptionError: If a word is none of those known.
        """
        from ...motion.retarget import UNITS, RetargetOptions
        from ..errors import OptionError

        if self.up not in ("auto", "y", "z"):
            raise OptionError(f"--up is '{self.up}'; expected auto, y or z")
        unit = None if self.unit == "auto" else UNITS.get(self.unit) or _number("--unit", self.unit, ("auto", *UNITS))
        return RetargetOptions(
            fps=self.fps_out,
            scale=None if self.scale == "auto" else _number("--scale", self.scale, ("auto",)),
            up=None if self.up == "auto" else self.up,
            unit=unit,
            cutoff=self.cutoff,
            lock_feet=self.lock_feet,
        )


def _check_packages() -> None:
    """Refuse to start without what the inverse kinematics needs.

    Raises:
        OptionError: If a package is missing.
    """
    from ..errors import OptionError

    missing = [name for name in ("mujoco", "mink", "qpsolvers", "daqp") if importlib.util.find_spec(name) is None]
    if missing:
        raise OptionError(
            f"retarget needs {', '.join(missing)}; install with pip install --no-deps {' '.join(missing)}"
        )


def _number(option: str, text: str, words: Sequence[str]) -> float:
    from ..errors import OptionError

    try:
        return float(text)
    except ValueError:
        raise OptionError(f"{option} is '{text}'; expected {', '.join(words)} or a number") from None


def _plan(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return the files to read, each with the clip to write.

    Raises:
        OptionError: If there is no file, no output, or two files would be written to one clip.
    """
    from ...motion.retarget import HUMAN_SUFFIXES, is_human_file
    from ..errors import OptionError

    if len(paths) < 2:
        raise OptionError("retarget needs INPUT... and OUTPUT, e.g. motions.py retarget walk.bvh clips")
    *inputs, output = paths
    found: list[tuple[Path, Path]] = []
    for path in inputs:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and is_human_file(file))
            found += [(file, output / file.relative_to(path).with_suffix(".npz")) for file in files]
        elif not is_human_file(path):
            raise OptionError(f"'{path}' is not human motion capture; expected {' or '.join(HUMAN_SUFFIXES)}")
        elif not path.is_file():
            raise OptionError(f"'{path}' does not exist; check the path")
        else:
            found.append((path, output / f"{path.stem}.npz"))
    if not found:
        raise OptionError(f"no {' or '.join(HUMAN_SUFFIXES)} file in {', '.join(map(str, inputs))}")
    if output.suffix.lower() == ".npz":
        if len(found) > 1:
            raise OptionError(f"{len(found)} files cannot go into one clip '{output}'; give a folder")
        found = [(found[0][0], output)]
    elif is_human_file(output) or output.is_file():
        raise OptionError(f"output '{output}' is a file; expected a folder or a clip (.npz) as the last path")
    targets = [clip for _, clip in found]
    twice = next((clip for clip in targets if targets.count(clip) > 1), None)
    if twice is not None:
        raise OptionError(f"two of the files would be written to '{twice}'; retarget them into different folders")
    return found


def _retarget(item: tuple[Path, Path], options: RetargetOptions, force: bool) -> str:
    """Retarget one file and return what was written and what the doctor says of it."""
    import time

    source, output = item
    if output.exists() and not force:
        return _DONE_BEFORE
    from ...motion.doctor import examine
    from ...motion.retarget import retarget_motion

    robot = motion_robot()
    start = time.perf_counter()
    result = retarget_motion(source, robot, options)
    seconds = time.perf_counter() - start
    result.clip.save(output)
    diagnosis = examine(result.clip, robot)
    complaints = [finding.sentence() for finding in diagnosis.findings if finding.severity in ("warn", "reject")]
    return (
        f"{diagnosis.verdict}{': ' + '; '.join(complaints) if complaints else ''}. {result.clip.duration:.2f} s, scale"
        f" {result.scale:.3f}, limbs {1e2 * result.point_error:.1f} cm off on average,"
        f" {result.clip.num_frames / seconds:.0f} frames/s, {output}"
    )
