# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The runner of ``train.sh``, without a simulator."""

from __future__ import annotations

import gc

import pytest

from isaac_tracking.launch.planned_runner import PlannedRunner, Runner
from isaac_tracking.launch.terminal import Curtain


def test_what_is_there_before_training_is_not_searched_for_garbage(monkeypatch: pytest.MonkeyPatch):
    """Newton looks for garbage after a capture; 0.8 s went into objects that stay."""
    frozen = []
    monkeypatch.setattr(Runner, "learn", lambda *args: frozen.append(gc.get_freeze_count()))
    monkeypatch.setattr(PlannedRunner, "_begin", lambda self: None)
    runner = PlannedRunner.__new__(PlannedRunner)
    runner._curtain, runner.is_distributed = Curtain(down=True), False
    runner.learn(1)
    assert frozen[0] > 10_000
    assert gc.get_freeze_count() == 0
