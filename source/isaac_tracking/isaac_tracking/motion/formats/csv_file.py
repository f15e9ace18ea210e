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

_MILLISECONDS = (4.0, 100.0)
"""Steps of a leading column that are taken as milliseconds: 250 to 10 frames per second."""

_WHAT = "rows of root position, root quaternion and joint angles"


def read_csv(path: Path, robot: Robot, options: ReadOptions) -> list[RawMotion]:
    """Read a table of one motion, with or without a header line and a leading column of time or frame numbers.

    Columns are separated by commas, semicolons or white space. A header that names the robot's joints decides their
    order; a leading column that grows evenly gives the frame rate if its steps are seconds or milliseconds.

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
    table, header, fps, notes = _without_clock(path, table, header, robot)
    names, by_header = _joint_names(path, header, table.shape[1], robot)
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
            notes=(*notes, *by_header),
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
    path: Path, table: np.ndarray, header: list[str], robot: Robot
) -> tuple[np.ndarray, list[str], float | None, tuple[str, ...]]:
    """Take a leading column of time or frame numbers away; return the table, its header, the frame rate and notes.

    Raises:
        ClipError: If there is one column too many, and the first one is no clock.
    """
    joints, shorter = len(robot.joint_names), sum("wrist" not in name for name in robot.joint_names)
    if table.shape[1] - 1 not in (_ROOT + joints, _ROOT + shorter) or len(table) < 3:
        return table, header, None, ()
    clock = table[:, 0] - table[0, 0]
    step = float(clock[-1]) / (len(clock) - 1)
    decimals = _decimals(clock)
    # Rounded times are off a straight line by half of their last digit, and so are the two that the line goes through.
    slack = 1.01 * 10.0**-decimals + 0.02 * step
    is_even = step > 0.0 and np.abs(clock - np.linspace(0.0, clock[-1], len(clock))).max() <= slack
    if not is_even or np.diff(clock).min() < 0.0 or (decimals == 0 and step < 1.0):
        raise ClipError(
            f"motion file '{path}': it has {table.shape[1] - _ROOT} joints (7 root columns not counted), one too many,"
            f" and its first column does not grow evenly as times do; expected {joints}, or {shorter} without the"
            f" wrists, of {robot.name}; remove the column that is no part of the motion"
        )
    table, header = table[:, 1:], header[1:]
    if step < 1.0:
        fps = _rate(step, len(clock), decimals)
        return table, header, fps, (f"{fps:g} fps by the times in its first column",)
    if _MILLISECONDS[0] <= step <= _MILLISECONDS[1]:
        fps = _rate(step / 1e3, len(clock), decimals + 3)
        return table, header, fps, (f"{fps:g} fps by its first column, taken as milliseconds; --fps decides",)
    what = "counts the frames" if step == 1.0 else f"grows by {step:g} a row, which is no known rate,"
    return table, header, None, (f"its first column {what} and was left out",)


def _decimals(values: np.ndarray) -> int:
    """Return the number of decimals that the numbers are rounded to, 9 if they are not."""
    scaled = (values * 10.0**decimals for decimals in range(9))
    return next((decimals for decimals, v in enumerate(scaled) if np.abs(v - np.rint(v)).max() < 1e-3), 9)


def _rate(step: float, rows: int, decimals: int) -> float:
    """Return the frame rate [1/s]: a whole number if the rounded times leave it open, for their span is rounded too."""
    fps = 1.0 / step
    unsure = fps * 10.0**-decimals / (step * (rows - 1))
    return float(round(fps)) if abs(fps - round(fps)) <= unsure else round(fps, 3)


def _joint_names(
    path: Path, header: list[str], width: int, robot: Robot
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return the names of the joint columns if the header has names of joints, and notes; a mere title row has none."""
    columns = tuple(re.sub(r"_dof$", "", field) for field in header[_ROOT:])
    columns = tuple(f"{field}_joint" if f"{field}_joint" in robot.joint_names else field for field in columns)
    known = [field for field in columns if field in robot.joint_names]
    if known:
        return columns, ()
    if any(field.endswith("_joint") for field in columns):
        raise ClipError(
            f"motion file '{path}' names joints of another robot ({columns[0]}, ...); expected those of {robot.name};"
            " retarget it first"
        )
    unused = f"its header was left out: it names no joint of {robot.name} ({', '.join(columns[:2])}, ...)"
    return None, (unused,) * (len(header) == width)
