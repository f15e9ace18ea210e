# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motion tracking with the Unitree G1."""

from __future__ import annotations

from isaaclab.managers import SceneEntityCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from .....robots import g1
from ....physics_cfg import flat_physics
from ... import mdp
from ...tracking_env_cfg import TrackingEnvCfg

_ACTION = {"asset_name": "robot", "joint_names": [".*"], "scale": g1.ACTION_SCALE}


@configclass
class G1TrackingEnvCfg(TrackingEnvCfg):
    """The G1 follows motions; the policy knows where it is and how fast it moves."""

    # Contacts and constraints measured on the shipped clips; see docs/results.md.
    sim: SimulationCfg = SimulationCfg(dt=0.005, render_interval=4, physics=flat_physics(njmax=250, nconmax=40))

    def __post_init__(self) -> None:
        """Put the G1 into the task."""
        self.scene.robot = g1.G1_CFG.copy()
        self.commands.motion = mdp.MotionCommandCfg(
            model=g1.MODEL, anchor_body_name=g1.ANCHOR_BODY_NAME, body_names=list(g1.KEY_BODY_NAMES)
        )
        self.actions.joint_pos = preset(
            default=mdp.JointPositionActionCfg(**_ACTION, use_default_offset=True),
            reference_action=mdp.ReferenceJointPositionActionCfg(**_ACTION, use_default_offset=True),
        )
        self.events.base_com.params["asset_cfg"] = SceneEntityCfg("robot", body_names=g1.ANCHOR_BODY_NAME)
        untouched = "|".join(g1.END_EFFECTOR_BODY_NAMES)
        self.rewards.undesired_contacts.params["sensor_cfg"] = SceneEntityCfg(
            "contact_forces", body_names=f"^(?!({untouched})$).+$"
        )
        self.terminations.end_effector_height.params["body_names"] = list(g1.END_EFFECTOR_BODY_NAMES)


@configclass
class G1TrackingPlayEnvCfg(G1TrackingEnvCfg):
    """The examination of :class:`G1TrackingEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into its examination."""
        super().__post_init__()
        self.play_mode()


@configclass
class G1TrackingNoStateEstEnvCfg(G1TrackingEnvCfg):
    """The G1 follows motions without an estimate of its position and velocity (154 observations)."""

    def __post_init__(self) -> None:
        """Take away what a robot without a state estimator cannot know."""
        super().__post_init__()
        self.observations.policy.reference_anchor_pos_b = None
        self.observations.policy.base_lin_vel = None


@configclass
class G1TrackingNoStateEstPlayEnvCfg(G1TrackingNoStateEstEnvCfg):
    """The examination of :class:`G1TrackingNoStateEstEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into its examination."""
        super().__post_init__()
        self.play_mode()
