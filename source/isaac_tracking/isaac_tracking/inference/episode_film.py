# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of recorded episodes: robot and reference, with the clip's name, the outcome and the error in the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from ..motion.kinematics import forward_kinematics
from .film import BodyPath, FilmCfg, FilmReport, FilmWriter, check_film, draw_film
from .metrics import error_curves
from .recording import CLIP_END, Recording

if TYPE_CHECKING:
    from ..motion.frame import MotionFrame
    from ..motion.robot import Robot
    from .ground_mesh import GroundMesh


class Filmed(Protocol):
    """What can be drawn of an episode, T instants."""

    @property
    def rate(self) -> float:
        """Instants per second [Hz]."""
        ...

    @property
    def steps(self) -> int:
        """Number of instants T."""
        ...

    def poses(self, robot: Robot) -> np.ndarray:
        """Return poses of all bodies of the robot and of a reference if there is one, shape (1 or 2, T, B, 7)."""
        ...

    def captions(self) -> list[str]:
        """Return what is written at each instant, length T."""
        ...


@dataclass(frozen=True)
class FilmEpisode:
    """What a film needs of an episode, T instants; a sixth of the recording or less."""

    title: str
    """What is written into the picture: the clip's name."""

    rate: float
    """Instants per second [Hz]."""

    outcome: str
    """Name of the termination that ended it; ``"clip_end"`` if the clip was followed to its end."""

    start: int
    """Frame of the clip on which the robot was placed."""

    clip_steps: int
    """Control steps from the clip's start to its end."""

    roots: torch.Tensor
    """Root poses of robot and reference, position [m] and xyzw, shape (2, T, 7)."""

    joints: torch.Tensor
    """Joint angles of robot and reference in the order of the robot's tree [rad], shape (2, T, J)."""

    errors: np.ndarray
    """Mean distance of the tracked bodies in the world [mm], ``mpjpe_global`` over time, shape (T,)."""

    @classmethod
    def of(cls, recording: Recording, robot: Robot, title: str | None = None) -> FilmEpisode:
        """Take from a recording what a film needs.

        Args:
            recording: The episode.
            robot: Whose it is.
            title: What is written into the picture; the clip's name if None.
        """
        order = [recording.joint_names.index(name) for name in robot.tree.joint_names]
        frames: tuple[MotionFrame, MotionFrame] = recording.robot, recording.reference
        # The first tracked body is the root.
        roots = [torch.cat((frame.body_pos_w[:, 0], frame.body_quat_w[:, 0]), dim=-1) for frame in frames]
        return cls(
            title=title or recording.clip,
            rate=recording.rate,
            outcome=recording.outcome,
            start=recording.start,
            clip_steps=recording.clip_steps,
            roots=torch.stack(roots),
            joints=torch.stack([frame.joint_pos[:, order] for frame in frames]),
            errors=error_curves(recording)["mpjpe_global"].numpy(),
        )

    @property
    def steps(self) -> int:
        """Number of instants T."""
        return len(self.errors)

    def poses(self, robot: Robot) -> np.ndarray:
        """Return poses of all bodies, [m] and xyzw, of robot and reference, shape (2, T, num_bodies, 7).

        Bodies that are not tracked follow by forward kinematics.
        """
        roots, joints = self.roots.flatten(0, 1), self.joints.flatten(0, 1)
        found = torch.cat(forward_kinematics(robot.tree, roots[:, :3], roots[:, 3:], joints), dim=-1)
        return found.unflatten(0, (2, self.steps)).numpy()

    def captions(self) -> list[str]:
        """Return what is written at each instant: clip and time, error now and on average until now, outcome."""
        end = (self.start + self.steps) / self.rate
        ended = "followed to its end" if self.outcome == CLIP_END else f"ended by {self.outcome} at {end:.1f} s"
        length = self.clip_steps / self.rate
        means = np.cumsum(self.errors, dtype=np.float64) / np.arange(1, self.steps + 1)
        return [
            f"{self.title}   {(self.start + step + 1) / self.rate:.1f} of {length:.1f} s\n"
            f"error {error:.0f} mm   mean {mean:.0f} mm\n{ended}"
            for step, (error, mean) in enumerate(zip(self.errors, means, strict=True))
        ]


def write_episode_film(
    path: Path,
    recordings: Sequence[Recording],
    robot: Robot,
    cfg: FilmCfg | None = None,
    device: str = "cpu",
    on_picture: Callable[[], object] | None = None,
) -> FilmReport:
    """Draw episodes into one film, one after another, and look at the result.

    The reference is the green robot, see-through and over the robot, or beside it if the config moves it.

    Args:
        path: The film, ``.mp4``; it has its name once it is whole.
        recordings: The episodes, at least one, all of one rate.
        robot: Whose they are.
        cfg: How it looks.
        device: Where to draw.
        on_picture: Is called after each picture.

    Returns:
        What decoding the film found.

    Raises:
        FilmError: If the film shows nothing.
        ValueError: If there is no episode, or the film cannot be drawn from them.
    """
    episodes = [FilmEpisode.of(recording, robot) for recording in recordings]
    return write_films(episodes, robot, path, cfg=cfg, device=device, on_picture=on_picture)[path]


def write_films(
    episodes: Sequence[Filmed],
    robot: Robot,
    combined: Path | None = None,
    each: Sequence[Path] | None = None,
    *,
    cfg: FilmCfg | None = None,
    ground: GroundMesh | None = None,
    device: str = "cpu",
    on_picture: Callable[[], object] | None = None,
) -> Mapping[Path, FilmReport]:
    """Draw episodes once, and write them as one film, as one film each, or as both.

    Args:
        episodes: The episodes, at least one, all of one rate.
        robot: Whose they are.
        combined: Film of all of them, one after another, ``.mp4``; none if None.
        each: Films of the episodes, as many; none if None.
        cfg: How they look.
        ground: The ground in the world, if it is not a plane at height zero.
        device: Where to draw.
        on_picture: Is called after each picture.

    Returns:
        What decoding found, by film.

    Raises:
        FilmError: If a film shows nothing.
        ValueError: If there is no episode, rates differ, or poses cannot be drawn.
    """
    rates = {episode.rate for episode in episodes}
    if len(rates) != 1 or (each is not None and len(each) != len(episodes)):
        raise ValueError(f"a film takes episodes of one rate and a file for each, not {len(episodes)} of {rates} Hz")
    cfg, rate = cfg or FilmCfg(), rates.pop()
    fps = Fraction(rate).limit_denominator(100_000) / cfg.stride
    pictures = _pictures(episodes, robot, rate, cfg, ground, device)
    films: dict[Path, int] = {}
    with ExitStack() as stack:
        size = cfg.width, cfg.height
        whole = None if combined is None else stack.enter_context(FilmWriter(combined, size, fps, cfg.quality))
        for index, episode in enumerate(episodes):
            count = num_pictures(episode, cfg)
            with ExitStack() as inner:
                writers = [] if whole is None else [whole]
                if each is not None:
                    writers.append(inner.enter_context(FilmWriter(each[index], size, fps, cfg.quality)))
                    films[each[index]] = count
                for _ in range(count):
                    picture = next(pictures)
                    for writer in writers:
                        writer.add(picture)
                    if on_picture is not None:
                        on_picture()
    if whole is not None and combined is not None:
        films[combined] = whole.frames
    # A robot that fell at once has hardly moved; all else must be seen.
    return {path: check_film(path, frames=count, may_stand_still=count < 10) for path, count in films.items()}


def num_pictures(episode: Filmed, cfg: FilmCfg | None = None) -> int:
    """Return how many pictures there are of an episode."""
    return -(-episode.steps // (cfg or FilmCfg()).stride)


def _pictures(
    episodes: Sequence[Filmed], robot: Robot, rate: float, cfg: FilmCfg, ground: GroundMesh | None, device: str
):
    """Yield the pictures of all episodes, drawn by one scene."""
    # Heavy, and needed by films alone; its notes on devices and kernels do not belong between our lines.
    import warp

    warp.config.quiet = True
    poses, *references = np.concatenate([episode.poses(robot) for episode in episodes], axis=1)
    starts = np.cumsum([0, *(episode.steps for episode in episodes[:-1])]).tolist()
    yield from draw_film(
        robot.mjcf,
        robot.tree.body_names,
        BodyPath(poses[..., :3], poses[..., 3:]),
        BodyPath(references[0][..., :3], references[0][..., 3:]) if references else None,
        rate=rate,
        captions=[caption for episode in episodes for caption in episode.captions()],
        cfg=cfg,
        ground=ground,
        device=device,
        starts=starts,
    )
