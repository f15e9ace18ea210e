# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page: a server for any number of spectators, each with a player of their own."""

from __future__ import annotations

from collections.abc import Sequence

from ..page_server import Audience, close_server, open_server
from ..visual_mesh import load_visual_meshes
from .judge import Judge
from .meshes import CELL, lighten
from .shelf import Shelf
from .spectator import Spectator


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
        self._server, self.url = open_server(host, port, "Motions")
        """The server, and where the page is."""
        self._audience = Audience(self._server, lambda client: Spectator(client, shelf, meshes, judge))

    @property
    def spectators(self) -> Sequence[Spectator]:
        """Those who watch at present, in the order in which they came."""
        return self._audience.present()

    def close(self) -> None:
        """Close the page for everybody."""
        self._audience.dismiss()
        close_server(self._server)

    def __enter__(self) -> MotionPage:
        """Return the page itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the page."""
        self.close()
