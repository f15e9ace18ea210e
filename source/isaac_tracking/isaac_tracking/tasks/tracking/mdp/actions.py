# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Actions that Isaac Lab lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.envs.mdp.actions.joint_actions import JointPositionAction

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .actions_cfg import ReferenceJointPositionActionCfg
    from .commands import MotionCommand


class ReferenceJointPositionAction(JointPositionAction):
    """Joint targets: the reference's angles, plus the scaled action, plus the shift of the default pose."""

    cfg: ReferenceJointPositionActionCfg

    def __init__(self, cfg: ReferenceJointPositionActionCfg, env: ManagerBasedRLEnv) -> None:
        """Remember the nominal default pose, before an event shifts the offset."""
        super().__init__(cfg, env)
        self._nominal = self._offset.clone()

    def process_actions(self, actions: torch.Tensor) -> None:
        """Turn actions into joint targets [rad], both of shape (num_envs, num_joints)."""
        super().process_actions(actions)
        command: MotionCommand = self._env.command_manager.get_term(self.cfg.command_name)
        self._processed_actions += command.reference.joint_pos[:, self._joint_ids] - self._nominal
        if self.cfg.clip is not None:
            self._processed_actions.clamp_(min=self._clip[:, :, 0], max=self._clip[:, :, 1])
