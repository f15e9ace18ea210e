# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How a robot is spawned from its MJCF, the same on every engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import TYPE_CHECKING

import isaaclab.sim as sim_utils
from isaaclab.sim.schemas import UsdPhysicsDriveCfg
from isaaclab.utils import configclass
from isaaclab_newton.sim.schemas import NewtonArticulationCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg

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


def mjcf_robot(
    model: tuple[str, str], *, self_collisions: bool, position_iterations: int, velocity_iterations: int
) -> MjcfRobotCfg:
    """Return how an articulation is spawned of its MJCF, for every engine.

    Args:
        model: Folder and file of the MJCF in mjlab's asset zoo.
        self_collisions: Whether the robot's bodies collide with one another.
        position_iterations: Of PhysX's solver; Newton's is configured with the task.
        velocity_iterations: Of PhysX's solver.
    """
    return MjcfRobotCfg(
        model=model,
        activate_contact_sensors=True,
        articulation_props={
            "/.*": [
                NewtonArticulationCfg(self_collision_enabled=self_collisions),
                PhysxArticulationCfg(
                    enabled_self_collisions=self_collisions,
                    solver_position_iteration_count=position_iterations,
                    solver_velocity_iteration_count=velocity_iterations,
                ),
            ]
        },
        # The MJCF has no actuators, so its USD has no drives, and without them PhysX ignores the actuators' gains.
        joint_drive_props={"/.*": [UsdPhysicsDriveCfg(drive_type="force", stiffness=0.0, damping=0.0)]},
        joint_drive_props_create_if_missing=True,
    )
