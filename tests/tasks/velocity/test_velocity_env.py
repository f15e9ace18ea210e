# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The Go1's tasks in the simulator: what is seen, rewarded and ended, on flat and on uneven ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from isaac_tracking.inference.ground_mesh import GroundMesh
from isaac_tracking.motion.quaternion import quat_apply_inverse, yaw_quat
from isaac_tracking.robots import go1

pytestmark = pytest.mark.slow

PIECES = "env.scene.terrain.terrain_generator"
SMALL = (f"{PIECES}.num_rows=3", f"{PIECES}.num_cols=6")
TERMS = {
    "base_lin_vel": (3,), "base_ang_vel": (3,), "projected_gravity": (3,), "velocity_commands": (3,),
    "joint_pos": (12,), "joint_vel": (12,), "actions": (12,),
}  # fmt: skip


@pytest.fixture(scope="module")
def flat(probe: Callable) -> dict[str, Any]:
    return probe("Isaac-Velocity-Flat-Unitree-Go1-v0")


@pytest.fixture(scope="module")
def rough(probe: Callable) -> dict[str, Any]:
    return probe("Isaac-Velocity-Rough-Unitree-Go1-v0", *SMALL)


"""
What is seen.
"""


def test_observations_have_isaac_labs_size_and_order(flat: dict, rough: dict) -> None:
    assert flat["groups"] == rough["groups"] == ["policy"]
    assert list(flat["terms"].items()) == list(TERMS.items())
    assert list(rough["terms"].items()) == [*TERMS.items(), ("height_scan", (187,))]


def test_velocities_and_gravity_are_seen_from_the_trunk(flat: dict) -> None:
    state, seen = flat["written"]["state"], flat["written"]["seen"]
    quat = state["root_link_pose_w"][:, 3:]
    down = torch.tensor([0.0, 0.0, -1.0]).expand(8, 3)
    assert torch.allclose(seen["projected_gravity"], quat_apply_inverse(quat, down), atol=1e-5)
    assert torch.allclose(seen["base_ang_vel"], quat_apply_inverse(quat, state["root_link_vel_w"][:, 3:]), atol=1e-4)
    # Of the center of mass, as Isaac Lab has it: the origin's, and what turning adds 22 mm ahead of it.
    offset = torch.tensor([0.0223, 0.002, -0.0005]).expand(8, 3)
    expected = quat_apply_inverse(quat, state["root_link_vel_w"][:, :3])
    expected = expected + torch.linalg.cross(seen["base_ang_vel"], offset)
    assert torch.allclose(seen["base_lin_vel"], expected, atol=1e-3)


def test_joints_are_seen_from_the_default_pose(flat: dict) -> None:
    state, seen = flat["written"]["state"], flat["written"]["seen"]
    default = torch.tensor([go1.default_joint_pos(name) for name in go1.JOINT_NAMES])
    assert torch.allclose(seen["joint_pos"], state["joint_pos"] - default, atol=1e-6)
    assert torch.allclose(seen["joint_vel"], state["joint_vel"], atol=1e-6)
    assert not seen["actions"].any()
    # Half of the trained range at the beginning, but for the turning, which follows a heading.
    assert flat["ranges"] == (-0.5, 0.5)
    assert (seen["velocity_commands"][:, :2].abs() <= 0.5).all() and seen["velocity_commands"].any()


def test_heights_are_those_of_the_ground_around_the_robot(rough: dict) -> None:
    ground = rough["ground"]
    mesh = GroundMesh(ground["vertices"].numpy(), ground["faces"].numpy())
    hits, trunk = ground["hits"], ground["state"]["root_link_pose_w"]
    heights = torch.from_numpy(mesh.heights(hits[..., :2].reshape(-1, 2).numpy())).reshape(8, 187)
    expected = (trunk[:, 2:3] - heights - 0.5).clamp(-1.0, 1.0)
    # A ray at an edge of a step may hit either side.
    assert ((ground["scan"] - expected).abs() < 1e-3).float().mean() > 0.98
    # A grid of 1.6 m by 1 m about the trunk, along its heading: the first point is behind it to its right.
    away = torch.cat([hits[..., :2] - trunk[:, None, :2], torch.zeros(8, 187, 1)], dim=-1)
    heading = yaw_quat(trunk[:, 3:])[:, None].expand(8, 187, 4)
    local = quat_apply_inverse(heading, away)
    assert torch.allclose(local[:, 0, :2], torch.tensor([-0.8, -0.5]).expand(8, 2), atol=1e-3)
    assert torch.allclose(local[:, 1, :2], torch.tensor([-0.7, -0.5]).expand(8, 2), atol=1e-3)
    assert torch.allclose(local[:, 186, :2], torch.tensor([0.8, 0.5]).expand(8, 2), atol=1e-3)


"""
What is rewarded.
"""


def test_rewards_of_standing(flat: dict) -> None:
    stood = flat["stood"]
    state, command, rewards = stood["state"], stood["command"], stood["rewards"]
    error = (command[:, :2] - state["root_lin_vel_b"][:, :2]).square().sum(dim=-1)
    # Weights 1.5 and 0.75, widths of 0.5.
    assert torch.allclose(rewards["track_lin_vel_xy_exp"], 1.5 * torch.exp(-error / 0.25), atol=1e-4)
    error = (command[:, 2] - state["root_ang_vel_b"][:, 2]).square()
    assert torch.allclose(rewards["track_ang_vel_z_exp"], 0.75 * torch.exp(-error / 0.25), atol=1e-3)
    assert torch.allclose(rewards["lin_vel_z_l2"], -2.0 * state["root_lin_vel_b"][:, 2].square(), atol=1e-5)
    down = quat_apply_inverse(state["root_link_pose_w"][:, 3:], torch.tensor([0.0, 0.0, -1.0]).expand(8, 3))
    assert torch.allclose(rewards["flat_orientation_l2"], -2.5 * down[:, :2].square().sum(dim=-1), atol=1e-5)
    assert not rewards["action_rate_l2"].any() and not rewards["feet_air_time"].any()


"""
What ends an episode.
"""


def test_terminations_and_curricula(flat: dict, rough: dict) -> None:
    assert flat["terminations"] == ["non_finite", "time_out", "base_contact"]
    assert rough["terminations"] == ["non_finite", "time_out", "base_contact", "terrain_out_of_bounds"]
    assert flat["curriculum"] == ["command_ranges"]
    assert rough["curriculum"] == ["terrain_levels", "command_ranges"]


@pytest.mark.parametrize("ground", ["flat", "rough"])
def test_a_broken_state_ends_its_episode_and_spoils_nothing(ground: str, request: pytest.FixtureRequest) -> None:
    broken = request.getfixturevalue(ground)["broken"]
    only_that = [index == 2 for index in range(8)]
    assert broken["ended"].tolist() == broken["by"].tolist() == only_that
    assert broken["reward"].isfinite().all() and broken["seen"].isfinite().all()
    later_seen, later_reward = broken["later"]
    assert later_seen.isfinite().all() and later_reward.isfinite().all()


def test_robots_stand_on_uneven_ground(rough: dict) -> None:
    ground = rough["ground"]
    mesh = GroundMesh(ground["vertices"].numpy(), ground["faces"].numpy())
    trunk = ground["state"]["root_link_pose_w"]
    above = trunk[:, 2] - torch.from_numpy(mesh.heights(trunk[:, :2].numpy()))
    # Standing or fallen, nobody is below the ground, nor floats.
    assert (above > 0.05).all() and (above < 0.6).all()


def test_who_leaves_the_ground_is_out(rough: dict) -> None:
    # Two and a half metres from the edge, where three are asked for.
    assert rough["ground"]["out"].tolist() == [index == 2 for index in range(8)]


def test_who_walks_far_gets_harder_ground(rough: dict) -> None:
    # Five metres of a piece of eight; nowhere, where 1 m/s for 20 s was asked for; and no episode of the others ended.
    assert rough["ground"]["levels"].tolist() == [2, 0, 1, 1, 1, 1, 1, 1]


"""
What varies.
"""


def test_robots_differ_in_friction_and_mass(rough: dict, flat: dict) -> None:
    friction = rough["robot"]["solver"]["geom_friction"][..., 0]
    # The first shape is the ground, which leaves it to the robot's.
    assert (friction[:, 0] < 0.01).all()
    assert (friction[:, 1:] >= 0.5).all() and (friction[:, 1:] <= 1.25).all() and friction[:, 1].std() > 0.05
    nominal = flat["robot"]["body_mass"][0]
    ratio = rough["robot"]["body_mass"] / nominal
    assert (ratio[:, 0] >= 0.8 - 1e-5).all() and (ratio[:, 0] <= 1.25 + 1e-5).all() and ratio[:, 0].std() > 0.02
    assert torch.allclose(ratio[:, 1:], torch.ones(8, 12), atol=1e-5)
    assert np.allclose(rough["robot"]["solver"]["body_mass"][:, 1], rough["robot"]["body_mass"][:, 0], rtol=1e-5)
    shift = rough["robot"]["solver"]["body_ipos"][:, 1] - flat["robot"]["solver"]["body_ipos"][:, 1]
    assert (shift.abs() <= torch.tensor([0.05, 0.05, 0.01]) + 1e-6).all() and shift[:, 0].std() > 0.005
