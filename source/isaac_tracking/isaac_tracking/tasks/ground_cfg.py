# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ground that needs no download, for every family of tasks."""

from __future__ import annotations

from typing import Any

import isaaclab.sim as sim_utils
from isaaclab.assets import AssetBaseCfg

from .physics_cfg import by_engine

GROUND_MATERIAL = sim_utils.RigidBodyMaterialCfg(
    # Its friction lets the robot's decide: MuJoCo takes the larger of the two numbers, PhysX is told to multiply them.
    static_friction=by_engine(newton=0.001, physx=1.0),
    dynamic_friction=by_engine(newton=0.001, physx=1.0),
    friction_combine_mode="multiply",
    restitution_combine_mode="multiply",
)
"""Friction of the ground."""

GROUND_COLOR = sim_utils.PreviewSurfaceCfg(diffuse_color=(0.35, 0.38, 0.42))
"""Colour of the ground."""

GROUND_BLOCK: dict[str, Any] = {
    # Isaac Lab's own ground plane is downloaded; a block is not.
    "spawn": sim_utils.CuboidCfg(
        size=(1000.0, 1000.0, 1.0),
        collision_props=sim_utils.CollisionPropertiesCfg(),
        physics_material=GROUND_MATERIAL,
        visual_material=GROUND_COLOR,
    ),
    "init_state": AssetBaseCfg.InitialStateCfg(pos=(0.0, 0.0, -0.5)),
    # One ground for all environments: without this PhysX lets them fall through it.
    "collision_group": -1,
}
"""Flat ground as fields of an ``AssetBaseCfg``, all but its place in the scene."""
