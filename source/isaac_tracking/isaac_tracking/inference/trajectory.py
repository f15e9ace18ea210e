# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""An episode as a file: a clip of what the robot did, with what was commanded and what was to be done beside it."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..motion.clip import Clip, ClipError
from ..motion.frame import MotionFrame
from .recording import Recording

if TYPE_CHECKING:
    from ..motion.robot import Robot

_AGAIN = "write it again with 'evaluate.py --trajectories'"
_TRACKED = ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
_WIDTHS = {"body_pos_w": 3, "body_quat_w": 4, "body_lin_vel_w": 3, "body_ang_vel_w": 3}
_JOINTS = ("joint_vel", "targets", "torques", "reference_joint_pos", "reference_joint_vel")
_NUMBERS = ("control_rate", "clip_steps", "start", "every")
_TEXTS = ("outcome", "trajectory_of")
_NEEDED = (
    *_TEXTS, *_NUMBERS, *_JOINTS, "actions", "tracked_names",
    *(f"{who}_{name}" for who in ("tracked", "reference") for name in _TRACKED),
)  # fmt: skip


def played_clip(recording: Recording, robot: Robot, every: int = 1) -> Clip:
    """Return what the robot did as a clip: all bodies by forward kinematics, and the feet's contacts.

    Args:
        recording: The episode.
        robot: The robot.
        every: Keep every N-th instant, from the first on.

    Raises:
        ClipError: If fewer than two instants remain.
    """
    order = [recording.joint_names.index(name) for name in robot.joint_names]
    did = recording.robot
    quat = did.body_quat_w[::every, 0].numpy().copy()
    # A state that was not finite is recorded as zeros, and a clip must have orientations.
    quat[~quat.any(axis=-1)] = (0.0, 0.0, 0.0, 1.0)
    labels = {} if recording.contacts is None else {
        "contact_names": recording.feet_names, "contacts": recording.contacts[::every].numpy(),
    }  # fmt: skip
    return robot.clip(
        f"{recording.clip}_played",
        recording.rate / every,
        did.body_pos_w[::every, 0].numpy(),
        quat,
        did.joint_pos[::every][:, order].numpy(),
        source=f"a policy following {recording.clip}",
        **labels,
    )


def save_trajectory(recording: Recording, path: Path, robot: Robot, every: int = 1) -> None:
    """Write an episode as npz that loads as a clip: beside its place and then renamed.

    The clip holds what the robot did, see :func:`played_clip`. Beside its arrays the file holds, for the same instants
    and joints: ``joint_vel`` [rad/s], ``actions`` as the policy gave them, ``targets`` [rad] after scale and offset,
    ``torques`` [N m], ``reference_joint_pos`` [rad] and ``reference_joint_vel`` [rad/s]; of the bodies
    ``tracked_names``, the root first, ``tracked_body_pos_w`` [m], ``tracked_body_quat_w`` (xyzw),
    ``tracked_body_lin_vel_w`` [m/s] and ``tracked_body_ang_vel_w`` [rad/s], and the same of the reference as
    ``reference_body_...``; ``reference_contacts`` if the clip has labels; ``frames`` (of the clip, at the control
    rate). And of the whole: ``control_rate`` [Hz], ``every``, ``start``, ``clip_steps``, ``outcome`` and
    ``trajectory_of``, the clip's name.

    Args:
        recording: The episode; at least two instants are written.
        path: File to write; its folder is made if need be.
        robot: The robot.
        every: Keep every N-th instant, from the first on.

    Raises:
        ClipError: If fewer than two instants remain.
    """
    kept = slice(None, None, every)
    order = [recording.joint_names.index(name) for name in robot.joint_names]
    clip = played_clip(recording, robot, every)
    joints = {
        "joint_vel": recording.robot.joint_vel,
        "targets": recording.targets,
        "torques": recording.torques,
        "reference_joint_pos": recording.reference.joint_pos,
        "reference_joint_vel": recording.reference.joint_vel,
    }
    bodies = {f"tracked_{name}": getattr(recording.robot, name)[kept] for name in _TRACKED}
    bodies |= {f"reference_{name}": getattr(recording.reference, name)[kept] for name in _TRACKED}
    extras = {
        **{name: values[kept][:, order] for name, values in joints.items()},
        **bodies,
        "tracked_names": np.array(recording.body_names, dtype=np.str_),
        "actions": recording.actions[kept],
        "frames": np.arange(recording.start + 1, recording.start + recording.steps + 1)[kept],
        "control_rate": np.array(recording.rate),
        "every": np.array(every),
        "start": np.array(recording.start),
        "clip_steps": np.array(recording.clip_steps),
        "outcome": np.array(recording.outcome),
        "trajectory_of": np.array(recording.clip),
    }
    if recording.reference_contacts is not None:
        extras["reference_contacts"] = recording.reference_contacts[kept]
    work = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        clip.save(work)
        with zipfile.ZipFile(work, "a", zipfile.ZIP_DEFLATED) as file:
            for name, values in extras.items():
                with file.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.asarray(values), allow_pickle=False)
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)


def is_trajectory(path: Path) -> bool:
    """Return whether a file says that it is a trajectory; only its table of contents is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"trajectory_of.npy", "format.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def load_trajectory(path: Path, robot: Robot) -> Recording:
    """Read an episode that :func:`save_trajectory` wrote; all its numbers are those that were recorded.

    Joints are in the robot's order. Of a file with every N-th instant the recording is at the rate of what was kept,
    and its ``clip_steps`` and ``start`` count such instants: its metrics are not those of the whole episode.

    Args:
        path: The file.
        robot: The robot.

    Raises:
        ClipError: If the file cannot be read, is a clip but no trajectory, or is of another robot.
    """
    clip = Clip.load(path)
    where = f"trajectory '{path}'"
    if clip.robot != robot.name:
        raise ClipError(f"{where} is of robot '{clip.robot}'; expected '{robot.name}'; give a trajectory of it")
    content = _extras(path)
    joints = clip.joint_indices(robot.joint_names)
    every, start, steps = (int(content[name]) for name in ("every", "start", "clip_steps"))
    control_rate = float(content["control_rate"])
    if every < 1 or not 0 <= start < steps or abs(control_rate / every - clip.fps) > 1e-6 * clip.fps:
        raise ClipError(
            f"{where} has every {every}, start {start}, clip_steps {steps}, control_rate {control_rate:g} and fps"
            f" {clip.fps:g}, which do not go together; it was changed; {_AGAIN}"
        )
    tracked = tuple(str(name) for name in content["tracked_names"].ravel())
    if not {robot.body_names[0], *clip.contact_names} <= set(tracked):
        raise ClipError(f"{where} lacks its root or its feet among tracked_names; it was changed; {_AGAIN}")
    arrays = _checked(where, content, clip, len(tracked))
    did, due = (
        MotionFrame(pos[:, joints], vel[:, joints], *(arrays[f"{who}_{name}"] for name in _TRACKED))
        for who, pos, vel in (
            ("tracked", torch.tensor(clip.joint_pos), arrays["joint_vel"]),
            ("reference", arrays["reference_joint_pos"], arrays["reference_joint_vel"]),
        )
    )
    labels = arrays.get("reference_contacts")
    return Recording(
        clip=str(content["trajectory_of"]),
        rate=clip.fps,
        joint_names=robot.joint_names,
        body_names=tracked,
        robot=did,
        reference=due,
        actions=arrays["actions"],
        targets=arrays["targets"][:, joints],
        torques=arrays["torques"][:, joints],
        contacts=None if clip.contacts is None else torch.tensor(clip.contacts),
        outcome=str(content["outcome"]),
        clip_steps=steps if every == 1 else (steps - start - 1) // every + 1,
        start=start if every == 1 else 0,
        feet_names=clip.contact_names,
        reference_contacts=None if labels is None else labels.bool(),
    )


def _extras(path: Path) -> dict[str, np.ndarray]:
    """Return what a trajectory holds beside its clip."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if "trajectory_of" not in file.files:
                raise ClipError(
                    f"motion file '{path}' is a clip, no trajectory; expected a file of 'evaluate.py --trajectories';"
                    " look at a clip with 'motions.py view'"
                )
            missing = [name for name in _NEEDED if name not in file.files]
            if missing:
                raise ClipError(f"trajectory '{path}' lacks {', '.join(missing)}; it is of another version; {_AGAIN}")
            names = [*_NEEDED, *(name for name in ("reference_contacts",) if name in file.files)]
            content = {name: file[name] for name in names}
    except ClipError:
        raise
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, TypeError, RuntimeError) as error:
        raise ClipError(f"trajectory '{path}' is damaged ({error}); {_AGAIN}") from error
    for kind, names in (("iuf", _NUMBERS), ("U", _TEXTS)):
        for name in names:
            if content[name].shape != () or content[name].dtype.kind not in kind:
                raise ClipError(f"trajectory '{path}': {name} is {content[name].dtype}, not what it must be; {_AGAIN}")
    return content


def _checked(where: str, content: dict[str, np.ndarray], clip: Clip, tracked: int) -> dict[str, torch.Tensor]:
    """Return the arrays of T instants, refused if a shape or a number is wrong."""
    shapes: dict[str, tuple[int, ...]] = {name: clip.joint_pos.shape for name in _JOINTS}
    for name, width in _WIDTHS.items():
        shapes |= dict.fromkeys((f"tracked_{name}", f"reference_{name}"), (clip.num_frames, tracked, width))
    shapes["actions"] = (clip.num_frames, content["actions"].shape[-1] if content["actions"].ndim == 2 else 0)
    if "reference_contacts" in content:
        shapes["reference_contacts"] = (clip.num_frames, len(clip.contact_names))
    for name, shape in shapes.items():
        array = content[name]
        if array.shape != shape or array.dtype.kind not in "fb":
            raise ClipError(f"{where}: {name} has shape {array.shape}, not numbers of shape {shape}; {_AGAIN}")
        if not np.isfinite(array).all():
            raise ClipError(f"{where}: {name} is not finite; it was changed; {_AGAIN}")
    return {name: torch.from_numpy(content[name]).float() for name in shapes}
