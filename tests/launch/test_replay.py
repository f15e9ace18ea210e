# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/replay.py`` from the files to the last line, and what it refuses."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest

from isaac_tracking.inference.film import FilmCfg, check_film
from isaac_tracking.inference.metrics import JointLimits, measure
from isaac_tracking.inference.trajectory import save_trajectory
from isaac_tracking.launch.main import main
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.doctor.diagnosis import number


@pytest.fixture
def folder(make_recording, tmp_path, monkeypatch) -> Path:
    """Two trajectories, and a clip that is none."""
    robot = motion_robot()
    save_trajectory(make_recording("walk", steps=12), tmp_path / "played" / "walk.npz", robot)
    save_trajectory(make_recording("stand", steps=8, outcome="clip_end"), tmp_path / "played" / "stand.npz", robot)
    (tmp_path / "played" / "clip.npz").write_bytes(shipped_clips()["wave"].read_bytes())
    monkeypatch.setenv("ISAAC_TRACKING_CALLER_DIR", str(tmp_path))
    return tmp_path / "played"


def test_one_episode_is_told_with_all_metrics(folder, make_recording, capfd):
    import torch

    assert main("replay", ["played/walk.npz", "--metrics"]) == 0
    said = capfd.readouterr().out
    assert "walk: ended by anchor_tilt | 12 of 487 steps at 50 Hz | largest error 50 mm at 0.24 s" in said
    robot = motion_robot()
    limits = JointLimits(torch.tensor(robot.joint_effort_limits), torch.tensor(robot.joint_speed_limits))
    lines = dict(line.split()[1:3] for line in said.splitlines() if line.startswith("[isaac_tracking]   "))
    for name, value in measure(make_recording("walk", steps=12), limits).items():
        assert value is not None and lines[name] == number(value), name


def test_a_folder_is_told_in_a_table_and_what_is_no_trajectory_is_left_out(folder, capfd):
    assert main("replay", ["played", "--metrics"]) == 1
    said = capfd.readouterr().out
    assert "left out: motion file" in said and "clip.npz' is a clip, no trajectory" in said
    rows = [line.split() for line in said.splitlines() if line.endswith(("anchor_tilt  ", "clip_end     "))]
    assert [row[0] for row in rows] == ["stand", "walk"] and [row[-1] for row in rows] == ["clip_end", "anchor_tilt"]
    assert rows[1][-3:-1] == ["50", "0.24"]
    assert main("replay", ["played/*a*.npz", "--metrics"]) == 0


def test_a_film_and_a_picture_are_written(folder, monkeypatch, capfd):
    monkeypatch.setattr("isaac_tracking.inference.motion_viewer.replay.draw_instants", fake_sheet)
    small = functools.partial(FilmCfg, width=160, height=120)
    monkeypatch.setattr("isaac_tracking.inference.film.FilmCfg", small)
    assert main("replay", ["played/stand.npz", "played/walk.npz", "--video", "out.mp4", "--png", "out.png"]) == 0
    said = capfd.readouterr().out
    # 8 and 12 instants at 50 Hz, every second one.
    assert check_film(folder.parent / "out.mp4", frames=10, fps=25.0).size == (160, 120)
    assert f"film {folder.parent / 'out.mp4'} | 10 pictures" in said and "out.png | 6x4" in said
    assert (folder.parent / "out.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["out.mp4", "out.png", "played"]


def fake_sheet(episodes, robot, time) -> np.ndarray:
    """Stands for the drawing, which tests/inference/test_motion_replay.py looks at."""
    assert [name for name, _ in episodes] == ["stand", "walk"] and time is None
    return np.zeros((4, 6, 3), dtype=np.uint8)


def test_the_page_is_opened_until_ctrl_c(folder, monkeypatch, capfd):
    pytest.importorskip("viser")

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("isaac_tracking.launch.replay.time.sleep", stop)
    assert main("replay", ["played/stand.npz", "--port", "0"]) == 130
    assert "1 episode at http://127.0.0.1:" in capfd.readouterr().out


def test_episodes_of_different_rates_are_no_film(folder, make_recording, capfd):
    save_trajectory(make_recording("squat"), folder / "squat.npz", motion_robot(), every=2)
    assert main("replay", ["played/squat.npz", "played/walk.npz", "--video", "out.mp4"]) == 2
    captured = capfd.readouterr()
    assert "different rates" in captured.out
    assert "--video takes episodes of one rate, not of 25 Hz and 50 Hz" in captured.err
    assert not (folder.parent / "out.mp4").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["played/clip.npz"], "is a clip, no trajectory"),
        (["played/nothing.npz"], "does not exist"),
        (["played/z*.npz"], "no file matches 'played/z*.npz'"),
        (["played/c*.npz"], "'played/c*.npz' holds no trajectory"),
        (["empty"], "folder 'empty' holds no .npz"),
        (["played", "--video", "out.avi"], "--video 'out.avi' must end in '.mp4'"),
        (["played", "--png", "nowhere/out.png"], "--png 'nowhere/out.png' cannot be written"),
        (["played", "--time", "1"], "--time 1 must be 0 or more, and goes with --png"),
        (["played/walk.npz", "--port", "70000"], "port 70000 does not exist; ports go from 0 (any free one) to 65535"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_line(options, message, folder, capfd):
    (folder.parent / "empty").mkdir()
    assert main("replay", options) == 2
    error = capfd.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") == 1 and message in error


def test_episodes_of_one_clip_are_told_by_their_folders(folder, make_recording, capfd):
    other = dataclasses.replace(make_recording("walk", steps=10, seed=3), outcome="clip_end")
    save_trajectory(other, folder.parent / "other" / "walk.npz", motion_robot())
    assert main("replay", ["played/walk.npz", "other", "--metrics"]) == 0
    said = capfd.readouterr().out
    assert "walk (played)" in said and "walk (other)" in said
    assert np.char.count(said, "clip_end") == 1
