# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page on which a robot is driven: everybody who opens it sees the robot, and one at a time drives."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from ..motion_viewer.meshes import CELL, lighten
from ..page_server import Audience, close_server, open_server
from ..visual_mesh import load_visual_meshes
from .stage import DrivingStage
from .state import DrivingState
from .visitor import Visitor
from .walker import Driven
from .wheel import Wheel

RATE = 30.0
"""Pictures per second [Hz]."""


class DrivingPage:
    """Serves the page until it is closed. Use it as a context.

    Three kinds of threads touch nothing but :class:`Wheel` and :class:`DrivingState` in common: the simulation's, which
    belongs to whoever made this; one that sends the picture to all; and one for the panel of each browser.
    """

    def __init__(
        self,
        robot: Driven,
        mjcf: Path,
        wheel: Wheel,
        state: DrivingState,
        *,
        host: str = "127.0.0.1",
        port: int = 8080,
        cell: float = CELL,
    ) -> None:
        """Open the page.

        Args:
            robot: What is driven.
            mjcf: The robot's model.
            wheel: Who drives, and what.
            state: What the simulation says of itself.
            host: Address to listen on; the default is reached from this machine alone.
            port: Port to listen on; 0 takes a free one.
            cell: How fine the meshes are [m]; see :func:`~..motion_viewer.meshes.lighten`.

        Raises:
            PageError: If the port or the address cannot be had.
        """
        self._state = state
        self._closed = threading.Event()
        meshes = [lighten(mesh, cell) for mesh in load_visual_meshes(mjcf, robot.body_names)]
        self._server, self.url = open_server(host, port, "Driving")
        """The server, and where the page is."""
        self._stage = DrivingStage(self._server, meshes, robot.ground, float(state.moment.pose[0, 2]))
        self._audience = Audience(self._server, lambda client: Visitor(client, wheel, state))
        self._painter = threading.Thread(target=self._paint, name="driving-page", daemon=True)
        self._painter.start()

    @property
    def visitors(self) -> Sequence[Visitor]:
        """Those who look at present, in the order in which they came."""
        return self._audience.present()

    def close(self) -> None:
        """Close the page for everybody."""
        self._closed.set()
        self._audience.dismiss()
        self._painter.join(timeout=5.0)
        close_server(self._server)

    def _paint(self) -> None:
        before = time.perf_counter()
        while not self._closed.wait(max(before + 1.0 / RATE - time.perf_counter(), 0.001)):
            now = time.perf_counter()
            self._stage.show(self._state.moment, now - before)
            before = now

    def __enter__(self) -> DrivingPage:
        """Return the page itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the page."""
        self.close()
