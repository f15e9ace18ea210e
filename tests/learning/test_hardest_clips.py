# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The ranking of clips beside the checkpoints."""

from __future__ import annotations

from pathlib import Path

from isaac_tracking.learning.hardest_clips import HARDEST, append_hardest


def lines(run: Path) -> list[str]:
    return (run / HARDEST).read_text().split()


def test_each_checkpoint_adds_its_ranking(tmp_path: Path) -> None:
    append_hardest(tmp_path, 0, {"motion": [("lunge", 0.5), ("walk", 0.25)]})
    append_hardest(tmp_path, 200, {"motion": [("walk", 0.125)]})
    assert lines(tmp_path) == [
        "iteration,command,rank,clip,score",
        "0,motion,1,lunge,0.5",
        "0,motion,2,walk,0.25",
        "200,motion,1,walk,0.125",
    ]


def test_going_back_drops_what_came_later(tmp_path: Path) -> None:
    for iteration in (0, 200, 400):
        append_hardest(tmp_path, iteration, {"motion": [("lunge", 0.5)]})
    append_hardest(tmp_path, 200, {"motion": [("walk", 0.25)]})
    assert lines(tmp_path)[1:] == ["0,motion,1,lunge,0.5", "200,motion,1,walk,0.25"]


def test_without_a_ranking_there_is_no_file(tmp_path: Path) -> None:
    append_hardest(tmp_path, 0, {"motion": []})
    assert not list(tmp_path.iterdir())
