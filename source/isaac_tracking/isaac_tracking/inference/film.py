# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of recorded body poses, drawn afterwards: they need no simulator, no OpenGL and no display."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .film_camera import FilmCamera
from .film_file import FilmError, FilmReport, FilmWriter, check_film

if TYPE_CHECKING:
    import torch

    from .ground_mesh import GroundMesh
    from .scene_renderer import SceneRenderer

__all__ = [
    "BodyPath",
    "FilmCamera",
    "FilmCfg",
    "FilmError",
    "FilmReport",
    "FilmWriter",
    "check_film",
    "draw_film",
    "render_film",
]

VISIBLE = 24.0
"""How far from the robot uneven ground is shown [m]; beyond it is all fog (:data:`.shading.FOG_DISTANCE`)."""


class BodyPath(NamedTuple):
    """The poses of a robot's bodies over time, in the world; a plain pair does as well."""

    body_pos_w: np.ndarray | torch.Tensor
    """Positions [m], shape (T, num_bodies, 3)."""

    body_quat_w: np.ndarray | torch.Tensor
    """Orientations, xyzw, shape (T, num_bodies, 4)."""


@dataclass(frozen=True)
class FilmCfg:
    """How a film looks."""

    width: int = 640
    """Width of the picture, even [px]."""

    height: int = 480
    """Height of the picture, even [px]."""

    stride: int = 2
    """Recorded instants per picture: 50 Hz and a stride of 2 give 25 pictures per second, in real time."""

    samples: int = 3
    """Rays per pixel along edges; 1 is faster and rougher."""

    camera: FilmCamera = field(default_factory=FilmCamera)
    """Where it is seen from."""

    reference_offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Moves the reference beside the robot [m], in the world; zero lays it over the robot."""

    reference_color: tuple[float, float, float] = (0.10, 0.75, 0.35)
    """Colour of the reference, red, green, blue as displayed, 0 to 1."""

    reference_opacity: float = 0.55
    """Opacity of the reference, 0 to 1."""

    quality: float = 8.0
    """Quality of the encoding, 1 to 10."""

    def __post_init__(self):
        """Refuse what cannot be encoded.

        Raises:
            ValueError: If a size is odd or not positive, or the stride or samples are less than 1.
        """
        if self.stride < 1 or self.samples < 1:
            raise ValueError(f"film: stride={self.stride} and samples={self.samples} must be 1 or more")
        if self.width < 2 or self.height < 2 or self.width % 2 or self.height % 2:
            raise ValueError(f"film: {self.width}x{self.height} cannot be encoded; use even sizes, e.g. 640x480")


def render_film(
    path: str | Path,
    mjcf: Path,
    body_names: Sequence[str],
    robot: BodyPath,
    reference: BodyPath | None = None,
    *,
    rate: float = 50.0,
    captions: Sequence[str] | None = None,
    cfg: FilmCfg | None = None,
    ground: GroundMesh | None = None,
    device: str = "cpu",
) -> Path:
    """Draw recorded body poses and write them as a film that runs in real time.

    Args:
        path: The film, ``.mp4``; written beside and renamed.
        mjcf: Model whose visual meshes are drawn.
        body_names: Names of the bodies, in the order of the poses.
        robot: Poses of the robot. Several episodes may follow one another.
        reference: Poses of the reference at the same instants, drawn see-through.
        rate: Recorded instants per second [Hz].
        captions: What to write into the corner at each instant, length T; lines are split at newlines.
        cfg: How it looks.
        ground: The ground in the world, if it is not a plane at height zero; what is far from the robot is left out.
        device: Where to trace, e.g. ``"cpu"`` or ``"cuda:0"``.

    Returns:
        The path of the film.

    Raises:
        ValueError: If shapes, names, captions or poses are wrong.
    """
    cfg = cfg or FilmCfg()
    fps = Fraction(rate).limit_denominator(100_000) / cfg.stride
    pictures = draw_film(
        mjcf, body_names, robot, reference, rate=rate, captions=captions, cfg=cfg, ground=ground, device=device
    )
    with FilmWriter(path, (cfg.width, cfg.height), fps, cfg.quality) as film:
        for picture in pictures:
            film.add(picture)
    return film.path


def draw_film(
    mjcf: Path,
    body_names: Sequence[str],
    robot: BodyPath,
    reference: BodyPath | None = None,
    *,
    rate: float = 50.0,
    captions: Sequence[str] | None = None,
    cfg: FilmCfg | None = None,
    ground: GroundMesh | None = None,
    device: str = "cpu",
    starts: Sequence[int] = (0,),
) -> Iterator[np.ndarray]:
    """Yield the pictures of :func:`render_film`, shape (height, width, 3), uint8; arguments and errors are the same.

    ``starts`` are the instants on which episodes begin, from 0 on: of each there is a picture, and the camera cuts.
    """
    # Heavy: Newton and Warp.
    from .overlay import Overlay
    from .scene_renderer import View

    cfg = cfg or FilmCfg()
    poses = _poses("robot", robot, len(body_names))
    ghost = None if reference is None else _poses("reference", reference, len(body_names), len(poses))
    if captions is not None and len(captions) != len(poses):
        raise ValueError(f"film: {len(captions)} captions for {len(poses)} instants; give one for each instant")
    if ghost is not None:
        ghost[..., :3] += cfg.reference_offset
    parts = [slice(*ends) for ends in itertools.pairwise([*starts, len(poses)])]
    ground = None if ground is None else ground.near(poses[:, 0], VISIBLE)
    paths = [_camera_path(poses[part, 0], cfg, rate, ground, beside=ghost is not None) for part in parts]
    eyes, targets = (np.concatenate(path) for path in zip(*paths, strict=True))
    overlay = Overlay((cfg.width, cfg.height), None if ghost is None else cfg.reference_color)
    with _scene(mjcf, body_names, cfg, ground, device, with_reference=ghost is not None) as scene:
        for i in (i for part in parts for i in range(part.start, part.stop, cfg.stride)):
            picture = scene.render(View(eyes[i], targets[i]), poses[i], None if ghost is None else ghost[i])
            yield overlay.draw(picture, captions[i] if captions is not None else "")


def _scene(
    mjcf: Path,
    body_names: Sequence[str],
    cfg: FilmCfg,
    ground: GroundMesh | None,
    device: str,
    *,
    with_reference: bool,
) -> SceneRenderer:
    # Heavy: Newton and Warp.
    from .scene_renderer import SceneRenderer
    from .visual_mesh import load_visual_meshes

    return SceneRenderer(
        load_visual_meshes(mjcf, body_names),
        num_bodies=len(body_names),
        width=cfg.width,
        height=cfg.height,
        samples=cfg.samples,
        fov=cfg.camera.fov,
        reference_color=cfg.reference_color if with_reference else None,
        reference_opacity=cfg.reference_opacity,
        ground=ground,
        device=device,
    )


def _camera_path(
    root: np.ndarray, cfg: FilmCfg, rate: float, ground: GroundMesh | None, *, beside: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the camera is and looks [m], shapes (T, 3); it steps back if the reference stands beside."""
    offset = np.array(cfg.reference_offset) if beside else np.zeros(3)
    camera = replace(cfg.camera, distance=cfg.camera.distance + math.hypot(*offset))
    heights = None if ground is None else ground.heights
    return camera.path(root[:, :3] + 0.5 * offset, root[:, 3:], rate, heights)


def _poses(what: str, path: BodyPath, bodies: int, length: int | None = None) -> np.ndarray:
    """Join positions and orientations, shape (T, bodies, 7)."""
    pos, quat = (np.asarray(value.cpu() if hasattr(value, "cpu") else value, dtype=np.float64) for value in path)
    length = len(pos) if length is None else length
    if length == 0 or pos.shape != (length, bodies, 3) or quat.shape != (length, bodies, 4):
        wanted = f"{(length or 'T', bodies, 3)} and {(length or 'T', bodies, 4)}"
        raise ValueError(f"film: the {what}'s positions {pos.shape} and orientations {quat.shape} must be {wanted}")
    poses = np.concatenate((pos, quat), axis=-1)
    wrong = ~np.isfinite(poses).all(axis=(1, 2))
    if wrong.any():
        raise ValueError(f"film: the {what}'s pose at instant {int(wrong.argmax())} is not finite; cut it off before")
    return poses
