# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The page: a server for any number of spectators, each with a player of their own."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
import threading
import warnings
from collections.abc import Sequence

from ..visual_mesh import load_visual_meshes
from .judge import Judge
from .meshes import CELL, lighten
from .shelf import Shelf
from .spectator import Spectator


class PageError(ValueError):
    """A page that cannot be opened where it was asked for, in one line."""


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
        # Heavy, and needed by the page alone.
        import viser

        # A browser that leaves while its player runs: that is no news.
        warnings.filterwarnings("ignore", message="Queued a .* on a closed connection")
        port = _free_port(host, port)
        robot = shelf.robot
        meshes = [lighten(mesh, cell) for mesh in load_visual_meshes(robot.mjcf, robot.body_names)]
        self._spectators: dict[int, Spectator] = {}
        self._lock = threading.Lock()
        with contextlib.redirect_stdout(io.StringIO()):  # its own greeting; ours has the address as well
            self._server = viser.ViserServer(host, port, label="Motions", verbose=False)
        if self._server.get_port() != port:  # it moves to the next port if another program was quicker
            self._server.stop()
            raise PageError(f"port {port} of {host} is in use")
        self.url = f"http://{_reachable(host)}:{port}"
        """Where the page is."""
        self._server.gui.configure_theme(show_logo=False, show_share_button=False, control_width="large")

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
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def __enter__(self) -> MotionPage:
        """Return the page itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the page."""
        self.close()


def _reachable(host: str) -> str:
    """Return the address under which this machine reaches a server that listens on a host."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _free_port(host: str, port: int) -> int:
    """Return the port, or a free one for 0, if a server can listen there.

    Raises:
        PageError: If it cannot.
    """
    if not 0 <= port <= 65535:
        raise PageError(f"port {port} does not exist; ports go from 0 (any free one) to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return probe.getsockname()[1]
    except socket.gaierror as error:
        raise PageError(f"host '{host}' is unknown ({error.strerror})") from error
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise PageError(f"port {port} of {host} {reason}") from error
