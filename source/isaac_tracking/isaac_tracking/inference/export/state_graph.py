# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A graph that computes the observations itself: the robot's state and what it follows in, joint targets out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from ...motion.quaternion import quat_apply, quat_conjugate, quat_mul, quat_to_matrix
from ..policy_checks import AROUND_REFERENCE, SMOOTHED
from ..policy_contract import ObservationTerm, PolicyContract, PolicyError
from .subject import HEIGHT_SCAN, MOTION, VELOCITY, scans

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from ...tasks.tracking.mdp.commands import MotionCommand

State = Mapping[str, torch.Tensor]

INPUTS: dict[str, str] = {
    "joint_pos": "joint angles of the robot [rad]",
    "joint_vel": "joint speeds of the robot [rad/s]",
    "last_action": "previous 'actions' of this graph; zeros at the start",
    "reference_joint_pos": "joint angles of the reference's frame to be reached in this step [rad]",
    "reference_joint_vel": "joint speeds of that frame [rad/s]",
    "anchor_pos_w": "position of the robot's anchor body in the world [m]",
    "anchor_quat_w": "orientation of the robot's anchor body in the world, xyzw",
    "reference_anchor_pos_w": "position of the anchor body in the reference's frame [m]",
    "reference_anchor_quat_w": "orientation of the anchor body in the reference's frame, xyzw",
    "base_lin_vel": "velocity of the root body's centre of mass, in the axes of the root body [m/s]",
    "base_ang_vel": "angular velocity of the root body, in its own axes [rad/s]",
    "root_quat_w": "orientation of the root body in the world, xyzw",
    "velocity_command": "speed forward [m/s], speed to the left [m/s], turning rate to the left [rad/s] to be reached",
    "height_scan": "heights at the points of the observation, as its definition says, neither clipped nor scaled [m]",
}
"""What the graph may ask for; a policy without a term does not ask for what only that term needs."""
_SIZES = {
    "anchor_pos_w": 3, "anchor_quat_w": 4, "base_lin_vel": 3, "base_ang_vel": 3, "root_quat_w": 4,
    "velocity_command": 3,
}  # fmt: skip


def _anchor_pos(state: State) -> torch.Tensor:
    offset = state["reference_anchor_pos_w"] - state["anchor_pos_w"]
    return quat_apply(quat_conjugate(state["anchor_quat_w"]), offset)


def _anchor_ori(state: State) -> torch.Tensor:
    relative = quat_mul(quat_conjugate(state["anchor_quat_w"]), state["reference_anchor_quat_w"])
    return quat_to_matrix(relative)[..., :2].flatten(1)


def _gravity(state: State) -> torch.Tensor:
    return -quat_to_matrix(state["root_quat_w"])[..., 2, :]


_Term = tuple[tuple[str, ...], Callable[[State], torch.Tensor]]
_TERMS: dict[str, _Term] = {
    "base_lin_vel": (("base_lin_vel",), lambda state: state["base_lin_vel"]),
    "base_ang_vel": (("base_ang_vel",), lambda state: state["base_ang_vel"]),
    "projected_gravity": (("root_quat_w",), _gravity),
    "joint_pos_rel": (("joint_pos",), lambda state: state["joint_pos"] - state["default_joint_pos"]),
    "joint_vel_rel": (("joint_vel",), lambda state: state["joint_vel"]),
    "last_action": (("last_action",), lambda state: state["last_action"]),
}
"""What each observation needs and how it is computed, by function."""
_MOTION_TERMS: dict[str, _Term] = _TERMS | {
    "generated_commands": (
        ("reference_joint_pos", "reference_joint_vel"),
        lambda state: torch.cat([state["reference_joint_pos"], state["reference_joint_vel"]], dim=-1),
    ),
    "reference_anchor_pos_b": (("anchor_pos_w", "anchor_quat_w", "reference_anchor_pos_w"), _anchor_pos),
    "reference_anchor_ori_b": (("anchor_quat_w", "reference_anchor_quat_w"), _anchor_ori),
}
"""The same for a policy that follows clips."""
_VELOCITY_TERMS: dict[str, _Term] = _TERMS | {
    "generated_commands": (("velocity_command",), lambda state: state["velocity_command"]),
    HEIGHT_SCAN: (("height_scan",), lambda state: state["height_scan"]),
}
"""The same for a policy that follows velocities."""


class StatePolicy(torch.nn.Module):
    """From the states of robot and reference, or a command, to actions, joint targets and observations.

    Args:
        actor: From observations to actions.
        contract: Contract of the policy; all numbers come from it.

    Raises:
        PolicyError: If an observation or a joint target cannot be computed from the states of one instant.
    """

    output_names = ("actions", "joint_targets", "obs")
    _joint_ids: torch.Tensor
    _default: torch.Tensor
    _scale: torch.Tensor
    _offset: torch.Tensor

    def __init__(self, actor: torch.nn.Module, contract: PolicyContract) -> None:
        super().__init__()
        if contract.memory is not None:
            raise PolicyError(
                "a policy that remembers cannot have its observations inside the graph; export without"
                " --with-observations"
            )
        if contract.action.kind in SMOOTHED:
            raise PolicyError(
                "joint targets that are smoothed over the physics steps cannot be computed inside the graph, which runs"
                " once an action; export without --with-observations and follow the contract's definitions"
            )
        needed: set[str] = set()
        self._known = _MOTION_TERMS if contract.command is None else _VELOCITY_TERMS
        for term in contract.observations:
            _need_simple(term, contract, self._known)
            needed |= set(self._known[term.function][0])
        self._from_reference = contract.action.kind in AROUND_REFERENCE
        if self._from_reference:
            needed.add("reference_joint_pos")
        self.actor = actor
        self.input_names = [name for name in INPUTS if name in needed]
        self._terms = contract.observations
        self._sizes = {name: _size(name, contract) for name in self.input_names}
        ids = [contract.joint_names.index(name) for name in contract.action.joint_names]
        self.register_buffer("_joint_ids", torch.tensor(ids))
        self.register_buffer("_default", torch.tensor(contract.default_joint_pos)[None])
        self.register_buffer("_scale", torch.tensor(contract.action.scale)[None])
        self.register_buffer("_offset", torch.tensor(contract.action.offset or (0.0,) * len(ids))[None])
        self._clip = None if contract.action.clip is None else torch.tensor(contract.action.clip)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return actions, joint targets [rad] and observations for inputs in the order of ``input_names``."""
        state = dict(zip(self.input_names, inputs, strict=True)) | {"default_joint_pos": self._default}
        obs = torch.cat([self._term(term, state) for term in self._terms], dim=-1)
        actions = self.actor(obs)
        targets = actions * self._scale + self._offset
        if self._from_reference:
            targets = targets + state["reference_joint_pos"][:, self._joint_ids]
        if self._clip is not None:
            targets = torch.clamp(targets, self._clip[:, 0], self._clip[:, 1])
        return actions, targets, obs

    def dummy_inputs(self) -> tuple[torch.Tensor, ...]:
        """Return inputs of the right shapes."""
        return tuple(torch.ones(1, size) for size in self._sizes.values())

    def _term(self, term: ObservationTerm, state: State) -> torch.Tensor:
        value = self._known[term.function][1](state)
        if term.clip is not None:
            value = torch.clamp(value, *term.clip)
        return value if term.scale is None else value * torch.tensor(term.scale)


def read_state(env: ManagerBasedRLEnv) -> dict[str, torch.Tensor]:
    """Return what :data:`INPUTS` names from a running task, shapes (num_envs, ...)."""
    if MOTION in env.command_manager.active_terms:
        command: MotionCommand = env.command_manager.get_term(MOTION)
        data, anchor, reference, robot = command.robot_asset.data, command.anchor, command.reference, command.robot
        state = {
            "reference_joint_pos": reference.joint_pos,
            "reference_joint_vel": reference.joint_vel,
            "anchor_pos_w": robot.body_pos_w[:, anchor],
            "anchor_quat_w": robot.body_quat_w[:, anchor],
            "reference_anchor_pos_w": reference.body_pos_w[:, anchor],
            "reference_anchor_quat_w": reference.body_quat_w[:, anchor],
        }
    else:
        data = env.scene["robot"].data
        state = {"velocity_command": env.command_manager.get_command(VELOCITY), **_scan(env)}
    state |= {
        "joint_pos": data.joint_pos.torch,
        "joint_vel": data.joint_vel.torch,
        "last_action": env.action_manager.action,
        "base_lin_vel": data.root_lin_vel_b.torch,
        "base_ang_vel": data.root_ang_vel_b.torch,
        "root_quat_w": data.root_link_quat_w.torch,
    }
    return {name: value.clone() for name, value in state.items()}


def _scan(env: ManagerBasedRLEnv) -> dict[str, torch.Tensor]:
    """Return what a task sees of the ground before it is clipped and scaled, if it looks."""
    looks = scans(env)
    return {HEIGHT_SCAN: looks[0].func(env, **looks[0].params)} if looks else {}


def _need_simple(term: ObservationTerm, contract: PolicyContract, known: Mapping[str, _Term]) -> None:
    every = (contract.joint_names, contract.action.joint_names, None)
    if term.function not in known or term.history or term.joint_names not in every:
        raise PolicyError(
            f"observation '{term.name}' cannot be computed inside the graph, for it has a history, a look ahead, some"
            " of the joints only, or a function of its own; export without --with-observations and follow the"
            " contract's definitions"
        )


def _size(name: str, contract: PolicyContract) -> int:
    if name == "last_action":
        return contract.num_actions
    if name == "height_scan":
        return next(term.size for term in contract.observations if term.function == HEIGHT_SCAN)
    return _SIZES.get(name.removeprefix("reference_"), len(contract.joint_names))


def input_notes(module: Any) -> dict[str, dict[str, Any]]:
    """Return shape and meaning of each input, for the metadata."""
    return {
        name: {"shape": [1, value.shape[1]], "definition": INPUTS[name]}
        for name, value in zip(module.input_names, module.dummy_inputs(), strict=True)
    }
