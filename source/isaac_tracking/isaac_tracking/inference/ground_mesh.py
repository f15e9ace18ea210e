# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Uneven ground as a triangle mesh: taken from a simulation, and cut down to what a film or a page shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

_LARGE = 2.0
"""Side from which on a triangle may be near although its corners are not; there are few of them [m]."""


@dataclass(frozen=True)
class GroundMesh:
    """Ground that is not a plane, in the world."""

    vertices: np.ndarray
    """Corners [m], shape (V, 3), float32."""

    faces: np.ndarray
    """Corners of each triangle, counter-clockwise from above, shape (F, 3), int32."""

    def near(self, points: np.ndarray, radius: float) -> GroundMesh:
        """Return the triangles that have a corner near any of the points, seen from above, and all large ones.

        Args:
            points: Points in the world [m], shape (n, 2) or (n, 3).
            radius: How near, to the metre [m].

        Raises:
            ValueError: If there is no triangle.
        """
        low, high = self.vertices[:, :2].min(0), self.vertices[:, :2].max(0)
        size = np.ceil(high - low).astype(int) + 1
        shown = np.zeros(size, dtype=bool)
        # To the metre: a path has many points, and they are close together.
        for x, y in np.unique(np.floor(np.asarray(points)[:, :2] - low).astype(int), axis=0):
            rows, columns = np.ogrid[: size[0], : size[1]]
            shown |= (rows - x) ** 2 + (columns - y) ** 2 <= radius**2
        cells = np.floor(self.vertices[:, :2] - low).astype(int)
        large = np.ptp(self.vertices[self.faces, :2], axis=1).max(axis=1) > _LARGE
        faces = self.faces[shown[cells[:, 0], cells[:, 1]][self.faces].any(axis=1) | large]
        if not len(faces):
            raise ValueError(f"there is no ground within {radius:g} m of the robot's path")
        kept, places = np.unique(faces, return_inverse=True)
        return GroundMesh(self.vertices[kept], places.reshape(-1, 3).astype(np.int32))

    def heights(self, points: np.ndarray) -> np.ndarray:
        """Return the height of the ground at points seen from above [m], shape (n,); -inf where there is none.

        Args:
            points: Points in the world [m], shape (n, 2).
        """
        # Heavy: Warp.
        import torch
        from isaaclab.utils.warp import convert_to_warp_mesh, raycast_mesh

        mesh = convert_to_warp_mesh(self.vertices, self.faces, device="cpu")
        top = float(self.vertices[:, 2].max()) + 1.0
        starts = torch.full((len(points), 3), top)
        starts[:, :2] = torch.from_numpy(np.asarray(points))
        down = torch.tensor([0.0, 0.0, -1.0]).expand_as(starts).contiguous()
        hits = raycast_mesh(starts, down, mesh)[0][:, 2]
        return torch.where(hits.isfinite(), hits, -torch.inf).numpy()


def ground_mesh_of(env: ManagerBasedRLEnv) -> GroundMesh | None:
    """Return the generated terrain of an environment; ``None`` if its ground is a plane.

    Args:
        env: An environment whose scene may have a ``terrain`` of Isaac Lab's terrain generator.
    """
    cfg: Any = getattr(env.cfg.scene, "terrain", None)
    if getattr(cfg, "terrain_type", None) != "generator":
        return None
    # Only where a simulation runs is there a stage.
    from isaaclab.sim.utils.stage import get_current_stage
    from pxr import Usd, UsdGeom

    root = get_current_stage().GetPrimAtPath(cfg.prim_path)
    meshes = [UsdGeom.Mesh(prim) for prim in Usd.PrimRange(root) if prim.IsA(UsdGeom.Mesh)]
    vertices, faces, count = [], [], 0
    for mesh in meshes:
        place = np.array(UsdGeom.Xformable(mesh).ComputeLocalToWorldTransform(Usd.TimeCode.Default()))
        corners = np.asarray(mesh.GetPointsAttr().Get(), dtype=np.float64)
        vertices.append(corners @ place[:3, :3] + place[3, :3])
        faces.append(np.asarray(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3) + count)
        count += len(corners)
    return GroundMesh(np.concatenate(vertices).astype(np.float32), np.concatenate(faces).astype(np.int32))
