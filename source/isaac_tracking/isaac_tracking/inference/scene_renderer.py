# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Pictures of body poses: no simulator, no OpenGL, no display, on a CPU or a GPU.

:mod:`.tracer` says what rays hit and :mod:`.shading` how that looks. Even ground and sky are computed, not traced,
wherever neither a robot nor its shadow can be, and edges get more rays than the rest.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import shading
from .ground_mesh import GroundMesh
from .tracer import Hits, Tracer
from .visual_mesh import VisualMesh

_BLEND_DEPTH = 0.02
"""How far the reference must be ahead of the robot to be seen in full [m]."""

_EDGE_CONTRAST = 48
"""Difference of neighbouring pixels from which on they are traced again with more rays, of 255."""

_CHUNK = 9_000
"""Rays that a worker follows at a time on a CPU: few enough that PyTorch does not start threads of its own."""


@dataclass(frozen=True)
class View:
    """Where the camera is and what it looks at."""

    eye: tuple[float, float, float]
    """Position in the world [m]."""

    target: tuple[float, float, float]
    """The point in the middle of the picture, in the world [m]."""

    def axes(self) -> np.ndarray:
        """Return the camera's right, up and backward axes in the world as columns, shape (3, 3)."""
        back = np.subtract(self.eye, self.target)
        back = back / np.linalg.norm(back)
        right = np.cross((0.0, 0.0, 1.0), back)
        right = right / np.linalg.norm(right)
        return np.stack((right, np.cross(back, right), back), axis=1)

    def azimuth(self) -> float:
        """Return the direction from the target to the camera on the ground [rad]."""
        return math.atan2(self.eye[1] - self.target[1], self.eye[0] - self.target[0])


class SceneRenderer:
    """Draws one robot, and a see-through reference over it, on checkered ground: even at height zero, or a mesh."""

    def __init__(
        self,
        meshes: Sequence[VisualMesh],
        *,
        num_bodies: int,
        width: int = 640,
        height: int = 480,
        samples: int = 3,
        fov: float = 0.6,
        reference_color: tuple[float, float, float] | None = None,
        reference_opacity: float = 0.55,
        ground: GroundMesh | None = None,
        device: str = "cpu",
    ):
        """Build the scene; the first one on a machine compiles kernels.

        Args:
            meshes: What is seen of the robot.
            num_bodies: Number of bodies in a pose.
            width: Width of the picture [px].
            height: Height of the picture [px].
            samples: Rays per pixel along edges.
            fov: Height of the field of view [rad].
            reference_color: Colour of the reference as displayed, 0 to 1; without one there is no reference.
            reference_opacity: Opacity of the reference, 0 to 1.
            ground: The ground, if it is not a plane at height zero. All of the picture is traced then.
            device: Where to trace, e.g. ``"cpu"`` or ``"cuda:0"``.
        """
        self.width, self.height, self.device = width, height, device
        self._samples, self._opacity = samples, reference_opacity
        self._focal = 0.5 * height / math.tan(0.5 * fov)
        self._boxes = np.stack([_corners(mesh.vertices) for mesh in meshes])
        self._box_bodies = np.array([mesh.body for mesh in meshes])
        colors = torch.tensor([mesh.color for mesh in meshes], device=device)
        self._uneven = ground is not None
        self._robot = Tracer(meshes, num_bodies, ground=ground or True, device=device)
        self._robot_albedo = shading.srgb_to_linear(colors)
        self._reference = None
        if reference_color is not None:
            self._reference = Tracer(meshes, num_bodies, ground=False, device=device)
            self._reference_albedo = shading.tinted(colors, reference_color)
        self._lamp_azimuth = math.inf
        self._workers = None if self._robot.on_gpu else ThreadPoolExecutor(os.cpu_count())

    def render(self, view: View, robot: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
        """Return a picture, shape (height, width, 3), uint8.

        Args:
            view: Where the camera is.
            robot: Positions [m] and xyzw orientations of the bodies in the world, shape (num_bodies, 7).
            reference: The same of the reference, if the scene has one.

        Raises:
            ValueError: If a pose is lacking, superfluous or of another shape.
        """
        if (reference is None) != (self._reference is None):
            raise ValueError("a reference pose and a reference_color go together: give both or neither")
        with self._robot.stream():
            self._robot.place(robot)
            self._aim_lamps(view.azimuth())
            frame = _Frame(view, self.width * self.height, self.device)
            covered = self._covered(view, robot, shadows=True) | self._uneven
            if self._reference is not None:
                self._reference.place(reference)
                near = self._covered(view, reference, shadows=False)
                covered |= near
                frame.near_reference = torch.from_numpy(near).to(self.device)
            self._draw(self._background, frame, ~covered, samples=1)
            self._draw(self._traced, frame, covered, samples=1)
            if self._samples > 1:
                edges = covered & self._edges(frame.image).cpu().numpy()
                self._draw(self._traced, frame, edges, samples=self._samples)
            return frame.image.reshape(self.height, self.width, 3).cpu().numpy()

    def close(self) -> None:
        """Stop the workers."""
        if self._workers is not None:
            self._workers.shutdown()

    def __enter__(self) -> SceneRenderer:
        """Return the renderer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers."""
        self.close()

    def _draw(self, light: Callable[..., Tensor], frame: _Frame, where: np.ndarray, *, samples: int) -> None:
        """Colour the pixels that are marked by the light of their rays; a GPU takes all at once, workers share them."""
        pixels = np.flatnonzero(where)
        count = 1 if self._workers is None else max(math.ceil(len(pixels) * samples / _CHUNK), 1)
        parts = [torch.from_numpy(part).to(self.device) for part in np.array_split(pixels, count) if len(part)]

        def work(part: Tensor) -> None:
            color = light(frame, self._rays(frame, part, samples), part.repeat_interleave(samples))
            frame.image[part] = shading.linear_to_bytes(color.reshape(len(part), -1, 3).mean(1))

        for _ in map(work, parts) if self._workers is None else self._workers.map(work, parts):
            pass

    def _edges(self, image: Tensor) -> Tensor:
        """Return which pixels differ much from a neighbour and are worth more rays, shape (num_pixels,)."""
        bright = image.reshape(self.height, self.width, 3).to(torch.int16)
        edges = torch.zeros(self.height, self.width, dtype=torch.bool, device=self.device)
        across = (bright[:, 1:] - bright[:, :-1]).abs().amax(-1) > _EDGE_CONTRAST
        down = (bright[1:] - bright[:-1]).abs().amax(-1) > _EDGE_CONTRAST
        edges[:, 1:] |= across
        edges[:, :-1] |= across
        edges[1:] |= down
        edges[:-1] |= down
        return edges.reshape(-1)

    def _background(self, frame: _Frame, rays: Tensor, pixels: Tensor) -> Tensor:
        """Light of rays that meet ground and sky alone, shape (n, 3)."""
        return self._ground_and_sky(frame, rays, 1.0)

    def _traced(self, frame: _Frame, rays: Tensor, pixels: Tensor) -> Tensor:
        """Light of rays that may meet anything, shape (n, 3)."""
        hits = self._robot.hits(frame.eye, rays)
        color = torch.empty_like(rays)
        robot = hits.mesh >= 0
        if self._uneven:
            self._color_terrain(frame, color, hits, rays)
        else:
            color[~robot] = self._ground_and_sky(frame, rays[~robot], hits.lit[~robot])
        color[robot] = self._surface(self._robot_albedo, hits, robot, rays)
        if self._reference is not None and frame.near_reference is not None:
            near = frame.near_reference[pixels].nonzero().squeeze(-1)
            if len(near):
                seen = self._reference.hits(frame.eye, rays[near])
                self._lay_reference_over(color, near, seen, rays[near], hits.distance[near])
        return color

    def _color_terrain(self, frame: _Frame, color: Tensor, hits: Hits, rays: Tensor) -> None:
        """Colour the rays that meet uneven ground, or nothing."""
        beside = hits.mesh < 0
        sky = beside & hits.distance.isinf()
        color[sky] = shading.sky_color(rays[sky])
        ground = beside & ~sky
        distance, ahead = hits.distance[ground], rays[ground]
        points = frame.eye + ahead * distance[:, None]
        lamps, pixel = (self._key, self._fill), 1.0 / self._focal
        normal = hits.normal[ground]
        # Isaac Lab's height fields fold over where they are steep: such a triangle is seen from below its front.
        normal = torch.where(normal[:, 2:] < 0.0, -normal, normal)
        color[ground] = shading.terrain_color(points, normal, ahead, distance, pixel, lamps, hits.lit[ground])

    def _lay_reference_over(self, color: Tensor, near: Tensor, hits: Hits, rays: Tensor, depth: Tensor) -> None:
        """Blend the reference in where it is nearer than the robot; where both agree the robot is seen."""
        ahead = ((depth - hits.distance) / _BLEND_DEPTH).clamp(0.0, 1.0)
        seen = (hits.mesh >= 0) & (ahead > 0.0)
        share = self._opacity * ahead[seen, None]
        places = near[seen]
        behind = color[places]
        color[places] = behind + (self._surface(self._reference_albedo, hits, seen, rays) - behind) * share

    def _surface(self, albedo: Tensor, hits: Hits, where: Tensor, rays: Tensor) -> Tensor:
        return shading.surface_color(
            albedo[hits.mesh[where]], hits.normal[where], rays[where], self._key, self._fill, hits.lit[where]
        )

    def _ground_and_sky(self, frame: _Frame, rays: Tensor, lit: Tensor | float) -> Tensor:
        color = shading.sky_color(rays)
        down = rays[:, 2] < -1e-3
        slopes = -rays[down, 2]
        distances = frame.eye[2] / slopes
        lit = lit[down] if isinstance(lit, Tensor) else lit
        points = frame.eye + rays[down] * distances[:, None]
        color[down] = shading.ground_color(points, distances, slopes, 1.0 / self._focal, lit)
        return color

    def _rays(self, frame: _Frame, pixels: Tensor, samples: int) -> Tensor:
        """Return unit directions in the world, all samples of a pixel together, shape (n * samples, 3)."""
        column = torch.arange(samples, device=self.device)
        row = (column * 0.618034 % 1.0).argsort()  # each row and column of the pixel once
        x = ((pixels % self.width)[:, None] + (column + 0.5) / samples - 0.5 * self.width) / self._focal
        y = -((pixels // self.width)[:, None] + (row + 0.5) / samples - 0.5 * self.height) / self._focal
        local = torch.stack((x, y, -torch.ones_like(x)), dim=-1).reshape(-1, 3)
        return torch.nn.functional.normalize(local, dim=-1) @ frame.axes.T

    def _aim_lamps(self, view_azimuth: float) -> None:
        """Turn the lamps with the camera, so that every episode is lit alike."""
        if abs(view_azimuth - self._lamp_azimuth) < 1e-4:
            return
        self._lamp_azimuth = view_azimuth
        key = shading.lamp_direction(view_azimuth, shading.KEY_AZIMUTH, shading.KEY_ELEVATION)
        fill = shading.lamp_direction(view_azimuth, shading.FILL_AZIMUTH, shading.FILL_ELEVATION)
        self._key, self._fill = torch.tensor(key, device=self.device), torch.tensor(fill, device=self.device)
        self._key_direction = np.array(key)
        self._robot.aim(key)
        if self._reference is not None:
            self._reference.aim(key)

    def _covered(self, view: View, pose: np.ndarray, *, shadows: bool) -> np.ndarray:
        """Return where a mesh or its shadow may be seen: the rectangles around their boxes, shape (num_pixels,)."""
        pose = pose[self._box_bodies, None]
        corners = _rotate(pose[..., 3:], self._boxes) + pose[..., :3]
        if shadows:
            fallen = corners - self._key_direction * (corners[..., 2:] / self._key_direction[2])
            corners = np.concatenate((corners, fallen))
        local = (corners - np.array(view.eye)) @ view.axes()
        depth = np.maximum(-local[..., 2], 1e-3)
        x = self._focal * local[..., 0] / depth + 0.5 * self.width
        y = -self._focal * local[..., 1] / depth + 0.5 * self.height
        limits = (self.width, self.height)
        low = np.clip(np.stack((x.min(1), y.min(1)), 1) - 1.0, 0, limits).astype(int)
        high = np.clip(np.stack((x.max(1), y.max(1)), 1) + 2.0, 0, limits).astype(int)
        covered = np.zeros((self.height, self.width), dtype=bool)
        for (left, top), (right, bottom) in zip(low, high, strict=True):
            covered[top:bottom, left:right] = True
        return covered.reshape(-1)


class _Frame:
    """A picture in the making: its pixels, and the camera's position, shape (3,), and axes as columns, shape (3, 3)."""

    def __init__(self, view: View, pixels: int, device: str):
        self.image = torch.empty((pixels, 3), dtype=torch.uint8, device=device)
        self.eye = torch.tensor(view.eye, dtype=torch.float32, device=device)
        self.axes = torch.tensor(view.axes(), dtype=torch.float32, device=device)
        self.near_reference: Tensor | None = None


def _corners(vertices: np.ndarray) -> np.ndarray:
    """Return the corners of the box around vertices, shape (8, 3)."""
    ends = np.stack((vertices.min(0), vertices.max(0)))
    return np.stack([ends[list(bits), range(3)] for bits in np.ndindex(2, 2, 2)])


def _rotate(quat: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotate vectors by xyzw quaternions, shapes (..., 4) and (..., 3)."""
    axis, angle = quat[..., :3], quat[..., 3:]
    twist = 2.0 * np.cross(axis, vectors)
    return vectors + angle * twist + np.cross(axis, twist)
