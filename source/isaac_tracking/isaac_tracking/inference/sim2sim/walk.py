# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A policy follows velocities on flat ground in MuJoCo, step by step as in its task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ...motion.ground import CollisionPoints
from ...motion.robot import Robot
from ..policy_answers import PolicyAnswers
from ..policy_contract import CommandContract, PolicyContract, PolicyError
from ..velocity.commands import Command
from ..velocity.recording import VelocityRecording
from .action_path import ActionPath
from .mujoco_robot import MujocoRobot
from .observations import COMMAND_TERMS, Observations
from .rollout import CUT_OFF, Policy
from .senses import CommandSenses, matrix
from .settings import Mismatch, Pushes

TIME_OUT, FALL, NON_FINITE = "time_out", "base_contact", "non_finite"
"""Outcomes of an episode, by the names of the task's terminations."""

POSE_SHARE, START_SPEED = 0.2, 0.5
"""How far a drawn start is from the default one: share of each joint angle [-], and largest velocity of the root along
x and y [m/s]; the second is the task's (``reset_base``)."""


class VelocityWorld:
    """A policy that follows velocities, and its robot in MuJoCo.

    Args:
        contract: What the policy's file says.
        policy: The policy.
        robot: The robot; its MJCF is what is simulated.
        mismatch: What is changed on purpose; nothing if None.
        rng: Source of the observation noise that the contract names; None for no noise.
        pushes: How the robot is pushed; not at all if None.

    Raises:
        PolicyError: If the policy follows clips, is of another robot, or sees or does something unknown here.
    """

    def __init__(
        self,
        contract: PolicyContract,
        policy: Policy,
        robot: Robot,
        mismatch: Mismatch | None = None,
        rng: np.random.Generator | None = None,
        pushes: Pushes | None = None,
    ) -> None:
        if contract.command is None:
            raise PolicyError(f"the policy of '{contract.task}' follows clips, not velocities; give it clips")
        if contract.robot != robot.name:
            raise PolicyError(f"the policy is of robot '{contract.robot}'; expected '{robot.name}'")
        self._contract, self._policy, self._pushes = contract, policy, pushes
        self._limits: CommandContract = contract.command
        size = contract.num_observations
        self._observe = Observations(contract.observations, contract.joint_names, size, rng, COMMAND_TERMS)
        self._scan = _scan_of(contract)
        self._robot = MujocoRobot(contract, robot, mismatch or Mismatch())
        self._shapes = CollisionPoints.from_mjcf(robot.mjcf)
        self._tree_joints = [contract.joint_names.index(name) for name in robot.joint_names]
        self._falls = self._robot.body_ids(self._limits.fall_body_names)
        self._default = np.array(contract.default_joint_pos)
        self._path = ActionPath(contract)

    def run(
        self,
        command: Command,
        steps: int,
        start: np.random.Generator | None = None,
        watch: Callable[[MujocoRobot], bool] | None = None,
    ) -> VelocityRecording:
        """Follow one command from the default pose on the ground, until time is up or the robot falls.

        Args:
            command: What to do, from the first step on.
            steps: Control steps until time is up.
            start: Draws joint angles and a velocity to start with, see :data:`POSE_SHARE` and :data:`START_SPEED`; at
                rest in the default pose if None.
            watch: Is told the state after each step; an episode that it does not want to see on is cut off, and its
                outcome is :data:`.CUT_OFF`.
        """
        self._place(start)
        self._observe.reset()
        if isinstance(self._policy, PolicyAnswers):
            self._policy.reset()
        self._path.reset(self._robot.joint_pos)
        if self._pushes is not None:
            self._pushes.reset()
        action, wanted = np.zeros(self._contract.num_actions), np.array(command)
        rows: list[tuple[np.ndarray, ...]] = []
        outcome = TIME_OUT
        while outcome == TIME_OUT and len(rows) < steps:
            action = self._policy(self._observe(self._senses(wanted, action)))[0].astype(np.float64)
            outcome = self._advance(self._path.targets(action, self._default)) or TIME_OUT
            rows.append(self._row(finite=outcome != NON_FINITE))
            if outcome == TIME_OUT and self._pushes is not None:
                self._robot.push(self._pushes.next(1.0 / self._contract.control_rate))
            if watch is not None and not watch(self._robot) and outcome == TIME_OUT and len(rows) < steps:
                outcome = CUT_OFF
        columns = [torch.from_numpy(np.stack(column)).float() for column in zip(*rows, strict=True)]
        return VelocityRecording(
            command,
            self._contract.control_rate,
            self._contract.joint_names,
            self._robot.mass,
            *columns,
            outcome=outcome,
            fell=outcome in (FALL, NON_FINITE),
            max_steps=steps,
        )

    def _place(self, start: np.random.Generator | None) -> None:
        """Let the robot stand on the ground, looking along x."""
        upright, pose, velocity = np.array([0.0, 0.0, 0.0, 1.0]), self._default, np.zeros(3)
        if start is not None:
            pose = pose * start.uniform(1.0 - POSE_SHARE, 1.0 + POSE_SHARE, pose.shape)
            velocity[:2] = start.uniform(-START_SPEED, START_SPEED, 2)
        joints = torch.from_numpy(pose[self._tree_joints])[None].float()
        depth = float(self._shapes.lowest(torch.zeros(1, 3), torch.from_numpy(upright)[None].float(), joints))
        self._robot.place(np.array([0.0, 0.0, -depth]), upright, velocity, np.zeros(3), pose, np.zeros_like(pose))

    def _senses(self, command: np.ndarray, action: np.ndarray) -> CommandSenses:
        robot = self._robot
        points, body, offset = self._scan
        return CommandSenses(
            joint_pos=robot.joint_pos,
            joint_vel=robot.joint_vel,
            root_quat_w=robot.body_quat_w[0],
            root_com_vel_w=robot.root_com_vel_w,
            root_ang_vel_w=robot.body_ang_vel_w[0],
            last_action=action,
            default_joint_pos=self._default,
            boot_remaining=self._path.boot_remaining,
            command=command,
            # The ground is flat here, so that all rays see the same.
            scan=np.full(points, robot.body_pos_w[body, 2] - offset),
        )

    def _advance(self, targets: np.ndarray) -> str | None:
        """Simulate a control step with targets of shape (decimation, J) [rad], and say why the episode ends."""
        # MuJoCo would take zeros for targets that are not finite, and go on.
        if not np.isfinite(targets).all():
            return NON_FINITE
        fallen = False
        for row in targets:
            self._robot.step(row, 1)
            # The sensor of the task remembers the forces of the last physics steps.
            fallen |= bool((self._robot.contact_forces(self._falls) > self._limits.fall_force).any())
        robot = self._robot
        if not all(np.isfinite(part).all() for part in (robot.joint_pos, robot.joint_vel, robot.body_pos_w)):
            return NON_FINITE
        return FALL if fallen else None

    def _row(self, finite: bool) -> tuple[np.ndarray, ...]:
        """Return what is recorded of the state, zeros if it is not finite as in the task."""
        robot = self._robot
        inverse = matrix(robot.body_quat_w[0]).T
        velocity = inverse @ robot.root_com_vel_w, inverse @ robot.body_ang_vel_w[0]
        place = robot.body_pos_w[0], robot.body_quat_w[0]
        parts = (*velocity, *place, robot.joint_pos, robot.joint_vel, robot.torques)
        return tuple(part if finite else np.zeros_like(part) for part in parts)


def _scan_of(contract: PolicyContract) -> tuple[int, int, float]:
    """Return how many points of the ground a policy looks at, from which body, and what is taken off [m]."""
    scans = [term for term in contract.observations if term.points is not None]
    if not scans:
        return 0, 0, 0.0
    (scan,) = scans
    (body,) = scan.body_names or contract.body_names[:1]
    return len(scan.points or ()), contract.body_names.index(body), float(scan.scan_offset or 0.0)
