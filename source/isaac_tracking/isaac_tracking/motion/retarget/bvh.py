# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Reader of BVH: a tree of joints with offsets and channels, then one line of numbers a frame, angles in degrees."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..clip import ClipError
from .raw import LARGEST_FILE, RawMotion, check_rate

_CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "xyz")
_MOST_JOINTS = 1000
_LARGEST = 1e7
"""Larger numbers are no place, length or angle of a person in any unit."""


@dataclass
class _Joint:
    """One joint of the hierarchy as it is read."""

    name: str
    parent: int
    offset: tuple[float, ...] | None = None
    channels: list[str] = field(default_factory=list)
    is_end: bool = False


def read(path: Path) -> RawMotion:
    """Read a BVH file in its own axes and units.

    Args:
        path: The file.

    Raises:
        ClipError: If the file is missing, truncated, or not a BVH; one line with the fault.
    """
    if not path.is_file():
        raise ClipError(f"motion file '{path}' does not exist; expected a BVH file; check the path")
    if path.stat().st_size > LARGEST_FILE:
        raise ClipError(f"motion file '{path}' is larger than {LARGEST_FILE >> 20} MiB; cut it into pieces")
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ClipError(f"motion file '{path}' cannot be read ({error.strerror}); check its permissions") from error
    return parse(text, path)


def parse(text: str, path: Path) -> RawMotion:
    """Parse the text of a BVH file.

    Args:
        text: The text.
        path: File named in messages.

    Raises:
        ClipError: If the text is not a BVH.
    """
    head, mark, body = _split(text)
    if not mark:
        raise _fault(path, "has no MOTION section", "a hierarchy and then MOTION", "it may be truncated; copy it again")
    joints = _hierarchy(head, path)
    frames, fps, values = _motion(body, sum(len(joint.channels) for joint in joints), path)
    local_pos = np.tile(np.array([joint.offset for joint in joints], dtype=float), (frames, 1, 1))
    offsets = local_pos[0].copy()
    local_quat = np.tile([0.0, 0.0, 0.0, 1.0], (frames, len(joints), 1))
    column = 0
    for index, joint in enumerate(joints):
        turn = Rotation.identity()
        for channel in joint.channels:
            axis, number = channel[0], values[:, column]
            column += 1
            if channel.endswith("position"):
                local_pos[:, index, "xyz".index(axis)] = number
            else:
                # Channels are applied from the left: "Z X Y" means Rz Rx Ry.
                turn = turn * Rotation.from_euler(axis, number[:, None], degrees=True)
        if any(channel.endswith("rotation") for channel in joint.channels):
            local_quat[:, index] = turn.as_quat()
    return RawMotion(
        path=path,
        fps=fps,
        joint_names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=offsets,
        local_pos=local_pos,
        local_quat=local_quat,
        history=(f"read as BVH: {sum(not joint.is_end for joint in joints)} joints, {frames} frames at {fps:g} fps",),
    ).without_repeats()


def _split(text: str) -> tuple[str, str, str]:
    """Return what stands before and after the line MOTION, and that line."""
    found = re.search(r"^\s*MOTION\s*$", text, re.MULTILINE | re.IGNORECASE)
    return (text[: found.start()], "MOTION", text[found.end() :]) if found else (text, "", "")


def _hierarchy(head: str, path: Path) -> list[_Joint]:
    """Return the joints in the order of the file, which puts parents first."""
    lines = [line.strip() for line in head.replace("{", "\n{\n").replace("}", "\n}\n").splitlines() if line.strip()]
    if not lines or lines[0].upper() != "HIERARCHY":
        raise _fault(path, "does not begin with HIERARCHY", "a BVH file", "check that it is one")
    joints: list[_Joint] = []
    stack: list[int] = []
    opened = True
    for line in lines[1:]:
        word, _, rest = line.partition(" ")
        word = word.upper()
        if word in ("ROOT", "JOINT", "END"):
            if not opened or (word == "ROOT") != (not joints) or (word != "ROOT" and not stack):
                raise _fault(path, f"has '{line}' where it cannot stand", "one ROOT, JOINTs inside it", "export again")
            joints.append(_new_joint(word, rest.strip(), stack, joints, path))
            opened = False
        elif word == "{":
            if opened:
                raise _fault(path, "opens a brace that belongs to no joint", "a joint's name before it", "export again")
            stack.append(len(joints) - 1)
            opened = True
        elif word == "}":
            if not stack or not opened:
                raise _fault(path, "closes a brace that was not opened", "matching braces", "export again")
            stack.pop()
        elif word in ("OFFSET", "CHANNELS") and stack and opened:
            _property(joints[stack[-1]], word, rest.split(), path)
        else:
            raise _fault(path, f"has '{line[:40]}' in its hierarchy", "ROOT, JOINT, OFFSET or CHANNELS", "export again")
    if stack or not joints:
        raise _fault(path, "ends inside its hierarchy", "a closed hierarchy of joints", "it may be truncated")
    _check_joints(joints, path)
    return joints


def _new_joint(word: str, name: str, stack: list[int], joints: list[_Joint], path: Path) -> _Joint:
    if len(joints) >= _MOST_JOINTS:
        raise _fault(path, f"has more than {_MOST_JOINTS} joints", "the skeleton of a person", "check the file")
    parent = stack[-1] if stack else -1
    if parent >= 0 and joints[parent].is_end:
        raise _fault(path, "has a joint inside an End Site", "nothing but an OFFSET there", "export again")
    if word == "END":
        return _Joint(f"{joints[parent].name} end", parent, is_end=True)
    if not name:
        raise _fault(path, "has a joint without a name", "a name after JOINT", "export again")
    return _Joint(name, parent)


def _property(joint: _Joint, word: str, rest: list[str], path: Path) -> None:
    """Take over the OFFSET or the CHANNELS of a joint."""
    if word == "OFFSET":
        numbers = _numbers(rest, path, f"the OFFSET of '{joint.name}'")
        if len(numbers) != 3 or joint.offset is not None:
            raise _fault(path, f"has a wrong OFFSET at '{joint.name}'", "one line of three numbers", "export again")
        joint.offset = tuple(numbers)
        return
    channels = [channel.lower() for channel in rest[1:]]
    count = rest[0] if rest else "nothing"
    wrong = [channel for channel in channels if channel not in _CHANNELS]
    if wrong or count != str(len(channels)) or len(set(channels)) != len(channels) or joint.channels:
        raise _fault(
            path,
            f"has wrong CHANNELS at '{joint.name}': '{' '.join([count, *channels])[:80]}'",
            "their number, then Xposition ... Zrotation, each once",
            "export again",
        )
    if joint.is_end and channels:
        raise _fault(path, f"has channels at the end site '{joint.name}'", "none there", "export again")
    joint.channels = channels


def _check_joints(joints: list[_Joint], path: Path) -> None:
    for joint in joints:
        if joint.offset is None:
            raise _fault(path, f"has no OFFSET at '{joint.name}'", "three numbers", "export again")
    names = [joint.name for joint in joints if not joint.is_end]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _fault(path, f"names {', '.join(twice)} more than once", "unique names", "rename them")


def _motion(body: str, width: int, path: Path) -> tuple[int, float, np.ndarray]:
    """Return number of frames, frame rate [1/s] and the numbers, shape (T, width)."""
    head = re.match(r"\s*Frames:\s*(\S+)\s+Frame\s*Time:\s*(\S+)[ \t]*(?:\r?\n|$)", body, re.IGNORECASE)
    if head is None:
        raise _fault(path, "lacks 'Frames:' and 'Frame Time:'", "both after MOTION", "it may be truncated")
    frames, frame_time = _numbers([head[1], head[2]], path, "'Frames:' and 'Frame Time:'")
    if frames != int(frames) or frames < 2:
        raise _fault(path, f"has {head[1]} frames", "at least 2", "record a longer motion")
    if frame_time <= 0.0:
        raise _fault(path, f"has a frame time of {head[2]} s", "a number above 0", "write 1 / frame rate there")
    values = _numbers(body[head.end() :].split(), path, "its frames")
    if width == 0:
        raise _fault(path, "has no channels", "joints that move", "export again")
    if values.size != int(frames) * width:
        raise _fault(
            path,
            f"has {values.size} numbers for {int(frames)} frames of {width} channels",
            f"{int(frames) * width}",
            "it may be truncated, or its CHANNELS are wrong",
        )
    # 0.0333333 stands for 1/30: a rate is written with few digits.
    fps = 1.0 / float(frame_time)
    fps = round(fps) if abs(fps - round(fps)) < 7e-4 * fps else fps
    return int(frames), check_rate(float(fps), path), values.reshape(int(frames), width)


def _numbers(words: list[str], path: Path, where: str) -> np.ndarray:
    try:
        values = np.array(words, dtype=float)
    except ValueError as error:
        raise _fault(path, f"has text among the numbers of {where}", "numbers", f"repair it ({error})") from error
    bad = ~(np.abs(values) < _LARGEST)
    if bad.any():
        word = words[int(np.argmax(bad))]
        raise _fault(path, f"has '{word}' in {where}", f"finite numbers below {_LARGEST:g}", "repair or cut the motion")
    return values


def _fault(path: Path, wrong: str, expected: str, fix: str) -> ClipError:
    return ClipError(f"motion file '{path}' {wrong}; expected {expected}; {fix}")
