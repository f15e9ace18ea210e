# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motion command: which clip each environment follows, where in it, and how far off the robot is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.managers import CommandTerm
from isaaclab.utils.math import quat_from_euler_xyz

from ....motion.errors import TrackingErrors, tracking_errors
from ....motion.frame import MotionFrame
from ....motion.ground import CollisionPoints
from ....motion.quaternion import quat_mul
from ....motion.sampling.adaptive import AdaptiveSampler
from ....robots.mjcf import mjcf_path
from .future import Future
from .reference import Reference, Sampler

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

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
        self._tree_joints = torch.tensor(
            [self.robot_asset.joint_names.index(name) for name in self._shapes.tree.joint_names], device=self.device
        )

        self.clip_ids = torch.zeros(self.num_envs, dtype=torch.long, device=self.device)
        """Clip of each environment, shape (num_envs,)."""
        self.steps = torch.zeros_like(self.clip_ids)
        """Frame of the clip that each environment is to reach, shape (num_envs,)."""
        self.finite = torch.ones(self.num_envs, dtype=torch.bool, device=self.device)
        """Whether each robot's state holds only finite numbers, shape (num_envs,)."""
        self._placed_at = torch.full_like(self.clip_ids, -1)
        self._half_widths: dict[tuple[float, ...], torch.Tensor] = {}
        self._robot_stale = self._reference_stale = self._future_stale = True
        self._deviations_of: tuple[MotionFrame, MotionFrame] | None = None
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
            frame = self.source.frames(self.clip_ids, self.steps)
            self._reference = frame._replace(body_pos_w=frame.body_pos_w + self._env.scene.env_origins[:, None])
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
        return self._errors

    @property
    def deviations(self) -> TrackingErrors:
        """Errors between the reference and the robot as they are now: what is left to do in this step.

        :attr:`errors` are those of the step that was done, also where a new episode has begun since.
        """
        pair = self.reference, self.robot
        if self._deviations_of is None or any(a is not b for a, b in zip(pair, self._deviations_of, strict=True)):
            self._deviations = tracking_errors(*pair, self.anchor)
            self._deviations_of = pair
        return self._deviations

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
        self.command_counter[env_ids] = 0
        self._resample_command(env_ids)
        return {}

    def compute(self, dt: float) -> None:
        """Advance every clip by one frame; a motion is never changed within an episode."""
        if self._measured_step == self._env.common_step_counter:
            self._record()
            self._log()
        self._keep_house()
        self.steps += self._placed_at != self._env.common_step_counter
        self._robot_stale = self._reference_stale = self._future_stale = True

    def _resample_command(self, env_ids: Sequence[int] | slice) -> None:
        env_ids = self._indices(env_ids)
        self._record()
        self.source.swap(self.clip_ids, env_ids)
        clip_ids, starts = self.source.start(env_ids)
        self._place_robot(env_ids, self.source.frames(clip_ids, starts, env_ids))
        self.clip_ids[env_ids] = clip_ids
        # The robot stands on the start, so the first frame to reach is the next one; a reset within a step is
        # followed by that step's compute(), for which the clip then waits.
        self.steps[env_ids] = starts + 1
        self._placed_at[env_ids] = self._env.common_step_counter
        self.command_counter[env_ids] += 1
        self._robot_stale = self._reference_stale = self._future_stale = True

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
        # The kernel of the reward for body positions.
        similarity = torch.exp(-self._errors.body_pos.square().mean(dim=-1) / 0.3**2)
        self.sampler.record(*self._measured_at, self._env.termination_manager.terminated, similarity)

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
        pose = data.body_link_pose_w.torch[:, self._body_ids]
        velocity = data.body_link_vel_w.torch[:, self._body_ids]
        joints = torch.cat([data.joint_pos.torch, data.joint_vel.torch], dim=-1)
        total = pose.sum(dim=(-2, -1)) + velocity.sum(dim=(-2, -1)) + joints.sum(dim=-1)
        self.finite = torch.isfinite(total)
        # Zeros instead of NaN, so that no reward, error or statistic of a broken environment reaches the learner.
        pose = torch.where(self.finite[:, None, None], pose, 0.0)
        velocity = torch.where(self.finite[:, None, None], velocity, 0.0)
        joints = torch.where(self.finite[:, None], joints, 0.0)
        joint_pos, joint_vel = joints.chunk(2, dim=-1)
        self._robot = MotionFrame(
            joint_pos, joint_vel, pose[..., :3], pose[..., 3:], velocity[..., :3], velocity[..., 3:]
        )
        self._robot_stale = False
        self._robot_step = self._env.common_step_counter

    def _measure(self) -> None:
        self._errors = tracking_errors(self.reference, self.robot, self.anchor)
        self._measured_at = self.clip_ids.clone(), self.steps.clone()
        self._measured_step = self._env.common_step_counter

    def _log(self) -> None:
        """Log errors as means over all environments: those of ended episodes alone would tell of falls only."""
        values = [getattr(self._errors, name) for name in _METRICS]
        rows = torch.stack([value if value.ndim == 1 else value.mean(dim=-1) for value in values], dim=-1)
        means = torch.where(self.finite[:, None], rows, 0.0).sum(dim=0) / self.finite.sum().clamp_min(1)
        log = {f"error_{name}": mean for name, mean in zip(_METRICS, means.unbind(), strict=True)}
        log |= self.sampler.metrics()
        # A new dictionary, because the learner's logger keeps that of every step.
        extras = self._env.extras
        extras["log"] = extras.get("log", {}) | {f"Metrics/motion/{name}": value for name, value in log.items()}

    def _place_robot(self, env_ids: torch.Tensor, frame: MotionFrame) -> None:
        """Write a state of the reference, with noise, into the simulator; never into the ground."""
        root_pos, root_quat = frame.body_pos_w[:, 0], frame.body_quat_w[:, 0]
        root_vel = torch.cat([frame.body_lin_vel_w[:, 0], frame.body_ang_vel_w[:, 0]], dim=-1)
        joint_pos = frame.joint_pos
        if self.cfg.reset_noise is not None:
            noise = self.cfg.reset_noise
            root_pos = root_pos + self._uniform(noise.root_pos, len(env_ids))
            root_quat = quat_mul(quat_from_euler_xyz(*self._uniform(noise.root_rot, len(env_ids)).T), root_quat)
            root_vel = root_vel + self._uniform((*noise.root_lin_vel, *noise.root_ang_vel), len(env_ids))
            joint_pos = joint_pos + self._uniform((noise.joint_pos,) * self.library.num_joints, len(env_ids))
            limits = self.robot_asset.data.soft_joint_pos_limits.torch[env_ids]
            joint_pos = joint_pos.clamp(limits[..., 0], limits[..., 1])
        depth = self._shapes.lowest(root_pos, root_quat, joint_pos[:, self._tree_joints]).clamp_max(0.0)
        root_pos = root_pos + self._env.scene.env_origins[env_ids]
        root_pos = torch.cat([root_pos[:, :2], root_pos[:, 2:] - depth[:, None]], dim=-1)
        robot, env_ids = self.robot_asset, env_ids.int()
        robot.write_root_link_pose_to_sim_index(root_pose=torch.cat([root_pos, root_quat], dim=-1), env_ids=env_ids)
        robot.write_root_link_velocity_to_sim_index(root_velocity=root_vel, env_ids=env_ids)
        robot.write_joint_position_to_sim_index(position=joint_pos, env_ids=env_ids)
        robot.write_joint_velocity_to_sim_index(velocity=frame.joint_vel, env_ids=env_ids)

    def _uniform(self, half_widths: Sequence[float], count: int) -> torch.Tensor:
        draw = torch.rand(count, len(half_widths), device=self.device) * 2.0 - 1.0
        key = tuple(half_widths)
        if key not in self._half_widths:
            self._half_widths[key] = torch.tensor(key, device=self.device)
        return draw * self._half_widths[key]
