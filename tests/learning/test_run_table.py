# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``logs.csv`` stays readable whatever happened to it."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

from isaac_tracking.learning.curves import plot_curves
from isaac_tracking.learning.run_table import RunTable, read_table


def test_columns_grow_and_rows_stay(tmp_path: Path):
    path = tmp_path / "logs.csv"
    table = RunTable(path)
    table.append({"iteration": 0, "a": 0.5})
    table.append({"iteration": 1, "a": 1 / 3, "b": 2.0})
    table.append({"iteration": 2, "b": 3.0})
    assert path.read_text().splitlines() == ["iteration,a,b", "0,0.5,", "1,0.333333,2", "2,,3"]


def test_resumed_table_has_each_iteration_once(tmp_path: Path):
    path = tmp_path / "logs.csv"
    path.write_text("iteration,a\n0,1\n1,2\n1,2\n2,3\n3,4\n")
    table = RunTable(path, start_iteration=2)
    table.append({"iteration": 2, "a": 9.0})
    assert [row["iteration"] for row in read_table(path)[1]] == ["0", "1", "2"]
    assert read_table(path)[1][-1]["a"] == "9"


@pytest.mark.parametrize("tail", ["2,0.9", "2", "2,0.9,", "\0\0\0", "2,,,,,\n", "x,1,2\n", '"2,1', "\n\n"])
def test_broken_end_is_dropped(tmp_path: Path, tail: str):
    path = tmp_path / "logs.csv"
    path.write_text("iteration,a,b\n0,1,2\n1,3,4\n" + tail)
    RunTable(path, start_iteration=100).append({"iteration": 2, "a": 5, "b": 6})
    assert path.read_text() == "iteration,a,b\n0,1,2\n1,3,4\n2,5,6\n"


@pytest.mark.parametrize("text", ["", "iterat", "something,else\n1,2\n"])
def test_file_that_is_no_table_is_begun_again(tmp_path: Path, text: str):
    path = tmp_path / "logs.csv"
    path.write_text(text)
    RunTable(path, start_iteration=1).append({"iteration": 1, "a": 5})
    assert path.read_text() == "iteration,a\n1,5\n"


def test_curves_need_two_rows(tmp_path: Path):
    path = tmp_path / "logs.csv"
    assert plot_curves(path) is None
    path.write_text("iteration,mean_reward\n0,1\n")
    assert plot_curves(path) is None
    path.write_text("iteration,mean_reward\n0,1\n1,nan\n2,3\n3,")
    assert plot_curves(path) == tmp_path / "curves.png"


def test_curves_that_cannot_be_drawn_leave_the_old_ones_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, picture = tmp_path / "logs.csv", tmp_path / "curves.png"
    path.write_text("iteration,mean_reward\n0,1\n1,2\n")
    picture.write_text("old")

    def full(figure: object, file: Path | IO[bytes], **settings: object) -> None:
        (file.write_bytes if isinstance(file, Path) else file.write)(b"half a pict")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(OSError, match="No space left"):
        plot_curves(path)
    assert picture.read_text() == "old" and sorted(tmp_path.iterdir()) == [picture, path]


@pytest.mark.parametrize(
    ("columns", "titles"),
    [
        (["mean_reward"], ["mean reward per episode"]),
        (
            ["mean_reward", "Metrics/base_velocity/error_vel_yaw", "Curriculum/terrain_levels"],
            ["mean reward per episode", "velocity error", "level of the ground"],
        ),
        (["mean_reward", "Metrics/motion/error_body_rot"], ["mean reward per episode", "rotation error [rad]"]),
    ],
)
def test_a_run_has_the_panels_of_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: list[str], titles: list[str]
):
    drawn: list[str] = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda axes, title, **_: drawn.append(title))
    path = tmp_path / "logs.csv"
    ones = ",1" * len(columns)
    path.write_text(",".join(["iteration", *columns]) + f"\n0{ones}\n1{ones}\n")
    assert plot_curves(path) is not None
    assert drawn == titles
