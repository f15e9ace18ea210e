# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A page in the browser: a server of viser, where it was asked for or not at all, and who looks at it."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import viser


class PageError(ValueError):
    """A page that cannot be opened where it was asked for, in one line."""


class Guest(Protocol):
    """A thread for one browser."""

    def start(self) -> None:
        """Begin to show the page."""

    def leave(self) -> None:
        """End, soon, because the browser or the page goes."""


GuestT = TypeVar("GuestT", bound=Guest)


class Audience(Generic[GuestT]):
    """Those who look at a page, each from its coming to its going.

    Args:
        server: The page.
        welcome: Makes the guest of a browser that has come.
    """

    def __init__(self, server: viser.ViserServer, welcome: Callable[[viser.ClientHandle], GuestT]) -> None:
        self._welcome = welcome
        self._present: dict[int, GuestT] = {}
        # Browsers come and go in threads of the server's.
        self._lock = threading.Lock()
        server.on_client_connect(self._come)
        server.on_client_disconnect(self._go)

    def present(self) -> list[GuestT]:
        """Return those who are here, in the order in which they came."""
        with self._lock:
            return list(self._present.values())

    def dismiss(self) -> None:
        """Let everybody leave."""
        for guest in self.present():
            guest.leave()

    def _come(self, client: viser.ClientHandle) -> None:
        guest = self._welcome(client)
        with self._lock:
            self._present[client.client_id] = guest
        guest.start()

    def _go(self, client: viser.ClientHandle) -> None:
        with self._lock:
            guest = self._present.pop(client.client_id, None)
        if guest is not None:
            guest.leave()


def open_server(host: str, port: int, label: str) -> tuple[viser.ViserServer, str]:
    """Open a page, and return its server and its address.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        label: Title of the panel.

    Raises:
        PageError: If the port or the address cannot be had.
    """
    # Heavy, and needed by pages alone.
    import viser

    # A browser that leaves while something is sent to it: that is no news.
    warnings.filterwarnings("ignore", message="Queued a .* on a closed connection")
    port = free_port(host, port)
    with contextlib.redirect_stdout(io.StringIO()):  # its own greeting; ours has the address as well
        server = viser.ViserServer(host, port, label=label, verbose=False)
    if server.get_port() != port:  # it moves to the next port if another program was quicker
        close_server(server)
        raise PageError(f"port {port} of {host} is in use")
    server.gui.configure_theme(show_logo=False, show_share_button=False, control_width="large")
    return server, f"http://{_reachable(host)}:{port}"


def close_server(server: viser.ViserServer) -> None:
    """Close a page for everybody."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


def _reachable(host: str) -> str:
    """Return the address under which this machine reaches a server that listens on a host."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def free_port(host: str, port: int) -> int:
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
