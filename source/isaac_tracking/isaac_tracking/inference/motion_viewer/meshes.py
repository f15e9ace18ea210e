# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Visual meshes made lighter for a browser: corners that nearly coincide become one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..visual_mesh import VisualMesh

CELL = 0.003
"""Corners in the same cube of this edge become one [m]: smaller than a pixel for a robot that fills the screen."""


class LightMesh(NamedTuple):
    """An indexed triangle mesh in the frame of its body."""

    body: int
    """Index of the body."""

    vertices: np.ndarray
    """Corners [m], float32, shape (V, 3)."""

    faces: np.ndarray
    """Corners of each triangle, uint32, shape (F, 3)."""

    color: tuple[float, float, float]
    """Red, green, blue as displayed (sRGB), 0 to 1."""


def lighten(mesh: VisualMesh, cell: float = CELL) -> LightMesh:
    """Merge the corners that lie in one cell, and leave out the triangles that vanish by that.

    Corners whose normals differ much stay apart, at the same place: edges stay sharp and no gap opens.

    Args:
        mesh: The mesh.
        cell: Edge of a cell [m].
    """
    place, at = np.unique(_packed(mesh.vertices / cell), return_inverse=True)
    count = np.bincount(at, minlength=len(place))
    middle = np.stack([np.bincount(at, mesh.vertices[:, i], len(place)) / count for i in range(3)], axis=1)
    # A cell and an eighth of the directions: half a normal's length is the boundary of a bucket.
    bucket = _packed(mesh.normals * 1.5)
    _, first, corner = np.unique(np.stack((at, bucket)), axis=1, return_index=True, return_inverse=True)
    faces, cells = corner.reshape(-1, 3), at.reshape(-1, 3)
    kept = (cells[:, 0] != cells[:, 1]) & (cells[:, 1] != cells[:, 2]) & (cells[:, 2] != cells[:, 0])
    return LightMesh(mesh.body, middle[at[first]].astype(np.float32), faces[kept].astype(np.uint32), mesh.color)


def _packed(points: np.ndarray) -> np.ndarray:
    """Return the whole numbers nearest to three coordinates as one number, shape (n,)."""
    whole = np.rint(points).astype(np.int64) + (1 << 20)
    return (whole[:, 0] << 42) | (whole[:, 1] << 21) | whole[:, 2]
