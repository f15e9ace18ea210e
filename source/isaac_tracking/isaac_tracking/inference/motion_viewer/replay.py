# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded episodes for the page, and as pictures: the robot, and over it what it was to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from ...motion.clip import Clip
from ...motion.robot import Robot
from ..metrics import error_curves
from ..recording import Recording
from ..trajectory import played_clip
from .episode import Episode
from .film import tiled
from .poses import BodyPoses
from .shelf import Shelf


class ReplayShelf(Shelf):
    """Episodes by number, each a motion with its reference and its error."""

    def __init__(self, episodes: Sequence[tuple[str, Recording]], robot: Robot):
        """Take the episodes.

        Args:
            episodes: Name and recording of each, at least one; each of two instants or more.
            robot: Whose they are.

        Raises:
            ClipError: If there is none.
        """
        super().__init__([(name, _reader(recording, robot, name)) for name, recording in episodes], robot)
        self._recordings = [recording for _, recording in episodes]
        self._episodes: dict[int, Episode] = {}

    def episode(self, index: int) -> Episode:
        """Return what an episode was to follow and how it did."""
        if index not in self._episodes:
            recording = self._recordings[index]
            error = error_curves(recording)["mpjpe_global"].numpy()
            self._episodes[index] = Episode(
                BodyPoses.of(reference_clip(recording, self.robot), self.robot),
                error,
                f"{ending(recording)}, mean error {error.mean():.0f} mm",
            )
        return self._episodes[index]


def ending(recording: Recording) -> str:
    """Return how an episode ended, in words."""
    return "followed to the clip's end" if recording.completed else f"ended by {recording.outcome}"


def reference_clip(recording: Recording, robot: Robot) -> Clip:
    """Return what the robot was to do at the recorded instants as a clip, all bodies by forward kinematics."""
    due = recording.reference
    order = [recording.joint_names.index(name) for name in robot.joint_names]
    root = due.body_pos_w[:, 0].numpy(), due.body_quat_w[:, 0].numpy()
    return robot.clip(recording.clip, recording.rate, *root, due.joint_pos[:, order].numpy())


def worst_instant(recording: Recording) -> int:
    """Return the instant at which the error is largest."""
    return int(error_curves(recording)["mpjpe_global"].argmax())


def draw_instants(
    episodes: Sequence[tuple[str, Recording]],
    robot: Robot,
    time: float | None = None,
    size: tuple[int, int] = (640, 480),
) -> np.ndarray:
    """Draw a picture of each episode, the reference over the robot, and put them side by side and below each other.

    Args:
        episodes: Name and recording of each, at least one.
        robot: Whose they are.
        time: Time after the episode's start [s], held at its end; where its error is largest if None.
        size: Width and height of each picture, both even [px].

    Returns:
        The sheet, shape (rows * height, columns * width, 3), uint8; as many columns as rows, or one more.

    Raises:
        ValueError: If there is no episode or the size cannot be used.
    """
    # Heavy, and needed by pictures alone; its notes on devices and kernels do not belong between our lines.
    import warp

    from ..film import BodyPath, FilmCfg, draw_film

    warp.config.quiet = True
    if not episodes:
        raise ValueError("a picture needs at least one episode")
    cfg = FilmCfg(width=size[0], height=size[1], stride=1)
    pictures = []
    for name, recording in episodes:
        # The first instant is after the first step.
        at = worst_instant(recording) if time is None else round(time * recording.rate) - 1
        at = min(max(at, 0), recording.steps - 1)
        paths = []
        for clip in (played_clip(recording, robot), reference_clip(recording, robot)):
            poses = BodyPoses.of(clip, robot)
            paths.append(BodyPath(poses.pos[at : at + 1], poses.quat[at : at + 1]))
        error = float(error_curves(recording)["mpjpe_global"][at])
        captions = [f"{name}\n{(at + 1) / recording.rate:.2f} s   error {error:.0f} mm\n{ending(recording)}"]
        drawn = draw_film(robot.mjcf, robot.body_names, *paths, rate=recording.rate, captions=captions, cfg=cfg)
        pictures += list(drawn)
    return tiled(pictures)


def _reader(recording: Recording, robot: Robot, name: str) -> Callable[[], Clip]:
    return lambda: dataclasses.replace(played_clip(recording, robot), name=name)
