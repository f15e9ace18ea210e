# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The environment of the tracking tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..graphs.masked_env import MaskedEnv

if TYPE_CHECKING:
    from ..graphs.newton_robot import NewtonRobot
    from .mdp.masked_motion import MaskedMotion
    from .tracking_env_cfg import TrackingEnvCfg


class TrackingEnv(MaskedEnv):
    """Isaac Lab's environment, with a step by masks that knows motions; see :class:`.MaskedEnv`."""

    follows: ClassVar[str] = "motion"

    cfg: TrackingEnvCfg

    def masked_command(self, robot: NewtonRobot) -> MaskedMotion:
        """Return what the motion command does in a step by masks."""
        from .mdp.masked_motion import MaskedMotion

        name = self.command_manager.active_terms[0]
        command: Any = self.command_manager.get_term(name)
        return MaskedMotion(name, command, robot)
