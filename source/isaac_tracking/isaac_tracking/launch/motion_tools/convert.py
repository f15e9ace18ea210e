# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``motions.py convert``: motion files of other projects made into clips of this one."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ...motion.formats.options import HIGHEST_FPS, LOWEST_FPS, ReadOptions
from ..errors import OptionError
from ..motion_robots import ROBOT_NAMES

if TYPE_CHECKING:
    from .batch import Outcome
    from .convert_file import Recipe
    from .convert_plan import ConvertPlan, Task

_ANY = "'...'"
"""What stands for a file's name in a fault that may be that of many files."""


@dataclass
class Convert:
    """Make clips of motion files: CSV, NPZ and pickles of other projects, BVH and NPY of human motion capture.

    What a file does not say is found out from its content; a file that can be read in two ways is refused, with the
    flag that decides. A second call goes on where the first ended: what is done is skipped.

    Examples:
    motions.py convert dance.csv clips/
    motions.py convert lafan1/ my_recordings/ clips/ --jobs 8 --mirror
    motions.py convert walk.csv walk.npz --trim 1.0 6.5 --lead-in 2 --lead-out 2
    motions.py convert old.npz clips/ --fps 30 --quaternion-order wxyz
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="INPUT... OUTPUT")]
    """Files and folders to convert, and last the folder for the clips. A folder's files keep their places below it.
    With one file, the output may be a file that ends in .npz."""

    read: Annotated[ReadOptions, tyro.conf.arg(name="")] = field(default_factory=ReadOptions)
    """What the files are, where it cannot be found out."""

    fps_out: float = 50.0
    """Frame rate of the clips [1/s]; 50 is the tasks' control rate."""

    ground: Literal["auto", "offset", "none"] = "auto"
    """auto: float and dip are removed; offset: one shift of the whole motion; none: heights stay as they are, and
    contacts are not labelled."""

    trim: tuple[float, float] | None = None
    """Keep only the part from START to END [s]; an END beyond the motion's, or inf, is its end."""

    lead_in: float = 0.0
    """Time in which the default pose flows into the motion, put before it [s]. Other projects take 2."""

    lead_out: float = 0.0
    """Time in which the motion flows into the default pose, put after it [s]."""

    loop: int = 1
    """How often the motion is repeated; it must end in the pose it starts from."""

    keep_ends: bool = False
    """Keep a first or last frame that does not belong to the rest; else up to two are dropped at each end."""

    normalize: bool = True
    """Start at x = y = 0, heading along +x."""

    mirror: bool = False
    """Write a twin with left and right exchanged as well, NAME_mirrored.npz."""

    source: str | None = None
    """Where the motions come from, written into the clips."""

    license: str | None = None
    """Licence of the motions, an SPDX identifier where there is one, written into the clips."""

    robot: Literal[ROBOT_NAMES] = ROBOT_NAMES[0]  # type: ignore[valid-type]
    """Robot of the motions."""

    jobs: int = 1
    """Number of processes."""

    force: bool = False
    """Convert again what is done, and write over files that this command did not make."""

    def __call__(self) -> int:
        """Convert the files; 1 if one of them failed."""
        from ..terminal import print_line
        from . import convert_record
        from .batch import run_batch
        from .convert_file import Order, convert_file, is_done

        self._check()
        plan, single = self._plan()
        entries = {} if single else convert_record.load_entries(plan.root)
        recipe = self._recipe()
        orders = [Order(task, entries.get(task.key)) for task in plan.tasks]
        left = orders if self.force else [order for order in orders if not is_done(order, recipe, plan.root)]
        work = functools.partial(convert_file, recipe=recipe, root=plan.root, record=not single, force=self.force)
        outcomes = run_batch("convert", left, work, self.jobs)
        if not single and plan.root.is_dir():
            convert_record.tidy(plan.root)
        for line in summary(plan, outcomes, len(orders) - len(left)):
            print_line(line)
        return int(bool(plan.faults) or any(outcome.fault or outcome.result.faults for outcome in outcomes))

    def _check(self) -> None:
        """Refuse options that cannot be before anything is read."""
        if len(self.paths) < 2:
            raise OptionError("give the files or folders to convert, and last the folder for the clips")
        if not LOWEST_FPS <= self.fps_out <= HIGHEST_FPS:
            raise OptionError(f"--fps-out is {self.fps_out:g}; give {LOWEST_FPS:g} to {HIGHEST_FPS:g}")
        if self.trim is not None and not 0.0 <= self.trim[0] < self.trim[1]:
            raise OptionError(f"--trim is {self.trim[0]:g} {self.trim[1]:g}; give a start of 0 or more and a later end")
        for name in ("lead_in", "lead_out"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0.0):
                flag = f"--{name.replace('_', '-')}"
                raise OptionError(f"{flag} is {getattr(self, name):g}; give a number of seconds, 0 or more")
        for name in ("loop", "jobs"):
            if getattr(self, name) < 1:
                raise OptionError(f"--{name} is {getattr(self, name)}; give a whole number above 0")

    def _plan(self) -> tuple[ConvertPlan, bool]:
        """Return what will be done, and whether the output is one file."""
        from .convert_plan import make_plan

        *inputs, output = (path.expanduser() for path in self.paths)
        single = output.suffix == ".npz" and not output.is_dir()
        if not single and output.exists() and not output.is_dir():
            raise OptionError(f"output '{output}' is a file; give a folder for the clips")
        if single:
            return _plan_one(inputs, output), True
        return make_plan(inputs, output, _is_motion_file, self.mirror), False

    def _recipe(self) -> Recipe:
        from .convert_file import Recipe

        options = {name: getattr(self, name) for name in Recipe.__dataclass_fields__}
        return Recipe(**options)


def _is_motion_file(path: Path) -> bool:
    from ...motion.formats import is_motion_file
    from ...motion.retarget import is_human_file

    return is_motion_file(path) or is_human_file(path)


def _plan_one(inputs: Sequence[Path], output: Path) -> ConvertPlan:
    """Return the plan of making one clip file of one motion file.

    Raises:
        OptionError: If the input is not one file that exists, or the output itself.
    """
    from .convert_plan import ConvertPlan, Task

    if len(inputs) > 1 or inputs[0].is_dir():
        raise OptionError(f"output '{output}' is one file, the inputs are several; give a folder for the clips")
    if not inputs[0].exists():
        raise OptionError(f"'{inputs[0]}' does not exist; give files or folders with motions")
    if output.resolve() == inputs[0].resolve():
        raise OptionError(f"'{output}' is input and output; give another output")
    return ConvertPlan(output.parent, (Task(inputs[0], str(inputs[0]), output.stem),), ())


def summary(plan: ConvertPlan, outcomes: Sequence[Outcome], skipped: int) -> list[str]:
    """Return a line for each file that was converted, then how many were, and every failure with its reason."""
    lines, reasons = [], {}
    for place, reason in plan.faults:
        reasons.setdefault(reason, []).append(place)
    converted = clips = 0
    seconds = 0.0
    for outcome in outcomes:
        task = outcome.item.task
        if outcome.fault is not None:
            reasons.setdefault(_reason(outcome.fault, task), []).append(task.shown)
            continue
        entry = outcome.result
        for fault in entry.faults:
            reasons.setdefault(_reason(fault, task), []).append(task.shown)
        converted += 1
        clips += len(entry.outputs)
        seconds += entry.seconds
        what = f"{entry.fps:.4g} fps, {entry.seconds:.2f} s, {_motions(entry.outputs)}"
        lines.append(f"{task.shown}: {what} | {'; '.join(entry.read)}")
    for reason, files in reasons.items():
        names = list(dict.fromkeys(files))
        if len(names) == 1 and _ANY in reason:
            lines.append(f"failed, {len(files)} x: {reason.replace(_ANY, repr(names[0]))}")
        else:
            lines.append(f"failed, {len(files)} x: {reason}: {', '.join(names)}")
    failed = len({file for files in reasons.values() for file in files})
    where = f"clips are in {plan.root}" if converted or skipped else "nothing was written"
    lines.append(
        f"{converted} converted ({clips} clips, {seconds:.1f} s of motion), {skipped} skipped as done, {failed} failed;"
        f" {where}"
    )
    return lines


def _motions(outputs: Sequence[str]) -> str:
    return outputs[0] if len(outputs) == 1 else f"{outputs[0]} and {len(outputs) - 1} more"


def _reason(fault: str, task: Task) -> str:
    """Return a fault without the file's own name, so that equal faults of many files are told once."""
    stem = PurePosixPath(task.key).name
    for own in (str(task.path.resolve()), task.shown, task.path.name, stem):
        fault = fault.replace(f"'{own}'", _ANY)
    return fault
