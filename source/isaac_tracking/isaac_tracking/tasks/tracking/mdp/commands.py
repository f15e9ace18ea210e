# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motion command: which clip each environment follows, where in it, and how far off the robot is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.managers import CommandTerm
from isaaclab.utils import index_fill_

from ....motion.errors import TrackingErrors
from ....motion.frame import MotionFrame
from ....motion.ground import CollisionPoints
from ....motion.robot_frame import RobotState
from ....motion.sampling.adaptive import AdaptiveSampler
from ....robots.mjcf import mjcf_path
from ...graphs.plan import in_graph
from ..kernels.anchor_view import fused_anchor_view
from ..kernels.errors import fused_tracking_errors
from ..kernels.lowest_point import LowestPoint
from ..kernels.robot_frame import fused_robot_frame
from .future import Future
from .once import OncePerPair
from .reference import Reference, Sampler
from .start import Placement

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from ....motion.anchor_view import AnchorView
    from ....motion.kinematics import KinematicTree
    from ....motion.library import MotionLibrary
    from .commands_cfg import MotionCommandCfg

_METRICS = (
    "anchor_pos",
    "anchor_rot",
    "body_pos",
    "body_rot",
    "body_lin_vel",
    "body_ang_vel",
    "joint_pos",
    "joint_vel",
)
"""Errors that are logged, as means over the environments at each step."""
ERROR_NAMES = tuple(f"error_{name}" for name in _METRICS)
"""Their names in the log."""


@in_graph
class MotionCommand(CommandTerm):
    """Owns the reference and the robot as two :class:`MotionFrame` of the same joints and bodies.

    Rewards and terminations of a step compare the new state with the reference that the policy saw before the step;
    the clip then advances by one frame. Frames and errors are computed once per step, whoever asks first.
    """

    cfg: MotionCommandCfg

    def __init__(self, cfg: MotionCommandCfg, env: ManagerBasedRLEnv) -> None:
        super().__init__(cfg, env)
        self.robot_asset: Articulation = env.scene[cfg.asset_name]
        if cfg.body_names[0] != self.robot_asset.body_names[0]:
            raise ValueError(
                f"motion command: the first tracked body is '{cfg.body_names[0]}' but the robot's root is"
                f" '{self.robot_asset.body_names[0]}'; put the root first in 'body_names'"
            )
        self.body_names = list(cfg.body_names)
        self.anchor = self.body_names.index(cfg.anchor_body_name)
        self._body_ids = torch.tensor(
            self.robot_asset.find_bodies(self.body_names, preserve_order=True)[0], device=self.device
        )
        self._shapes = CollisionPoints.from_mjcf(mjcf_path(*cfg.model), self.device)
        self._nominal_joint_pos = self.robot_asset.data.default_joint_pos.torch.clone()
        self.source = Reference(
            cfg,
            self.robot_asset.joint_names,
            self.body_names,
            1.0 / env.step_dt,
            self.num_envs,
            self.device,
            self._shapes.tree,
            self.robot_asset.data.joint_pos_limits.torch[0],
        )
        """The clips, and where episodes start in them."""
        joints = self.robot_asset.joint_names
        self._lowest = LowestPoint(self._shapes, [joints.index(name) for name in self._shapes.tree.joint_names])

        self.clip_ids = torch.zeros(self.num_envs, dtype=torch.long, device=self.device)
        """Clip of each environment, shape (num_envs,)."""
        self.steps = torch.zeros_like(self.clip_ids)
        """Frame of the clip that each environment is to reach, shape (num_envs,)."""
        self.finite = torch.ones(self.num_envs, dtype=torch.bool, device=self.device)
        """Whether each robot's state holds only finite numbers, shape (num_envs,)."""
        self._placed_at = torch.full_like(self.clip_ids, -1)
        self.placement = Placement(cfg, self.robot_asset, env.scene.env_origins, self._lowest)
        """Where robots stand when their episodes start."""
        self._link_velocities: Callable[[], torch.Tensor] | None = None
        self._forget_frames()
        # Whether episodes or steps have changed since the masked step looked, see :mod:`.masked_motion`.
        self._moved = True
        # Whether the errors lie in memory that the next step overwrites.
        self._errors_lent = False
        self._deviations = OncePerPair(fused_tracking_errors, self.anchor)
        self._view = OncePerPair(fused_anchor_view, self.anchor)
        self._robot_step = self._measured_step = self._recorded_step = -1

    """
    The clips.
    """

    @property
    def library(self) -> MotionLibrary:
        """All clips."""
        return self.source.library

    @property
    def tree(self) -> KinematicTree:
        """Kinematics of the robot, on the device; its joints and bodies are in the model's order."""
        return self._shapes.tree

    @property
    def sampler(self) -> Sampler:
        """Where episodes start; its state is part of every checkpoint."""
        return self.source.sampler

    def hardest(self, count: int = 10) -> list[tuple[str, float]]:
        """Return the clips on which episodes fail most, with their scores; waits for the device."""
        return self.sampler.hardest(self.library.names, count) if isinstance(self.sampler, AdaptiveSampler) else []

    """
    The frames.
    """

    @property
    def command(self) -> torch.Tensor:
        """Joint angles [rad] and speeds [rad/s] of the reference, shape (num_envs, 2 * num_joints)."""
        return torch.cat([self.reference.joint_pos, self.reference.joint_vel], dim=-1)

    @property
    def reference(self) -> MotionFrame:
        """The state that each robot is to reach in this step."""
        if self._reference_stale:
            self._reference = self._look_up()
            self._reference_stale = False
        return self._reference

    @property
    def future(self) -> Future:
        """Joints and root of the reference from now on, at the config's ``future_steps``."""
        if self._future_stale:
            offsets = tuple(self.cfg.future_steps)
            frame = self.source.ahead(self.clip_ids, self.steps, offsets)
            self._future = Future.of(frame, len(offsets), self._env.scene.env_origins)
            self._future_stale = False
        return self._future

    @property
    def robot(self) -> MotionFrame:
        """The robot's state; zeros where it is not finite."""
        if self._robot_stale or self._robot_step != self._env.common_step_counter:
            self._read_robot()
        return self._robot

    @property
    def errors(self) -> TrackingErrors:
        """Errors between reference and robot after the physics of the current step."""
        if self._measured_step != self._env.common_step_counter:
            self._measure()
        if self._errors_lent:
            self._errors, self._errors_lent = TrackingErrors(*(error.clone() for error in self._errors)), False
        return self._errors

    @property
    def deviations(self) -> TrackingErrors:
        """Errors between the reference and the robot as they are now: what is left to do in this step.

        :attr:`errors` are those of the step that was done, also where a new episode has begun since.
        """
        return self._deviations(self.reference, self.robot)

    @property
    def view(self) -> AnchorView:
        """The reference and the robot's body as they are now, seen from the robot's anchor."""
        return self._view(self.reference, self.robot)

    @property
    def encoder_joint_pos(self) -> torch.Tensor:
        """Joint angles as the robot reads them, with the error of its calibration [rad], shape (num_envs, num_joints).

        An event may shift the default pose, which stands for encoders whose zero is wrong by as much.
        """
        robot = self.robot
        shift = self.robot_asset.data.default_joint_pos.torch - self._nominal_joint_pos
        return torch.where(self.finite[:, None], robot.joint_pos - shift, 0.0)

    @property
    def phase(self) -> torch.Tensor:
        """How far each environment is in its clip, 0 to 1 [-], shape (num_envs,)."""
        return self.steps / (self.library.num_frames[self.clip_ids] - 1).clamp_min(1)

    @property
    def at_end(self) -> torch.Tensor:
        """Whether each environment has reached the last frame of its clip, shape (num_envs,)."""
        return self.steps >= self.library.num_frames[self.clip_ids] - 1

    @property
    def leaving(self) -> torch.Tensor:
        """Whether each environment's clip is about to leave the device, shape (num_envs,)."""
        return self.source.leaving(self.clip_ids)

    """
    What the command manager calls.
    """

    def reset(self, env_ids: Sequence[int] | slice | None = None) -> dict[str, torch.Tensor]:
        """Put the robots of new episodes on their reference."""
        env_ids = self._indices(env_ids)
        index_fill_(self.command_counter, env_ids, 0)
        self._resample_command(env_ids)
        return {}

    def compute(self, dt: float) -> None:
        """Advance every clip by one frame; a motion is never changed within an episode."""
        if self._measured_step == self._env.common_step_counter:
            self._record()
            self._log()
        self._keep_house()
        self.steps += self._placed_at != self._env.common_step_counter
        self._forget_frames()

    def _resample_command(self, env_ids: Sequence[int] | slice) -> None:
        env_ids = self._indices(env_ids)
        self._record()
        self.source.swap(self.clip_ids, env_ids)
        clip_ids, starts = self.source.start(env_ids)
        self.placement.place(env_ids, self.source.frames(clip_ids, starts, env_ids))
        self.clip_ids[env_ids] = clip_ids
        # The robot stands on the start, so the first frame to reach is the next one; a reset within a step is
        # followed by that step's compute(), for which the clip then waits.
        self.steps[env_ids] = starts + 1
        index_fill_(self._placed_at, env_ids, self._env.common_step_counter)
        self.command_counter[env_ids] += 1
        self._forget_frames()

    def _update_metrics(self) -> None:
        """Do nothing: errors are logged by :meth:`compute`, as they were before any reset."""

    def _update_command(self) -> None:
        """Do nothing: :meth:`compute` does all of it."""

    """
    Helpers.
    """

    def _record(self) -> None:
        """Tell the sampler, once per step, where the environments were and which of them failed there.

        Before new episodes start, because a rewind needs to know where the last ones failed.
        """
        step = self._env.common_step_counter
        if self._measured_step != step or self._recorded_step == step:
            return
        self._recorded_step = step
        self.sampler.record(*self._measured_at, self._env.termination_manager.terminated, self._similarity())

    def _similarity(self) -> torch.Tensor:
        """Return how like the reference the robots are [-], shape (num_envs,): the reward for body positions."""
        return torch.exp(-self._errors.body_pos.square().mean(dim=-1) / 0.3**2)

    def _keep_house(self) -> None:
        """Do what is due once in thousands of steps, at the same step on every GPU."""
        step = self._env.common_step_counter
        if step % self.cfg.share_interval == 0:
            self.sampler.synchronize()
        self.source.swap(self.clip_ids)
        if step % self.cfg.swap_interval == 0:
            self.source.plan_swap()

    def _indices(self, env_ids: Sequence[int] | slice | None) -> torch.Tensor:
        if isinstance(env_ids, torch.Tensor):
            return env_ids.long()
        everyone = torch.arange(self.num_envs, device=self.device)
        return everyone if env_ids is None else everyone[env_ids]

    def _read_robot(self) -> None:
        data = self.robot_asset.data
        velocities = data.body_link_vel_w.torch if self._link_velocities is None else self._link_velocities()
        state = RobotState(data.body_link_pose_w.torch, velocities, data.joint_pos.torch, data.joint_vel.torch)
        # Zeros instead of NaN, so that no reward, error or statistic of a broken environment reaches the learner.
        self._robot, self.finite = fused_robot_frame(state, self._body_ids)
        self._robot_stale = False
        self._robot_step = self._env.common_step_counter

    def _measure(self) -> None:
        self._errors = fused_tracking_errors(self.reference, self.robot, self.anchor)
        self._measured_at = self.clip_ids.clone(), self.steps.clone()
        self._errors_lent = False
        self._measured_step = self._env.common_step_counter

    def _look_up(self) -> MotionFrame:
        frame = self.source.frames(self.clip_ids, self.steps)
        return frame._replace(body_pos_w=frame.body_pos_w + self._env.scene.env_origins[:, None])

    def _forget_frames(self) -> None:
        """Note that other clips or steps are due, or that robots were moved."""
        self._robot_stale = self._reference_stale = self._future_stale = self._moved = True

    def _log(self) -> None:
        log = dict(zip(ERROR_NAMES, self._error_means().unbind(), strict=True)) | self.sampler.metrics()
        # A new dictionary, because the learner's logger keeps that of every step.
        extras = self._env.extras
        extras["log"] = extras.get("log", {}) | {f"Metrics/motion/{name}": value for name, value in log.items()}

    def _error_means(self) -> torch.Tensor:
        """Return errors as means over all environments: those of ended episodes alone would tell of falls only."""
        values = [getattr(self._errors, name) for name in _METRICS]
        rows = torch.stack([value if value.ndim == 1 else value.mean(dim=-1) for value in values], dim=-1)
        return torch.where(self.finite[:, None], rows, 0.0).sum(dim=0) / self.finite.sum().clamp_min(1)
