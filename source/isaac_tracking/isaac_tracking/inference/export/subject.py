# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whom a policy is for and what it follows, clips or velocities, read from a running task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..policy_contract import CommandContract, PolicyError

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from ...tasks.tracking.mdp.commands import MotionCommand

MOTION, VELOCITY = "motion", "base_velocity"
"""Commands that a contract has words for, by their names in the tasks."""
HEIGHT_SCAN = "height_scan"
"""Function of the observation that looks at the ground."""
FALL = "base_contact"
"""Termination that says when a robot that follows velocities has fallen."""
_COMMAND = (
    "Speed forward [m/s], speed to the left [m/s] and turning rate to the left [rad/s] of the root body, along its own"
    " axes; three numbers that may change in every control step. The ranges are those of the training."
)


@dataclass(frozen=True)
class Subject:
    """The robot, and what the contract says about what it follows."""

    robot: Articulation
    model: tuple[str, str]
    """Folder and file of its MJCF in mjlab's asset zoo."""
    anchor_body_name: str
    """Body that places a reference; the root where there is none."""
    body_names: tuple[str, ...]
    """Bodies of the contract, the root first."""
    future_steps: tuple[int, ...]
    """Control steps at which the policy may look ahead."""
    self_collision: bool
    """Whether the robot's own bodies push each other away."""
    command: CommandContract | None
    """What it may be told to do; None if it follows clips."""


def subject_of(env: ManagerBasedRLEnv) -> Subject:
    """Return whom a task's policies are for.

    Raises:
        PolicyError: If the task follows something that a contract has no words for.
    """
    names = env.command_manager.active_terms
    if MOTION in names:
        motion: MotionCommand = env.command_manager.get_term(MOTION)
        return Subject(
            robot=motion.robot_asset,
            model=(motion.cfg.model[0], motion.cfg.model[1]),
            anchor_body_name=motion.cfg.anchor_body_name,
            body_names=tuple(motion.body_names),
            future_steps=tuple(getattr(motion.cfg, "future_steps", ())),
            self_collision=_self_collision(motion.robot_asset),
            command=None,
        )
    if VELOCITY not in names:
        raise PolicyError(
            f"a task with the commands {', '.join(names) or 'none'} cannot be exported; only '{MOTION}' and"
            f" '{VELOCITY}' can"
        )
    robot: Articulation = env.scene["robot"]
    command = _command(env, robot)
    root = robot.body_names[0]
    model = env.cfg.scene.robot.spawn.model
    # Bodies that the contract speaks of: the root, where falls are felt, and where the ground is looked at from.
    named = (*command.fall_body_names, *(scan_body(env, cfg) for cfg in scans(env)))
    return Subject(
        robot=robot,
        model=(model[0], model[1]),
        anchor_body_name=root,
        body_names=tuple(dict.fromkeys((root, *named))),
        future_steps=(),
        self_collision=_self_collision(robot),
        command=command,
    )


def _command(env: ManagerBasedRLEnv, robot: Articulation) -> CommandContract:
    """Return what a policy that follows velocities may be told to do."""
    ranges = env.command_manager.get_term(VELOCITY).cfg.ranges
    if FALL not in env.termination_manager.active_terms:
        raise PolicyError(f"a task without the termination '{FALL}' does not say when the robot has fallen; add it")
    params: dict[str, Any] = env.termination_manager.get_term_cfg(FALL).params
    entity, threshold = params["sensor_cfg"], params["threshold"]
    sensor, ids = env.scene.sensors[entity.name], entity.body_ids
    bodies = sensor.body_names[ids] if isinstance(ids, slice) else [sensor.body_names[int(index)] for index in ids]
    return CommandContract(
        name=VELOCITY,
        lin_vel_x=_pair(ranges.lin_vel_x),
        lin_vel_y=_pair(ranges.lin_vel_y),
        ang_vel_z=_pair(ranges.ang_vel_z),
        definition=_COMMAND,
        fall_body_names=tuple(name for name in robot.body_names if name in bodies),
        fall_force=float(threshold),
    )


def scans(env: ManagerBasedRLEnv) -> list[Any]:
    """Return the configs of the observations of the policy's group that look at the ground."""
    terms = vars(env.cfg.observations.policy).values()
    return [cfg for cfg in terms if getattr(getattr(cfg, "func", None), "__name__", None) == HEIGHT_SCAN]


def scan_body(env: ManagerBasedRLEnv, cfg: Any) -> str:
    """Return the body from which a term looks at the ground."""
    return env.scene.sensors[cfg.params["sensor_cfg"].name].cfg.prim_path.rsplit("/", 1)[-1]


def _self_collision(robot: Articulation) -> bool:
    """Return what the robot's spawn config says for Newton; it says the same for PhysX."""
    spawn: Any = robot.cfg.spawn
    said = [
        getattr(props, "self_collision_enabled", None) for group in spawn.articulation_props.values() for props in group
    ]
    return next((value for value in said if value is not None), True)


def _pair(values: Any) -> tuple[float, float]:
    return float(values[0]), float(values[1])
