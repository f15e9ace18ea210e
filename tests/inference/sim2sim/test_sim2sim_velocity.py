# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A policy that follows velocities in MuJoCo: what it sees, when it has fallen, and the script."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isaac_tracking.inference.policy_contract import PolicyContract, PolicyError, parse_contract
from isaac_tracking.inference.sim2sim.mujoco_robot import MujocoRobot
from isaac_tracking.inference.sim2sim.observations import COMMAND_TERMS, Observations
from isaac_tracking.inference.sim2sim.senses import CommandSenses
from isaac_tracking.inference.sim2sim.settings import Mismatch, Pushes
from isaac_tracking.inference.sim2sim.walk import START_SPEED, VelocityWorld
from isaac_tracking.inference.velocity.commands import Command
from isaac_tracking.launch.main import main
from isaac_tracking.robots import g1

TERMS = (
    ("base_lin_vel", "base_lin_vel", 3),
    ("base_ang_vel", "base_ang_vel", 3),
    ("projected_gravity", "projected_gravity", 3),
    ("velocity_commands", "generated_commands", 3),
    ("joint_pos", "joint_pos_rel", 29),
    ("joint_vel", "joint_vel_rel", 29),
    ("actions", "last_action", 29),
)
POINTS = [[0.5, -0.25], [0.5, 0.25]]
FORWARD = Command(1.0, 0.0, 0.0)


@pytest.fixture(scope="session")
def velocity_values(contract_values: dict[str, Any]) -> dict[str, Any]:
    """What the contract of a G1 that follows velocities says, as JSON has it."""
    values = copy.deepcopy(contract_values)
    observations, start = [], 0
    for name, function, size in TERMS:
        term = {"name": name, "function": function, "slice": [start, start + size], "size": size, "history": 0}
        observations.append(term | {"frame": "", "scale": None, "clip": None, "noise": None, "definition": ""})
        start += size
    command = {
        "name": "base_velocity", "lin_vel_x": [-0.5, 1.0], "lin_vel_y": [0.0, 0.0], "ang_vel_z": [-1.0, 1.0],
        "definition": "", "fall_body_names": ["torso_link"], "fall_force": 1.0,
    }  # fmt: skip
    return values | {
        "task": "Isaac-Velocity-Flat-G1-v0", "anchor_body_name": "pelvis", "body_names": ["pelvis", "torso_link"],
        "observations": observations, "input": {"name": "obs", "shape": [1, start]}, "motion": {}, "command": command,
    }  # fmt: skip


def looking(values: dict[str, Any]) -> dict[str, Any]:
    """Add a look at the ground."""
    values = copy.deepcopy(values)
    start = values["input"]["shape"][1]
    term = values["observations"][0] | {"name": "height_scan", "function": "height_scan", "clip": [-1.0, 1.0]}
    values["observations"].append(
        term
        | {"slice": [start, start + 2], "size": 2, "points": POINTS, "scan_offset": 0.5, "body_names": ["torso_link"]}
    )
    values["input"] = {"name": "obs", "shape": [1, start + 2]}
    return values


def contract_of(values: dict[str, Any]) -> PolicyContract:
    return parse_contract(json.dumps(values), "test")


def world_of(values: dict[str, Any], robot: Any, policy: Any = None, **options: Any) -> VelocityWorld:
    contract = contract_of(values)
    return VelocityWorld(contract, policy or (lambda obs: np.zeros((1, 29))), robot, **options)


def test_what_it_sees_by_hand(velocity_values: dict[str, Any]) -> None:
    contract = contract_of(looking(velocity_values))
    left = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    senses = CommandSenses(
        joint_pos=np.array(contract.default_joint_pos) + 0.1,
        joint_vel=np.full(29, 0.2),
        root_quat_w=left,
        root_com_vel_w=np.array([0.0, 2.0, 0.5]),
        root_ang_vel_w=np.array([1.0, 0.0, 3.0]),
        last_action=np.full(29, 0.3),
        default_joint_pos=np.array(contract.default_joint_pos),
        boot_remaining=0.0,
        command=np.array([0.5, -0.25, 1.0]),
        scan=np.array([0.3, 1.5]),
    )
    size = contract.num_observations
    seen = Observations(contract.observations, contract.joint_names, size, None, COMMAND_TERMS)(senses)[0]
    # Two metres a second to the north are forward for one who looks north; the second height is clipped.
    expected = [2, 0, 0.5, 0, -1, 3, 0, 0, -1, 0.5, -0.25, 1, *[0.1] * 29, *[0.2] * 29, *[0.3] * 29, 0.3, 1.0]
    assert seen == pytest.approx(expected, abs=1e-6)


def test_it_begins_at_rest_on_the_ground_and_sees_the_command(velocity_values: dict[str, Any], g1_robot: Any) -> None:
    seen: list[np.ndarray] = []

    def policy(obs: np.ndarray) -> np.ndarray:
        seen.append(obs[0].copy())
        return np.full((1, 29), 0.01 * len(seen))

    recording = world_of(looking(velocity_values), g1_robot, policy).run(Command(1.0, 0.0, -0.5), 3)
    assert (recording.steps, recording.max_steps, recording.outcome, recording.fell) == (3, 3, "time_out", False)
    assert recording.mass == pytest.approx(g1.MASS, abs=1e-4)
    first = [0, 0, 0, 0, 0, 0, 0, 0, -1, 1, 0, -0.5, *[0] * 87]
    assert seen[0][:-2] == pytest.approx(first, abs=1e-6)
    # It looks down from the torso, whose origin is 44 mm above that of the pelvis.
    assert seen[1][-2:] == pytest.approx([float(recording.root_pos_w[0, 2]) + 0.044 - 0.5] * 2, abs=1e-3)
    assert 0.7 < float(recording.root_pos_w[0, 2]) < 0.8
    assert seen[1][:3] == pytest.approx(recording.lin_vel_b[0].numpy(), abs=1e-6)
    assert seen[1][3:6] == pytest.approx(recording.ang_vel_b[0].numpy(), abs=1e-6)
    assert seen[1][70:99] == pytest.approx([0.01] * 29) and seen[2][70:99] == pytest.approx([0.02] * 29)


def test_a_fall_ends_it_by_the_contact_of_the_task(velocity_values: dict[str, Any], g1_robot: Any) -> None:
    # Straight legs thrown up: it lands on its back sooner or later.
    recording = world_of(velocity_values, g1_robot, lambda obs: np.full((1, 29), 2.0)).run(FORWARD, 500)
    assert (recording.outcome, recording.fell) == ("base_contact", True)
    assert 10 < recording.steps < 200 and float(recording.root_pos_w[-1, 2]) < 0.5
    broken = world_of(velocity_values, g1_robot, lambda obs: np.full((1, 29), np.nan)).run(FORWARD, 500)
    assert (broken.outcome, broken.fell, broken.steps) == ("non_finite", True, 1)


def test_contact_forces_carry_the_weight(velocity_values: dict[str, Any], g1_robot: Any) -> None:
    world = world_of(velocity_values, g1_robot)
    world.run(Command(0.0, 0.0, 0.0), 25)
    robot: MujocoRobot = world._robot
    feet = robot.contact_forces(robot.body_ids(g1.FOOT_BODY_NAMES))
    # It sways, but hardly: the feet carry the weight.
    assert float(feet.sum()) == pytest.approx(g1.MASS * 9.81, rel=0.3)
    assert robot.contact_forces(robot.body_ids(["torso_link"]))[0] == 0.0
    robot.push(np.array([0.5, -0.25]))
    before = robot.body_lin_vel_w[0].copy()
    robot.push(np.array([0.5, -0.25]))
    assert robot.body_lin_vel_w[0] - before == pytest.approx([0.5, -0.25, 0.0])


def test_a_robot_without_self_collision_goes_through_itself_but_not_through_the_ground(
    velocity_values: dict[str, Any], g1_robot: Any
) -> None:
    folded = np.random.default_rng(0).uniform(*g1_robot.joint_pos_limits.T)
    found = []
    for collision in (True, False):
        robot = MujocoRobot(contract_of(velocity_values | {"self_collision": collision}), g1_robot, Mismatch())
        for height in (3.0, 0.2):
            root = np.array([0.0, 0.0, height]), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), np.zeros(3)
            robot.place(*root, folded, np.zeros(29))
            robot.step(folded, 1)
            found.append(robot.data.ncon)
    assert found[0] > 0 and found[2] == 0 and found[1] > found[3] > 0
    with pytest.raises(PolicyError, match="'self_collision' is 1, neither true nor false"):
        contract_of(velocity_values | {"self_collision": 1})


def test_pushes_come_at_drawn_times_and_are_repeatable() -> None:
    pushes = Pushes(0.8, np.random.default_rng(0))
    due = [pushes.next(0.02) for _ in range(1000)]
    times = [index for index, push in enumerate(due) if push.any()]
    assert 4 <= len(times) <= 10 and all(99 <= step <= 201 for step in np.diff([0, *times]))
    assert [float(np.linalg.norm(due[index])) for index in times] == pytest.approx([0.8] * len(times))
    assert len({round(float(due[index][0]), 6) for index in times}) == len(times)
    with pytest.raises(ValueError, match="push -1 must be above 0"):
        Pushes(-1.0, np.random.default_rng(0))


def test_drawn_starts_and_pushes_change_the_episode(velocity_values: dict[str, Any], g1_robot: Any) -> None:
    plain = world_of(velocity_values, g1_robot)
    first, again = (plain.run(FORWARD, 5) for _ in range(2))
    assert np.array_equal(first.joint_pos, again.joint_pos)
    drawn = plain.run(FORWARD, 5, np.random.default_rng(1))
    speed = float(np.linalg.norm(drawn.lin_vel_b[0, :2]))
    assert 0.05 < speed < 2.0 * START_SPEED and not np.allclose(drawn.joint_pos[0], first.joint_pos[0], atol=0.02)
    pushed = world_of(velocity_values, g1_robot, pushes=Pushes(1.0, np.random.default_rng(0), (0.02, 0.02)))
    assert float(np.linalg.norm(pushed.run(FORWARD, 3).lin_vel_b[1, :2])) > 0.6


def test_other_policies_and_robots_are_refused(
    velocity_values: dict[str, Any], contract_values: dict[str, Any], g1_robot: Any
) -> None:
    with pytest.raises(PolicyError, match="follows clips, not velocities"):
        world_of(contract_values, g1_robot)
    with pytest.raises(PolicyError, match=r"is of robot 'unitree_go1'; expected 'unitree_g1'"):
        world_of(velocity_values | {"robot": "unitree_go1"}, g1_robot)
    ahead = copy.deepcopy(velocity_values)
    ahead["observations"][2] |= {"function": "future_gravity", "future_steps": [0]}
    with pytest.raises(PolicyError, match="'future_gravity', which is unknown here"):
        world_of(ahead, g1_robot)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lin_vel_x": [1.0, -1.0]}, r"lin_vel_x is \(1.0, -1.0\), which is no range"),
        ({"lin_vel_x": [1.0]}, "which is no range"),
        ({"fall_body_names": ["elbow"]}, "fall_body_names speak of 'elbow'"),
        ({"fall_force": -1.0}, "fall_force is -1.0"),
        ({"speed": 1.0}, "the contract is damaged"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    change: dict[str, Any], words: str, velocity_values: dict[str, Any]
) -> None:
    with pytest.raises(PolicyError, match=words):
        contract_of(velocity_values | {"command": velocity_values["command"] | change})


def test_points_and_reference_are_checked(velocity_values: dict[str, Any]) -> None:
    for change in ({"points": POINTS[:1]}, {"points": [[1.0], [2.0]]}, {"scan_offset": None}, {"body_names": None}):
        values = looking(velocity_values)
        values["observations"][-1] |= change
        with pytest.raises(PolicyError, match=r"'height_scan' has 2 values for . points"):
            contract_of(values)
    action = velocity_values["action"] | {"kind": "reference_joint_position", "offset": None}
    with pytest.raises(PolicyError, match="needs a clip, but the policy follows velocities"):
        contract_of(velocity_values | {"action": action})
    contract = contract_of(looking(velocity_values))
    assert parse_contract(contract.to_json(), "again") == contract and contract.observations[-1].scan_offset == 0.5


def test_the_script_goes_through_the_grid(
    velocity_values: dict[str, Any], write_policy: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    policy, out = write_policy(velocity_values, np.zeros((99, 29))), tmp_path / "out.json"
    options = ["--seconds", "0.1", "--json", str(out), "--friction", "0.8", "--push", "0.5", "--noise"]
    assert main("sim2sim", [str(policy), *options]) == 0
    said, report = capfd.readouterr().out, json.loads(out.read_text())
    # x of -0.5, 0 and 1 with yaw of -1, 0 and 1, and four halves.
    assert len(report["commands"]) == 13 and said.count("on its feet to the end") == 13
    assert "0 of 13 episodes (0.0 %) ended in a fall; mean error x " in said
    assert report["settings"] == {
        "friction": 0.8, "mass_scale": 1.0, "delay": 0, "gain_scale": 1.0, "noise": True, "push": 0.5, "seconds": 0.1,
        "seed": 0,
    }  # fmt: skip
    assert report["engine"].startswith("mujoco 3.") and report["all"]["metrics"]["fall"]["mean"] == 0.0
    standing = [row for row in report["commands"] if row["direction"] == "stand"]
    assert standing[0]["metrics"]["error_x"]["mean"] < 0.3 and standing[0]["each"][0]["steps"] == 5


def test_one_command_with_films(
    velocity_values: dict[str, Any], write_policy: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    policy = write_policy(looking(velocity_values), np.zeros((101, 29)))
    film, each = tmp_path / "out.mp4", tmp_path / "each"
    options = ["--command", "1", "0", "-0.5", "--seconds", "0.2", "--repeats", "2"]
    assert main("sim2sim", [str(policy), *options, "--video", str(film), "--episodes", str(each), "--worst", "1"]) == 0
    said = capfd.readouterr().out
    assert "here it sees a plane" in said and "episode   2 | x 1 y 0 yaw -0.5 " in said
    assert f"film {film} | 5 pictures" in said and [path.name[:16] for path in each.iterdir()] == ["x_1_y_0_yaw_-0.5"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["walk"], "follows velocities, so clip 'walk' means nothing to it"),
        (["--command", "1.5", "0", "0"], "--command: 1.5 m/s forward is outside the trained range; give a number from"),
        (["--command", "0", "0.1", "0"], "0.1 m/s to the left is outside the trained range"),
        (["--command", "nan", "0", "0"], "nan m/s forward is outside the trained range"),
        (["--seconds", "0"], "--seconds 0 must be from 0.1"),
        (["--repeats", "0"], "--repeats 0 must be 1 or more"),
        (["--push", "-1"], "--push -1 must be above 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    options: list[str],
    words: str,
    velocity_values: dict[str, Any],
    write_policy: Any,
    capfd: pytest.CaptureFixture[str],
) -> None:
    policy = write_policy(velocity_values, np.zeros((99, 29)))
    assert main("sim2sim", [str(policy), *options]) == 2
    error = capfd.readouterr().err.strip().splitlines()
    assert len(error) == 1 and words in error[0]


@pytest.mark.parametrize("option", ["--command 0 0 0", "--seconds 3", "--repeats 2", "--push 1"])
def test_options_for_commands_are_refused_for_clips(
    option: str, contract_values: dict[str, Any], write_policy: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    policy = write_policy(contract_values, np.zeros((160, 29)))
    assert main("sim2sim", [str(policy), "stand", *option.split()]) == 2
    assert "follows clips; leave it out" in capfd.readouterr().err
