# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which sizes fit into a device's memory, said before they are tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import OptionError

_MEMORY = Path("/proc/meminfo")
PROBES = {"cpu": (16, 256), "cuda": (256, 2048)}
"""Sizes that are measured for an estimate, by the kind of device; both start in seconds."""
_EACH = 2e6
"""Memory of an environment that no task here exceeds [bytes]: measured were 0.2 MB a robot (docs/results.md)."""
_BASE = 4e9
"""Memory that a task takes however small it is [bytes], at most."""


def free_memory(device: str) -> float:
    """Return the memory that is free on a GPU, or on this machine for the CPU [bytes]."""
    if device == "cpu":
        # What holds files until somebody needs it is free as well.
        (kilobytes,) = re.findall(r"^MemAvailable: *(\d+) kB$", _MEMORY.read_text(), re.MULTILINE)
        return 1024.0 * int(kilobytes)
    import torch

    return float(torch.cuda.mem_get_info(device)[0])


def need_room(num_envs: int, device: str, free: float, measure: Callable[[int], float]) -> None:
    """Refuse a size that does not fit, after measuring two small ones, unless it is so small that it surely does.

    Args:
        num_envs: The size.
        device: Where.
        free: Memory that is free there [bytes].
        measure: Returns the memory that some environments take [bytes].

    Raises:
        OptionError: If it does not fit; says the largest that does.
    """
    if _BASE + _EACH * num_envs <= free:
        return
    probes = [size for size in PROBES[device.partition(":")[0]] if size < num_envs]
    taken = {size: measure(size) for size in probes}
    if len(taken) < 2:
        return
    largest = largest_fit(taken, free)
    if num_envs > largest:
        raise OptionError(
            f"--num_envs {num_envs} needs about {_need(taken, num_envs) / 1e9:.3g} GB and '{device}' has"
            f" {free / 1e9:.3g} GB free; the largest that fits is about {largest} (from {probes[0]} and {probes[1]}"
            " environments)"
        )


def largest_fit(taken: Mapping[int, float], free: float) -> int:
    """Return the largest number of environments that fits, rounded down to two digits.

    Args:
        taken: Memory that two sizes take [bytes]; what is between them is taken for a straight line.
        free: Memory that is free [bytes].
    """
    each, base = _line(taken)
    if each <= 0.0:
        return 10**9
    most = max(0, int((free - base) / each))
    digits = 10 ** max(0, len(str(most)) - 2)
    return most // digits * digits


def _need(taken: Mapping[int, float], num_envs: int) -> float:
    each, base = _line(taken)
    return base + each * num_envs


def _line(taken: Mapping[int, float]) -> tuple[float, float]:
    """Return memory for each environment and for none [bytes]."""
    (small, less), (large, more) = sorted(taken.items())
    each = (more - less) / (large - small)
    return each, less - each * small
