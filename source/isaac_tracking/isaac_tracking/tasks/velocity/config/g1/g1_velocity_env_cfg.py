# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Following commanded velocities with the Unitree G1.

Numbers are those of Isaac Lab's ``isaaclab_tasks/core/velocity/config/g1``, but for the motors and the actions' scale,
which are the robot's own. Isaac Lab's G1 has other joints in its arms and waist; their terms hold ours in place.
"""

from __future__ import annotations

from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass

from .....robots import g1
from ....physics_cfg import flat_physics, rough_physics
from ... import mdp
from ...velocity_env_cfg import COMMAND, RewardsCfg, VelocityEnvCfg

_LEGS = [".*_hip_.*", ".*_knee_joint"]
_FEET = list(g1.FOOT_BODY_NAMES)


def _deviation(weight: float, *joints: str) -> RewTerm:
    return RewTerm(
        func=mdp.joint_deviation_l1,
        weight=weight,
        params={"asset_cfg": SceneEntityCfg("robot", joint_names=list(joints))},
    )


@configclass
class G1RewardsCfg(RewardsCfg):
    """What is good for a biped: following in a frame that does not lean, and arms and waist kept still."""

    termination_penalty = RewTerm(func=mdp.is_terminated, weight=-200.0)
    track_lin_vel_xy_exp = RewTerm(func=mdp.track_lin_vel_xy_yaw_frame_exp, weight=1.0, params={**COMMAND, "std": 0.5})
    track_ang_vel_z_exp = RewTerm(func=mdp.track_ang_vel_z_world_exp, weight=2.0, params={**COMMAND, "std": 0.5})
    feet_air_time = RewTerm(
        func=mdp.feet_air_time_positive_biped,
        weight=0.25,
        params={**COMMAND, "sensor_cfg": SceneEntityCfg("contact_forces", body_names=_FEET), "threshold": 0.4},
    )
    feet_slide = RewTerm(
        func=mdp.feet_slide,
        weight=-0.1,
        params={
            "sensor_cfg": SceneEntityCfg("contact_forces", body_names=_FEET),
            "asset_cfg": SceneEntityCfg("robot", body_names=_FEET),
        },
    )
    dof_pos_limits = RewTerm(
        func=mdp.joint_pos_limits,
        weight=-1.0,
        params={"asset_cfg": SceneEntityCfg("robot", joint_names=[".*_ankle_pitch_joint", ".*_ankle_roll_joint"])},
    )
    joint_deviation_hip = _deviation(-0.1, ".*_hip_yaw_joint", ".*_hip_roll_joint")
    joint_deviation_arms = _deviation(-0.1, ".*_shoulder_.*", ".*_elbow_joint", ".*_wrist_.*")
    joint_deviation_waist = _deviation(-0.1, "waist_.*")


@configclass
class G1VelocityRoughEnvCfg(VelocityEnvCfg):
    """The G1 walks on uneven ground."""

    rewards: G1RewardsCfg = G1RewardsCfg()
    # With strong random actions, and falls that end nothing, there were at most 280 constraints and 95 contacts.
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4, physics=rough_physics(njmax=400, nconmax=140))

    def __post_init__(self) -> None:
        """Put the G1 into the task."""
        self.scene.robot = g1.G1_CFG.copy()
        self.scene.height_scanner.prim_path = f"{{ENV_REGEX_NS}}/Robot/{g1.TORSO_PRIM}"
        self.actions.joint_pos.scale = g1.ACTION_SCALE
        self.commands.base_velocity.ranges.lin_vel_x = (0.0, 1.0)
        self.commands.base_velocity.ranges.lin_vel_y = (0.0, 0.0)
        self.rewards.lin_vel_z_l2.weight = 0.0
        self.rewards.flat_orientation_l2.weight = -1.0
        self.rewards.action_rate_l2.weight = -0.005
        self.rewards.dof_acc_l2.weight = -1.25e-7
        self.rewards.dof_acc_l2.params["asset_cfg"] = SceneEntityCfg("robot", joint_names=_LEGS)
        self.rewards.dof_torques_l2.weight = -1.5e-7
        self.rewards.dof_torques_l2.params["asset_cfg"] = SceneEntityCfg("robot", joint_names=[*_LEGS, ".*_ankle_.*"])
        self.terminations.base_contact.params["sensor_cfg"].body_names = g1.ANCHOR_BODY_NAME
        self.events.base_mass.params["asset_cfg"] = SceneEntityCfg("robot", body_names=g1.ANCHOR_BODY_NAME)
        self.events.base_com = None
        self.events.reset_joints.params["position_range"] = (1.0, 1.0)


@configclass
class G1VelocityRoughPlayEnvCfg(G1VelocityRoughEnvCfg):
    """To look at :class:`G1VelocityRoughEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into one to look at."""
        super().__post_init__()
        self.play_mode()


@configclass
class G1VelocityFlatEnvCfg(G1VelocityRoughEnvCfg):
    """The G1 walks on flat ground, sideways as well."""

    # With strong random actions, and falls that end nothing, there were at most 112 constraints and 30 contacts.
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4, physics=flat_physics(njmax=200, nconmax=50))

    def __post_init__(self) -> None:
        """Make the ground flat."""
        super().__post_init__()
        self.flatten()
        self.commands.base_velocity.ranges.lin_vel_y = (-0.5, 0.5)
        self.rewards.track_ang_vel_z_exp.weight = 1.0
        self.rewards.lin_vel_z_l2.weight = -0.2
        self.rewards.dof_acc_l2.weight = -1.0e-7
        self.rewards.feet_air_time.weight = 0.75
        self.rewards.dof_torques_l2.weight = -2.0e-6
        self.rewards.dof_torques_l2.params["asset_cfg"] = SceneEntityCfg("robot", joint_names=_LEGS)


@configclass
class G1VelocityFlatPlayEnvCfg(G1VelocityFlatEnvCfg):
    """To look at :class:`G1VelocityFlatEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into one to look at."""
        super().__post_init__()
        self.play_mode()
