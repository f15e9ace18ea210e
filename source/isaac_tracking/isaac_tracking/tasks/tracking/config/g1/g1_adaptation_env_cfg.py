# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motion tracking with the Unitree G1 in stages: one environment for every teacher and every student."""

from __future__ import annotations

from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from .....robots import g1
from ... import mdp
from ...adaptation_env_cfg import AdaptationObservationsCfg
from ...randomization_cfg import ACTION_PATH, StrongEventsCfg
from .g1_tracking_env_cfg import G1TrackingEnvCfg

_ACTION = {"asset_name": "robot", "joint_names": [".*"], "scale": g1.ACTION_SCALE, "use_default_offset": True}


@configclass
class G1AdaptationEnvCfg(G1TrackingEnvCfg):
    """The G1 follows motions; robots differ as real ones do, and actions arrive late."""

    observations: AdaptationObservationsCfg = AdaptationObservationsCfg()
    events: StrongEventsCfg = StrongEventsCfg()

    def __post_init__(self) -> None:
        """Put the G1 into the task."""
        super().__post_init__()
        self.observations.priv.foot_contacts.params["body_names"] = list(g1.FOOT_BODY_NAMES)
        self.actions.joint_pos = preset(
            default=mdp.DelayedJointPositionActionCfg(**_ACTION, **ACTION_PATH),
            reference_action=mdp.DelayedReferenceJointPositionActionCfg(**_ACTION, **ACTION_PATH),
        )

    def play_mode(self) -> None:
        """Turn the task into an examination: robots as they should be, and actions without delay.

        Smoothing and the gentle start stay: they are ours, on every robot, and the policy reckons with them.
        """
        super().play_mode()
        for name in vars(self.events):
            setattr(self.events, name, None)
        # Isaac Lab calls this before and after a preset is chosen.
        actions = self.actions.joint_pos
        for action in (actions, *(getattr(actions, name, None) for name in ("default", "reference_action"))):
            if isinstance(action, mdp.DelayedJointPositionActionCfg):
                action.delay = (0, 0)


@configclass
class G1AdaptationPlayEnvCfg(G1AdaptationEnvCfg):
    """The examination of :class:`G1AdaptationEnvCfg`."""

    def __post_init__(self) -> None:
        """Turn the task into its examination."""
        super().__post_init__()
        self.play_mode()
