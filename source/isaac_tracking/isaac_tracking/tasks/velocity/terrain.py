# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ground that needs no download, in place of Isaac Lab's plane."""

from __future__ import annotations

import isaaclab.sim as sim_utils
from isaaclab.terrains import TerrainImporter

from ..ground_cfg import GROUND_BLOCK


class LocalTerrainImporter(TerrainImporter):
    """Isaac Lab's importer, with a block of our own where it would download a plane."""

    def import_ground_plane(self, name: str, size: tuple[float, float] | None = None) -> None:
        """Put the block into the scene, its upper side at height 0.

        Args:
            name: Name of its prim, below the terrain's.
            size: Not used; the block is a kilometre long.
        """
        prim_path = f"{self.cfg.prim_path}/{name}"
        self.terrain_prim_paths.append(prim_path)
        block = GROUND_BLOCK["spawn"].replace(physics_material=self.cfg.physics_material)
        sim_utils.spawn_cuboid(prim_path, block, translation=GROUND_BLOCK["init_state"].pos)
