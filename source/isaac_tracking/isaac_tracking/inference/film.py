# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of recorded body poses: H.264 that browsers play, made without OpenGL or a display, and checked by decoding."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .film_camera import FilmCamera

if TYPE_CHECKING:
    import torch


class FilmError(ValueError):
    """A film that cannot be played, or that shows nothing."""


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

    samples: int = 2
    """Rays per pixel and axis along edges; 1 is faster and rougher."""

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


@dataclass(frozen=True)
class FilmReport:
    """What decoding a film found."""

    frames: int
    fps: float
    """Pictures per second, as the file says."""

    duration: float
    """Length [s]: pictures divided by pictures per second."""

    size: tuple[int, int]
    """Width and height [px]."""

    codec: str
    """E.g. ``"h264"``."""

    pixel_format: str
    """E.g. ``"yuv420p"``."""

    brightness: float
    """Mean of all pixels, 0 to 255."""

    contrast: float
    """Standard deviation of the pixels of a picture, mean over pictures, 0 to 255."""

    motion: float
    """Mean difference between a picture and the first one, at its greatest, 0 to 255."""


class FilmWriter:
    """Writes pictures to a file as they come; the file has its name only once it is whole.

    Use it as a context: an error inside leaves no file.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], fps: Fraction | float, quality: float = 8.0):
        """Open the encoder.

        Args:
            path: The film, ``.mp4``.
            size: Width and height, both even [px].
            fps: Pictures per second; a fraction is kept exactly.
            quality: Quality of the encoding, 1 to 10.

        Raises:
            ValueError: If the file is no ``.mp4`` or there are no pictures per second.
        """
        # Heavy, and needed by films alone.
        import imageio_ffmpeg

        self.path, self.size, self.frames = Path(path), size, 0
        if self.path.suffix != ".mp4":
            raise ValueError(f"film '{self.path.name}' must end in '.mp4'")
        if not fps > 0:
            raise ValueError(f"film '{self.path.name}': {fps} pictures per second; it takes more than 0")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._part = self.path.with_name(f".{self.path.stem}.part.mp4")
        self._encoder = imageio_ffmpeg.write_frames(
            str(self._part), size, fps=Fraction(fps).limit_denominator(100_000), codec="libx264", quality=quality,
            macro_block_size=2, ffmpeg_log_level="error", output_params=["-movflags", "+faststart"],
        )  # fmt: skip
        self._encoder.send(None)

    def add(self, frame: np.ndarray) -> None:
        """Append a picture, shape (height, width, 3), uint8."""
        if frame.shape != (self.size[1], self.size[0], 3) or frame.dtype != np.uint8:
            raise ValueError(f"picture is {frame.shape} {frame.dtype}, not {(self.size[1], self.size[0], 3)} uint8")
        self._encoder.send(np.ascontiguousarray(frame))
        self.frames += 1

    def __enter__(self) -> FilmWriter:
        """Return the writer itself."""
        return self

    def __exit__(self, error: type | None, *_: object) -> None:
        """Finish the file and name it, or remove it if something went wrong."""
        self._encoder.close()
        if error is None and self.frames:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)


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
        device: Where to trace, e.g. ``"cpu"`` or ``"cuda:0"``.

    Returns:
        The path of the film.

    Raises:
        ValueError: If shapes, names, captions or poses are wrong.
    """
    # Heavy: Newton and Warp.
    from .overlay import Overlay
    from .scene_renderer import SceneRenderer, View
    from .visual_mesh import load_visual_meshes

    cfg = cfg or FilmCfg()
    poses = _poses("robot", robot, len(body_names))
    ghost = None if reference is None else _poses("reference", reference, len(body_names), len(poses))
    if captions is not None and len(captions) != len(poses):
        raise ValueError(f"film: {len(captions)} captions for {len(poses)} instants; give one for each instant")
    meshes = load_visual_meshes(mjcf, body_names)
    camera, followed = cfg.camera, poses[:, 0]
    if ghost is not None and any(cfg.reference_offset):
        ghost[..., :3] += cfg.reference_offset
        followed = followed + 0.5 * np.array([*cfg.reference_offset, 0.0, 0.0, 0.0, 0.0])
        camera = replace(camera, distance=camera.distance + math.hypot(*cfg.reference_offset))
    eyes, targets = camera.path(followed[:, :3], followed[:, 3:], rate)
    overlay = Overlay((cfg.width, cfg.height), None if ghost is None else cfg.reference_color)
    scene = SceneRenderer(
        meshes, num_bodies=len(body_names), width=cfg.width, height=cfg.height, samples=cfg.samples, fov=camera.fov,
        reference_color=None if ghost is None else cfg.reference_color,
        reference_opacity=cfg.reference_opacity, device=device,
    )  # fmt: skip
    fps = Fraction(rate).limit_denominator(100_000) / cfg.stride
    with scene, FilmWriter(path, (cfg.width, cfg.height), fps, cfg.quality) as film:
        for i in range(0, len(poses), cfg.stride):
            picture = scene.render(View(eyes[i], targets[i]), poses[i], None if ghost is None else ghost[i])
            film.add(overlay.draw(picture, captions[i] if captions is not None else ""))
    return film.path


def check_film(
    path: str | Path, *, frames: int | None = None, fps: float | None = None, may_stand_still: bool = False
) -> FilmReport:
    """Decode a film to its end and say what is in it.

    Args:
        path: The film.
        frames: Number of pictures that it must have.
        fps: Pictures per second that it must have.
        may_stand_still: Whether all pictures may be the same.

    Raises:
        FilmError: If the file is missing or broken, black or of one colour, stands still, or is not as asked for.
    """
    name = Path(path).name
    if not Path(path).is_file():
        raise FilmError(f"film '{name}' does not exist; render it first")
    report = _decode(Path(path))
    if report.frames == 0:
        raise FilmError(f"film '{name}' has no pictures; render it again")
    if frames is not None and report.frames != frames:
        raise FilmError(f"film '{name}' has {report.frames} pictures, not {frames}; render it again")
    if fps is not None and abs(report.fps - fps) > 0.01:
        raise FilmError(f"film '{name}' runs at {report.fps} pictures per second, not {fps:.2f}; check rate and stride")
    if report.brightness < 8.0:
        raise FilmError(f"film '{name}' is black (mean {report.brightness:.1f} of 255); check camera and lamps")
    if report.contrast < 4.0:
        raise FilmError(f"film '{name}' shows one colour (contrast {report.contrast:.1f}); check camera and poses")
    if not may_stand_still and report.frames > 1 and report.motion < 0.02:
        raise FilmError(f"film '{name}' stands still; check the poses, or pass may_stand_still=True")
    return report


def _decode(path: Path) -> FilmReport:
    # Heavy, and needed by films alone.
    import imageio_ffmpeg

    reader = imageio_ffmpeg.read_frames(str(path))
    try:
        meta = next(reader)
        width, height = meta["size"]
        first, brightness, contrast, motion = None, [], [], [0.0]
        for data in reader:
            picture = np.frombuffer(data, np.uint8).reshape(height, width, 3).astype(np.float32)
            first = picture if first is None else first
            brightness.append(float(picture.mean()))
            contrast.append(float(picture.std()))
            motion.append(float(np.abs(picture - first).mean()))
    except (OSError, RuntimeError, StopIteration, KeyError, IndexError) as error:
        reason = (str(error).strip().splitlines() or ["nothing in it"])[-1]
        raise FilmError(f"film '{path.name}' cannot be decoded ({reason}); render it again") from error
    count, fps = len(brightness), float(meta["fps"])
    return FilmReport(
        frames=count,
        fps=fps,
        duration=count / fps if fps > 0 else 0.0,
        size=(width, height),
        codec=meta["codec"],
        pixel_format=re.split(r"[(,]", meta["pix_fmt"])[0],
        brightness=float(np.mean(brightness)) if count else 0.0,
        contrast=float(np.mean(contrast)) if count else 0.0,
        motion=max(motion),
    )


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
