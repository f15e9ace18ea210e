# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""An episode as a file: a clip of what the robot did, with what was commanded and what was to be done beside it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .recording import Recording

if TYPE_CHECKING:
    from ..motion.robot import Robot


def save_trajectory(recording: Recording, path: Path, robot: Robot, every: int = 1) -> None:
    """Write an episode as npz that loads as a clip: beside its place and then renamed.

    The clip holds what the robot did, all bodies by forward kinematics. Beside its arrays the file holds, for the same
    instants and joints: ``joint_vel`` [rad/s], ``root_lin_vel`` [m/s] and ``root_ang_vel`` [rad/s] in the world,
    ``actions`` as the policy gave them, ``targets`` [rad] after scale and offset, ``torques`` [N m],
    ``reference_joint_pos`` [rad], ``reference_root_pos`` [m], ``reference_root_quat`` (xyzw), ``frames`` (of the clip,
    at the control rate), ``control_rate`` [Hz], ``outcome`` and ``trajectory_of``, the clip's name.

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
    did, due = recording.robot, recording.reference
    labels = {} if recording.contacts is None else {
        "contact_names": recording.feet_names, "contacts": recording.contacts[kept].numpy(),
    }  # fmt: skip
    clip = robot.clip(
        f"{recording.clip}_played",
        recording.rate / every,
        did.body_pos_w[kept, 0].numpy(),
        did.body_quat_w[kept, 0].numpy(),
        did.joint_pos[kept][:, order].numpy(),
        source=f"a policy following {recording.clip}",
        **labels,
    )
    extras = {
        "joint_vel": did.joint_vel[kept][:, order],
        "root_lin_vel": did.body_lin_vel_w[kept, 0],
        "root_ang_vel": did.body_ang_vel_w[kept, 0],
        "actions": recording.actions[kept],
        "targets": recording.targets[kept][:, order],
        "torques": recording.torques[kept][:, order],
        "reference_joint_pos": due.joint_pos[kept][:, order],
        "reference_root_pos": due.body_pos_w[kept, 0],
        "reference_root_quat": due.body_quat_w[kept, 0],
        "frames": np.arange(recording.start + 1, recording.start + recording.steps + 1)[kept],
        "control_rate": np.array(recording.rate),
        "outcome": np.array(recording.outcome),
        "trajectory_of": np.array(recording.clip),
    }
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
