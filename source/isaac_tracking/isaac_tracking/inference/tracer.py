# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What rays hit: one robot, on even or uneven ground or in the void, traced by Newton on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import newton
import numpy as np
import torch
import warp as wp
from newton.sensors import SensorTiledCamera
from torch import Tensor

from .ground_mesh import GroundMesh
from .visual_mesh import VisualMesh

_SHADOW = 0.3
"""What Newton's tracer leaves of the lamp's light in a shadow."""


class Hits(NamedTuple):
    """What n rays hit first."""

    mesh: Tensor
    """Index of the mesh, -1 for the ground or nothing, shape (n,)."""

    distance: Tensor
    """Distance from the eye [m], infinite for nothing, shape (n,)."""

    normal: Tensor
    """Unit normal in the world, shape (n, 3)."""

    lit: Tensor
    """Share of the lamp's light that is not in shadow, shape (n,)."""


class Tracer:
    """Holds the meshes of a robot in a pose, and says what rays hit."""

    def __init__(self, meshes: Sequence[VisualMesh], num_bodies: int, *, ground: GroundMesh | bool, device: str):
        """Build the scene; the first one on a machine compiles a kernel.

        Args:
            meshes: What is seen of the robot.
            num_bodies: Number of bodies in a pose.
            ground: What the robot stands on: a mesh, or a plane at height zero; with either there are shadows.
            device: Where to trace, e.g. ``"cpu"`` or ``"cuda:0"``.
        """
        self.device, self.on_gpu = device, "cuda" in str(device)
        self._ground, self._bodies = ground is not False, num_bodies
        self._model = _build(meshes, num_bodies, ground, device)
        self._state = self._model.state()
        config = SensorTiledCamera.RenderConfig(
            enable_shadows=self._ground, enable_ambient_lighting=False, enable_particles=False
        )
        self._sensor = SensorTiledCamera(self._model, default_render_config=config, load_textures=False)
        self._identity = wp.array([[(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)]], dtype=wp.transformf, device=device)
        self.aim((0.0, 0.0, 1.0))
        with self.stream():
            down = torch.tensor([[0.0, 0.0, -1.0]], device=device)
            self.hits(torch.ones(3, device=device), down)  # compiles now, before threads would race for it

    def place(self, pose: np.ndarray) -> None:
        """Put the bodies where they are: positions [m] and xyzw orientations in the world, shape (num_bodies, 7).

        Raises:
            ValueError: If the shape is another.
        """
        if pose.shape != (self._bodies, 7):
            raise ValueError(f"pose has shape {pose.shape}, not {(self._bodies, 7)}: position and xyzw of each body")
        assert self._state.body_q is not None  # a model with bodies has their poses
        self._state.body_q.assign(pose.astype(np.float32))
        self._model.bvh_refit_shapes(self._state)

    def aim(self, lamp: tuple[float, float, float]) -> None:
        """Set the unit vector towards the lamp."""
        self._lamp = torch.tensor(lamp, device=self.device)
        self._sensor.utils.create_default_light(self._ground, wp.vec3f(*(-component for component in lamp)))

    def hits(self, eye: Tensor, rays: Tensor) -> Hits:
        """Trace rays; threads may call this at once.

        Args:
            eye: Where the rays begin, in the world [m], shape (3,).
            rays: Unit directions in the world, shape (n, 3).
        """
        n = len(rays)
        lines = torch.stack((eye.expand_as(rays), rays), dim=1).reshape(1, n, 1, 2, 3)
        shape = torch.empty((1, 1, n, 1), dtype=torch.int32, device=self.device)
        distance = torch.empty((1, 1, n, 1), device=self.device)
        normal, light = torch.empty((2, 1, 1, n, 1, 3), device=self.device)
        self._sensor.update(
            self._state,
            self._identity,
            wp.from_torch(lines, dtype=wp.vec3f),
            shape_index_image=wp.from_torch(shape, dtype=wp.uint32),
            depth_image=wp.from_torch(distance),
            normal_image=wp.from_torch(normal, dtype=wp.vec3f),
            hdr_color_image=wp.from_torch(light, dtype=wp.vec3f),
        )
        shape, distance, normal = shape.reshape(n), distance.reshape(n), normal.reshape(n, 3)
        facing = normal @ self._lamp
        # Everything is white and the lamp is alone, so what is missing from the cosine is in shadow.
        lit = torch.where(facing > 1e-3, light.reshape(n, 3)[:, 0] / facing.clamp_min(1e-3), 1.0)
        lit = ((lit - _SHADOW) / (1.0 - _SHADOW)).clamp(0.0, 1.0)
        nothing = shape < 0
        mesh = torch.where(nothing, -1, shape - int(self._ground))
        return Hits(mesh, distance.masked_fill(nothing, torch.inf), normal, lit.masked_fill(nothing, 1.0))

    def stream(self):
        """Return a context in which Warp works in PyTorch's stream."""
        if not self.on_gpu:
            return nullcontext()
        return wp.ScopedStream(wp.stream_from_torch(torch.cuda.current_stream(self.device)))


def _build(meshes: Sequence[VisualMesh], bodies: int, ground: GroundMesh | bool, device: str) -> newton.Model:
    """Return a model that is only to be looked at: free bodies with white meshes."""
    builder = newton.ModelBuilder()
    looks = newton.ModelBuilder.ShapeConfig(has_shape_collision=False, has_particle_collision=False, density=0.0)
    white = (1.0, 1.0, 1.0)
    # The ground comes first, so that the others count from one.
    if isinstance(ground, GroundMesh):
        shape = newton.Mesh(ground.vertices, ground.faces.reshape(-1), compute_inertia=False)
        builder.add_shape_mesh(-1, mesh=shape, cfg=looks, color=white)
    elif ground:
        builder.add_ground_plane(cfg=looks, color=white)
    for _ in range(bodies):
        builder.add_body(mass=1.0, inertia=wp.mat33(np.eye(3)))
    for mesh in meshes:
        corners = np.arange(len(mesh.vertices))
        shape = newton.Mesh(mesh.vertices, corners, normals=mesh.normals, compute_inertia=False)
        builder.add_shape_mesh(mesh.body, mesh=shape, cfg=looks, color=white)
    return builder.finalize(device=device)
