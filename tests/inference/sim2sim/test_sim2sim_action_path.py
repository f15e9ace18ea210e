# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From actions to joint targets, by hand, and to the motors."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from isaac_tracking.inference.policy_contract import PolicyContract, parse_contract
from isaac_tracking.inference.sim2sim.action_path import ActionPath
from isaac_tracking.inference.sim2sim.mujoco_robot import MujocoRobot
from isaac_tracking.inference.sim2sim.settings import Mismatch

SMOOTHED = {"kind": "smoothed_joint_position", "scale": [0.5, 1.0], "offset": [0.1, 0.2]}


def path_of(values: dict[str, Any], **action: Any) -> ActionPath:
    """Return the path of an action of two joints of the G1."""
    return ActionPath(contract_of(values, **action))


def contract_of(values: dict[str, Any], **action: Any) -> PolicyContract:
    values = copy.deepcopy(values)
    values["action"] |= {"joint_names": values["joint_names"][:2], "clip": None} | action
    values["output"]["shape"] = [1, 2]
    return parse_contract(json.dumps(values), "test")


def test_a_plain_action_is_applied_at_once_and_other_joints_stay(contract_values) -> None:
    path = path_of(contract_values, scale=[0.5, 1.0], offset=[0.1, 0.2])
    path.reset(np.ones(29))
    targets = path.targets(np.array([1.0, -1.0]), np.zeros(29))
    assert targets.shape == (4, 29) and path.boot_remaining == 0.0
    assert targets[:, :2] == pytest.approx(np.tile([0.6, -0.8], (4, 1)))
    assert targets[:, 2:] == pytest.approx(np.tile(contract_values["default_joint_pos"][2:], (4, 1)))


def test_smoothing_advances_with_every_physics_step(contract_values) -> None:
    path = path_of(contract_values, **SMOOTHED, smoothing=0.5, boot_steps=0)
    first = path.targets(np.array([1.0, 2.0]), np.zeros(29))
    # Averages from zeros: 1/2, 3/4, 7/8, 15/16.
    assert first[:, 0] == pytest.approx([0.35, 0.475, 0.5375, 0.56875])
    assert first[:, 1] == pytest.approx([1.2, 1.7, 1.95, 2.075])
    second = path.targets(np.zeros(2), np.zeros(29))
    assert second[:, 1] == pytest.approx([0.2 + 1.875 * 0.5**n for n in (1, 2, 3, 4)])
    path.reset(np.zeros(29))
    assert path.targets(np.array([1.0, 2.0]), np.zeros(29)) == pytest.approx(first)


def test_the_start_is_gentle_and_within_the_clip(contract_values) -> None:
    path = path_of(contract_values, **SMOOTHED, smoothing=1.0, boot_steps=2, clip=[[-1.0, 1.0], [-1.0, 0.7]])
    path.reset(np.full(29, 2.0))
    left = []
    rows = []
    for _ in range(3):
        left.append(path.boot_remaining)
        rows.append(path.targets(np.array([0.8, 1.0]), np.zeros(29)))
    assert left == [1.0, 0.5, 0.0]
    share = np.maximum(0.0, 1.0 - np.arange(12) / 8.0)
    # From the clipped start, 1.0 and 0.7, to the clipped targets, 0.5 and 0.7.
    assert np.concatenate(rows)[:, 0] == pytest.approx(share * 1.0 + (1.0 - share) * 0.5)
    assert np.concatenate(rows)[:, 1] == pytest.approx(0.7)


def test_the_reference_takes_the_place_of_the_offset(contract_values) -> None:
    path = path_of(contract_values, kind="reference_joint_position", scale=[0.5, 1.0], offset=None)
    assert path.targets(np.array([1.0, 1.0]), np.full(29, 0.3))[0, :2] == pytest.approx([0.8, 1.3])


def test_each_physics_step_has_its_own_target_and_may_come_late(contract_values, g1_robot) -> None:
    robot = MujocoRobot(parse_contract(json.dumps(contract_values), "test"), g1_robot, Mismatch(delay=1))
    pose = np.array(contract_values["default_joint_pos"])
    robot.place(np.array([0.0, 0.0, 3.0]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3), pose, np.zeros(29))
    robot.step(np.arange(4.0)[:, None] * np.ones(29), 4)
    assert robot.data.ctrl[robot._actuators] == pytest.approx(np.full(29, 2.0))
    robot.step(np.full(29, 9.0), 1)
    assert robot.data.ctrl[robot._actuators] == pytest.approx(np.full(29, 3.0))
