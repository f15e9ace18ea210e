# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The contract of a policy, read from a running task; nothing in it is written down a second time here."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..policy_contract import METADATA_KEY, PolicyContract, PolicyError
from .subject import subject_of
from .terms import action_contract, numbers, observation_terms, pairs

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

_ENGINES = {"NewtonCfg": "newton_mjwarp", "PhysxCfg": "isaacsim_physx", "OvPhysxCfg": "ovphysx"}
"""Selectors of the engines by their configs; another engine goes by its config's name."""
_BEYONDMIMIC_NAMES = {
    "reference_anchor_pos_b": "motion_anchor_pos_b",
    "reference_anchor_ori_b": "motion_anchor_ori_b",
}
"""How BeyondMimic calls observations that we call otherwise (whole_body_tracking, ``tracking_env_cfg.py``)."""


@dataclass(frozen=True)
class Origin:
    """What the policy comes from, which the task does not know."""

    task: str
    """Task that it was trained on."""
    commit: str
    """Commit of the code that trained it."""
    run: str
    """Name of the run folder."""
    checkpoint: str
    """Name of the checkpoint's file."""
    iteration: int
    clips: Sequence[str]
    """Clips that it was trained on, if any."""
    hashes: Sequence[str | None]
    """Their content hashes, None where a clip is not here."""


def describe(
    env: ManagerBasedRLEnv,
    groups: Sequence[str],
    training: Any,
    origin: Origin,
    memory: Mapping[str, Any] | None = None,
) -> PolicyContract:
    """Return the contract of a policy.

    Args:
        env: The task, running, with nothing randomized.
        groups: Groups of observations that make up the policy's input.
        training: Config of the environment that the policy was trained in, for its noise and its engine.
        origin: What the policy comes from.
        memory: What it remembers, see :func:`.graph.memory_of`; None for nothing.

    Raises:
        PolicyError: If an observation, an action or a motor cannot be described.
    """
    subject = subject_of(env)
    robot, data = subject.robot, subject.robot.data
    _need_springs(robot)
    terms = observation_terms(env, groups, training.observations, subject)
    action = action_contract(env)
    engine = type(training.sim.physics).__name__
    return PolicyContract(
        task=origin.task,
        engine=_ENGINES.get(engine, engine),
        commit=origin.commit,
        checkpoint=origin.checkpoint,
        iteration=origin.iteration,
        isaaclab=importlib.metadata.version("isaaclab"),
        robot=subject.model[0],
        robot_mass=numbers(data.body_mass.torch[0].sum().reshape(1))[0],
        model=subject.model,
        control_rate=1.0 / (env.cfg.sim.dt * env.cfg.decimation),
        physics_rate=1.0 / env.cfg.sim.dt,
        decimation=env.cfg.decimation,
        quaternion_order="xyzw",
        units="m, rad, s, N m",
        joint_names=tuple(robot.joint_names),
        default_joint_pos=numbers(data.default_joint_pos.torch[0]),
        joint_pos_limits=pairs(data.joint_pos_limits.torch[0]),
        soft_joint_pos_limits=pairs(data.soft_joint_pos_limits.torch[0]),
        joint_stiffness=numbers(data.joint_stiffness.torch[0]),
        joint_damping=numbers(data.joint_damping.torch[0]),
        joint_armature=numbers(data.joint_armature.torch[0]),
        joint_effort_limits=numbers(data.joint_effort_limits.torch[0]),
        joint_velocity_limits=numbers(data.joint_vel_limits.torch[0]),
        anchor_body_name=subject.anchor_body_name,
        body_names=subject.body_names,
        action=action,
        observations=terms,
        input={"name": "obs", "shape": (1, sum(term.size for term in terms))},
        output={"name": "actions", "shape": (1, len(action.joint_names))},
        motion={} if subject.command else {"clips": tuple(origin.clips), "hashes": tuple(origin.hashes)},
        self_collision=subject.self_collision,
        command=subject.command,
        memory=memory,
    )


def _need_springs(robot: Articulation) -> None:
    """Refuse motors that are more than a spring and a damper with a limit."""
    # Starts Isaac Lab's own imports, which reading a contract does not need.
    from isaaclab.actuators import ImplicitActuator

    for name, actuator in robot.actuators.items():
        if type(actuator) is not ImplicitActuator:
            raise PolicyError(
                f"motors '{name}' are of type {type(actuator).__name__}, which stiffness and damping do not describe;"
                " export a policy that was trained with the robot's default motors"
            )


def metadata(contract: PolicyContract, run: str) -> dict[str, str]:
    """Return the metadata of the ONNX file: BeyondMimic's eleven keys at full precision, and the contract.

    BeyondMimic (whole_body_tracking ``utils/exporter.py``) writes lists with commas and three decimals; here a number
    has as many digits as it takes to read the same float32 back. A term without history has the length one.

    Args:
        contract: The contract.
        run: Name of the run.
    """

    def line(values: Sequence[Any]) -> str:
        return ",".join(str(value) for value in values)

    return {
        "run_path": run,
        "joint_names": line(contract.joint_names),
        "joint_stiffness": line(contract.joint_stiffness),
        "joint_damping": line(contract.joint_damping),
        "default_joint_pos": line(contract.default_joint_pos),
        "command_names": "motion" if contract.command is None else contract.command.name,
        "observation_names": line([_BEYONDMIMIC_NAMES.get(term.name, term.name) for term in contract.observations]),
        "observation_history_lengths": line([max(term.history, 1) for term in contract.observations]),
        "action_scale": line(contract.action.scale),
        "anchor_body_name": contract.anchor_body_name,
        "body_names": line(contract.body_names),
        METADATA_KEY: contract.to_json(),
    }
