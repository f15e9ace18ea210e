# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of episodes say what is seen, cut between episodes, and hold each episode as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch

from isaac_tracking.inference.episode_film import FilmEpisode, write_episode_film, write_films
from isaac_tracking.inference.film import FilmCfg
from isaac_tracking.inference.metrics import JointLimits, measure
from isaac_tracking.inference.recording import Recording
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.robot import Robot
from isaac_tracking.robots import g1

SMALL = FilmCfg(width=64, height=48, samples=1)


@pytest.fixture(scope="module")
def robot() -> Robot:
    return motion_robot()


@pytest.fixture(scope="module")
def make_recording() -> Callable[..., Recording]:
    """Make an episode of the squat, with the robot beside its reference; joints are in another order than the tree."""
    clip = Clip.load(shipped_clips()["squat"])
    order = list(reversed(range(len(clip.joint_names))))
    bodies = [clip.body_names.index(name) for name in g1.KEY_BODY_NAMES]

    def make(
        steps: int = 9, beside: torch.Tensor | float = 0.0, outcome: str = "anchor_tilt", start: int = 100
    ) -> Recording:
        frames = slice(start + 1, start + steps + 1)
        joints = torch.tensor(clip.joint_pos[frames][:, order])
        pos, quat = (torch.tensor(part[frames][:, bodies]) for part in (clip.body_pos_w, clip.body_quat_w))
        none = torch.zeros_like(pos)
        moved = pos.clone()
        moved[..., 1] += torch.as_tensor(beside).reshape(-1, 1)
        return Recording(
            clip="squat",
            rate=50.0,
            joint_names=tuple(clip.joint_names[index] for index in order),
            body_names=tuple(g1.KEY_BODY_NAMES),
            robot=MotionFrame(joints, torch.zeros_like(joints), moved, quat, none, none),
            reference=MotionFrame(joints, torch.zeros_like(joints), pos, quat, none, none),
            actions=torch.zeros_like(joints),
            targets=joints,
            torques=torch.zeros_like(joints),
            contacts=None,
            outcome=outcome,
            clip_steps=450,
            start=start,
        )

    return make


def test_the_picture_says_clip_time_error_and_outcome(robot: Robot, make_recording):
    """Errors of 10, 20 and 60 mm have the means 10, 15 and 30 mm; the last is the metric's."""
    recording = make_recording(steps=3, beside=torch.tensor([0.01, 0.02, 0.06]))
    captions = FilmEpisode.of(recording, robot).captions()
    assert captions == [
        "squat   2.0 of 9.0 s\nerror 10 mm   mean 10 mm\nended by anchor_tilt at 2.1 s",
        "squat   2.0 of 9.0 s\nerror 20 mm   mean 15 mm\nended by anchor_tilt at 2.1 s",
        "squat   2.1 of 9.0 s\nerror 60 mm   mean 30 mm\nended by anchor_tilt at 2.1 s",
    ]
    limits = JointLimits(torch.ones(29), torch.ones(29))
    assert measure(recording, limits)["mpjpe_global"] == pytest.approx(30.0, abs=1e-3)
    done = FilmEpisode.of(make_recording(steps=3, outcome="clip_end"), robot, "squat, repeat 1")
    assert done.captions()[0].startswith("squat, repeat 1   2.0 of") and done.captions()[0].endswith("to its end")


def test_all_bodies_are_where_the_tracked_ones_were(robot: Robot, make_recording):
    recording = make_recording(beside=0.3)
    did, due = FilmEpisode.of(recording, robot).poses(robot)
    assert did.shape == due.shape == (9, len(robot.tree.body_names), 7)
    tracked = [robot.tree.body_names.index(name) for name in recording.body_names]
    assert did[:, tracked, :3] == pytest.approx(recording.robot.body_pos_w.numpy(), abs=1e-4)
    assert due[:, tracked, :3] == pytest.approx(recording.reference.body_pos_w.numpy(), abs=1e-4)


def pictures(path: Path) -> np.ndarray:
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader]).astype(int)


def test_one_film_and_one_an_episode_hold_the_same_pictures(robot: Robot, make_recording, tmp_path: Path):
    """9 and 4 steps are 5 and 2 pictures; the second episode is seen by a camera of its own."""
    episodes = [
        FilmEpisode.of(make_recording(9, 0.3), robot), FilmEpisode.of(make_recording(4, -0.3, start=0), robot)
    ]  # fmt: skip
    each, combined, count = [tmp_path / "films" / "a.mp4", tmp_path / "films" / "b.mp4"], tmp_path / "film.mp4", []
    films = write_films(episodes, robot, combined, each, cfg=SMALL, on_picture=lambda: count.append(1))
    assert {path.name: film.frames for path, film in films.items()} == {"a.mp4": 5, "b.mp4": 2, "film.mp4": 7}
    assert len(count) == 7 and all(film.fps == pytest.approx(25.0) for film in films.values())
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["a.mp4", "b.mp4", "film.mp4"]
    whole, first, second = pictures(combined), pictures(each[0]), pictures(each[1])
    assert np.abs(whole - np.concatenate((first, second))).mean() < 3.0
    assert np.abs(first[:2] - second).mean() > 5.0


def test_a_film_that_is_stopped_leaves_nothing(robot: Robot, make_recording, tmp_path: Path):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_episode_film(tmp_path / "film.mp4", [make_recording()], robot, SMALL, on_picture=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_broke_can_be_filmed(robot: Robot, make_recording, tmp_path: Path):
    """A recording has zeros where the simulator had no numbers."""
    recording = make_recording(steps=4)
    for part in recording.robot:
        part[-1] = 0.0
    report = write_episode_film(tmp_path / "film.mp4", [recording], robot, FilmCfg(64, 48, stride=1, samples=1))
    assert report.frames == 4 and report.contrast > 4.0


def test_a_film_needs_episodes(robot: Robot, tmp_path: Path):
    with pytest.raises(ValueError, match="episodes of one rate"):
        write_episode_film(tmp_path / "film.mp4", [], robot)
