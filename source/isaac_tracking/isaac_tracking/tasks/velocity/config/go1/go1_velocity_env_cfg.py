# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Following commanded velocities with the Unitree Go1.

Numbers are those of Isaac Lab's ``isaaclab_tasks/contrib/velocity/config/go1``, but for the motors and the actions'
scale, which are the robot's own.
"""

from __future__ import annotations

from isaaclab.managers import SceneEntityCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from .....robots import go1
from ....physics_cfg import flat_physics, rough_physics
from ...velocity_env_cfg import VelocityEnvCfg


@configclass
class Go1VelocityRoughEnvCfg(VelocityEnvCfg):
    """The Go1 walks on uneven ground."""

    # With strong random actions, and falls that end nothing, there were at most 64 constraints and 47 contacts.
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4, physics=rough_physics(njmax=160, nconmax=80))

    def __post_init__(self) -> None:
        """Put the Go1 into the task."""
        trunk = SceneEntityCfg("robot", body_names=go1.BASE_BODY_NAME)
        self.scene.robot = go1.GO1_CFG.copy()
        self.scene.robot.actuators = preset(
            default=go1.GO1_CFG.actuators, actuator_net={"motors": go1.ACTUATOR_NET_CFG}
        )
        self.scene.height_scanner.prim_path = f"{{ENV_REGEX_NS}}/Robot/{go1.BASE_PRIM}"
        # The robot is small.
        sub_terrains = self.scene.terrain.terrain_generator.sub_terrains
        sub_terrains["boxes"].grid_height_range = (0.025, 0.1)
        sub_terrains["random_rough"].noise_range = (0.01, 0.06)
        sub_terrains["random_rough"].noise_step = 0.01
        self.actions.joint_pos.scale = preset(default=go1.ACTION_SCALE, actuator_net=go1.ACTUATOR_NET_SCALE)
        self.rewards.track_lin_vel_xy_exp.weight = 1.5
        self.rewards.track_ang_vel_z_exp.weight = 0.75
        self.rewards.dof_torques_l2.weight = -2.0e-4
        self.rewards.feet_air_time.weight = 0.01
        self.rewards.feet_air_time.params["sensor_cfg"].body_names = list(go1.FOOT_BODY_NAMES)
        self.terminations.base_contact.params["sensor_cfg"].body_names = go1.BASE_BODY_NAME
        self.events.base_mass.params["asset_cfg"] = trunk
        self.events.base_com.params["asset_cfg"] = trunk


@configclass
class Go1VelocityRoughPlayEnvCfg(Go1VelocityRoughEnvCfg):
    """To look at :class:`Go1VelocityRoughEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into one to look at."""
        super().__post_init__()
        self.play_mode()


@configclass
class Go1VelocityFlatEnvCfg(Go1VelocityRoughEnvCfg):
    """The Go1 walks on flat ground."""

    # With strong random actions, and falls that end nothing, there were at most 52 constraints and 24 contacts.
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4, physics=flat_physics(njmax=80, nconmax=40))

    def __post_init__(self) -> None:
        """Make the ground flat."""
        super().__post_init__()
        self.flatten()
        self.rewards.flat_orientation_l2.weight = -2.5
        self.rewards.feet_air_time.weight = 0.25


@configclass
class Go1VelocityFlatPlayEnvCfg(Go1VelocityFlatEnvCfg):
    """To look at :class:`Go1VelocityFlatEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into one to look at."""
        super().__post_init__()
        self.play_mode()
