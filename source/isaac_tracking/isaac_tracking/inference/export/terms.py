# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the policy's observations and actions mean, read from the managers of a running task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..policy_checks import AROUND_REFERENCE, SMOOTHED
from ..policy_contract import ActionContract, ObservationTerm, PolicyError
from .subject import HEIGHT_SCAN, scan_body

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .subject import Subject

_JOINTS, _ANCHOR, _ROOT, _POLICY = "joint space", "anchor body", "root body", "policy output"
_REFERENCE, _WORLD, _NONE = "root of the reference", "world", "none"
_LEVEL = "body, level, turned with its heading"
SCAN_OFFSET = 0.5
"""What it takes off unless told [m]: the default of Isaac Lab's ``height_scan``."""

_MEANINGS: dict[str, tuple[str, str]] = {
    "generated_commands": (
        _JOINTS,
        "joint angles [rad], then joint speeds [rad/s], of the reference's frame that is to be reached in this step:"
        " one frame ahead of the robot at an episode's start",
    ),
    "reference_anchor_pos_b": (
        _ANCHOR,
        "R(q_robot)^T (p_reference - p_robot) [m] of the anchor body's origins in the world, the reference's from the"
        " frame of the command",
    ),
    "reference_anchor_ori_b": (
        _ANCHOR,
        "first two columns of R(q_robot)^T R(q_reference) of the anchor body, row by row (m00, m01, m10, m11, m20,"
        " m21), the reference's from the frame of the command",
    ),
    "base_lin_vel": (
        _ROOT,
        "velocity [m/s] of the root body's centre of mass in the world, turned into the axes of the root body's frame",
    ),
    "base_ang_vel": (_ROOT, "angular velocity [rad/s] of the root body, in the axes of its frame: its gyroscope"),
    "joint_pos_rel": (_JOINTS, "joint angles minus default_joint_pos [rad]"),
    "joint_vel_rel": (_JOINTS, "joint speeds [rad/s]"),
    "last_action": (_POLICY, "previous output of the policy, before scale and offset; zeros at an episode's start"),
    "projected_gravity": (_ROOT, "R(q_robot)^T (0, 0, -1) [-] of the root body: minus the third row of its rotation"),
    "boot_indicator": (
        _NONE,
        "share of the start pose in the next physics step's joint targets, 1 at an episode's start and 0 after"
        " boot_steps: see the definition of the action",
    ),
    "future_root_pos": (
        _REFERENCE,
        "R(q_0)^T (p_k - p_0) [m] for each k of future_steps: positions and orientation of the reference's root, p_0"
        " and q_0 in the frame that is to be reached in this step, p_k k control steps later",
    ),
    "future_root_ori": (
        _ROOT,
        "first two columns of R(q_robot)^T R(q_k) of the root body, row by row (m00, m01, m10, m11, m20, m21), for each"
        " k of future_steps: q_k of the reference k control steps after the frame that is to be reached in this step",
    ),
    "future_joint_pos": (
        _JOINTS,
        "joint angles [rad] of the reference for each k of future_steps: all joints, k control steps after the frame"
        " that is to be reached in this step, before those of the next k",
    ),
    "future_joint_pos_error": (
        _JOINTS,
        "joint angles of the reference minus the robot's, as its encoders show them now [rad], for each k of"
        " future_steps: all joints, k control steps after the frame that is to be reached in this step, before those"
        " of the next k",
    ),
    "future_root_height": (
        _WORLD,
        "heights above the ground [m] of the reference's root for each k of future_steps, k control steps after the"
        " frame that is to be reached in this step",
    ),
    "future_gravity": (
        _REFERENCE,
        "R(q_k)^T (0, 0, -1) [-] for each k of future_steps: minus the third row of the rotation of the reference's"
        " root k control steps after the frame that is to be reached in this step",
    ),
}
"""Frame and definition by function; of another function, the first line of its docstring is the definition."""
_VELOCITY_MEANINGS: dict[str, tuple[str, str]] = {
    "generated_commands": (
        _ROOT,
        "the command: speed forward [m/s], speed to the left [m/s] and turning rate to the left [rad/s] that the root"
        " is to have, the speeds along its own axes",
    ),
    HEIGHT_SCAN: (
        _LEVEL,
        "height of the body's origin above the ground at each of points, less {offset} [m]: p_body.z - ground.z"
        " - {offset}, more over a hole",
    ),
}
"""The same of what means something else, or is there at all, where the policy follows velocities."""
_BEYOND_NOW = ("future_root_pos",)
"""Functions that leave out the first of the command's steps."""
_PATH = (
    "In each physics step: applied = smoothing * action + (1 - smoothing) * applied, from zeros at an episode's start;"
    " target = {origin} + scale * applied, clipped; joint target = b * start + (1 - b) * target, where start are the"
    " joint angles at the episode's start, clipped, and b = max(0, 1 - n / (boot_steps * decimation)) in the n-th"
    " physics step of the episode, n from 0 (b = 0 without boot_steps)"
)


def observation_terms(
    env: ManagerBasedRLEnv, groups: Sequence[str], training: Any, subject: Subject
) -> tuple[ObservationTerm, ...]:
    """Return the terms of the policy's input in order.

    Args:
        env: The task, running.
        groups: Groups of observations that make up the input.
        training: ``observations`` of the task's training config, for the noise, which an examination leaves out.
        subject: Whom the policy is for and what it follows.

    Raises:
        PolicyError: If a term does something that the contract cannot say.
    """
    terms: list[ObservationTerm] = []
    start = 0
    for group, name, cfg, size in _configs(env, groups):
        _need_plain(group, name, cfg)
        function = cfg.func.__name__
        frame, definition = _meaning(cfg, subject)
        terms.append(
            ObservationTerm(
                name=name,
                function=function,
                slice=(start, start + size),
                size=size,
                frame=frame,
                scale=_scale(cfg.scale),
                clip=(float(cfg.clip[0]), float(cfg.clip[1])) if cfg.clip else None,
                history=int(cfg.history_length),
                noise=_noise(getattr(training, group), name),
                definition=definition,
                joint_names=_joints(env, cfg, function, size, subject),
                body_names=(scan_body(env, cfg),) if function == HEIGHT_SCAN else _bodies(frame, subject),
                future_steps=_future_steps(function, subject),
                points=scan_points(env, cfg) if function == HEIGHT_SCAN else None,
                scan_offset=float(cfg.params.get("offset", SCAN_OFFSET)) if function == HEIGHT_SCAN else None,
            )
        )
        start += size
    return tuple(terms)


def action_contract(env: ManagerBasedRLEnv) -> ActionContract:
    """Return what the policy's output means.

    Raises:
        PolicyError: If the task has other actions than joint positions.
    """
    from isaaclab.envs.mdp.actions.joint_actions import JointPositionAction

    from ...tasks.tracking.mdp.actions import ReferenceJointPositionAction
    from ...tasks.tracking.mdp.delayed_action import DelayedJointPositionAction, DelayedReferenceJointPositionAction

    kinds = {
        JointPositionAction: "joint_position",
        ReferenceJointPositionAction: "reference_joint_position",
        DelayedJointPositionAction: "smoothed_joint_position",
        DelayedReferenceJointPositionAction: "smoothed_reference_joint_position",
    }
    names = env.action_manager.active_terms
    terms = [env.action_manager.get_term(name) for name in names]
    if len(terms) != 1 or type(terms[0]) not in kinds:
        found = ", ".join(f"{name} ({type(term).__name__})" for name, term in zip(names, terms, strict=True))
        raise PolicyError(f"a policy with the actions {found} cannot be exported; only joint positions can")
    (term,) = terms
    kind: str = kinds[type(term)]
    path: dict[str, Any] = {}
    if kind in SMOOTHED:
        origin = "the reference's joint angles (of the frame to be reached)" if kind in AROUND_REFERENCE else "offset"
        path = {"smoothing": _middle(term.cfg.smoothing), "boot_steps": term.cfg.boot_steps}
        path["definition"] = _PATH.format(origin=origin)
        if path["smoothing"] == 1.0 and path["boot_steps"] == 0:
            # Without these two, and without the delay, which belongs to the simulated robot, it is a plain one.
            kind, path = kind.removeprefix("smoothed_"), {}
    joints = tuple(term._joint_names)
    return ActionContract(
        kind=kind,
        joint_names=joints,
        scale=_row(term._scale, len(joints)),
        offset=None if kind in AROUND_REFERENCE else _row(term._offset, len(joints)),
        clip=None if term.cfg.clip is None else pairs(term._clip[0]),
        **path,
    )


def _middle(given: float | tuple[float, float]) -> float:
    """Return a number, or the middle of a range that is drawn from in training."""
    return float(given) if isinstance(given, (int, float)) else 0.5 * (given[0] + given[1])


def numbers(values: torch.Tensor) -> tuple[float, ...]:
    """Return float32 numbers as the shortest decimals that are read back as the same float32."""
    return tuple(float(str(value)) for value in values.detach().cpu().numpy().astype(np.float32))


def pairs(values: torch.Tensor) -> tuple[tuple[float, float], ...]:
    """Return pairs of numbers, shape (n, 2)."""
    low, high = (numbers(column) for column in values.unbind(dim=-1))
    return tuple(zip(low, high, strict=True))


def _configs(env: ManagerBasedRLEnv, groups: Sequence[str]) -> Iterator[tuple[str, str, Any, int]]:
    manager = env.observation_manager
    for group in groups:
        for name, shape in zip(manager.active_terms[group], manager.group_obs_term_dim[group], strict=True):
            yield group, name, getattr(getattr(env.cfg.observations, group), name), int(np.prod(shape))


def _need_plain(group: str, name: str, cfg: Any) -> None:
    """Refuse a term that the contract has no words for."""
    for what, used in (
        ("modifiers", cfg.modifiers is not None),
        ("a delay", cfg.delay_max_lag > 0),
        ("a history that is not flattened", cfg.history_length > 0 and not cfg.flatten_history_dim),
    ):
        if used:
            raise PolicyError(f"observation '{name}' of group '{group}' has {what}, which cannot be exported")


def _scale(scale: Any) -> float | tuple[float, ...] | None:
    if scale is None:
        return None
    values = torch.as_tensor(scale)
    return numbers(values.reshape(1))[0] if values.ndim == 0 else numbers(values)


def _noise(group: Any, name: str) -> dict[str, Any] | None:
    """Return the noise of training."""
    cfg = getattr(getattr(group, name, None), "noise", None)
    if cfg is None or not group.enable_corruption:
        return None
    kind = type(cfg).__name__.removesuffix("Cfg").removesuffix("Noise").lower()
    renamed = {"n_min": "low", "n_max": "high"}
    values: dict[Any, Any] = {}
    for key, value in vars(cfg).items():
        if isinstance(value, (int, float, str)) and key != "func":
            values[renamed.get(key, key)] = value
    return {"kind": kind, **values}


def scan_points(env: ManagerBasedRLEnv, cfg: Any) -> tuple[tuple[float, float], ...]:
    """Return where a height scan looks at the ground: x and y from its body, level and turned with its heading [m].

    Args:
        env: The task, running.
        cfg: Config of the observation.

    Raises:
        PolicyError: If its rays do not fall straight down from points that only turn with the heading.
    """
    sensor = env.scene.sensors[cfg.params["sensor_cfg"].name]
    starts, directions = sensor.cfg.pattern_cfg.func(sensor.cfg.pattern_cfg, "cpu")
    turned = tuple(sensor.cfg.offset.rot) != (0.0, 0.0, 0.0, 1.0)
    if sensor.cfg.ray_alignment != "yaw" or turned or bool((directions[:, :2] != 0.0).any()):
        raise PolicyError(
            f"sensor '{cfg.params['sensor_cfg'].name}' looks elsewhere than straight down, level and turned with the"
            " heading, which the contract has no words for; set its ray_alignment to 'yaw'"
        )
    return pairs(starts[:, :2] + starts.new_tensor(sensor.cfg.offset.pos[:2]))


def _meaning(cfg: Any, subject: Subject) -> tuple[str, str]:
    """Return the frame and the definition of a term."""
    name = cfg.func.__name__
    if subject.command is not None and name in _VELOCITY_MEANINGS:
        frame, definition = _VELOCITY_MEANINGS[name]
        return frame, definition.format(offset=cfg.params.get("offset", SCAN_OFFSET))
    return _MEANINGS.get(name, ("see definition", (cfg.func.__doc__ or name).split("\n")[0]))


def _joints(env: ManagerBasedRLEnv, cfg: Any, function: str, size: int, subject: Subject) -> tuple[str, ...] | None:
    """Return the joints of a term's values, where it has some."""
    names = tuple(subject.robot.joint_names)
    if function == "generated_commands" and subject.command is not None:
        return None
    if function in ("generated_commands", "future_joint_pos", "future_joint_pos_error"):
        return names
    if function == "last_action":
        return tuple(env.action_manager.get_term(env.action_manager.active_terms[0])._joint_names)
    if not function.startswith("joint_"):
        return None
    entity = cfg.params.get("asset_cfg")
    ids = slice(None) if entity is None else entity.joint_ids
    chosen = names[ids] if isinstance(ids, slice) else tuple(names[int(index)] for index in ids)
    if size != len(chosen) * max(cfg.history_length, 1):
        raise PolicyError(
            f"observation '{function}' has {size} values for {len(chosen)} joints, which cannot be exported"
        )
    return chosen


def _bodies(frame: str, subject: Subject) -> tuple[str, ...] | None:
    root = subject.body_names[0]
    names = {_ANCHOR: subject.anchor_body_name, _ROOT: root, _REFERENCE: root, _WORLD: root}
    return (names[frame],) if frame in names else None


def _future_steps(function: str, subject: Subject) -> tuple[int, ...] | None:
    """Return the control steps at which a term looks ahead."""
    if not function.startswith("future_"):
        return None
    return subject.future_steps[function in _BEYOND_NOW :]


def _row(values: Any, count: int) -> tuple[float, ...]:
    """Return the numbers of the first environment, or one number for all joints."""
    if isinstance(values, torch.Tensor):
        return numbers(values[0])
    return (float(values),) * count
