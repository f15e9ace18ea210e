# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Robots and ground in one spectator's browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .meshes import LightMesh
from .poses import BodyPoses

if TYPE_CHECKING:
    import viser

CONTACT_COLOR = (28, 126, 214)
"""Colour of a foot that stands on the ground, red, green, blue."""

SHADOW_COLOR = (26, 191, 89)
"""Colour of a reference, red, green, blue: that of the films."""

_SHADOW_OPACITY = 0.35

WORLD = "/world"
"""Name of the frame in which robots and ground are."""

_GRID_SIZE = 40.0
"""Edge of the ground [m]."""

_DISTANCE = 3.1
"""How far the camera stands off [m]; for several robots further."""

_AZIMUTH, _AZIMUTH_OF_SEVERAL = math.radians(35.0), math.radians(8.0)
"""Where it stands, counted from the robot's heading to its left [rad]."""

_ELEVATION = math.radians(10.0)
"""How far it looks down [rad]."""

_TARGET = (0.0, 0.0, 0.72)
"""What the camera looks at [m]."""


class Puppet:
    """One robot: a scene node for each of its meshes."""

    def __init__(
        self, scene: viser.SceneApi, meshes: Sequence[LightMesh], name: str, label: str = "", shadow: bool = False
    ):
        """Put the robot into a scene.

        Args:
            scene: Scene of one spectator.
            meshes: What is seen of the robot.
            name: Its name in the scene.
            label: What stands over its head; nothing if empty.
            shadow: Whether it is the reference of another, see-through and of one colour.
        """
        self._meshes = meshes
        self._colors = [SHADOW_COLOR if shadow else _bytes(mesh.color) for mesh in meshes]
        opacity = _SHADOW_OPACITY if shadow else None
        self._nodes = [
            scene.add_mesh_simple(
                f"{WORLD}/{name}/{i}", mesh.vertices, mesh.faces, color=color, opacity=opacity, side="double"
            )
            for i, (mesh, color) in enumerate(zip(meshes, self._colors, strict=True))
        ]
        self._label = None
        if label:
            self._label = scene.add_label(f"{WORLD}/{name}/label", label)

    def show(self, pos: np.ndarray, quat: np.ndarray, shift: np.ndarray, touching: Sequence[int] = ()) -> None:
        """Put the bodies into their places.

        Args:
            pos: Positions of the bodies in the world [m], shape (B, 3).
            quat: Their orientations, xyzw, shape (B, 4).
            shift: Moves the robot in the world [m], shape (3,).
            touching: Indices of the bodies that are shown as standing on the ground.
        """
        wxyz = quat[:, [3, 0, 1, 2]]
        for mesh, node, color in zip(self._meshes, self._nodes, self._colors, strict=True):
            node.position = pos[mesh.body] + shift
            node.wxyz = wxyz[mesh.body]
            wanted = CONTACT_COLOR if mesh.body in touching else color
            if tuple(node.color) != wanted:
                node.color = wanted
        if self._label is not None:
            self._label.position = pos[0] + shift + np.array((0.0, 0.0, 0.75))

    def hide(self, hidden: bool) -> None:
        """Hide the robot, or show it again."""
        for node in self._nodes:
            if node.visible == hidden:
                node.visible = not hidden

    def remove(self) -> None:
        """Take the robot out of the scene."""
        for node in (*self._nodes, *([self._label] if self._label else [])):
            node.remove()


class Stage:
    """What one spectator sees: the ground and up to a few robots, all in a frame that moves so that they stay in view.

    The frame moves and not the camera: a camera that is moved from here would fight with the spectator's mouse.
    """

    def __init__(self, client: viser.ClientHandle, meshes: Sequence[LightMesh], num_bodies: int):
        """Lay the ground.

        Args:
            client: The spectator.
            meshes: What is seen of a robot.
            num_bodies: Bodies of a robot.
        """
        self._client, self._meshes, self._num_bodies = client, meshes, num_bodies
        self._puppets: list[Puppet] = []
        self._shadows: list[Puppet | None] = []
        self._world = client.scene.add_frame(WORLD, show_axes=False)
        lay_grid(client.scene, f"{WORLD}/ground")
        client.scene.add_frame(f"{WORLD}/origin", axes_length=0.25, axes_radius=0.006, position=(0.0, 0.0, 0.003))

    def cast(self, labels: Sequence[str], shadows: Sequence[bool]) -> None:
        """Have a robot for each label; a lone one carries no label. Those that follow a reference have its shadow."""
        for puppet in (*self._puppets, *self._shadows):
            if puppet is not None:
                puppet.remove()
        shown = labels if len(labels) > 1 else [""]
        scene, meshes = self._client.scene, self._meshes
        self._puppets = [Puppet(scene, meshes, f"robot_{i}", label) for i, label in enumerate(shown)]
        self._shadows = [
            Puppet(scene, meshes, f"reference_{i}", shadow=True) if shadow else None for i, shadow in enumerate(shadows)
        ]

    def hide_shadows(self, hidden: bool) -> None:
        """Hide the references, or show them again."""
        for shadow in self._shadows:
            if shadow is not None:
                shadow.hide(hidden)

    def look(self, heading: float) -> None:
        """Put the camera in front of a robot that heads this way [rad], on its left."""
        count = len(self._puppets)
        angle = heading + (_AZIMUTH if count == 1 else _AZIMUTH_OF_SEVERAL)
        distance = _DISTANCE * (1.0 + 0.45 * (count - 1))
        flat = math.cos(_ELEVATION)
        direction = np.array((flat * math.cos(angle), flat * math.sin(angle), math.sin(_ELEVATION)))
        self._client.camera.up_direction = (0.0, 0.0, 1.0)
        self._client.camera.position = np.array(_TARGET) + distance * direction
        self._client.camera.look_at = np.array(_TARGET)
        self._client.camera.fov = np.deg2rad(40.0)

    def follow(self, point: np.ndarray) -> None:
        """Bring a point of the ground into the middle [m], shape (2,)."""
        self._world.position = (-float(point[0]), -float(point[1]), 0.0)

    def show(
        self,
        poses: Sequence[BodyPoses],
        frames: Sequence[int],
        shifts: np.ndarray,
        touching: Sequence[Sequence[int]],
        references: Sequence[BodyPoses | None],
    ) -> None:
        """Show each robot at its frame.

        Args:
            poses: Motion of each robot.
            frames: Frame of each.
            shifts: Moves each in the world [m], shape (num_robots, 3).
            touching: Bodies of each that stand on the ground.
            references: What each follows, frame by frame, if anything.
        """
        for i, puppet in enumerate(self._puppets):
            puppet.show(poses[i].pos[frames[i]], poses[i].quat[frames[i]], shifts[i], touching[i])
            shadow, reference = self._shadows[i], references[i]
            if shadow is not None and reference is not None:
                shadow.show(reference.pos[frames[i]], reference.quat[frames[i]], shifts[i])


def lay_grid(scene: viser.SceneApi, name: str) -> viser.GridHandle:
    """Lay flat ground with lines a metre and a quarter of it apart, and return it."""
    return scene.add_grid(
        name,
        width=_GRID_SIZE,
        height=_GRID_SIZE,
        cell_size=0.25,
        section_size=1.0,
        cell_color=(205, 209, 214),
        section_color=(150, 157, 165),
        plane_color=(236, 239, 242),
        plane_opacity=1.0,
        shadow_opacity=0.3,
        fade_distance=25.0,
    )


def _bytes(color: tuple[float, float, float]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in color)
    return red, green, blue
