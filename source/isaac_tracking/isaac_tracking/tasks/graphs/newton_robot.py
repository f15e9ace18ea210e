# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A robot on Newton as a CUDA graph may read and write it: all environments, by masks, without Isaac Lab's caches.

Isaac Lab keeps what it derives from a state until a timestamp on the host is old. A graph knows no host: what is fresh
while it is captured would never be computed again. So velocities of links go through Isaac Lab's own kernels into
memory of our own, and what its functions derive is declared old before a capture and after every replay.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import warp as wp
from isaaclab.utils.buffers import reset_timestamps
from isaaclab_newton.assets import kernels
from isaaclab_newton.physics import NewtonManager

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

    from ...motion.start_state import StartState

_DERIVED = (
    "_root_com_pose_w",
    "_body_com_pose_w",
    "_root_link_vel_w",
    "_body_link_vel_w",
    "_projected_gravity_b",
    "_heading_w",
    "_root_link_lin_vel_b",
    "_root_link_ang_vel_b",
    "_root_com_lin_vel_b",
    "_root_com_ang_vel_b",
    "_root_state_w",
    "_root_link_state_w",
    "_root_com_state_w",
    "_body_state_w",
    "_body_link_state_w",
    "_body_com_state_w",
)
"""Buffers of Isaac Lab's ``ArticulationData`` that a write of a state makes old (its ``_reset_pose``)."""


_GUARDED = ("heading_w", "projected_gravity_b")
"""Properties of Isaac Lab's ``ArticulationData`` that terms read and that refuse to be read in a capture, since what is
fresh would not be computed; :meth:`NewtonRobot.capturing` sees to it that they are old. They read the root's pose."""


class NewtonRobot:
    """Reads and writes an articulation without waiting for the device.

    Args:
        robot: The articulation, of Isaac Lab's Newton backend.
    """

    def __init__(self, robot: Articulation) -> None:
        # Newton's own class of data, whose inner parts no interface names.
        data: Any = robot.data
        self._robot, self._data = robot, data
        shape = (robot.num_instances, robot.num_bodies)
        self._link_vel = wp.zeros(shape, wp.spatial_vectorf, device=robot.device)
        self._link_vel_torch = wp.to_torch(self._link_vel)
        self._root_link_vel = wp.zeros(shape[0], wp.spatial_vectorf, device=robot.device)
        self._com_pos_b = data.body_com_pos_b

    @property
    def data(self) -> Any:
        """Isaac Lab's data of the articulation."""
        return self._data

    @property
    def is_pulled(self) -> bool:
        """Whether external forces act on it, which are written anew for each physics step."""
        composers = self._robot.instantaneous_wrench_composer, self._robot.permanent_wrench_composer
        return any(composer.active for composer in composers)

    def drop_forces(self, mask: torch.Tensor) -> None:
        """Take external forces off robots whose episode begins, bool, shape (num_envs,); not in a graph."""
        if self.is_pulled:
            marked = wp.from_torch(mask, wp.bool)
            self._robot.instantaneous_wrench_composer.reset(env_mask=marked)
            self._robot.permanent_wrench_composer.reset(env_mask=marked)

    def link_velocities(self) -> torch.Tensor:
        """Return linear [m/s] and angular velocities [rad/s] of the links in the world, shape (num_envs, bodies, 6).

        To the bit Isaac Lab's ``body_link_vel_w``, but computed at every call. The next call overwrites it.
        """
        data = self._data
        wp.launch(
            kernels.get_body_link_vel_from_body_com_vel,
            dim=self._link_vel.shape,
            inputs=[data.body_com_vel_w.warp, data.body_link_pose_w.warp, self._com_pos_b.warp],
            outputs=[self._link_vel],
            device=self._robot.device,
        )
        return self._link_vel_torch

    def write_where(self, mask: torch.Tensor, state: StartState) -> None:
        """Put robots into states; :meth:`settle` must follow.

        Args:
            mask: Whether each robot is put there, bool, shape (num_envs,).
            state: States of all robots.
        """
        robot, data, marked = self._robot, self._data, wp.from_torch(mask, wp.bool)
        robot.write_root_link_pose_to_sim_mask(root_pose=state.root_pose, env_mask=marked, skip_forward=True)
        # What write_root_link_velocity_to_sim_mask does, but for a buffer that no capture may ask for.
        wp.launch(
            kernels.set_root_link_velocity_to_sim_mask,
            dim=len(mask),
            inputs=[
                wp.from_torch(state.root_vel.contiguous(), wp.spatial_vectorf),
                self._com_pos_b.warp,
                data.root_link_pose_w.warp,
                marked,
                robot.num_bodies,
            ],
            outputs=[self._root_link_vel, data.root_com_vel_w.warp, data._body_com_acc_w.data],
            device=robot.device,
        )
        robot.write_joint_position_to_sim_mask(position=state.joint_pos, env_mask=marked, skip_forward=True)
        robot.write_joint_velocity_to_sim_mask(velocity=state.joint_vel, env_mask=marked, skip_forward=True)
        data._reset_pose(env_mask=marked)

    def write_root_where(self, mask: torch.Tensor, pose: torch.Tensor, velocity: torch.Tensor) -> None:
        """Put roots somewhere; :meth:`settle` must follow.

        Args:
            mask: Whether each robot is put there, bool, shape (num_envs,).
            pose: Positions [m] and quaternions (x, y, z, w) of the roots in the world, shape (num_envs, 7).
            velocity: Linear [m/s] and angular velocities [rad/s] of the roots' centres of mass in the world, shape
                (num_envs, 6).
        """
        robot, marked = self._robot, wp.from_torch(mask, wp.bool)
        robot.write_root_link_pose_to_sim_mask(root_pose=pose, env_mask=marked, skip_forward=True)
        robot.write_root_com_velocity_to_sim_mask(root_velocity=velocity, env_mask=marked, skip_forward=True)
        self._data._reset_pose(env_mask=marked)

    def write_joints_where(self, mask: torch.Tensor, pos: torch.Tensor, vel: torch.Tensor) -> None:
        """Put joints somewhere; :meth:`settle` must follow.

        Args:
            mask: Whether each robot's joints are put there, bool, shape (num_envs,).
            pos: Positions [rad], shape (num_envs, joints).
            vel: Velocities [rad/s], shape (num_envs, joints).
        """
        robot, marked = self._robot, wp.from_torch(mask, wp.bool)
        robot.write_joint_position_to_sim_mask(position=pos, env_mask=marked, skip_forward=True)
        robot.write_joint_velocity_to_sim_mask(velocity=vel, env_mask=marked, skip_forward=True)
        self._data._reset_pose(env_mask=marked)

    def push_where(self, mask: torch.Tensor, change: torch.Tensor) -> None:
        """Change the velocities of roots' centres of mass; :meth:`settle` must follow.

        Args:
            mask: Whether each robot is pushed, bool, shape (num_envs,).
            change: Linear [m/s] and angular change [rad/s] in the world, shape (num_envs, 6).
        """
        velocity, marked = self._data.root_com_vel_w.torch + change, wp.from_torch(mask, wp.bool)
        self._robot.write_root_com_velocity_to_sim_mask(root_velocity=velocity, env_mask=marked)

    def settle(self) -> None:
        """Compute where the bodies are after all writes."""
        lasting = NewtonManager.transforms_may_change_on_graph_replay
        self._data._update_body_state()
        # A write within a capture sets this for good, and every physics step would do all of it again.
        NewtonManager.transforms_may_change_on_graph_replay = lasting

    def forget(self) -> None:
        """Declare old what Isaac Lab derived from states that a graph has changed; the host's part of a write."""
        data = self._data
        reset_timestamps([getattr(data, name, None) for name in _DERIVED])
        NewtonManager._mark_transforms_changed()

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """Let a graph be captured while open: it computes all it reads, and leaves no mark on the host."""
        lasting = NewtonManager.transforms_may_change_on_graph_replay
        # What is not done yet must not get into the graph.
        NewtonManager.forward()
        self.forget()
        try:
            with _unguarded(type(self._data)):
                yield
        finally:
            NewtonManager.transforms_may_change_on_graph_replay = lasting
            NewtonManager.kinematics_dirty = False
            self._data._body_state_dirty = False
            self.forget()


@contextmanager
def _unguarded(data_class: type) -> Iterator[None]:
    """Let the guarded properties of a class of data be read in a capture while open."""
    owners = {name: next(kind for kind in data_class.__mro__ if name in vars(kind)) for name in _GUARDED}
    kept = {name: vars(owner)[name] for name, owner in owners.items()}
    for name, owner in owners.items():
        setattr(owner, name, property(inspect.unwrap(kept[name].fget)))
    try:
        yield
    finally:
        for name, owner in owners.items():
            setattr(owner, name, kept[name])
