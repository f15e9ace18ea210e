# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Film files: H.264 that browsers play, written whole or not at all, and checked by decoding them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np


class FilmError(ValueError):
    """A film that cannot be played, or that shows nothing."""


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
            str(self._part),
            size,
            fps=Fraction(fps).limit_denominator(100_000),
            codec="libx264",
            quality=quality,
            macro_block_size=2,
            ffmpeg_log_level="error",
            output_params=["-preset", "veryfast", "-movflags", "+faststart"],
        )
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
