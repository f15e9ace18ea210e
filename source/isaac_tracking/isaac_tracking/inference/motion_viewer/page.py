# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page: a server for any number of spectators, each with a player of their own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..page_server import close_server, open_server
from ..visual_mesh import load_visual_meshes
from .judge import Judge
from .meshes import CELL, lighten
from .shelf import Shelf
from .spectator import Spectator

if TYPE_CHECKING:
    import viser


class MotionPage:
    """Serves the page until it is closed. Use it as a context."""

    def __init__(
        self, shelf: Shelf, *, host: str = "127.0.0.1", port: int = 8080, judge: Judge | None = None, cell: float = CELL
    ):
        """Open the page.

        Args:
            shelf: The motions.
            host: Address to listen on; the default is reached from this machine alone.
            port: Port to listen on; 0 takes a free one.
            judge: Says what the doctor thinks; nobody does if None.
            cell: How fine the meshes are [m]; see :func:`~.meshes.lighten`.

        Raises:
            PageError: If the port or the address cannot be had.
        """
        robot = shelf.robot
        meshes = [lighten(mesh, cell) for mesh in load_visual_meshes(robot.mjcf, robot.body_names)]
        self._spectators: dict[int, Spectator] = {}
        self._lock = threading.Lock()
        self._server, self.url = open_server(host, port, "Motions")
        """The server, and where the page is."""

        @self._server.on_client_connect
        def _(client: viser.ClientHandle) -> None:
            spectator = Spectator(client, shelf, meshes, judge)
            with self._lock:
                self._spectators[client.client_id] = spectator
            spectator.start()

        @self._server.on_client_disconnect
        def _(client: viser.ClientHandle) -> None:
            with self._lock:
                spectator = self._spectators.pop(client.client_id, None)
            if spectator is not None:
                spectator.leave()

    @property
    def spectators(self) -> Sequence[Spectator]:
        """Those who watch at present, in the order in which they came."""
        with self._lock:
            return list(self._spectators.values())

    def close(self) -> None:
        """Close the page for everybody."""
        for spectator in self.spectators:
            spectator.leave()
        close_server(self._server)

    def __enter__(self) -> MotionPage:
        """Return the page itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the page."""
        self.close()
