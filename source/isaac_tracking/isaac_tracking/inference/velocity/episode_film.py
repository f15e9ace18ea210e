# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a film shows of an episode under a commanded velocity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...motion.kinematics import forward_kinematics
from .recording import VelocityRecording

if TYPE_CHECKING:
    from ...motion.robot import Robot


@dataclass(frozen=True)
class VelocityFilm:
    """An episode to draw with :func:`..episode_film.write_films`, command and velocity in the picture."""

    recording: VelocityRecording

    @property
    def rate(self) -> float:
        """Instants per second [Hz]."""
        return self.recording.rate

    @property
    def steps(self) -> int:
        """Number of instants T."""
        return self.recording.steps

    def poses(self, robot: Robot) -> np.ndarray:
        """Return poses of all bodies, [m] and xyzw, shape (1, T, num_bodies, 7)."""
        recording = self.recording
        order = [recording.joint_names.index(name) for name in robot.tree.joint_names]
        joints = recording.joint_pos[:, order]
        found = forward_kinematics(robot.tree, recording.root_pos_w, recording.root_quat_w, joints)
        return torch.cat(found, dim=-1)[None].numpy()

    def captions(self) -> list[str]:
        """Return what is written at each instant: time and ground, command, velocity, outcome."""
        recording = self.recording
        length = recording.max_steps / recording.rate
        ground = "" if recording.terrain is None else f"   {recording.terrain}, level {recording.level}"
        ended = f"ended by {recording.outcome} at {self.steps / self.rate:.1f} s" if recording.fell else ""
        speeds = torch.cat((recording.lin_vel_b[:, :2], recording.ang_vel_b[:, 2:]), dim=-1).tolist()
        return [
            f"{(step + 1) / self.rate:.1f} of {length:.1f} s{ground}\n"
            f"command   {_numbers(recording.command)}\nvelocity  {_numbers(speed)}" + (f"\n{ended}" if ended else "")
            for step, speed in enumerate(speeds)
        ]


def _numbers(velocity: tuple[float, ...] | list[float]) -> str:
    x, y, yaw = velocity
    return f"x {x:+.2f}  y {y:+.2f} m/s  yaw {yaw:+.2f} rad/s"
