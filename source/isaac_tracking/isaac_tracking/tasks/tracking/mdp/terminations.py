# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When an episode ends: at the clip's end, when the robot has lost its reference, or when its state is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ManagerTermBase

from ...graphs.plan import in_graph

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import TerminationTermCfg

    from .commands import MotionCommand


@in_graph
def clip_end(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return whether the clip's last frame has been reached, a time-out, shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.at_end


@in_graph
def clip_leaving(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return whether the clip is about to leave the device, a time-out, shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.leaving


@in_graph
def non_finite(env: ManagerBasedRLEnv, command_name: str) -> torch.Tensor:
    """Return whether the robot's state holds a NaN or an infinity, shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return ~torch.isfinite(command.errors.body_pos.sum(dim=-1)) | ~command.finite


@in_graph
def bad_anchor_height(env: ManagerBasedRLEnv, command_name: str, threshold: float) -> torch.Tensor:
    """Return whether the anchor is higher or lower than the reference's by a threshold [m], shape (num_envs,)."""
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.errors.anchor_height > threshold


@in_graph
def bad_anchor_tilt(env: ManagerBasedRLEnv, command_name: str, threshold: float) -> torch.Tensor:
    """Return whether the anchor leans otherwise than the reference's.

    Args:
        env: The environment.
        command_name: Name of the motion command.
        threshold: Allowed difference of the vertical components of gravity in the anchors' frames [-].
    """
    command: MotionCommand = env.command_manager.get_term(command_name)
    return command.errors.anchor_tilt > threshold


@in_graph
class bad_body_height(ManagerTermBase):  # noqa: N801 -- a term, written in configs like a function
    """Whether any of some bodies is higher or lower than its relative reference by a threshold [m]."""

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv) -> None:
        """Find the bodies among the tracked ones.

        Raises:
            ValueError: If a body is not tracked.
        """
        super().__init__(cfg, env)
        command: MotionCommand = env.command_manager.get_term(cfg.params["command_name"])
        names: list[str] = cfg.params["body_names"]
        missing = [name for name in names if name not in command.body_names]
        if missing:
            raise ValueError(f"bad_body_height: {missing} are not tracked; choose from {command.body_names}")
        ids = [command.body_names.index(name) for name in names]
        self._body_ids = torch.tensor(ids, device=env.device)

    def __call__(
        self, env: ManagerBasedRLEnv, command_name: str, body_names: list[str], threshold: float
    ) -> torch.Tensor:
        """Return the flags, shape (num_envs,)."""
        command: MotionCommand = env.command_manager.get_term(command_name)
        return (command.errors.body_height[:, self._body_ids] > threshold).any(dim=-1)
