# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A contract of the G1 written by hand, and a policy of one layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isaac_tracking.inference.policy_contract import FORMAT, METADATA_KEY, VERSION
from isaac_tracking.launch.motion_robots import motion_robot
from isaac_tracking.motion.robot import Robot
from isaac_tracking.robots import g1

TERMS = (
    ("command", "generated_commands", 58),
    ("reference_anchor_pos_b", "reference_anchor_pos_b", 3),
    ("reference_anchor_ori_b", "reference_anchor_ori_b", 6),
    ("base_lin_vel", "base_lin_vel", 3),
    ("base_ang_vel", "base_ang_vel", 3),
    ("joint_pos", "joint_pos_rel", 29),
    ("joint_vel", "joint_vel_rel", 29),
    ("actions", "last_action", 29),
)
"""The policy's observations in ``Isaac-Tracking-G1-v0``: name, function and size."""


@pytest.fixture(scope="session")
def g1_robot() -> Robot:
    return motion_robot()


@pytest.fixture(scope="session")
def contract_values(g1_robot: Robot) -> dict[str, Any]:
    """What the contract of a G1's policy says, as JSON has it; copy it before changing it."""
    motors = [g1.motor_of(joint) for joint in g1.JOINT_NAMES]
    default = [g1.default_joint_pos(joint) for joint in g1.JOINT_NAMES]
    observations, start = [], 0
    for name, function, size in TERMS:
        term = {"name": name, "function": function, "slice": [start, start + size], "size": size, "history": 0}
        observations.append(term | {"frame": "", "scale": None, "clip": None, "noise": None, "definition": ""})
        start += size
    return {
        "format": FORMAT, "version": VERSION, "task": "Isaac-Tracking-G1-v0", "engine": "newton_mjwarp",
        "commit": "0", "checkpoint": "model_0.pt", "iteration": 0, "isaaclab": "3.0.0", "robot": "unitree_g1",
        "robot_mass": g1.MASS, "model": list(g1.MODEL), "control_rate": 50.0, "physics_rate": 200.0, "decimation": 4,
        "quaternion_order": "xyzw", "units": "m, rad, s, N m", "joint_names": list(g1.JOINT_NAMES),
        "default_joint_pos": default, "joint_pos_limits": g1_robot.joint_pos_limits.tolist(),
        "soft_joint_pos_limits": g1_robot.joint_pos_limits.tolist(),
        "joint_stiffness": [motor.stiffness for motor in motors],
        "joint_damping": [motor.damping for motor in motors],
        "joint_armature": [motor.armature for motor in motors],
        "joint_effort_limits": [motor.effort_limit for motor in motors],
        "joint_velocity_limits": [motor.velocity_limit for motor in motors],
        "anchor_body_name": g1.ANCHOR_BODY_NAME, "body_names": list(g1.KEY_BODY_NAMES),
        "action": {
            "kind": "joint_position", "joint_names": list(g1.JOINT_NAMES),
            "scale": [motor.action_scale for motor in motors], "offset": default, "clip": None,
        },
        "observations": observations, "input": {"name": "obs", "shape": [1, start]},
        "output": {"name": "actions", "shape": [1, 29]}, "motion": {"clips": ["stand"], "hashes": [""]},
    }  # fmt: skip


@pytest.fixture
def write_policy(tmp_path: Path) -> Callable[..., Path]:
    """Write a policy of one layer as ONNX, with a contract in its metadata or without."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def write(values: dict[str, Any] | None, weights: np.ndarray) -> Path:
        size, actions = weights.shape
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["obs", "weights"], ["actions"])],
            "policy",
            [helper.make_tensor_value_info("obs", TensorProto.FLOAT, [1, size])],
            [helper.make_tensor_value_info("actions", TensorProto.FLOAT, [1, actions])],
            [numpy_helper.from_array(weights.astype(np.float32), "weights")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        if values is not None:
            onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(values)})
        path = tmp_path / "policy.onnx"
        onnx.save(model, str(path))
        return path

    return write
