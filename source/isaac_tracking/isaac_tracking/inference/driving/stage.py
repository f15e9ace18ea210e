# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The robot on its ground, the same for everybody who looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..ground_mesh import GroundMesh
from ..motion_viewer.meshes import LightMesh
from ..motion_viewer.scene import WORLD, Puppet, lay_grid

if TYPE_CHECKING:
    import viser

    from .walker import Moment

_GROUND_COLOR = (176, 184, 192)
"""Colour of uneven ground, red, green, blue."""

_SMOOTH_TIME, _TURN_TIME = 0.15, 0.4
"""How long the view takes to follow the robot's place and its heading [s]."""

_JUMP = 1.0
"""Distance from which on the robot was put somewhere else, and the view goes there at once [m]."""

_ELEVATION = math.radians(20.0)
"""How far the camera looks down [rad]."""

_FOV = math.radians(45.0)
"""Height of the field of view [rad]."""


class DrivingStage:
    """Shows the robot from behind: ahead is up in the picture, and stays so when the robot turns.

    The world moves and turns under the camera, and not the camera: one that is moved from here would fight with the
    mouse of whoever looks around. What is sent is the latest state alone, so a browser that is slow misses some of it
    and holds up nobody.
    """

    def __init__(
        self, server: viser.ViserServer, meshes: Sequence[LightMesh], ground: GroundMesh | None, height: float
    ) -> None:
        """Lay the ground and put the robot on it.

        Args:
            server: The page's server.
            meshes: What is seen of the robot.
            ground: The ground; a plane if None.
            height: Height of the robot's root where it stands [m]; the camera stands off in proportion.
        """
        self._server = server
        self._place, self._heading = np.zeros(3), 0.0
        scene = server.scene
        self._world = scene.add_frame(WORLD, show_axes=False)
        self._grid: viser.GridHandle | None = None
        if ground is None:
            self._grid = lay_grid(scene, f"{WORLD}/ground")
        else:
            scene.add_mesh_simple(
                f"{WORLD}/ground", ground.vertices, ground.faces.astype(np.uint32), color=_GROUND_COLOR,
                flat_shading=True, side="double",
            )  # fmt: skip
        self._puppet = Puppet(scene, meshes, "robot")
        distance, flat = 1.2 + 3.0 * height, math.cos(_ELEVATION)
        camera = server.initial_camera
        camera.look_at = np.zeros(3)
        camera.position = distance * np.array((-flat, 0.0, math.sin(_ELEVATION)))
        camera.up = np.array((0.0, 0.0, 1.0))
        camera.fov = _FOV

    def show(self, moment: Moment, elapsed: float) -> None:
        """Show the robot; one whose state is broken stays as it was.

        Args:
            moment: Where it is.
            elapsed: Time since the last call [s].
        """
        if not np.isfinite(moment.pose).all():
            return
        self._follow(moment.pose[0], elapsed)
        turn = -self._heading
        cos, sin = math.cos(turn), math.sin(turn)
        x, y, z = self._place
        with self._server.atomic():
            self._world.wxyz = (math.cos(0.5 * turn), 0.0, 0.0, math.sin(0.5 * turn))
            self._world.position = (-(cos * x - sin * y), -(sin * x + cos * y), -z)
            if self._grid is not None:
                # Whole metres, so that its lines stay where they are.
                self._grid.position = (round(x), round(y), 0.0)
            self._puppet.show(moment.pose[:, :3], moment.pose[:, 3:], np.zeros(3))

    def _follow(self, root: np.ndarray, elapsed: float) -> None:
        """Bring the view nearer to the robot; at once if it was put somewhere else."""
        qx, qy, qz, qw = root[3:]
        heading = math.atan2(2.0 * (qx * qy + qw * qz), 1.0 - 2.0 * (qy * qy + qz * qz))
        if np.linalg.norm(root[:3] - self._place) > _JUMP:
            self._place, self._heading = root[:3].copy(), heading
            return
        self._place += (1.0 - math.exp(-elapsed / _SMOOTH_TIME)) * (root[:3] - self._place)
        turn = math.remainder(heading - self._heading, math.tau)
        self._heading += (1.0 - math.exp(-elapsed / _TURN_TIME)) * turn
