# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The contract of a policy for a robot of two joints."""

from __future__ import annotations

from typing import Any

JOINTS = ["hip", "knee"]


def contract_values() -> dict[str, Any]:
    """A robot of two joints and three bodies."""
    return {
        "format": "isaac_tracking.policy",
        "version": 1,
        "task": "Toy-v0",
        "engine": "newton_mjwarp",
        "commit": "0123456789ab",
        "checkpoint": "model_7.pt",
        "iteration": 7,
        "isaaclab": "3.0.0",
        "robot": "toy",
        "robot_mass": 1.5,
        "model": ["toy", "toy.xml"],
        "control_rate": 50.0,
        "physics_rate": 200.0,
        "decimation": 4,
        "quaternion_order": "xyzw",
        "units": "m, rad, s, N m",
        "joint_names": list(JOINTS),
        "default_joint_pos": [0.1, -0.2],
        "joint_pos_limits": [[-1.0, 1.0], [-2.0, 0.0]],
        "soft_joint_pos_limits": [[-0.9, 0.9], [-1.9, -0.1]],
        "joint_stiffness": [40.179237, 99.09843],
        "joint_damping": [2.5578897, 6.3088017],
        "joint_armature": [0.01017752, 0.025101924],
        "joint_effort_limits": [88.0, 139.0],
        "joint_velocity_limits": [32.0, 20.0],
        "anchor_body_name": "thigh",
        "body_names": ["base", "thigh", "shin"],
        "action": {
            "kind": "joint_position",
            "joint_names": list(JOINTS),
            "scale": [0.5475, 0.3506],
            "offset": [0.1, -0.2],
            "clip": None,
        },
        "observations": [
            term("command", 0, 4, joint_names=list(JOINTS)),
            term("base_ang_vel", 4, 3, body_names=["base"]),
        ],
        "input": {"name": "obs", "shape": [1, 7]},
        "output": {"name": "actions", "shape": [1, 2]},
        "motion": {"clips": ["walk"], "hashes": ["ab"]},
        "self_collision": True,
    }


def term(name: str, start: int, size: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "function": name,
        "slice": [start, start + size],
        "size": size,
        "frame": "joint space",
        "scale": None,
        "clip": None,
        "history": 0,
        "noise": None,
        "definition": "what it is",
        **more,
    }
