# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Policies of the velocity tasks, exported from their own simulator, see and do in MuJoCo what they did there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from isaac_tracking.inference.policy_answers import PolicyAnswers
from isaac_tracking.inference.policy_contract import PolicyContract, load_policy, open_session
from isaac_tracking.inference.sim2sim.walk import VelocityWorld
from isaac_tracking.inference.velocity.commands import Command
from isaac_tracking.launch.main import main
from isaac_tracking.launch.motion_robots import robot_model
from isaac_tracking.motion.ground import CollisionPoints
from isaac_tracking.motion.robot import Robot
from isaac_tracking.robots import g1, go1
from motor_contract import check_motors
from warm_process import WarmProcess

pytestmark = pytest.mark.slow

GO1, G1, ROUGH = "Isaac-Velocity-Flat-Unitree-Go1-v0", "Isaac-Velocity-Flat-G1-v0", "Isaac-Velocity-Rough-G1-v0"
MODULES: dict[str, Any] = {GO1: go1, G1: g1, ROUGH: g1}


@dataclass(frozen=True)
class Exported:
    """A policy, and what its own simulator says of it."""

    folder: Path
    contract: PolicyContract
    trace: dict[str, np.ndarray]


def standing_height(robot: Robot) -> float:
    """Return the height of the root in the default pose on the ground [m]."""
    pose, upright = torch.tensor(robot.default_joint_pos)[None], torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    return -float(CollisionPoints.from_mjcf(robot.mjcf).lowest(torch.zeros(1, 3), upright, pose))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """All three, made at the same time."""
    program, home = Path(__file__).with_name("velocity_trace.py"), tmp_path_factory.mktemp("exported")
    running = {}
    for task, module in MODULES.items():
        height = standing_height(robot_model(module.MODEL[0]))
        running[task] = WarmProcess(program, task, home / task, height, cwd=home)
    found = {}
    for task, process in running.items():
        done = process.wait()
        assert done.returncode == 0, done.stderr[-2000:]
        with np.load(home / task / "trace.npz") as file:
            found[task] = Exported(home / task, load_policy(home / task / "policy.onnx")[0], dict(file))
    return found


@pytest.mark.parametrize("task", MODULES)
def test_every_file_answers_as_the_policy_does(task: str, exported: dict[str, Exported]) -> None:
    made = exported[task]
    names = {"policy.onnx", "policy_batch.onnx", "policy_state.onnx", "policy.pt"}
    assert {path.name for path in made.folder.iterdir()} == {*names, "policy.json", "trace.npz"}
    # policy_state.onnx is compared in its observations and joint targets as well.
    assert max(float(made.trace[name]) for name in names) <= 1e-5
    inputs = [value.name for value in open_session(made.folder / "policy_state.onnx").get_inputs()]
    own = ["joint_pos", "joint_vel", "last_action", "base_lin_vel", "base_ang_vel", "root_quat_w", "velocity_command"]
    assert inputs == own + (["height_scan"] if task == ROUGH else [])
    metadata = {item.key: item.value for item in onnx.load(str(made.folder / "policy.onnx")).metadata_props}
    assert metadata["command_names"] == "base_velocity"


@pytest.mark.parametrize("task", MODULES)
def test_the_contract_is_that_of_the_robot_and_the_task(task: str, exported: dict[str, Exported]) -> None:
    contract, module = exported[task].contract, MODULES[task]
    check_motors(contract, module)
    assert contract.action.offset == contract.default_joint_pos
    assert (contract.task, contract.model, contract.robot) == (task, module.MODEL, module.MODEL[0])
    assert (contract.control_rate, contract.decimation, contract.action.kind) == (50.0, 4, "joint_position")
    assert contract.motion == {} and contract.memory is None
    joints = len(module.JOINT_NAMES)
    sizes = {
        "base_lin_vel": 3, "base_ang_vel": 3, "projected_gravity": 3, "velocity_commands": 3, "joint_pos": joints,
        "joint_vel": joints, "actions": joints, **({"height_scan": 187} if task == ROUGH else {}),
    }  # fmt: skip
    assert {term.name: term.size for term in contract.observations} == sizes
    assert [term.name for term in contract.observations] == list(sizes)
    noise = {term.name: term.noise for term in contract.observations}
    assert noise["joint_vel"] == {"kind": "uniform", "operation": "add", "low": -1.5, "high": 1.5}
    command = contract.command
    assert command is not None and command.fall_force == 1.0
    if task == GO1:
        assert command.ranges == ((-1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0))
        assert (command.fall_body_names, contract.body_names, contract.self_collision) == (
            ("trunk",),
            ("trunk",),
            False,
        )
    else:
        assert command.ranges == ((0.0, 1.0), (-0.5, 0.5) if task == G1 else (0.0, 0.0), (-1.0, 1.0))
        assert (contract.body_names, contract.self_collision) == (("pelvis", "torso_link"), True)


def test_rays_end_where_the_contract_says(exported: dict[str, Exported]) -> None:
    made = exported[ROUGH]
    (term,) = (term for term in made.contract.observations if term.points is not None)
    assert (term.body_names, term.clip, term.scan_offset) == (("torso_link",), (-1.0, 1.0), 0.5)
    assert "p_body.z - ground.z - 0.5" in term.definition
    hits, body, scan = (made.trace[name].astype(np.float64) for name in ("hits", "body", "height_scan"))
    x, y, z, w = body[3:]
    heading = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    assert abs(math.sin(2.0 * heading)) > 0.05
    turn = np.array([[math.cos(heading), -math.sin(heading)], [math.sin(heading), math.cos(heading)]])
    points = np.array(term.points)
    assert points.shape == (187, 2) and np.ptp(points, axis=0) == pytest.approx([1.6, 1.0])
    assert hits[:, :2] == pytest.approx(body[:2] + points @ turn.T, abs=2e-3)
    assert scan == pytest.approx(body[2] - hits[:, 2] - 0.5, abs=2e-3)
    assert np.ptp(hits[:, 2]) > 0.01


@pytest.mark.parametrize("task", [GO1, G1])
def test_it_sees_and_does_in_mujoco_what_it_does_in_its_task(task: str, exported: dict[str, Exported]) -> None:
    made = exported[task]
    contract, session = load_policy(made.folder / "policy.onnx")
    answers, seen = PolicyAnswers(contract, session), []

    def policy(obs: np.ndarray) -> np.ndarray:
        seen.append(obs[0].copy())
        return answers(obs)

    command = Command(*(float(value) for value in made.trace["command"]))
    world = VelocityWorld(contract, policy, robot_model(contract.robot))
    recording = world.run(command, len(made.trace["obs"]))
    assert seen[0] == pytest.approx(made.trace["obs"][0], abs=1e-5)
    assert answers(seen[0][None])[0] == pytest.approx(made.trace["action"][0], abs=1e-5)
    # Half a second on its feet, through contacts: it is the same robot with the same gains on the same ground. Newton's
    # solver is MuJoCo's, so that two engines which are told the same compute the same.
    for step, theirs in enumerate(made.trace["obs"]):
        for term in contract.observations:
            part = slice(*term.slice)
            assert seen[step][part] == pytest.approx(theirs[part], abs=1e-3), (step, term.name)
    assert np.ptp(made.trace["joint_pos"], axis=0).max() > 0.02 and recording.outcome == "time_out"
    assert np.abs(made.trace["action"]).max() > 0.1


@pytest.mark.parametrize("task", MODULES)
def test_the_script_takes_the_file(task: str, exported: dict[str, Exported], capfd: Any) -> None:
    policy = str(exported[task].folder / "policy.onnx")
    assert main("sim2sim", [policy, "--command", "0.5", "0", "0", "--seconds", "0.5", "--push", "0.5"]) == 0
    said = capfd.readouterr().out
    assert f"of {task}, in MuJoCo, on flat ground" in said and "of 1 episodes" in said
    assert ("here it sees a plane" in said) == (task == ROUGH)
