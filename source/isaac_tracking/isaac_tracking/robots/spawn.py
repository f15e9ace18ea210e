# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Spawning of a robot from its MJCF, and of a ground that needs no download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import TYPE_CHECKING

import isaaclab.sim as sim_utils
from isaaclab.utils import configclass

if TYPE_CHECKING:
    from pxr import Usd


def spawn_mjcf_robot(prim_path: str, cfg: MjcfRobotCfg, *args, **kwargs) -> Usd.Prim:
    """Spawn a robot from the USD that is made, once per version, of its MJCF.

    Raises:
        FileNotFoundError: If the MJCF is not installed.
    """
    from .mjcf import usd_path

    return sim_utils.spawn_from_usd(prim_path, cfg.replace(usd_path=usd_path(*cfg.model)), *args, **kwargs)


@configclass
class MjcfRobotCfg(sim_utils.UsdFileCfg):
    """A robot of mjlab's asset zoo; converted when it is spawned, not when it is configured."""

    func: Callable | str = "isaac_tracking.robots.spawn:spawn_mjcf_robot"

    usd_path: str = ""
    """Filled in when the robot is spawned."""

    model: tuple[str, str] = MISSING
    """Folder and file of the MJCF in mjlab's asset zoo."""
