# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Newton on ground that is one large mesh: its search for the triangles under a robot, spread over the whole GPU."""

from __future__ import annotations

from typing import Any

import warp as wp
from isaaclab_newton.physics.mjwarp_manager import NewtonMJWarpManager

WARP_THREADS = 32
"""Threads that look for the triangles below one shape."""
BLOCKS_PER_PROCESSOR = 20
"""Searches at once on each multiprocessor; an H200's 228 kB of shared memory hold as many, at 9 kB each."""


class NewtonMeshGroundManager(NewtonMJWarpManager):
    """Isaac Lab's manager of MJWarp, for robots of small shapes on ground of many triangles.

    Newton 1.6.1 gives each pair of a shape and a mesh a block of 256 threads, four blocks on a multiprocessor, for
    pairs that have many triangles in common. A foot has a few: most threads wait, and the search took 24.6 ms of the
    33.3 ms of a step of 4096 Go1 (docs/performance.md). Smaller blocks, and more of them, do the same work.

    Isaac Lab knows by the beginning of a manager's name whose data it hands out.
    """

    @classmethod
    def _initialize_contacts(cls) -> None:
        super()._initialize_contacts()
        if cls._collision_pipeline is not None:
            spread_mesh_search(cls._collision_pipeline.narrow_phase)


def spread_mesh_search(narrow_phase: Any) -> None:
    """Let a narrow phase of Newton search meshes with many small blocks; a CPU stays as it is.

    Args:
        narrow_phase: Newton's ``NarrowPhase``, before its first launch.

    Raises:
        AttributeError: If this version of Newton names the sizes otherwise.
    """
    device = wp.get_device(narrow_phase.device)
    # Both must be there, or we would set what nobody reads.
    tile, blocks = narrow_phase.tile_size_mesh_convex, narrow_phase.num_tile_blocks
    if not device.is_cuda:
        return
    narrow_phase.tile_size_mesh_convex = min(tile, WARP_THREADS)
    narrow_phase.num_tile_blocks = max(blocks, device.sm_count * BLOCKS_PER_PROCESSOR)
