# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several hosts that train together: torchrun's ``--nnodes``, ``--node_rank`` and the address of the first."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import OptionError


@dataclass(frozen=True)
class Hosts:
    """The hosts, and which of them this is."""

    count: int = 1
    """How many train together."""
    index: int = 0
    """Which of them this is, from 0."""
    address: str = "127.0.0.1"
    """Address of host 0."""
    port: int = 0
    """Port there at which all meet; with one host the system's choice."""


def need_hosts(count: int, index: int, master: str | None) -> Hosts:
    """Return the hosts that train together.

    Args:
        count: How many there are.
        index: Which of them this is, from 0.
        master: Where they meet, ``ADDRESS:PORT``; None with one host.

    Raises:
        OptionError: If one of the three does not fit the others.
    """
    if count == 1:
        if index or master is not None:
            raise OptionError(
                "--node_rank and --master are for several hosts; give --nnodes N as well, or leave them out"
            )
        return Hosts()
    if index >= count:
        raise OptionError(f"--node_rank {index}: {count} hosts are 0 to {count - 1}")
    address, _, port = (master or "").rpartition(":")
    if not address or not port.isdecimal() or not 0 < int(port) < 65536:
        raise OptionError(
            f"--master {master or 'is missing'}: --nnodes {count} needs ADDRESS:PORT, an address of host 0 that all"
            " others reach and a free port there, for example --master 10.0.0.1:29500"
        )
    return Hosts(count, index, address, int(port))
