# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What only a simulator knows: where the robot is, what drives and touches it, and how far off the reference it is.

Zeros where a robot's state is not finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ManagerTermBase

from ....motion.errors import relative_reference
from ....motion.quaternion import quat_apply_inverse
from ...graphs.plan import in_graph, reads_efforts
from .senses import where_finite

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import ObservationTermCfg

    from .commands import MotionCommand


@in_graph
def future_root_pos_b(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return where the reference's roots are, seen from the robot's root [m], shape (num_envs, 3 * steps)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    offset = command.future.root_pos_w - robot.body_pos_w[:, :1]
    return where_finite(command, quat_apply_inverse(robot.body_quat_w[:, :1], offset).flatten(1))


@in_graph
def body_lin_vel_a(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' velocities over the ground in the anchor's axes [m/s], shape (num_envs, 3 * num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    anchor_quat = robot.body_quat_w[:, command.anchor, None]
    return quat_apply_inverse(anchor_quat, robot.body_lin_vel_w).flatten(1)


@in_graph
def body_pos_error_a(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' ways to the relative reference in the anchor's axes [m], shape (num_envs, 3 * num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    robot = command.robot
    wanted, _ = relative_reference(command.reference, robot, command.anchor)
    way = quat_apply_inverse(robot.body_quat_w[:, command.anchor, None], wanted - robot.body_pos_w)
    return where_finite(command, way.flatten(1))


@in_graph
def body_height(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' heights above the ground [m], shape (num_envs, num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return where_finite(command, command.robot.body_pos_w[..., 2] - env.scene.env_origins[:, 2:])


@in_graph
def applied_action(env: ManagerBasedRLEnv, action_name: str, command_name: str) -> torch.Tensor:
    """Return the action that reached the motors last, before scale and offset [-], shape (num_envs, num_joints)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    term = env.action_manager.get_term(action_name)
    return where_finite(command, getattr(term, "applied_action", term.raw_actions))


@in_graph
@reads_efforts
def applied_torque(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the motors' torques of the last physics step [N m], shape (num_envs, num_joints); zeros at a start."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    # A new episode still finds the torques of the one before, which may have ended because they broke.
    torques = command.robot_asset.actuators.applied_effort.torch
    return where_finite(command, torch.where(env.episode_length_buf[:, None] > 0, torques, 0.0))


@in_graph
class foot_contacts(ManagerTermBase):  # noqa: N801 -- a term, written in configs like a function
    """Whether each of some bodies touches something, 0 or 1, shape (num_envs, number of bodies)."""

    def __init__(self, cfg: ObservationTermCfg, env: ManagerBasedRLEnv) -> None:
        """Find the bodies in the sensor; a name that is not there is refused by Isaac Lab."""
        super().__init__(cfg, env)
        self._sensor = env.scene[cfg.params["sensor_name"]]
        ids, _ = self._sensor.find_sensors(list(cfg.params["body_names"]), preserve_order=True)
        self._ids = torch.tensor(ids, device=env.device)

    def __call__(
        self, env: ManagerBasedRLEnv, sensor_name: str, body_names: list[str], threshold: float
    ) -> torch.Tensor:
        """Return ones where the force exceeds a threshold [N]; one that is not finite does not."""
        force = self._sensor.data.net_forces_w.torch[:, self._ids].norm(dim=-1)
        return ((force > threshold) & torch.isfinite(force)).float()


@in_graph
def body_pos_errors(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' distances from the relative reference [m], shape (num_envs, num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return where_finite(command, command.deviations.body_pos)


@in_graph
def body_rot_errors(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return the bodies' angles from the relative reference [rad], shape (num_envs, num_bodies)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return where_finite(command, command.deviations.body_rot)


@in_graph
def anchor_errors(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return how far off the anchor is: distance [m], angle [rad], height [m], tilt [-], shape (num_envs, 4)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    found = command.deviations
    columns = (found.anchor_pos, found.anchor_rot, found.anchor_height, found.anchor_tilt)
    return where_finite(command, torch.stack(columns, dim=-1))


@in_graph
def motion_phase(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return how far the clip is, 0 at its first frame to 1 at its last [-], shape (num_envs, 1)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.phase[:, None]
