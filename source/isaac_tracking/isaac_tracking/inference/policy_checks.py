# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What makes a policy's contract unusable, said in one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from ..learning.runs import RunError

if TYPE_CHECKING:
    from .policy_contract import PolicyContract


FORMAT = "isaac_tracking.policy"
"""What the contract says it is."""
VERSION = 1
"""Version of the contract that is written and read here."""
AROUND_REFERENCE = ("reference_joint_position", "smoothed_reference_joint_position")
"""Kinds that add the reference's joint angles in place of the offset."""
SMOOTHED = ("smoothed_joint_position", "smoothed_reference_joint_position")
"""Kinds that take a moving average of the action over the physics steps and begin gently (``smoothing``,
``boot_steps``)."""
ACTION_KINDS = ("joint_position", "reference_joint_position", *SMOOTHED)
"""``target = offset + scale * action``, but for what :data:`AROUND_REFERENCE` and :data:`SMOOTHED` do otherwise."""

_PER_JOINT = (
    "default_joint_pos", "joint_pos_limits", "soft_joint_pos_limits", "joint_stiffness", "joint_damping",
    "joint_armature", "joint_effort_limits", "joint_velocity_limits",
)  # fmt: skip
_KINDS: dict[str, type | tuple[type, ...]] = {
    "task": str, "engine": str, "commit": str, "checkpoint": str, "iteration": int, "isaaclab": str, "robot": str,
    "robot_mass": (int, float), "model": list, "control_rate": (int, float), "physics_rate": (int, float),
    "decimation": int, "quaternion_order": str, "units": str, "joint_names": list, **dict.fromkeys(_PER_JOINT, list),
    "anchor_body_name": str, "body_names": list, "action": dict, "observations": list, "input": dict, "output": dict,
    "motion": dict,
}  # fmt: skip


class PolicyError(RunError):
    """An exported policy that cannot be used, in one line."""


def check_format(values: Any, source: str) -> None:
    """Refuse what is no contract, or one of another version.

    Raises:
        PolicyError: If it is.
    """
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        said = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise PolicyError(f"policy '{source}': the contract's format is '{said}', not '{FORMAT}'; export it again")
    if values.get("version") != VERSION:
        raise PolicyError(
            f"policy '{source}': the contract has version {values.get('version')}, but {VERSION} is read here;"
            " export it again with this version"
        )


def check_kinds(values: Mapping[str, Any], source: str) -> None:
    """Refuse a contract that lacks something, or holds something of another kind.

    Raises:
        PolicyError: If it does.
    """
    missing = [key for key in _KINDS if key not in values]
    if missing:
        raise PolicyError(f"policy '{source}': the contract lacks {', '.join(missing)}; export it again")
    for key, kind in _KINDS.items():
        if not isinstance(values[key], kind) or isinstance(values[key], bool):
            raise PolicyError(f"policy '{source}': '{key}' of the contract is {values[key]!r:.60}; export it again")
    if values["quaternion_order"] != "xyzw":
        raise PolicyError(
            f"policy '{source}': quaternions are '{values['quaternion_order']}', not 'xyzw'; export it again"
        )


def check_sizes(contract: PolicyContract, source: str) -> None:
    """Refuse a contract whose parts do not add up.

    Raises:
        PolicyError: If they do not.
    """

    def refuse(what: str) -> NoReturn:
        raise PolicyError(f"policy '{source}': {what}; export it again")

    joints = len(contract.joint_names)
    for key, names in (("joint_names", contract.joint_names), ("body_names", contract.body_names)):
        if not names or len(set(names)) != len(names):
            refuse(f"'{key}' is empty or names something twice")
    for key in _PER_JOINT:
        rows = getattr(contract, key)
        if len(rows) != joints:
            refuse(f"'{key}' has {len(rows)} values for {joints} joints")
        if not all(math.isfinite(value) for row in rows for value in (row if isinstance(row, tuple) else (row,))):
            refuse(f"'{key}' has a value that is not finite")
    if not isinstance(contract.self_collision, bool):
        refuse(f"'self_collision' is {contract.self_collision!r:.20}, neither true nor false")
    if contract.anchor_body_name not in contract.body_names:
        refuse(f"anchor '{contract.anchor_body_name}' is not one of the tracked bodies")
    if not math.isclose(contract.control_rate * contract.decimation, contract.physics_rate, rel_tol=1e-9):
        refuse(f"{contract.control_rate} Hz of {contract.decimation} steps each are not {contract.physics_rate} Hz")
    for key, value in (("input", contract.input), ("output", contract.output)):
        if not isinstance(value.get("name"), str) or not value.get("shape"):
            refuse(f"'{key}' has no name or no shape")
    memory = contract.memory
    if memory is not None and not all(memory.get(key) for key in ("input", "output", "shape")):
        refuse(f"'memory' is {dict(memory)}, without an input, an output or a shape")
    _check_command(contract, refuse)
    _check_action(contract, refuse)
    _check_observations(contract, refuse)


def _check_command(contract: PolicyContract, refuse: Callable[[str], NoReturn]) -> None:
    command = contract.command
    if command is None:
        return
    for key, bounds in zip(("lin_vel_x", "lin_vel_y", "ang_vel_z"), command.ranges, strict=True):
        if len(bounds) != 2 or not all(math.isfinite(bound) for bound in bounds) or bounds[0] > bounds[1]:
            refuse(f"the command's {key} is {bounds}, which is no range")
    unknown = [name for name in command.fall_body_names if name not in contract.body_names]
    if unknown:
        refuse(f"the command's fall_body_names speak of '{unknown[0]}', which the contract does not name")
    if not math.isfinite(command.fall_force) or command.fall_force < 0.0:
        refuse(f"the command's fall_force is {command.fall_force}, not 0 or more")
    if contract.action.kind in AROUND_REFERENCE:
        refuse(f"an action of kind '{contract.action.kind}' needs a clip, but the policy follows velocities")


def _check_action(contract: PolicyContract, refuse: Callable[[str], NoReturn]) -> None:
    action = contract.action
    if action.kind not in ACTION_KINDS:
        refuse(f"action kind '{action.kind}' is unknown, not one of {', '.join(ACTION_KINDS)}")
    unknown = [name for name in action.joint_names if name not in contract.joint_names]
    if unknown or len(set(action.joint_names)) != len(action.joint_names):
        refuse(f"the action's joint names are not the robot's ({unknown or 'one twice'})")
    for key in ("scale", "offset", "clip"):
        values = getattr(action, key)
        if values is not None and len(values) != contract.num_actions:
            refuse(f"the action's {key} has {len(values)} values for {contract.num_actions} joints")
    if (action.offset is None) != (action.kind in AROUND_REFERENCE):
        refuse(f"an action of kind '{action.kind}' {'lacks an' if action.offset is None else 'has an'} offset")
    if action.kind in SMOOTHED:
        if action.smoothing is None or not 0.0 < action.smoothing <= 1.0:
            refuse(f"the action's smoothing is {action.smoothing}, not within (0, 1]")
        if not isinstance(action.boot_steps, int) or action.boot_steps < 0:
            refuse(f"the action's boot_steps are {action.boot_steps}, not 0 or more")
    elif action.smoothing is not None or action.boot_steps is not None:
        refuse(f"an action of kind '{action.kind}' has smoothing or boot_steps")
    if contract.output["shape"][-1] != contract.num_actions:
        refuse(f"the output has {contract.output['shape'][-1]} values for {contract.num_actions} actions")


def _check_observations(contract: PolicyContract, refuse: Callable[[str], NoReturn]) -> None:
    start = 0
    for term in contract.observations:
        if term.slice != (start, start + term.size):
            refuse(f"observation '{term.name}' of {term.size} values lies at {term.slice}, but should start at {start}")
        unknown = [name for name in term.joint_names or () if name not in contract.joint_names]
        unknown += [name for name in term.body_names or () if name not in contract.body_names]
        ahead = (0,) if term.future_steps is None else term.future_steps
        if not ahead or not all(isinstance(step, int) and step >= 0 for step in ahead):
            refuse(f"observation '{term.name}' looks at the steps {ahead}, which are not numbers from 0")
        values = term.size // max(term.history, 1)
        pairs = term.points is None or all(len(point) == 2 for point in term.points)
        whole = term.scan_offset is not None and len(term.body_names or ()) == 1
        if term.points is not None and (len(term.points) != values or not pairs or not whole):
            refuse(
                f"observation '{term.name}' has {values} values for {len(term.points)} points, or lacks its offset or"
                " its body"
            )
        if unknown:
            refuse(f"observation '{term.name}' speaks of '{unknown[0]}', which the contract does not name")
        start += term.size
    if contract.input["shape"][-1] != start:
        refuse(f"the observations have {start} values, the input {contract.input['shape'][-1]}")
