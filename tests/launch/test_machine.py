# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Every benchmark names a device alike."""

from __future__ import annotations

import os

import pytest
import torch

from isaac_tracking.launch.machine import device_name


def test_names_of_devices(monkeypatch: pytest.MonkeyPatch):
    assert device_name("cpu") == f"CPU, {os.cpu_count()} cores"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device}")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_name("cuda:1") == "GPU cuda:1"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_name("cuda") == "no GPU"
