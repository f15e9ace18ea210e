# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Rows of numbers: root position, root quaternion, joint angles (Unitree's retargeted LAFAN1)."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from ..clip import ClipError
from ..robot import Robot
from .options import ReadOptions
from .raw import RawMotion

ORDER_IN_NAME = re.compile(r"xyzw|wxyz", re.IGNORECASE)
"""A quaternion order in the name of a file; it decides where the motion does not."""

_ROOT = 7
"""Root columns: x y z and a quaternion."""

_WHAT = "rows of root position, root quaternion and joint angles"


def read_csv(path: Path, robot: Robot, options: ReadOptions) -> list[RawMotion]:
    """Read a table of one motion, with or without a header line and a leading column of time or frame numbers.

    Columns are separated by commas, semicolons or white space. A header that names the robot's joints decides their
    order; a leading column that grows evenly gives the frame rate if its steps are seconds.

    Raises:
        ClipError: If it is not such a table.
        OSError: If it cannot be read.
    """
    lines = _lines(path, options.max_bytes)
    header: list[str] = []
    if not _is_numeric(_fields(lines[0])):
        header = _fields(lines[0])
        lines = lines[1:]
        if not lines:
            raise ClipError(f"motion file '{path}' has a header and no rows; expected {_WHAT}; copy or make it again")
    table = _table(path, lines)
    notes: tuple[str, ...] = ()
    table, header, fps, notes = _without_clock(table, header, robot)
    names = _joint_names(path, header, robot)
    orders = ORDER_IN_NAME.findall(path.stem)
    return [
        RawMotion(
            label=f"motion file '{path}'",
            name=path.stem,
            format="unitree_csv",
            root_pos=table[:, :3],
            root_quat=table[:, 3:_ROOT],
            joint_pos=table[:, _ROOT:],
            fps=fps,
            convention=orders[-1].lower() if orders else None,
            joint_names=names,
            notes=notes,
        )
    ]


def _lines(path: Path, max_bytes: int) -> list[str]:
    """Return the lines that hold something."""
    if path.stat().st_size > max_bytes:
        raise ClipError(
            f"motion file '{path}' has {path.stat().st_size / 1e6:.0f} MB; expected at most {max_bytes / 1e6:.0f} MB;"
            " split it into shorter motions"
        )
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClipError(f"motion file '{path}' is not text; expected {_WHAT}; copy or make it again") from error
    if "\0" in text:
        raise ClipError(f"motion file '{path}' is not text; expected {_WHAT}; copy or make it again")
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ClipError(f"motion file '{path}' is empty; expected {_WHAT}; copy or make it again")
    return lines


def _fields(line: str) -> list[str]:
    line = line.strip()
    for separator in ",;":
        if separator in line:
            return [field.strip().strip('"') for field in line.rstrip(separator + " ").split(separator)]
    return line.split()


def _is_numeric(fields: list[str]) -> bool:
    try:
        [float(field) for field in fields]
    except ValueError:
        return False
    return True


def _table(path: Path, lines: list[str]) -> np.ndarray:
    """Return the numbers, shape (rows, columns)."""
    width = len(_fields(lines[0]))
    if width < _ROOT + 1:
        raise ClipError(
            f"motion file '{path}' has {width} columns; expected {_WHAT}, 36 for 29 joints; give a motion of the robot"
        )
    separator = next((s for s in ",;" if s in lines[0]), None)
    clean = [line.strip().rstrip(f"{separator or ''} ") for line in lines]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return np.loadtxt(clean, delimiter=separator, dtype=np.float64, ndmin=2, comments=None)
    except (ValueError, OverflowError, Warning) as error:
        for number, line in enumerate(clean):
            fields = _fields(line)
            if len(fields) != width or not _is_numeric(fields):
                what = f"{len(fields)} columns" if len(fields) != width else "something that is no number"
                raise ClipError(
                    f"motion file '{path}' has {what} in row {number + 1}; expected {width} numbers in every row;"
                    " correct or cut the row"
                ) from error
        raise ClipError(f"motion file '{path}' is no table of numbers ({error}); expected {_WHAT}") from error


def _without_clock(
    table: np.ndarray, header: list[str], robot: Robot
) -> tuple[np.ndarray, list[str], float | None, tuple[str, ...]]:
    """Take a leading column of time or frame numbers away; return the table, its header, the frame rate and notes."""
    widths = {_ROOT + len(robot.joint_names), _ROOT + sum("wrist" not in name for name in robot.joint_names)}
    if table.shape[1] - 1 not in widths or len(table) < 3:
        return table, header, None, ()
    steps = np.diff(table[:, 0])
    step = float(np.median(steps))
    if not (step > 0.0 and np.abs(steps - step).max() <= 0.02 * step + 1e-6):
        return table, header, None, ()
    table, header = table[:, 1:], header[1:]
    if step >= 1.0:
        return table, header, None, ("its first column counts the frames and was left out",)
    # Times are often rounded to milliseconds: the whole span says more than one step.
    fps = round(float(len(steps) / steps.sum()), 3)
    return table, header, fps, (f"{fps:g} fps by the times in its first column",)


def _joint_names(path: Path, header: list[str], robot: Robot) -> tuple[str, ...] | None:
    """Return the names of the joint columns if the header has names of joints; a mere title row has none."""
    columns = tuple(re.sub(r"_dof$", "", field) for field in header[_ROOT:])
    known = [field for field in columns if field in robot.joint_names]
    if not known and not any(field.endswith("_joint") for field in columns):
        return None
    if not known:
        raise ClipError(
            f"motion file '{path}' names joints of another robot ({columns[0]}, ...); expected those of {robot.name};"
            " retarget it first"
        )
    return columns
