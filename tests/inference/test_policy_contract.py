# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Reading a policy's contract: what comes back, and what is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_contract import JOINTS, contract_values

from isaac_tracking.inference.policy_contract import (
    PolicyError,
    check_joints,
    load_policy,
    parse_contract,
    read_contract,
)


def parse(values: Any) -> Any:
    return parse_contract(json.dumps(values), "toy.onnx")


def test_a_contract_comes_back_from_its_own_json() -> None:
    contract = parse(contract_values())
    assert contract.joint_names == ("hip", "knee")
    assert contract.observations[1].slice == (4, 7)
    assert contract.observations[0].joint_names == ("hip", "knee")
    assert contract.observations[0].body_names is None
    assert (contract.num_observations, contract.num_actions) == (7, 2)
    assert parse_contract(contract.to_json(), "again") == contract
    # The schema is written as it was read, key by key.
    assert json.loads(contract.to_json()) == contract_values()


def test_a_smoothed_action_and_looks_ahead_come_back() -> None:
    values = contract_values()
    values["action"] |= {"kind": "smoothed_joint_position", "smoothing": 0.9, "boot_steps": 6, "definition": "how"}
    values["observations"][0] |= {"future_steps": [0, 2], "history": 3}
    contract = parse(values)
    assert (contract.action.smoothing, contract.action.boot_steps, contract.action.definition) == (0.9, 6, "how")
    assert contract.observations[0].future_steps == (0, 2) and contract.observations[1].future_steps is None
    assert json.loads(contract.to_json()) == values


def test_what_is_remembered_comes_back() -> None:
    memory = {"input": "hidden_in", "output": "hidden_out", "shape": [1, 8]}
    contract = parse(contract_values() | {"memory": memory})
    assert contract.memory == memory | {"shape": (1, 8)}
    assert json.loads(contract.to_json()) == contract_values() | {"memory": memory}


def test_what_a_later_version_adds_beside_is_ignored() -> None:
    assert parse(contract_values() | {"weather": "fine"}) == parse(contract_values())


SMOOTHED = {"kind": "smoothed_joint_position", "smoothing": 0.9, "boot_steps": 6}
Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(format="other"), "format is 'other'"),
        (lambda v: v.update(version=2), "has version 2, but 1 is read"),
        (lambda v: v.pop("joint_stiffness"), "lacks joint_stiffness"),
        (lambda v: v.update(decimation="four"), "'decimation' of the contract is 'four'"),
        (lambda v: v.update(iteration=True), "'iteration' of the contract is True"),
        (lambda v: v.update(quaternion_order="wxyz"), "quaternions are 'wxyz'"),
        (lambda v: v["joint_damping"].pop(), "'joint_damping' has 1 values for 2 joints"),
        (lambda v: v.update(joint_armature=[0.1, float("nan")]), "'joint_armature' has a value that is not finite"),
        (lambda v: v.update(joint_armature=[0.1, "much"]), "the contract is damaged"),
        (lambda v: v.update(joint_names=["hip", "hip"]), "'joint_names' is empty or names something twice"),
        (lambda v: v.update(anchor_body_name="head"), "anchor 'head' is not one of the tracked bodies"),
        (lambda v: v.update(physics_rate=100.0), "50.0 Hz of 4 steps each are not 100.0 Hz"),
        (lambda v: v["action"].update(kind="torque"), "action kind 'torque' is unknown"),
        (lambda v: v["action"].update(joint_names=["hip", "toe"]), "the action's joint names are not the robot's"),
        (lambda v: v["action"].update(scale=[1.0]), "the action's scale has 1 values for 2 joints"),
        (lambda v: v["action"].update(offset=None), "an action of kind 'joint_position' lacks an offset"),
        (lambda v: v["action"].update(kind="reference_joint_position"), "has an offset"),
        (lambda v: v["action"].pop("clip"), "the contract is damaged"),
        (lambda v: v["action"].update(smoothing=0.9), "kind 'joint_position' has smoothing or boot_steps"),
        (lambda v: v["action"].update(SMOOTHED, smoothing=None), "the action's smoothing is None, not within (0, 1]"),
        (lambda v: v["action"].update(SMOOTHED, smoothing=1.1), "the action's smoothing is 1.1"),
        (lambda v: v["action"].update(SMOOTHED, boot_steps=-1), "the action's boot_steps are -1, not 0 or more"),
        (lambda v: v["action"].update(SMOOTHED, boot_steps=2.5), "the action's boot_steps are 2.5"),
        (lambda v: v["action"].update(SMOOTHED, offset=None), "kind 'smoothed_joint_position' lacks an offset"),
        (lambda v: v["action"].update(SMOOTHED, kind="smoothed_reference_joint_position"), "has an offset"),
        (lambda v: v["output"].update(shape=[1, 3]), "the output has 3 values for 2 actions"),
        (lambda v: v["output"].pop("shape"), "'output' has no name or no shape"),
        (lambda v: v.update(memory={"input": "hidden_in", "shape": [1, 8]}), "without an input, an output or a shape"),
        (lambda v: v.update(memory=["hidden_in"]), "the contract is damaged"),
        (lambda v: v["observations"].reverse(), "observation 'base_ang_vel' of 3 values lies at (4, 7)"),
        (lambda v: v["observations"].pop(), "the observations have 4 values, the input 7"),
        (lambda v: v["observations"].append(5), "the contract is damaged"),
        (lambda v: v["observations"][0].update(joint_names=["toe"]), "speaks of 'toe'"),
        (lambda v: v["observations"][0].update(wings=2), "the contract is damaged"),
        (lambda v: v["observations"][0].update(future_steps=[]), "'command' looks at the steps ()"),
        (lambda v: v["observations"][0].update(future_steps=[0, -2]), "'command' looks at the steps (0, -2)"),
    ],
)
def test_a_contract_that_does_not_add_up_is_refused(change: Change, words: str) -> None:
    values = contract_values()
    change(values)
    with pytest.raises(PolicyError) as error:
        parse(values)
    assert words in str(error.value)
    assert "toy.onnx" in str(error.value) and "export" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[1]", "3", "{", '{"format": ["isaac_tracking.policy"]}'])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="contract"):
        parse_contract(text, "toy.onnx")


@pytest.mark.parametrize(
    ("joints", "words"),
    [
        (["knee", "hip"], "joint 0 is 'hip', but 'knee' in Toy's order"),
        (["hip", "ankle"], "joint 'knee' is unknown to Toy"),
        (["hip", "knee", "toe"], "lacks joint 'toe' of Toy"),
    ],
)
def test_another_robots_joints_are_refused(joints: list[str], words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        check_joints(parse(contract_values()), joints, "Toy")


def test_the_same_joints_are_accepted() -> None:
    assert check_joints(parse(contract_values()), JOINTS, "Toy") is None


def test_files_that_are_no_policies_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a graph")
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "text.json").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match=r"does not exist; make one with scripts/export\.py"):
        load_policy(tmp_path / "none.onnx")
    for name in ("text.onnx", "empty.onnx"):
        with pytest.raises(PolicyError, match="no ONNX file that can be run"):
            load_policy(tmp_path / name)
    for name in ("none.json", "text.json"):
        with pytest.raises(PolicyError, match="cannot be read"):
            read_contract(tmp_path / name)
