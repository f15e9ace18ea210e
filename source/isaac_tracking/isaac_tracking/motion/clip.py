# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One motion on disk and in memory: a self-describing npz whose names, units and conventions travel with its arrays."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import written_beside

FORMAT = "isaac_tracking.clip"
"""Format name that every clip file states."""

FORMAT_VERSION = 2
"""Version of the file layout that this code writes. Version 1 lacks ``robot_mass``, ``history`` and ``content_hash``;
it is read as well."""

_READABLE_VERSIONS = ("1", "2")

UNITS = "m, rad, s"
"""Units of all arrays of a clip file."""

QUATERNION_ORDER = "xyzw"
"""Order of the quaternion components in a clip file."""

MAX_BYTES = 4_000_000_000
"""Most bytes that a clip file may unpack to, about 25 hours of the G1 at 50 Hz; a zip bomb states more."""

_CONVERT = "make a clip of it with python3 scripts/motions.py convert"
_TEXTS = ("name", "robot", "source", "license")
_NAME_LISTS = ("joint_names", "body_names", "contact_names")
_OPTIONAL = ("contacts", "robot_mass", "history", "content_hash")
_ARRAYS = ("joint_pos", "body_pos_w", "body_quat_w")
_REQUIRED = ("quaternion_order", "units", "fps", *_TEXTS, *_NAME_LISTS, *_ARRAYS)


class ClipError(ValueError):
    """A motion that cannot be used; the message is one line: file, what is wrong, what is expected, the fix."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One motion of one robot, T frames at a constant rate, with the names of its joints and bodies.

    Arrays are converted to their types and made read-only on construction, and checked by :meth:`validate`.

    Raises:
        ClipError: On construction, if :meth:`validate` finds a fault.
    """

    name: str
    """Name of the motion, e.g. ``"walk"``."""

    fps: float
    """Frames per second [1/s]."""

    joint_names: tuple[str, ...]
    """Names of the J joints in the order of ``joint_pos``."""

    body_names: tuple[str, ...]
    """Names of the B bodies in the order of ``body_pos_w``; the first is the floating base."""

    joint_pos: np.ndarray
    """Joint angles [rad], float32, shape (T, J)."""

    body_pos_w: np.ndarray
    """Positions of the body frames in the world [m], float32, shape (T, B, 3)."""

    body_quat_w: np.ndarray
    """Orientations of the body frames in the world, xyzw, float32, shape (T, B, 4)."""

    contact_names: tuple[str, ...] = ()
    """Names of the C bodies whose contact with the ground is labelled."""

    contacts: np.ndarray | None = None
    """Whether a body stands on the ground, bool, shape (T, C); ``None`` if unknown."""

    robot: str = "unitree_g1"
    """Robot whose joints and bodies these are."""

    robot_mass: float | None = None
    """Mass of the robot's model [kg]; ``None`` if unknown."""

    source: str = ""
    """Where the motion comes from."""

    license: str = ""
    """Licence of the motion, an SPDX identifier where there is one."""

    history: tuple[str, ...] = ()
    """What was done to the motion since its source, one sentence a step."""

    def __post_init__(self) -> None:
        """Convert arrays and names to their types and check them."""
        for name in _ARRAYS:
            self._freeze(name, _array(self.name, name, getattr(self, name), np.float32))
        if self.contacts is not None:
            self._freeze("contacts", _array(self.name, "contacts", self.contacts, bool))
        for name in _NAME_LISTS:
            object.__setattr__(self, name, tuple(str(item) for item in getattr(self, name)))
        object.__setattr__(self, "history", tuple(str(item) for item in self.history))
        object.__setattr__(self, "fps", float(self.fps))
        self.validate()

    def _freeze(self, name: str, value: np.ndarray) -> None:
        value.setflags(write=False)
        object.__setattr__(self, name, value)

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.joint_pos)

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.num_frames - 1) / self.fps

    @property
    def content_hash(self) -> str:
        """SHA-256 of the arrays, the names of joints, bodies and contacts, and the frame rate, as hex digits."""
        digest = hashlib.sha256(repr((self.fps, self.joint_names, self.body_names, self.contact_names)).encode())
        for array, kind in ((self.joint_pos, "<f4"), (self.body_pos_w, "<f4"), (self.body_quat_w, "<f4")):
            digest.update(repr(array.shape).encode() + array.astype(kind).tobytes())
        if self.contacts is not None:
            digest.update(repr(self.contacts.shape).encode() + self.contacts.tobytes())
        return digest.hexdigest()

    def validate(self) -> None:
        """Check shapes, finite numbers, unit quaternions, frame rate, frame count and unique names.

        Raises:
            ClipError: If anything is amiss.
        """
        shapes = {
            "joint_pos": (len(self.joint_names),),
            "body_pos_w": (len(self.body_names), 3),
            "body_quat_w": (len(self.body_names), 4),
        }
        if self.contacts is not None:
            shapes["contacts"] = (len(self.contact_names),)
        elif self.contact_names:
            raise self._fault("it has contact names but no contacts", "both or neither", "give 'contacts'")
        self._validate_names()
        if not (np.isfinite(self.fps) and self.fps > 0.0):
            raise self._fault(f"fps is {self.fps}", "a number above 0", "give the frame rate of the recording")
        if self.joint_pos.ndim != 2 or self.num_frames < 2:
            raise self._fault(
                f"joint_pos has shape {self.joint_pos.shape}", "(T, J) with at least 2 frames", "record a longer motion"
            )
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != (self.num_frames, *shape):
                raise self._fault(
                    f"{name} has shape {array.shape}", f"{(self.num_frames, *shape)}", "make arrays and names agree"
                )
            if not np.isfinite(array).all():
                frame = int(np.argwhere(~np.isfinite(array))[0, 0])
                raise self._fault(
                    f"{name} is not finite at frame {frame}", "finite numbers", "cut or repair the motion"
                )
        norm_error = np.abs(np.linalg.norm(self.body_quat_w, axis=-1) - 1.0).max(axis=-1)
        if norm_error.max() > 1e-3:
            frame = int(np.argmax(norm_error > 1e-3))
            raise self._fault(f"body_quat_w at frame {frame} is not of unit length", "unit quaternions", "normalize it")

    def _validate_names(self) -> None:
        for field in _NAME_LISTS:
            names = getattr(self, field)
            if not names and field != "contact_names":
                raise self._fault(f"{field} is empty", "at least one name", "give the names of the robot")
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise self._fault(f"{field} has {', '.join(twice)} more than once", "unique names", "rename them")

    def _fault(self, wrong: str, expected: str, fix: str) -> ClipError:
        return ClipError(f"motion '{self.name}': {wrong}; expected {expected}; {fix}")

    def joint_indices(self, names: Sequence[str]) -> list[int]:
        """Return the columns of ``joint_pos`` for these joints, in the order asked for.

        Raises:
            ClipError: If the clip lacks one of them.
        """
        return self._indices("joint", names, self.joint_names)

    def body_indices(self, names: Sequence[str]) -> list[int]:
        """Return the indices into ``body_pos_w`` for these bodies, in the order asked for.

        Raises:
            ClipError: If the clip lacks one of them.
        """
        return self._indices("body", names, self.body_names)

    def _indices(self, kind: str, names: Sequence[str], choices: tuple[str, ...]) -> list[int]:
        missing = [name for name in names if name not in choices]
        if missing:
            raise self._fault(
                f"{kind} {', '.join(missing)} missing", f"one of {', '.join(choices)}", f"use a clip of {self.robot}"
            )
        return [choices.index(name) for name in names]

    def save(self, path: str | os.PathLike) -> None:
        """Write the clip as npz: beside its place and then renamed, so that nobody reads half a file.

        Args:
            path: File to write; its folder is made if need be.

        Raises:
            OSError: If the file cannot be written.
        """
        content: dict[str, np.ndarray] = {
            "format": np.array(FORMAT),
            "format_version": np.array(FORMAT_VERSION),
            "quaternion_order": np.array(QUATERNION_ORDER),
            "units": np.array(UNITS),
            "fps": np.array(self.fps),
            "history": np.array(self.history, dtype=np.str_),
            "content_hash": np.array(self.content_hash),
        }
        if self.robot_mass is not None:
            content["robot_mass"] = np.array(self.robot_mass)
        content |= {name: np.array(getattr(self, name)) for name in _TEXTS}
        content |= {name: np.array(getattr(self, name), dtype=np.str_) for name in _NAME_LISTS}
        content |= {name: getattr(self, name) for name in _ARRAYS}
        if self.contacts is not None:
            content["contacts"] = self.contacts
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not durable: a file that a loss of power spoils is noticed by its hash, and thousands are written in a row.
        with written_beside(path, durable=False) as file:
            np.savez_compressed(file, **content)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Clip:
        """Read a clip file. Nothing in it is ever executed: pickled objects are refused.

        Raises:
            ClipError: If the file is missing, damaged, of another format or version, or holds a faulty motion.
        """
        content = _read(Path(path))
        try:
            mass = content.get("robot_mass")
            clip = cls(
                fps=float(content["fps"]),
                contacts=content.get("contacts"),
                robot_mass=None if mass is None else float(mass),
                history=_names("history", content["history"]) if "history" in content else (),
                **{name: str(content[name]) for name in _TEXTS},
                **{name: _names(name, content[name]) for name in _NAME_LISTS},
                **{name: content[name] for name in _ARRAYS},
            )
        except (ValueError, TypeError) as error:
            raise ClipError(f"motion file '{path}': {error}") from error
        if "content_hash" in content and str(content["content_hash"]) != clip.content_hash:
            raise ClipError(
                f"motion file '{path}' was changed: its content_hash is not that of its arrays;"
                " expected a file as Clip.save wrote it; convert the source again"
            )
        return clip


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file that states the format and version that this code knows."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ClipError(f"motion file '{path}' {what}; expected a clip (.npz); check the path")
    if path.stat().st_size == 0:
        raise ClipError(f"motion file '{path}' is empty; expected a clip (.npz); copy or make it again")
    if not zipfile.is_zipfile(path):
        raise ClipError(f"motion file '{path}' is truncated or not an npz; expected a clip (.npz); {_CONVERT}")
    try:
        _check_size(path)
        with np.load(path, allow_pickle=False) as file:
            _check_header(path, file)
            names = [*_REQUIRED, *(name for name in _OPTIONAL if name in file.files)]
            return {name: file[name] for name in names}
    except ClipError:
        raise
    except ValueError as error:
        reason = "holds pickled objects, which are never loaded" if "allow_pickle" in str(error) else f"({error})"
        raise ClipError(f"motion file '{path}' {reason}; expected plain arrays; {_CONVERT}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, TypeError, RuntimeError, MemoryError) as error:
        # zipfile raises RuntimeError for an encrypted member and its NotImplementedError for unknown compression.
        raise ClipError(
            f"motion file '{path}' is damaged ({error}); expected a clip (.npz); copy or make it again"
        ) from error


def _check_size(path: Path) -> None:
    """Refuse a file that would unpack to more than memory is for; zipfile never unpacks more than is stated there."""
    with zipfile.ZipFile(path) as file:
        size = sum(member.file_size for member in file.infolist())
    if size > MAX_BYTES:
        raise ClipError(
            f"motion file '{path}' unpacks to {size / 1e9:.0f} GB; expected at most {MAX_BYTES / 1e9:.0f} GB;"
            " split it into shorter motions"
        )


def _check_header(path: Path, file: np.lib.npyio.NpzFile) -> None:
    """Refuse files that do not say that they are clips of this version and convention."""
    if "format" not in file.files or str(file["format"]) != FORMAT:
        raise ClipError(f"motion file '{path}' is not a clip; expected format '{FORMAT}'; {_CONVERT}")
    version = str(file["format_version"]) if "format_version" in file.files else "missing"
    if version not in _READABLE_VERSIONS:
        raise ClipError(
            f"motion file '{path}' has format version {version}; expected {' or '.join(_READABLE_VERSIONS)};"
            " update isaac_tracking or make the file again"
        )
    missing = [name for name in _REQUIRED if name not in file.files]
    if missing:
        raise ClipError(f"motion file '{path}' lacks {', '.join(missing)}; expected all of {', '.join(_REQUIRED)}")
    for name, expected in (("quaternion_order", QUATERNION_ORDER), ("units", UNITS)):
        if str(file[name]) != expected:
            raise ClipError(f"motion file '{path}' has {name} '{file[name]}'; expected '{expected}'; {_CONVERT}")


def _array(clip: str, name: str, value: object, kind: type) -> np.ndarray:
    """Return a copy of its own as an array of that kind."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ClipError(f"motion '{clip}': {name} has type {array.dtype}; expected numbers; convert it first")
    return np.array(array, dtype=kind, order="C")


def _names(field: str, array: np.ndarray) -> tuple[str, ...]:
    """Return a list of names; one string alone would otherwise pass for a list of letters."""
    if array.ndim != 1 or (array.size and array.dtype.kind != "U"):
        raise ValueError(f"{field} is of type {array.dtype}, shape {array.shape}; expected a list of text; {_CONVERT}")
    return tuple(array.tolist())
