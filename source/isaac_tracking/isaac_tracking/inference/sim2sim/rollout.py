# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A policy follows clips in MuJoCo, step by step as in its task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ...motion.clip import Clip, ClipError
from ...motion.errors import tracking_errors
from ...motion.frame import MotionFrame
from ...motion.ground import CollisionPoints
from ...motion.library import MotionLibrary
from ...motion.robot import Robot
from ..contact_labels import foot_labels
from ..policy_answers import PolicyAnswers
from ..policy_contract import PolicyContract, PolicyError
from ..recording import CLIP_END, Recording
from .action_path import ActionPath
from .mujoco_robot import MujocoRobot
from .observations import Observations
from .senses import ClipSenses
from .settings import Limits, Mismatch

Policy = Callable[[np.ndarray], np.ndarray]
"""From observations, float32, shape (1, N), to actions, shape (1, A); :class:`.PolicyAnswers` is told of each start."""

Watch = Callable[[MotionFrame], bool]
"""Is told a state of the robot, one instant; returns whether to go on."""

CUT_OFF = "cut_off"
"""Outcome of an episode that whoever watched it ended."""


class Sim2Sim:
    """A policy, a robot and clips in MuJoCo.

    Args:
        contract: What the policy's file says.
        policy: The policy.
        robot: The robot; its MJCF is what is simulated.
        clips: What to follow.
        limits: When an episode has failed.
        mismatch: What is changed on purpose; nothing if None.
        rng: Source of the observation noise that the contract names; None for no noise.

    Raises:
        PolicyError: If the policy is of another robot, or sees or does something unknown here.
        ClipError: If a clip is of another robot.
    """

    def __init__(
        self,
        contract: PolicyContract,
        policy: Policy,
        robot: Robot,
        clips: Sequence[Clip],
        limits: Limits,
        mismatch: Mismatch | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        _check_robots(contract, robot, clips)
        missing = [name for name in limits.end_effectors if name not in contract.body_names]
        if missing:
            raise PolicyError(f"the policy does not track end effector '{missing[0]}'; export one that does")
        self._contract, self._policy, self._limits = contract, policy, limits
        self._observe = Observations(contract.observations, contract.joint_names, contract.num_observations, rng)
        self._robot = MujocoRobot(contract, robot, mismatch or Mismatch())
        self._library = MotionLibrary(clips, contract.joint_names, contract.body_names, contract.control_rate)
        self._shapes = CollisionPoints.from_mjcf(robot.mjcf)
        self._tree_joints = [contract.joint_names.index(name) for name in robot.joint_names]
        self._feet_names = robot.foot_body_names
        self._labels = [foot_labels(clip, robot.foot_body_names, contract.control_rate) for clip in clips]
        self._anchor = contract.body_names.index(contract.anchor_body_name)
        self._end_effectors = [contract.body_names.index(name) for name in limits.end_effectors]
        self._default = np.array(contract.default_joint_pos)
        self._path = ActionPath(contract)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the clips."""
        return self._library.names

    def run(self, clip: int, watch: Watch | None = None) -> Recording:
        """Follow a clip from its first frame until it ends or the robot fails.

        The order is the task's (docs/tracking.md): the robot stands on frame 0, sees frame 1, and after its step is
        compared with frame 1.

        Args:
            clip: Which one.
            watch: Is told the state after each step, one instant; an episode that it does not want to see on is cut
                off, and its outcome is :data:`CUT_OFF`.
        """
        frames = self._frames(clip)
        last = len(frames.joint_pos) - 1
        self._place(frames)
        self._observe.reset()
        if isinstance(self._policy, PolicyAnswers):
            self._policy.reset()
        self._path.reset(self._robot.joint_pos)
        action = np.zeros(self._contract.num_actions)
        rows: list[tuple[torch.Tensor, ...]] = []
        outcome, step = CLIP_END, 0
        while outcome == CLIP_END and step < last:
            step += 1
            reference = MotionFrame(*(part[step : step + 1] for part in frames))
            action = self._policy(self._observe(self._senses(frames, step, action)))[0].astype(np.float64)
            targets = self._path.targets(action, reference.joint_pos[0].numpy())
            robot, finite = self._advance(targets)
            errors = tracking_errors(reference, robot, self._anchor)
            outcome = (self._limits.failure(errors, self._end_effectors) if finite else "non_finite") or CLIP_END
            contacts = torch.from_numpy(self._robot.feet_on_ground)[None]
            rows.append((*robot, *(_row(part) for part in (action, targets[-1], self._robot.torques)), contacts))
            if watch is not None and not watch(robot) and outcome == CLIP_END and step < last:
                outcome = CUT_OFF
        columns = [torch.cat(column) for column in zip(*rows, strict=True)]
        labels = self._labels[clip]
        return Recording(
            clip=self.names[clip],
            rate=self._contract.control_rate,
            joint_names=self._contract.joint_names,
            body_names=self._contract.body_names,
            robot=MotionFrame(*columns[:6]),
            reference=MotionFrame(*(part[1 : step + 1] for part in frames)),
            actions=columns[6],
            targets=columns[7],
            torques=columns[8],
            contacts=columns[9],
            outcome=outcome,
            clip_steps=last,
            feet_names=self._feet_names,
            reference_contacts=None if labels is None else torch.from_numpy(labels[1 : step + 1]),
        )

    def _frames(self, clip: int) -> MotionFrame:
        """Return all frames of a clip at the control rate."""
        steps = torch.arange(int(self._library.num_frames[clip]))
        return self._library.frames(torch.full_like(steps, clip), steps)

    def _place(self, frames: MotionFrame) -> None:
        """Put the robot on the clip's first frame, lifted by the depth to which that reaches into the ground."""
        first = MotionFrame(*(part[:1] for part in frames))
        root_pos, root_quat = first.body_pos_w[:, 0], first.body_quat_w[:, 0]
        depth = self._shapes.lowest(root_pos, root_quat, first.joint_pos[:, self._tree_joints]).clamp_max(0.0)
        height = torch.tensor([0.0, 0.0, 1.0]) * depth
        state = (root_pos[0] - height, root_quat[0], first.body_lin_vel_w[0, 0], first.body_ang_vel_w[0, 0])
        self._robot.place(*(part.numpy() for part in (*state, first.joint_pos[0], first.joint_vel[0])))

    def _senses(self, frames: MotionFrame, step: int, action: np.ndarray) -> ClipSenses:
        """Return what there is to see.

        Args:
            frames: All frames of the clip.
            step: The frame that is to be reached.
            action: What the policy answered before.
        """
        robot, anchor = self._robot, self._anchor
        ahead = range(step, step + self._observe.horizon + 1)
        joint_pos, joint_vel, body_pos, body_quat, *_ = (
            part[[min(row, len(part) - 1) for row in ahead]].numpy() for part in frames
        )
        return ClipSenses(
            joint_pos=robot.joint_pos,
            joint_vel=robot.joint_vel,
            root_quat_w=robot.body_quat_w[0],
            root_com_vel_w=robot.root_com_vel_w,
            root_ang_vel_w=robot.body_ang_vel_w[0],
            anchor_pos_w=robot.body_pos_w[anchor],
            anchor_quat_w=robot.body_quat_w[anchor],
            reference_joint_pos=joint_pos[0],
            reference_joint_vel=joint_vel[0],
            reference_anchor_pos_w=body_pos[0, anchor],
            reference_anchor_quat_w=body_quat[0, anchor],
            last_action=action,
            default_joint_pos=self._default,
            future_joint_pos=joint_pos,
            future_root_pos_w=body_pos[:, 0],
            future_root_quat_w=body_quat[:, 0],
            boot_remaining=self._path.boot_remaining,
        )

    def _advance(self, targets: np.ndarray) -> tuple[MotionFrame, bool]:
        """Simulate a control step with targets of shape (decimation, J) [rad].

        Returns:
            The state, zeros if it is not finite as in the task, and whether it is.
        """
        finite = bool(np.isfinite(targets).all())
        # MuJoCo would take zeros for targets that are not finite, and go on.
        if finite:
            self._robot.step(targets, self._contract.decimation)
        robot = self._robot
        parts = (robot.joint_pos, robot.joint_vel, robot.body_pos_w, robot.body_quat_w)
        parts = (*parts, robot.body_lin_vel_w, robot.body_ang_vel_w)
        finite = finite and all(np.isfinite(part).all() for part in parts)
        return MotionFrame(*(_row(part if finite else np.zeros_like(part)) for part in parts)), finite


def _row(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)).float()[None]


def _check_robots(contract: PolicyContract, robot: Robot, clips: Sequence[Clip]) -> None:
    if contract.robot != robot.name:
        raise PolicyError(f"the policy is of robot '{contract.robot}'; expected '{robot.name}'")
    for clip in clips:
        if clip.robot != robot.name:
            raise ClipError(
                f"motion '{clip.name}' is of robot '{clip.robot}'; expected '{robot.name}', the policy's;"
                " retarget it, or give another"
            )
