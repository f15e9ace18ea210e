# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The velocity command of a step by masks without a simulator: whose ranges it commands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from isaac_tracking.tasks.velocity.mdp.curriculums import command_ranges
from isaac_tracking.tasks.velocity.mdp.masked_velocity import MaskedVelocity


@pytest.fixture
def command() -> Any:
    """A command from -2 to 2 on all axes."""
    ranges = SimpleNamespace(lin_vel_x=(-2.0, 2.0), lin_vel_y=(-2.0, 2.0), ang_vel_z=(-2.0, 2.0), heading=None)
    return SimpleNamespace(cfg=SimpleNamespace(ranges=ranges))


@pytest.fixture
def curriculum(command: Any) -> command_ranges:
    """Half of the ranges is commanded."""
    half = command_ranges.__new__(command_ranges)
    half._command, half._share, half._lent, half._count = command, 0.5, None, 0
    half.full = {axis: (-2.0, 2.0) for axis in ("lin_vel_x", "lin_vel_y", "ang_vel_z")}
    half._apply()
    return half


def masked(command: Any, **curricula: Any) -> MaskedVelocity:
    """Its part in a step by masks, on ground that is no terrain."""
    names = list(curricula)
    manager = SimpleNamespace(active_terms=names, _term_cfgs=[SimpleNamespace(func=curricula[name]) for name in names])
    commands = SimpleNamespace(active_terms=["base_velocity"], get_term=lambda name: command)
    scene = SimpleNamespace(terrain=None)
    env: Any = SimpleNamespace(command_manager=commands, curriculum_manager=manager, scene=scene, device="cpu")
    robot: Any = None
    return MaskedVelocity(env, robot)


def bounds(velocity: MaskedVelocity) -> list[tuple[float, float]]:
    velocity.prepare()
    low, high = velocity._ranges()
    return list(zip(low.tolist(), high.tolist(), strict=True))


def test_ranges_that_somebody_writes_win(command: Any, curriculum: command_ranges) -> None:
    velocity = masked(command, command_ranges=curriculum)
    assert bounds(velocity) == [(-1.0, 1.0)] * 3
    command.cfg.ranges.lin_vel_x = (2.0, 2.0)
    assert bounds(velocity) == [(2.0, 2.0), (-1.0, 1.0), (-1.0, 1.0)]
    # Until the curriculum widens them.
    curriculum.load_state_dict({"share": 1.0})
    assert bounds(velocity) == [(-2.0, 2.0)] * 3


def test_the_part_that_the_device_has_counts(command: Any, curriculum: command_ranges) -> None:
    velocity = masked(command, command_ranges=curriculum)
    bounds(velocity)
    velocity._share.copy_(torch.tensor(0.75, dtype=torch.float64))
    assert bounds(velocity) == [(-1.5, 1.5)] * 3


def test_without_a_curriculum_ranges_are_the_commands(command: Any) -> None:
    velocity = masked(command)
    command.cfg.ranges.ang_vel_z = (0.5, 1.0)
    assert bounds(velocity) == [(-2.0, 2.0), (-2.0, 2.0), (0.5, 1.0)]


def test_ground_may_be_no_terrain(command: Any) -> None:
    velocity = masked(command)
    assert velocity.owners() == (velocity, command)
