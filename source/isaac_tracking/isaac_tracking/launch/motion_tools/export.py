# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py export``: motions written as the files of other projects."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ...motion.formats.options import HIGHEST_FPS, LOWEST_FPS, ReadOptions
from ..errors import OptionError
from ..motion_robots import ROBOT_NAMES

if TYPE_CHECKING:
    from .convert_plan import Task


@dataclass
class Export:
    """Write clips, or any robot motion that convert reads, in the format of another project.

    Nothing is moved or put on the ground. Files that are there already are skipped.

    Examples:
    motions.py export walk 'walk_*' --format beyondmimic --output out
    motions.py export clips/ --format unitree_csv --output csv --fps 30 --jobs 4
    motions.py export clips/ --format mjlab --output mjlab --force
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CLIP...")]
    """Names or patterns of shipped clips, files, folders, manifests. A folder's files keep their places below it."""

    output: Path
    """Folder for the files."""

    format: Literal["clip", "beyondmimic", "mjlab", "unitree_csv"]
    """clip: our own; beyondmimic: NPZ in PhysX's breadth-first order; mjlab: NPZ in MuJoCo's depth-first order;
    unitree_csv: rows of root position, root quaternion and joints, with quaternion order and
    frame rate in the file's name."""

    fps: float | None = None
    """Frame rate of the written motions [1/s]; that of each motion if none is given."""

    quaternion_order: Literal["xyzw", "wxyz"] | None = None
    """Order of the written quaternions; by default the format's own: xyzw in a CSV, wxyz in an NPZ."""

    read: ReadOptions = field(default_factory=ReadOptions)
    """What foreign files are, where it cannot be found out."""

    robot: Literal[ROBOT_NAMES] = ROBOT_NAMES[0]  # type: ignore[valid-type]
    """Robot of the motions."""

    jobs: int = 1
    """Number of processes."""

    force: bool = False
    """Write over files that are there already."""

    def __call__(self) -> int:
        """Write the files; 1 if one of the motions failed."""
        from ...motion.formats import is_motion_file
        from ..terminal import print_line
        from .batch import run_batch
        from .convert_plan import make_plan
        from .inputs import files_and_folders

        self._check()
        output = self.output.expanduser()
        plan = make_plan(files_and_folders(self.paths), output, is_motion_file, mirror=False)
        work = functools.partial(_export, order=self, root=output)
        written, skipped, failed = 0, 0, [f"{place}: {reason}" for place, reason in plan.faults]
        for outcome in run_batch("export", plan.tasks, work, self.jobs):
            if outcome.fault is not None:
                failed.append(outcome.fault)
                continue
            written += len(outcome.result.written)
            skipped += outcome.result.skipped
            failed += outcome.result.faults
            for name in outcome.result.written:
                print_line(f"{outcome.item.shown}: {name}")
            for sentence in outcome.result.assumed:
                print_line(f"{outcome.item.shown}: {sentence}")
        for fault in failed:
            print_line(f"failed: {fault}")
        print_line(f"{written} written, {skipped} skipped as they are there, {len(failed)} failed; folder {output}")
        return int(bool(failed))

    def _check(self) -> None:
        """Refuse options that cannot be before anything is read."""
        if not self.paths:
            raise OptionError("give the clips to export: names, files or folders")
        if self.fps is not None and not LOWEST_FPS <= self.fps <= HIGHEST_FPS:
            raise OptionError(f"--fps is {self.fps:g}; give {LOWEST_FPS:g} to {HIGHEST_FPS:g}")
        if self.jobs < 1:
            raise OptionError(f"--jobs is {self.jobs}; give a whole number above 0")
        if self.format == "clip" and self.quaternion_order == "wxyz":
            raise OptionError("--quaternion-order wxyz does not go with --format clip; a clip is always xyzw")
        if self.output.expanduser().exists() and not self.output.expanduser().is_dir():
            raise OptionError(f"output '{self.output}' is a file; give a folder")


@dataclass(frozen=True)
class Exported:
    """What became of one file."""

    written: tuple[str, ...]
    """Names of the files that were written, within the output folder."""

    skipped: int
    """Number of motions whose file was there."""

    faults: tuple[str, ...]
    """What is wrong with the other motions, a line each."""

    assumed: tuple[str, ...] = ()
    """What was assumed of those that were written; their files state it as a fact."""


@functools.cache
def _robot(name: str):
    """Return the robot; its model is read once a process."""
    from ..motion_robots import motion_robot

    return motion_robot(name)


def _export(task: Task, order: Export, root: Path) -> Exported:
    """Write all motions of one file."""
    from ...motion.clip import ClipError
    from ...motion.formats import output_name, read_outcomes, write_motion
    from ...motion.processing import resample

    robot = _robot(order.robot)
    try:
        outcomes = read_outcomes(task.path, robot, order.read)
    except ClipError as error:
        raise ClipError(_with_read_flags(str(error))) from error
    folder, _, stem = task.key.rpartition("/")
    written, skipped, faults, assumed = [], 0, [], []
    for outcome in outcomes:
        if isinstance(outcome, ClipError):
            faults.append(_with_read_flags(str(outcome)))
            continue
        name = stem if len(outcomes) == 1 else f"{stem}_{outcome.name}"
        target = root / folder / output_name(name, order.fps or outcome.fps, order.format, order.quaternion_order)
        shown = target.relative_to(root).as_posix()
        if shown in written:
            faults.append(f"motion file '{task.path}' has two motions for '{shown}'; expected different names; rename")
        elif target.exists() and not order.force:
            skipped += 1
        else:
            clip = resample(outcome, robot, order.fps) if order.fps is not None else outcome
            write_motion(clip, target, order.format, robot, order.quaternion_order)
            written.append(shown)
            assumed += [sentence for sentence in outcome.history if "assumed" in sentence and sentence not in assumed]
    return Exported(tuple(written), skipped, tuple(faults), tuple(assumed))


def _with_read_flags(fault: str) -> str:
    """Return a fault with the flags that say what a file is; those without ``read`` say what is written."""
    flags = "|".join(field.name.replace("_", "-") for field in fields(ReadOptions))
    return re.sub(rf"--(?=(?:{flags})\b)", "--read.", fault)
