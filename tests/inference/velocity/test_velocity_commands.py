# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The grid of commands, and what their directions are called."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from isaac_tracking.inference.velocity.commands import DIRECTIONS, Command, CommandRange


def test_a_grid_over_a_range_on_both_sides_has_33_commands():
    """27 of lowest, rest and highest, and half of each of the six ends."""
    grid = CommandRange((-1.0, 2.0), (-1.0, 1.0), (-1.0, 1.0)).grid()
    assert len(grid) == len(set(grid)) == 33 and grid == sorted(grid)
    assert Command(2.0, -1.0, 1.0) in grid and Command(0.0, 0.0, 0.0) in grid
    halves = {Command(-0.5, 0, 0), Command(1, 0, 0), Command(0, -0.5, 0), Command(0, 0.5, 0)}
    halves |= {Command(0, 0, -0.5), Command(0, 0, 0.5)}
    assert halves < set(grid)
    assert {command.direction for command in grid} == set(DIRECTIONS)


def test_a_grid_over_a_narrow_range():
    """Only forward, never to the side: two times three corners, and three halves."""
    grid = CommandRange((0.0, 1.0), (-0.0, 0.0), (-1.0, 1.0)).grid()
    assert grid == [
        Command(0, 0, -1), Command(0, 0, -0.5), Command(0, 0, 0), Command(0, 0, 0.5), Command(0, 0, 1),
        Command(0.5, 0, 0), Command(1, 0, -1), Command(1, 0, 0), Command(1, 0, 1),
    ]  # fmt: skip
    assert "-" not in str(Command(1.0, -0.0, 0.0))


def test_a_range_without_rest_stays_in_itself():
    grid = CommandRange((0.5, 1.5), (0.0, 0.0), (0.0, 0.0)).grid()
    assert [command.x for command in grid] == [0.5, 1.0, 1.5]


def test_a_range_is_that_of_isaac_lab():
    ranges = SimpleNamespace(lin_vel_x=(-1, 1), lin_vel_y=(0, 0.5), ang_vel_z=(-2, 2), heading=(-3, 3))
    assert CommandRange.of(ranges) == CommandRange((-1.0, 1.0), (0.0, 0.5), (-2.0, 2.0))


@pytest.mark.parametrize(
    ("command", "direction"),
    [
        ((0, 0, 0), "stand"),
        ((0, 0, 0.3), "turn left"),
        ((0, 0, -0.3), "turn right"),
        ((1, 0, 1), "forward"),
        ((1, 0.4, 0), "forward"),
        ((1, 0.5, 0), "forward left"),
        ((0, 0.2, 0), "left"),
        ((-1, 1, 0), "backward left"),
        ((-1, 0, 0), "backward"),
        ((-1, -0.0, 0), "backward"),
        ((-1, -1, 0), "backward right"),
        ((0, -1, 0), "right"),
        ((1, -1, 0), "forward right"),
    ],
)
def test_a_direction_is_named_to_45_degrees(command, direction):
    assert Command(*command).direction == direction


def test_what_leads_somewhere():
    assert Command(1, 1, 0).is_straight and Command(1, 1, 0).speed == pytest.approx(2**0.5)
    assert not Command(1, 0, 0.1).is_straight and not Command(0, 0, 0).is_straight
    assert str(Command(1.0, -0.5, 0.0)) == "x 1 y -0.5 yaw 0"
