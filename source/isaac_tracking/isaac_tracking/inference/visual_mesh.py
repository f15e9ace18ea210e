# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The visible side of an MJCF: triangle meshes, each fixed to one body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class VisualMesh:
    """A coloured triangle mesh that moves with a body. Vertices are given per corner, so edges stay sharp."""

    body: int
    """Index of the body in the order that was asked for."""

    vertices: np.ndarray
    """Corners of the triangles in the frame of the body [m], shape (3 * num_triangles, 3)."""

    normals: np.ndarray
    """Unit normals at the corners in the frame of the body, shape (3 * num_triangles, 3)."""

    color: tuple[float, float, float]
    """Red, green, blue as displayed (sRGB), 0 to 1."""


def load_visual_meshes(mjcf: Path, body_names: Sequence[str]) -> list[VisualMesh]:
    """Read the meshes of an MJCF that do not collide, which is how MuJoCo marks what is only to be seen.

    Args:
        mjcf: Path of the MJCF.
        body_names: Bodies of the trajectory, in its order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a body is unknown, a body with a mesh is missing from ``body_names``, or nothing can be seen.
    """
    # Heavy, and needed by films alone.
    import mujoco

    if not Path(mjcf).is_file():
        raise FileNotFoundError(f"robot model '{mjcf}' does not exist; pass the path of an MJCF")
    model = mujoco.MjModel.from_xml_path(str(mjcf))
    order = _body_order(model, mjcf, body_names)
    seen = (model.geom_type == mujoco.mjtGeom.mjGEOM_MESH) & (model.geom_contype == 0) & (model.geom_conaffinity == 0)
    geoms = np.flatnonzero(seen & (model.geom_bodyid > 0))
    if not len(geoms):
        raise ValueError(f"'{Path(mjcf).name}' has no mesh that is only to be seen (contype=0, conaffinity=0)")
    lacking = {model.body(model.geom_bodyid[geom]).name for geom in geoms} - set(body_names)
    if lacking:
        raise ValueError(
            f"bodies {sorted(lacking)} of '{Path(mjcf).name}' have a mesh but no pose; the trajectory has"
            f" {', '.join(body_names)}; record the poses of all bodies"
        )
    return [_mesh(model, geom, order[model.geom_bodyid[geom]]) for geom in geoms]


def _body_order(model, mjcf: Path, body_names: Sequence[str]) -> dict[int, int]:
    """Map the model's body ids to places in ``body_names``."""
    names = [model.body(i).name for i in range(1, model.nbody)]
    unknown = [name for name in body_names if name not in names]
    if unknown:
        raise ValueError(f"bodies {unknown} are not in '{Path(mjcf).name}'; it has {', '.join(names)}")
    return {model.body(name).id: place for place, name in enumerate(body_names)}


def _mesh(model, geom: int, body: int) -> VisualMesh:
    mesh = model.geom_dataid[geom]
    faces = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
    vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][model.mesh_face[faces].reshape(-1)]
    normals = model.mesh_normal[model.mesh_normaladr[mesh] :][model.mesh_facenormal[faces].reshape(-1)]
    rotation = _rotation(model.geom_quat[geom])
    material = model.geom_matid[geom]
    rgba = model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom]
    return VisualMesh(
        body=body,
        vertices=(vertices @ rotation.T + model.geom_pos[geom]).astype(np.float32),
        normals=(normals @ rotation.T).astype(np.float32),
        color=tuple(float(c) for c in rgba[:3]),
    )


def _rotation(quat_wxyz: np.ndarray) -> np.ndarray:
    w, x, y, z = quat_wxyz
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
