# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Following commanded velocities, without a robot: Isaac Lab's MDP.

Numbers are those of Isaac Lab's ``isaaclab_tasks/core/velocity/velocity_env_cfg.py`` where nothing else is said.
Nothing is downloaded: ground, materials and light are our own. A state that is not finite ends its episode, as does
leaving the ground, and the commanded velocities grow during training.
"""

from __future__ import annotations

import math
from dataclasses import MISSING

import isaaclab.sim as sim_utils
from isaaclab.assets import ArticulationCfg, AssetBaseCfg
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import CurriculumTermCfg as CurrTerm
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg, RayCasterCfg, patterns
from isaaclab.sim import SimulationCfg
from isaaclab.terrains import TerrainImporterCfg
from isaaclab.terrains.config.rough import ROUGH_TERRAINS_CFG
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg as Unoise

from ..ground_cfg import GROUND_COLOR, GROUND_MATERIAL
from . import mdp

COMMAND = {"command_name": "base_velocity"}
"""Parameter that points a term at the commanded velocity."""


@configclass
class VelocitySceneCfg(InteractiveSceneCfg):
    """A robot on uneven ground, of which it sees a piece around itself."""

    num_envs: int = 4096
    env_spacing: float = 2.5

    terrain = TerrainImporterCfg(
        class_type="isaac_tracking.tasks.velocity.terrain:LocalTerrainImporter",
        prim_path="/World/ground",
        terrain_type="generator",
        terrain_generator=ROUGH_TERRAINS_CFG.replace(curriculum=True),
        max_init_terrain_level=5,
        physics_material=GROUND_MATERIAL,
        visual_material=GROUND_COLOR,
    )
    robot: ArticulationCfg = MISSING
    # 17 by 11 points, 0.1 m apart, around a body that each robot names.
    height_scanner = RayCasterCfg(
        prim_path=MISSING,
        offset=RayCasterCfg.OffsetCfg(pos=(0.0, 0.0, 20.0)),
        update_period=0.02,
        ray_alignment="yaw",
        pattern_cfg=patterns.GridPatternCfg(resolution=0.1, size=(1.6, 1.0)),
        mesh_prim_paths=["/World/ground"],
        global_world_only=True,
    )
    contact_forces = ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/.*", history_length=3, track_air_time=True)
    light = AssetBaseCfg(prim_path="/World/light", spawn=sim_utils.DistantLightCfg(intensity=3000.0))


@configclass
class CommandsCfg:
    """What the robot is to do."""

    base_velocity = mdp.UniformVelocityCommandCfg(
        asset_name="robot",
        resampling_time_range=(10.0, 10.0),
        rel_standing_envs=0.02,
        # mjlab's. With Isaac Lab's 1.0 every turn fades as the heading is reached, and standing turns are not learned.
        rel_heading_envs=0.3,
        heading_command=True,
        heading_control_stiffness=0.5,
        debug_vis=False,
        ranges=mdp.UniformVelocityCommandCfg.Ranges(
            lin_vel_x=(-1.0, 1.0), lin_vel_y=(-1.0, 1.0), ang_vel_z=(-1.0, 1.0), heading=(-math.pi, math.pi)
        ),
    )


@configclass
class ActionsCfg:
    """What the policy decides: joint targets around the default pose."""

    joint_pos = mdp.JointPositionActionCfg(
        asset_name="robot", joint_names=[".*"], scale=MISSING, use_default_offset=True
    )


@configclass
class ObservationsCfg:
    """What the policy and the critic see."""

    @configclass
    class PolicyCfg(ObsGroup):
        """The policy's group, with noise; 235 numbers for 12 joints, 187 of them heights."""

        base_lin_vel = ObsTerm(func=mdp.base_lin_vel, noise=Unoise(n_min=-0.1, n_max=0.1))
        base_ang_vel = ObsTerm(func=mdp.base_ang_vel, noise=Unoise(n_min=-0.2, n_max=0.2))
        projected_gravity = ObsTerm(func=mdp.projected_gravity, noise=Unoise(n_min=-0.05, n_max=0.05))
        velocity_commands = ObsTerm(func=mdp.generated_commands, params=dict(COMMAND))
        joint_pos = ObsTerm(func=mdp.joint_pos_rel, noise=Unoise(n_min=-0.01, n_max=0.01))
        joint_vel = ObsTerm(func=mdp.joint_vel_rel, noise=Unoise(n_min=-1.5, n_max=1.5))
        actions = ObsTerm(func=mdp.last_action)
        height_scan = ObsTerm(
            func=mdp.height_scan,
            params={"sensor_cfg": SceneEntityCfg("height_scanner")},
            noise=Unoise(n_min=-0.1, n_max=0.1),
            clip=(-1.0, 1.0),
        )
        enable_corruption: bool = True

    policy: PolicyCfg = PolicyCfg()


@configclass
class EventsCfg:
    """What varies between robots, how they start, and what disturbs them."""

    # legged_gym's range about Isaac Lab's single number. On Newton a shape has one friction number, drawn from the
    # static range, and restitution has no effect.
    physics_material = EventTerm(
        func=mdp.randomize_rigid_body_material,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
            "static_friction_range": (0.5, 1.25),
            "dynamic_friction_range": (0.5, 1.0),
            "restitution_range": (0.0, 0.0),
            "num_buckets": 64,
        },
    )
    base_mass = EventTerm(
        func=mdp.randomize_rigid_body_mass,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=MISSING),
            "mass_distribution_params": (1 / 1.25, 1.25),
            "operation": "scale",
            "distribution": "log_uniform",
        },
    )
    base_com = EventTerm(
        func=mdp.randomize_rigid_body_com,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=MISSING),
            "com_range": {"x": (-0.05, 0.05), "y": (-0.05, 0.05), "z": (-0.01, 0.01)},
        },
    )
    reset_base = EventTerm(
        func=mdp.reset_root_state_uniform,
        mode="reset",
        params={
            "pose_range": {"x": (-0.5, 0.5), "y": (-0.5, 0.5), "yaw": (-3.14, 3.14)},
            "velocity_range": dict.fromkeys(("x", "y", "z", "roll", "pitch", "yaw"), (-0.5, 0.5)),
        },
    )
    reset_joints = EventTerm(
        func=mdp.reset_joints_by_scale,
        mode="reset",
        params={"position_range": (0.5, 1.5), "velocity_range": (0.0, 0.0)},
    )
    push_robot = EventTerm(
        func=mdp.push_by_setting_velocity,
        mode="interval",
        interval_range_s=(10.0, 15.0),
        params={"velocity_range": {"x": (-0.5, 0.5), "y": (-0.5, 0.5)}},
    )


@configclass
class RewardsCfg:
    """What is good: following the command, and less of what wears out a robot."""

    track_lin_vel_xy_exp = RewTerm(func=mdp.track_lin_vel_xy_exp, weight=1.0, params={**COMMAND, "std": 0.5})
    track_ang_vel_z_exp = RewTerm(func=mdp.track_ang_vel_z_exp, weight=0.5, params={**COMMAND, "std": 0.5})
    lin_vel_z_l2 = RewTerm(func=mdp.lin_vel_z_l2, weight=-2.0)
    ang_vel_xy_l2 = RewTerm(func=mdp.ang_vel_xy_l2, weight=-0.05)
    dof_torques_l2 = RewTerm(func=mdp.joint_torques_l2, weight=-1.0e-5)
    dof_acc_l2 = RewTerm(func=mdp.joint_acc_l2, weight=-2.5e-7)
    action_rate_l2 = RewTerm(func=mdp.action_rate_l2, weight=-0.01)
    feet_air_time = RewTerm(
        func=mdp.feet_air_time,
        weight=0.125,
        params={**COMMAND, "sensor_cfg": SceneEntityCfg("contact_forces", body_names=MISSING), "threshold": 0.5},
    )
    flat_orientation_l2 = RewTerm(func=mdp.flat_orientation_l2, weight=0.0)


@configclass
class TerminationsCfg:
    """When an episode ends."""

    # First, because a broken state may trip the others as well.
    non_finite = DoneTerm(func=mdp.non_finite)
    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    base_contact = DoneTerm(
        func=mdp.illegal_contact,
        params={"sensor_cfg": SceneEntityCfg("contact_forces", body_names=MISSING), "threshold": 1.0},
    )
    terrain_out_of_bounds = DoneTerm(func=mdp.terrain_out_of_bounds, time_out=True, params={"distance_buffer": 3.0})


@configclass
class CurriculumCfg:
    """What becomes harder."""

    terrain_levels = CurrTerm(func=mdp.terrain_levels)
    command_ranges = CurrTerm(
        func=mdp.command_ranges,
        # The start is ours. legged_gym asks for 80 % of the reward, on flat ground; uneven ground costs some.
        params={
            **COMMAND,
            "reward_name": "track_lin_vel_xy_exp",
            "start": 0.5,
            "step": 0.1,
            "threshold": 0.6,
            "episodes": 0.25,
        },
    )


@configclass
class VelocityEnvCfg(ManagerBasedRLEnvCfg):
    """Follow commanded velocities on uneven ground, at 50 Hz on physics of 200 Hz."""

    scene: VelocitySceneCfg = VelocitySceneCfg()
    commands: CommandsCfg = CommandsCfg()
    actions: ActionsCfg = ActionsCfg()
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    curriculum: CurriculumCfg = CurriculumCfg()
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4)
    decimation: int = 4
    episode_length_s: float = 20.0
    step_graph: str = "auto"
    """``"off"``: Isaac Lab's own step. ``"auto"``: everything after the physics as CUDA graphs where a GPU and the task
    allow it. ``"on"``: so, or an error that says why not. ``"masked"``: the same without graphs, for tests."""

    def flatten(self) -> None:
        """Put the robot on flat ground, where there is nothing to see and no edge to fall off."""
        self.scene.terrain.terrain_type = "plane"
        self.scene.terrain.terrain_generator = None
        self.scene.height_scanner = None
        self.observations.policy.height_scan = None
        self.terminations.terrain_out_of_bounds = None
        self.curriculum.terrain_levels = None

    def play_mode(self) -> None:
        """Turn the task into one to look at: 50 robots as they should be, nothing random, no curriculum, no pushes."""
        super().play_mode()
        self.scene.num_envs = 50
        self.scene.terrain.max_init_terrain_level = None
        if self.scene.terrain.terrain_generator is not None:
            # Fewer pieces, and each as hard as it comes (Isaac Lab).
            self.scene.terrain.terrain_generator.num_rows = 5
            self.scene.terrain.terrain_generator.num_cols = 5
            self.scene.terrain.terrain_generator.curriculum = False
        self.curriculum.terrain_levels = None
        self.curriculum.command_ranges = None
        for name in ("physics_material", "base_mass", "base_com", "push_robot"):
            setattr(self.events, name, None)
