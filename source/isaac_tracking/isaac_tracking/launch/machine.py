# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a benchmark says of the machine."""

from __future__ import annotations

import os


def device_name(device: str) -> str:
    """Return the name of a device, with which measurements on it are told from others.

    Args:
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    """
    if device == "cpu":
        return f"CPU, {os.cpu_count()} cores"
    # Heavy, and needed here alone.
    import torch

    return torch.cuda.get_device_name(device) if torch.cuda.is_available() else "no GPU"
