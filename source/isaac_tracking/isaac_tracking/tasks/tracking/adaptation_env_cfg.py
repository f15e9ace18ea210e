# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What teacher and student of the three-stage tasks see, without a robot.

The group ``policy`` is what a robot without a state estimator knows, with the sizes and the noise of
Axellwppr/motion_tracking (branch compliance), without the three flags of its compliance. The group ``priv`` is what
the teacher sees besides, and ``critic_priv`` what only the critic sees.
"""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg as Unoise

from . import mdp
from .mdp import senses
from .tracking_env_cfg import COMMAND

ACTION = {"action_name": "joint_pos"}
"""Parameter that points a term at the action."""


@configclass
class AdaptationObservationsCfg:
    """What the actors and the critic see; sizes in brackets are those of 29 joints, 14 bodies and 5 steps."""

    @configclass
    class PolicyCfg(ObsGroup):
        """What a robot knows without a state estimator, with noise (620)."""

        boot_indicator = ObsTerm(func=mdp.boot_indicator, params=dict(ACTION))
        future_root_pos = ObsTerm(
            func=mdp.future_root_pos, params=dict(COMMAND), noise=Unoise(n_min=-0.025, n_max=0.025)
        )
        future_root_ori = ObsTerm(
            func=mdp.future_root_ori, params=dict(COMMAND), noise=Unoise(n_min=-0.025, n_max=0.025)
        )
        future_joint_pos = ObsTerm(
            func=mdp.future_joint_pos, params=dict(COMMAND), noise=Unoise(n_min=-0.01, n_max=0.01)
        )
        future_joint_pos_error = ObsTerm(
            func=mdp.future_joint_pos_error, params=dict(COMMAND), noise=Unoise(n_min=-0.01, n_max=0.01)
        )
        future_root_height = ObsTerm(func=mdp.future_root_height, params=dict(COMMAND))
        future_gravity = ObsTerm(func=mdp.future_gravity, params=dict(COMMAND))
        base_ang_vel = ObsTerm(func=senses.base_ang_vel, params=dict(COMMAND), noise=Unoise(n_min=-0.05, n_max=0.05))
        projected_gravity = ObsTerm(
            func=senses.projected_gravity, params=dict(COMMAND), noise=Unoise(n_min=-0.01, n_max=0.01)
        )
        joint_pos = ObsTerm(
            func=senses.joint_pos_rel,
            params=dict(COMMAND),
            noise=Unoise(n_min=-0.01, n_max=0.01),
            history_length=6,
        )
        actions = ObsTerm(func=mdp.last_action, history_length=3)
        enable_corruption: bool = True

    @configclass
    class PrivCfg(ObsGroup):
        """What the teacher sees besides, without noise (340)."""

        reference_anchor_pos_b = ObsTerm(func=mdp.reference_anchor_pos_b, params=dict(COMMAND))
        reference_anchor_ori_b = ObsTerm(func=mdp.reference_anchor_ori_b, params=dict(COMMAND))
        base_lin_vel = ObsTerm(func=senses.base_lin_vel, params=dict(COMMAND))
        joint_vel = ObsTerm(func=senses.joint_vel_rel, params=dict(COMMAND))
        future_root_pos_b = ObsTerm(func=mdp.future_root_pos_b, params=dict(COMMAND))
        body_pos = ObsTerm(func=mdp.body_pos_a, params=dict(COMMAND))
        body_ori = ObsTerm(func=mdp.body_ori_a, params=dict(COMMAND))
        body_lin_vel = ObsTerm(func=mdp.body_lin_vel_a, params=dict(COMMAND))
        body_pos_error = ObsTerm(func=mdp.body_pos_error_a, params=dict(COMMAND))
        body_height = ObsTerm(func=mdp.body_height, params=dict(COMMAND))
        applied_action = ObsTerm(func=mdp.applied_action, params={**ACTION, **COMMAND})
        applied_torque = ObsTerm(func=mdp.applied_torque, params=dict(COMMAND))
        foot_contacts = ObsTerm(
            func=mdp.foot_contacts,
            params={"sensor_name": "contact_forces", "body_names": MISSING, "threshold": 1.0},
        )

    @configclass
    class CriticPrivCfg(ObsGroup):
        """What the critic sees besides, without noise: how far off the robot is, and how far the clip (33)."""

        body_pos_errors = ObsTerm(func=mdp.body_pos_errors, params=dict(COMMAND))
        body_rot_errors = ObsTerm(func=mdp.body_rot_errors, params=dict(COMMAND))
        anchor_errors = ObsTerm(func=mdp.anchor_errors, params=dict(COMMAND))
        motion_phase = ObsTerm(func=mdp.motion_phase, params=dict(COMMAND))

    policy: PolicyCfg = PolicyCfg()
    priv: PrivCfg = PrivCfg()
    critic_priv: CriticPrivCfg = CriticPrivCfg()


def check_history(env_cfg: Any) -> None:
    """Refuse observations that remember more steps than an episode has.

    Args:
        env_cfg: Resolved config of any manager-based environment.

    Raises:
        ValueError: If a history is longer than the episode.
    """
    step = env_cfg.sim.dt * env_cfg.decimation
    episode = round(env_cfg.episode_length_s / step)
    for group_name, group in vars(env_cfg.observations).items():
        for term_name, term in vars(group).items() if isinstance(group, ObsGroup) else ():
            if not isinstance(term, ObsTerm):
                continue
            # A length of the group takes the place of its terms'.
            whole = group.history_length is not None
            length = group.history_length if whole else term.history_length
            if length > episode:
                key = f"env.observations.{group_name}{'' if whole else f'.{term_name}'}.history_length"
                raise ValueError(
                    f"{key}={length} remembers more steps than an episode has ({episode}); give {episode} or less,"
                    f" or env.episode_length_s={length * step:g} or more"
                )
