# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Metrics of velocity tracking against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from recordings import make_recording

from isaac_tracking.inference.velocity.metrics import METRICS, command_errors, measure


def test_errors_are_those_of_x_y_and_yaw_alone():
    """Of four instants: too slow by 0.4 and 0, to the side by 0.3 and 0; what else the base does is no error."""
    lin = torch.tensor([[0.6, 0.3, 5.0], [1.0, 0.0, -5.0], [0.6, 0.3, 0.0], [1.0, 0.0, 0.0]])
    ang = torch.tensor([[7.0, 0.0, 0.1], [0.0, 7.0, 0.3], [0.0, 0.0, 0.1], [0.0, 0.0, 0.3]])
    recording = make_recording((1.0, 0.0, 0.2), lin_vel_b=lin, ang_vel_b=ang)
    assert command_errors(recording)[0].tolist() == pytest.approx([-0.4, 0.3, -0.1])
    found = measure(recording)
    assert found["error_x"] == pytest.approx(0.2) and found["rms_x"] == pytest.approx(math.sqrt(0.08))
    assert found["error_y"] == pytest.approx(0.15) and found["rms_y"] == pytest.approx(math.sqrt(0.045))
    assert found["error_yaw"] == pytest.approx(0.1) and found["rms_yaw"] == pytest.approx(0.1)
    # The error is 0.5 long at two instants: e^-1 and 1.
    assert found["linear_tracking"] == pytest.approx((math.exp(-1.0) + 1.0) / 2)
    assert found["yaw_tracking"] == pytest.approx(math.exp(-0.04))
    assert found["speed_along"] == pytest.approx(0.8)


def test_distance_is_the_horizontal_path():
    pos = torch.tensor([[5.0, 5.0, 0.3], [5.3, 5.4, 1.3], [5.0, 5.0, 0.3], [5.0, 5.0, 9.0]])
    assert measure(make_recording((1, 0, 0), root_pos_w=pos))["distance"] == pytest.approx(1.0)
    assert measure(make_recording((1, 0, 0), steps=1))["distance"] == 0.0


def test_power_and_cost_of_transport():
    """|2 * 3| + |-4 * 1| = 10 W at half of the instants; walking sideways at 0.5 m/s, 10 kg: 5 / (10 * 9.81 * 0.5)."""
    torques = torch.tensor([[2.0, -4.0], [0.0, 0.0]] * 2)
    speeds = torch.tensor([[3.0, 1.0], [9.0, 9.0]] * 2)
    lin = torch.tensor([[0.2, 0.5, 0.0]] * 4)
    found = measure(make_recording((0, 1, 0), torques=torques, joint_vel=speeds, lin_vel_b=lin))
    assert found["power"] == pytest.approx(5.0)
    assert found["speed_along"] == pytest.approx(0.5)
    assert found["cost_of_transport"] == pytest.approx(5.0 / (10 * 9.81 * 0.5))


@pytest.mark.parametrize(("command", "speed"), [((0, 0, 0), 1.0), ((0, 0, 1), 1.0), ((1, 0, 0), 0.09), ((1, 0, 0), -1)])
def test_who_does_not_get_on_has_no_cost_of_transport(command, speed):
    lin = torch.tensor([[speed, 0.0, 0.0]] * 4)
    found = measure(make_recording(command, lin_vel_b=lin, torques=torch.ones(4, 2), joint_vel=torch.ones(4, 2)))
    assert found["cost_of_transport"] is None and found["power"] == pytest.approx(2.0)
    assert (found["speed_along"] is None) == (command[0] == 0)


def test_a_piece_of_ground_is_passed_by_who_leaves_it_or_goes_half_the_way():
    """0.5 m/s for 1000 steps of 0.02 s are 10 m: 5 m are enough, 4.9 m are not."""

    def passed(moved: float = 0.0, command=(0.3, 0.4, 0), **changes):
        pos = torch.zeros(4, 3)
        pos[-1, 0] = moved
        return measure(make_recording(command, root_pos_w=pos, **{"terrain": "stairs", "level": 2} | changes))["passed"]

    assert passed(5.0) == 1.0 and passed(4.9) == 0.0
    assert passed(3.0, left_tile=True) == 1.0
    assert passed(5.0, fell=True) == 0.0
    assert passed(5.0, level=None, terrain=None) is None
    assert passed(5.0, command=(0.5, 0, 0.1)) is None and passed(5.0, command=(0, 0, 0)) is None


def test_every_metric_is_defined_and_a_fall_counts():
    found = measure(make_recording((0, 0, 0), fell=True, outcome="base_contact"))
    assert set(found) == set(METRICS) and found["fall"] == 1.0
    assert all(metric.definition and metric.source and metric.unit for metric in METRICS.values())


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="torques has 3 instants, not 4"):
        make_recording((0, 0, 0), torques=torch.zeros(3, 2))
