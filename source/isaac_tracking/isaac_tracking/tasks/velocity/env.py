# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The environment of the velocity tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from ..graphs.masked_env import MaskedEnv
from ..graphs.plan import terms

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from ..graphs.masked_step import MaskedStep
    from ..graphs.newton_robot import NewtonRobot
    from .mdp.masked_velocity import MaskedVelocity
    from .velocity_env_cfg import VelocityEnvCfg


class VelocityEnv(MaskedEnv):
    """Isaac Lab's environment, with a step by masks that knows velocities; see :class:`.MaskedEnv`."""

    follows: ClassVar[str] = "velocity"

    cfg: VelocityEnvCfg

    def masked_command(self, robot: NewtonRobot) -> MaskedVelocity:
        """Return what the velocity command does in a step by masks."""
        from .mdp.masked_velocity import MaskedVelocity

        return MaskedVelocity(self, robot)

    def _plan_step(self, wanted: str) -> MaskedStep | None:
        if wanted != "off":
            select_on_device(self)
        return super()._plan_step(wanted)


def select_on_device(env: ManagerBasedRLEnv) -> None:
    """Let terms select bodies and joints by tensors instead of lists, which would be uploaded at every call."""
    for _, _, cfg in terms(env):
        for value in cfg.params.values():
            for name in ("body_ids", "joint_ids"):
                ids = getattr(value, name, None)
                if isinstance(ids, list):
                    setattr(value, name, torch.tensor(ids, device=env.device))
