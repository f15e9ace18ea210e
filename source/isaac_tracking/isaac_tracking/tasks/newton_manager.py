# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Isaac Lab's manager of MJWarp with two changes for speed alone: a replay on CPUs, and a finer search of meshes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import warp as wp
from isaaclab.physics import PhysicsManager
from isaaclab_newton.physics import NewtonManager
from isaaclab_newton.physics.mjwarp_manager import NewtonMJWarpManager

WARP_THREADS = 32
"""Threads that look for the triangles below one shape."""
BLOCKS_PER_PROCESSOR = 20
"""Searches at once on each multiprocessor; an H200's 228 kB of shared memory hold as many, at 9 kB each."""

logger = logging.getLogger(__name__)


class NewtonTaskManager(NewtonMJWarpManager):
    """MJWarp as our tasks use it; the configs name it as the solver's ``class_type``.

    On a GPU, Isaac Lab captures the physics of a step as a CUDA graph. On a CPU it launches some 250 kernels from
    Python in each call, which takes as long as the kernels do. Warp records work of a CPU as well, and replays it
    without Python: the same kernels on the same numbers.

    Isaac Lab knows by the beginning of a manager's name whose data it hands out.
    """

    @classmethod
    def _simulate_physics_only(cls) -> None:
        cls._replay(super()._simulate_physics_only)

    @classmethod
    def _simulate_full(cls) -> None:
        cls._replay(super()._simulate_full)

    @classmethod
    def _replay(cls, simulate: Callable[[], None]) -> None:
        """Do what Isaac Lab would do; on a CPU from a recording, once it is there."""
        device, cfg = PhysicsManager._device, PhysicsManager._cfg
        if device is None or not wp.get_device(device).is_cpu or not getattr(cfg, "use_cuda_graph", False):
            simulate()
        elif NewtonManager._graph is not None:
            wp.capture_launch(NewtonManager._graph)
        else:
            # Once as it is, so that whatever is allocated or compiled at the first time is not recorded.
            simulate()
            with wp.ScopedCapture(device=device) as capture:
                simulate()
            # Isaac Lab forgets it when the physics changes, as it does on a GPU.
            NewtonManager._graph = capture.graph

    @classmethod
    def _initialize_contacts(cls) -> None:
        super()._initialize_contacts()
        if cls._collision_pipeline is not None:
            spread_mesh_search(cls._collision_pipeline.narrow_phase)


def spread_mesh_search(narrow_phase: Any) -> None:
    """Let a narrow phase of Newton search meshes with many small blocks of threads; a CPU stays as it is.

    Newton 1.6.1 gives each pair of a shape and a mesh a block of 256 threads, four blocks on a multiprocessor, for
    pairs that have many triangles in common. A foot on the ground has a few: most threads wait, and the search took
    24.6 ms of the 33.3 ms of a step of 4096 Go1 (docs/performance.md). Smaller blocks, and more of them, do the same.

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
