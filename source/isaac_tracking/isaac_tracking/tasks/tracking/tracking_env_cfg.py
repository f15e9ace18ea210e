# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The motion-tracking MDP without a robot: BeyondMimic's, on a library of clips instead of one.

Numbers are those of HybridRobotics/whole_body_tracking (``tasks/tracking/tracking_env_cfg.py``) where nothing else is
said. Two things differ on purpose: an episode that reaches the end of its clip ends there as a time-out, instead of
being moved to another place of the clip, and a state that is not finite ends the episode.
"""

from __future__ import annotations

from dataclasses import MISSING

import isaaclab.sim as sim_utils
from isaaclab.assets import ArticulationCfg, AssetBaseCfg
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg as Unoise

from ..ground_cfg import GROUND_BLOCK
from . import mdp

COMMAND = {"command_name": "motion"}
"""Parameter that points a term at the motion command."""


@configclass
class TrackingSceneCfg(InteractiveSceneCfg):
    """A robot on flat ground."""

    num_envs: int = 4096
    env_spacing: float = 2.5

    ground = AssetBaseCfg(prim_path="/World/ground", **GROUND_BLOCK)
    robot: ArticulationCfg = MISSING
    contact_forces = ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/.*", history_length=3)
    light = AssetBaseCfg(prim_path="/World/light", spawn=sim_utils.DistantLightCfg(intensity=3000.0))


@configclass
class CommandsCfg:
    """What the robot is to do."""

    motion: mdp.MotionCommandCfg = MISSING


@configclass
class ActionsCfg:
    """What the policy decides: joint targets around the default pose."""

    joint_pos = mdp.JointPositionActionCfg(asset_name="robot", joint_names=[".*"], scale=MISSING)


@configclass
class ObservationsCfg:
    """What the policy and the critic see."""

    @configclass
    class PolicyCfg(ObsGroup):
        """The policy's group, with noise; 160 numbers for 29 joints."""

        command = ObsTerm(func=mdp.generated_commands, params=dict(COMMAND))
        reference_anchor_pos_b = ObsTerm(
            func=mdp.reference_anchor_pos_b, params=dict(COMMAND), noise=Unoise(n_min=-0.25, n_max=0.25)
        )
        reference_anchor_ori_b = ObsTerm(
            func=mdp.reference_anchor_ori_b, params=dict(COMMAND), noise=Unoise(n_min=-0.05, n_max=0.05)
        )
        base_lin_vel = ObsTerm(func=mdp.base_lin_vel, noise=Unoise(n_min=-0.5, n_max=0.5))
        base_ang_vel = ObsTerm(func=mdp.base_ang_vel, noise=Unoise(n_min=-0.2, n_max=0.2))
        joint_pos = ObsTerm(func=mdp.joint_pos_rel, noise=Unoise(n_min=-0.01, n_max=0.01))
        joint_vel = ObsTerm(func=mdp.joint_vel_rel, noise=Unoise(n_min=-0.5, n_max=0.5))
        actions = ObsTerm(func=mdp.last_action)
        enable_corruption: bool = True

    @configclass
    class CriticCfg(ObsGroup):
        """The critic's group, without noise and with the body; 286 numbers for 29 joints and 14 bodies."""

        command = ObsTerm(func=mdp.generated_commands, params=dict(COMMAND))
        reference_anchor_pos_b = ObsTerm(func=mdp.reference_anchor_pos_b, params=dict(COMMAND))
        reference_anchor_ori_b = ObsTerm(func=mdp.reference_anchor_ori_b, params=dict(COMMAND))
        body_pos = ObsTerm(func=mdp.body_pos_a, params=dict(COMMAND))
        body_ori = ObsTerm(func=mdp.body_ori_a, params=dict(COMMAND))
        base_lin_vel = ObsTerm(func=mdp.base_lin_vel)
        base_ang_vel = ObsTerm(func=mdp.base_ang_vel)
        joint_pos = ObsTerm(func=mdp.joint_pos_rel)
        joint_vel = ObsTerm(func=mdp.joint_vel_rel)
        actions = ObsTerm(func=mdp.last_action)

    policy: PolicyCfg = PolicyCfg()
    critic: CriticCfg = CriticCfg()


@configclass
class EventsCfg:
    """What varies between robots and what disturbs them."""

    # On Newton a shape has one friction number, drawn from the static range, and restitution has no effect.
    physics_material = EventTerm(
        func=mdp.randomize_rigid_body_material,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
            "static_friction_range": (0.3, 1.6),
            "dynamic_friction_range": (0.3, 1.2),
            "restitution_range": (0.0, 0.5),
            "num_buckets": 64,
        },
    )
    joint_default_pos = EventTerm(
        func=mdp.offset_joint_default_pos,
        mode="startup",
        params={"offset_range": (-0.01, 0.01), "action_name": "joint_pos"},
    )
    base_com = EventTerm(
        func=mdp.randomize_rigid_body_com,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=MISSING),
            "com_range": {"x": (-0.025, 0.025), "y": (-0.05, 0.05), "z": (-0.05, 0.05)},
        },
    )
    push_robot = EventTerm(
        func=mdp.push_by_setting_velocity,
        mode="interval",
        interval_range_s=(1.0, 3.0),
        params={
            "velocity_range": {
                "x": (-0.5, 0.5),
                "y": (-0.5, 0.5),
                "z": (-0.2, 0.2),
                "roll": (-0.52, 0.52),
                "pitch": (-0.52, 0.52),
                "yaw": (-0.78, 0.78),
            }
        },
    )


@configclass
class RewardsCfg:
    """What is good: five for following, at most, and less for what wears out a robot."""

    anchor_pos = RewTerm(func=mdp.anchor_pos_exp, weight=0.5, params={**COMMAND, "std": 0.3})
    anchor_rot = RewTerm(func=mdp.anchor_rot_exp, weight=0.5, params={**COMMAND, "std": 0.4})
    body_pos = RewTerm(func=mdp.body_pos_exp, weight=1.0, params={**COMMAND, "std": 0.3})
    body_rot = RewTerm(func=mdp.body_rot_exp, weight=1.0, params={**COMMAND, "std": 0.4})
    body_lin_vel = RewTerm(func=mdp.body_lin_vel_exp, weight=1.0, params={**COMMAND, "std": 1.0})
    body_ang_vel = RewTerm(func=mdp.body_ang_vel_exp, weight=1.0, params={**COMMAND, "std": 3.14})
    action_rate = RewTerm(func=mdp.action_rate_l2, weight=-0.1)
    joint_limit = RewTerm(func=mdp.joint_limit, weight=-10.0, params=dict(COMMAND))
    undesired_contacts = RewTerm(
        func=mdp.undesired_contacts,
        weight=-0.1,
        params={"sensor_cfg": SceneEntityCfg("contact_forces", body_names=MISSING), "threshold": 1.0},
    )


@configclass
class TerminationsCfg:
    """When an episode ends."""

    # First, because the zeros that stand for a broken state may trip the others as well.
    non_finite = DoneTerm(func=mdp.non_finite, params=dict(COMMAND))
    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    clip_end = DoneTerm(func=mdp.clip_end, time_out=True, params=dict(COMMAND))
    # Never, unless the clips exceed the memory budget.
    clip_leaving = DoneTerm(func=mdp.clip_leaving, time_out=True, params=dict(COMMAND))
    anchor_height = DoneTerm(func=mdp.bad_anchor_height, params={**COMMAND, "threshold": 0.25})
    anchor_tilt = DoneTerm(func=mdp.bad_anchor_tilt, params={**COMMAND, "threshold": 0.8})
    end_effector_height = DoneTerm(
        func=mdp.bad_body_height, params={**COMMAND, "body_names": MISSING, "threshold": 0.25}
    )


@configclass
class TrackingEnvCfg(ManagerBasedRLEnvCfg):
    """Follow motions from a library, at 50 Hz on physics of 200 Hz."""

    scene: TrackingSceneCfg = TrackingSceneCfg()
    commands: CommandsCfg = CommandsCfg()
    actions: ActionsCfg = ActionsCfg()
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4)
    decimation: int = 4
    episode_length_s: float = 10.0
    step_graph: str = "auto"
    """``"off"``: Isaac Lab's own step. ``"auto"``: everything after the physics as CUDA graphs where a GPU and the task
    allow it. ``"on"``: so, or an error that says why not. ``"masked"``: the same without graphs, for tests."""

    def play_mode(self) -> None:
        """Turn the task into an examination: every clip from its start to its end, nothing random, nothing pushed."""
        super().play_mode()
        self.commands.motion.sampler.mode = "start"
        self.commands.motion.reset_noise = None
        self.events.physics_material = None
        self.events.joint_default_pos = None
        self.events.base_com = None
        self.events.push_robot = None
        # Longer than any clip, so that only the clip's end or a failure ends an episode.
        self.episode_length_s = 1.0e5
