# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A robot that glides over the ground exactly as it is told, without a simulator."""

from __future__ import annotations

import contextlib
import math
import threading

import numpy as np

from isaac_tracking.inference.driving.drive import drive
from isaac_tracking.inference.driving.state import DrivingState
from isaac_tracking.inference.driving.walker import Moment
from isaac_tracking.inference.driving.wheel import Wheel
from isaac_tracking.inference.ground_mesh import GroundMesh
from isaac_tracking.inference.velocity.commands import Command, CommandRange
from isaac_tracking.robots import go1
from isaac_tracking.robots.mjcf import mjcf_path

LIMITS = CommandRange((-1.0, 1.0), (-0.5, 0.5), (-1.5, 1.5))


class ToyRobot:
    """The Go1 as a rigid statue that glides; beyond a distance from its start it falls."""

    def __init__(self, ground: GroundMesh | None = None, falls_at: float = math.inf) -> None:
        import mujoco

        self.rate = 50.0
        self.body_names = go1.BODY_NAMES
        self.ground = ground
        self._falls_at = falls_at
        model = mujoco.MjModel.from_xml_path(str(mjcf_path(*go1.MODEL)))
        data = mujoco.MjData(model)
        data.qpos[:7] = 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0
        data.qpos[7:] = [go1.default_joint_pos(name) for name in go1.JOINT_NAMES]
        mujoco.mj_kinematics(model, data)
        ids = [model.body(name).id for name in self.body_names]
        self._statue = data.xpos[ids].copy(), data.xquat[ids].copy()
        self.commands: list[Command] = []
        self.restart()

    def restart(self) -> Moment:
        self.x = self.y = self.yaw = 0.0
        return self._moment(Command(0.0, 0.0, 0.0))

    def step(self, command: Command) -> Moment:
        self.commands.append(command)
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        self.x += (cos * command.x - sin * command.y) / self.rate
        self.y += (sin * command.x + cos * command.y) / self.rate
        self.yaw += command.yaw / self.rate
        if math.hypot(self.x, self.y) > self._falls_at:
            self.restart()
            return self._moment(command, "base_contact", True)
        return self._moment(command)

    def _moment(self, velocity: Command, outcome: str = "", fell: bool = False) -> Moment:
        pos, quat = self._statue
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        half = math.cos(self.yaw / 2), math.sin(self.yaw / 2)
        w, x, y, z = quat.T
        turned = (
            half[0] * x - half[1] * y,
            half[0] * y + half[1] * x,
            half[0] * z + half[1] * w,
            half[0] * w - half[1] * z,
        )
        pose = np.concatenate((pos @ turn.T + (self.x, self.y, 0.3), np.stack(turned, axis=-1)), axis=-1)
        return Moment(pose.astype(np.float32), velocity, outcome, fell)


class EndOfDriveError(Exception):
    """Ends a drive, which has no end of its own."""


class Drive:
    """A toy that is driven in a thread of its own. Use it as a context."""

    def __init__(self, robot: ToyRobot) -> None:
        # Patient, since a browser that draws on a busy CPU is silent for long.
        self.robot, self.wheel = robot, Wheel(LIMITS, patience=60.0)
        self.state = DrivingState(robot.restart())
        self.reasons: list[str] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        step = self.robot.step

        def watched(command: Command) -> Moment:
            if self._closed.is_set():
                raise EndOfDriveError
            return step(command)

        self.robot.step = watched  # type: ignore[method-assign]
        with contextlib.suppress(EndOfDriveError):
            for reason in drive(self.robot, self.wheel, self.state):
                self.reasons.append(reason)

    def __enter__(self) -> Drive:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(timeout=5.0)
        assert not self._thread.is_alive()
