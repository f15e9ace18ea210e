# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What an exported policy says about itself: all that is needed to run it without Isaac Lab.

The contract lies as JSON in the metadata of the ONNX file, under :data:`METADATA_KEY`, and beside it as
``policy.json``. It is written by :mod:`.export` and read here, with nothing but onnxruntime and the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .policy_checks import ACTION_KINDS, FORMAT, VERSION, PolicyError, check_format, check_kinds, check_sizes
from .policy_parts import ActionContract, CommandContract, ObservationTerm

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = [
    "ACTION_KINDS", "FORMAT", "METADATA_KEY", "VERSION", "ActionContract", "CommandContract", "ObservationTerm",
    "PolicyContract", "PolicyError", "check_joints", "load_policy", "open_session", "parse_contract", "read_contract",
]  # fmt: skip

METADATA_KEY = "isaac_tracking"
"""Key of the contract in the ONNX metadata."""


@dataclass(frozen=True)
class PolicyContract:
    """All that is needed to run a policy. Quaternions are xyzw; every list of joints follows ``joint_names``."""

    task: str
    engine: str
    """Physics engine of the task as configured: ``"newton_mjwarp"``, ``"isaacsim_physx"`` or ``"ovphysx"``."""
    commit: str
    checkpoint: str
    iteration: int
    isaaclab: str
    robot: str
    robot_mass: float
    """Mass of all bodies [kg], nothing randomized."""
    model: tuple[str, str]
    """Folder and file of the robot's MJCF in mjlab's asset zoo."""
    control_rate: float
    """Actions per second [Hz]."""
    physics_rate: float
    """Steps of the physics per second [Hz]."""
    decimation: int
    """Steps of the physics per action."""
    quaternion_order: str
    units: str
    joint_names: tuple[str, ...]
    default_joint_pos: tuple[float, ...]
    """Nominal default pose [rad]."""
    joint_pos_limits: tuple[tuple[float, float], ...]
    """Range of each joint [rad]."""
    soft_joint_pos_limits: tuple[tuple[float, float], ...]
    """Range that the training rewards each joint to stay in [rad]."""
    joint_stiffness: tuple[float, ...]
    """[N m/rad]"""
    joint_damping: tuple[float, ...]
    """[N m s/rad]"""
    joint_armature: tuple[float, ...]
    """[kg m^2]"""
    joint_effort_limits: tuple[float, ...]
    """[N m]"""
    joint_velocity_limits: tuple[float, ...]
    """[rad/s]"""
    anchor_body_name: str
    """Body that places the reference; the root of a policy that follows velocities."""
    body_names: tuple[str, ...]
    """Tracked bodies, or, of a policy that follows velocities, those that the contract speaks of; the first is the
    root."""
    action: ActionContract
    observations: tuple[ObservationTerm, ...]
    input: Mapping[str, Any]
    """``name`` and ``shape`` of the graph's input."""
    output: Mapping[str, Any]
    """``name`` and ``shape`` of the graph's output."""
    motion: Mapping[str, Any]
    """Clips that it was trained on: ``clips`` (names) and ``hashes``; empty if it follows velocities."""
    self_collision: bool = True
    """Whether the robot's own bodies push each other away."""
    command: CommandContract | None = None
    """What it may be told to do; None if it follows clips."""
    memory: Mapping[str, Any] | None = None
    """What it remembers from one control step to the next: names of the graph's ``input`` and ``output`` for it, and
    their ``shape``; zeros at an episode's start. None for a policy that remembers nothing."""

    @property
    def num_observations(self) -> int:
        """Number of values of the input."""
        return sum(term.size for term in self.observations)

    @property
    def num_actions(self) -> int:
        """Number of values of the output."""
        return len(self.action.joint_names)

    def to_json(self) -> str:
        """Return the contract as JSON; numbers are written so that they are read back exactly."""
        values = {"format": FORMAT, "version": VERSION, **asdict(self)}
        values |= {"action": _said(self.action), "observations": [_said(term) for term in self.observations]}
        said = {key: value for key, value in values.items() if value is not None}
        return json.dumps(said, indent=1, allow_nan=False)


_WRITTEN_NONE = ("scale", "offset", "clip", "noise")


def _said(part: ActionContract | ObservationTerm) -> dict[str, Any]:
    """Return a part of the contract without what it has nothing to say about."""
    return {key: value for key, value in asdict(part).items() if value is not None or key in _WRITTEN_NONE}


def load_policy(path: Path | str) -> tuple[PolicyContract, InferenceSession]:
    """Load an exported policy: what it says about itself, and a session on one core that runs it.

    Raises:
        PolicyError: If the file is no ONNX file, has no contract, or one that cannot be used.
    """
    session = open_session(Path(path))
    return _contract_of(session, Path(path)), session


def read_contract(path: Path | str) -> PolicyContract:
    """Read the contract of an exported policy, from ``policy.onnx`` or from ``policy.json`` beside it.

    Raises:
        PolicyError: If there is no contract in the file, or one that cannot be used.
    """
    path = Path(path)
    if path.suffix == ".json":
        try:
            return parse_contract(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(
                f"policy '{path}' cannot be read ({error}); give a policy.onnx or its policy.json"
            ) from error
    return load_policy(path)[0]


def parse_contract(text: str, source: str) -> PolicyContract:
    """Read a contract from JSON.

    Args:
        text: The JSON.
        source: Where it is from, for messages.

    Raises:
        PolicyError: If it is no contract, of another version, lacks something, or contradicts itself.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"policy '{source}': the contract is no JSON ({error}); export the policy again") from error
    check_format(values, source)
    check_kinds(values, source)
    try:
        contract = _build(values)
        check_sizes(contract, source)
    except PolicyError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        detail = " ".join(str(error).split())[:160]
        raise PolicyError(f"policy '{source}': the contract is damaged ({detail}); export the policy again") from error
    return contract


def check_joints(contract: PolicyContract, joint_names: Sequence[str], robot: str) -> None:
    """Refuse a policy whose joints are not a robot's, in the robot's order.

    Args:
        contract: Contract of the policy.
        joint_names: Joints of the robot in its own order.
        robot: Name of the robot, for the message.

    Raises:
        PolicyError: If a joint is unknown or missing, or the order differs.
    """
    unknown = [name for name in contract.joint_names if name not in joint_names]
    if unknown:
        raise PolicyError(
            f"policy of '{contract.robot}': joint '{unknown[0]}' is unknown to {robot}; take its own policy"
        )
    missing = [name for name in joint_names if name not in contract.joint_names]
    if missing:
        raise PolicyError(f"policy of '{contract.robot}' lacks joint '{missing[0]}' of {robot}; take its own policy")
    for index, (ours, theirs) in enumerate(zip(contract.joint_names, joint_names, strict=True)):
        if ours != theirs:
            raise PolicyError(
                f"policy of '{contract.robot}': joint {index} is '{ours}', but '{theirs}' in {robot}'s order;"
                " export the policy again"
            )


def open_session(path: Path) -> InferenceSession:
    """Open an ONNX file on one core, whatever it says about itself.

    Raises:
        PolicyError: If the file is no ONNX file.
    """
    if not path.is_file():
        raise PolicyError(f"policy '{path}' does not exist; make one with scripts/export.py")
    # Heavy.
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    faults = onnxruntime.capi.onnxruntime_pybind11_state
    refused = (faults.Fail, faults.InvalidProtobuf, faults.InvalidGraph, faults.InvalidArgument, faults.NotImplemented,
               faults.NoSuchFile, faults.RuntimeException)  # fmt: skip
    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except refused as error:
        detail = " ".join(str(error).split())[:120]
        raise PolicyError(f"policy '{path}' is no ONNX file that can be run ({detail}); export it again") from error


def _contract_of(session: InferenceSession, path: Path) -> PolicyContract:
    metadata = session.get_modelmeta().custom_metadata_map
    if METADATA_KEY not in metadata:
        raise PolicyError(
            f"policy '{path}' has no contract of Isaac Tracking in its metadata; export it with scripts/export.py"
        )
    contract = parse_contract(metadata[METADATA_KEY], str(path))
    _check_graph(contract, session, path)
    # BeyondMimic's keys say the same once more: whoever changed one of the two did not change both.
    for key, names in (("joint_names", contract.joint_names), ("body_names", contract.body_names)):
        written = tuple(metadata[key].split(",")) if key in metadata else names
        if written != tuple(names):
            index = next((i for i, pair in enumerate(zip(written, names, strict=False)) if pair[0] != pair[1]), -1)
            raise PolicyError(
                f"policy '{path}': '{key}' of its metadata and of its contract differ at {index}"
                f" ('{written[index]}', '{names[index]}'); export it again"
            )
    return contract


def _check_graph(contract: PolicyContract, session: InferenceSession, path: Path) -> None:
    if contract.input["name"] in [value.name for value in session.get_outputs()]:
        raise PolicyError(f"policy '{path}' computes its observations itself; give the policy.onnx beside it")
    memory = contract.memory
    pairs = [(session.get_inputs(), contract.input), (session.get_outputs(), contract.output)]
    if memory is not None:
        pairs += [(session.get_inputs(), {"name": memory["input"], "shape": memory["shape"]})]
        pairs += [(session.get_outputs(), {"name": memory["output"], "shape": memory["shape"]})]
    for values, said in pairs:
        shapes = {value.name: value.shape for value in values}
        name, size = said["name"], said["shape"][-1]
        if name not in shapes or shapes[name][-1] != size:
            raise PolicyError(
                f"policy '{path}': the graph has {shapes}, but its contract says '{name}' of {size} values;"
                " export it again"
            )


def _build(values: Mapping[str, Any]) -> PolicyContract:
    """Turn JSON's lists into tuples."""
    known = {field.name for field in fields(PolicyContract)}
    plain = {key: _frozen(value) for key, value in values.items() if key in known}
    plain["action"] = ActionContract(**{key: _frozen(value) for key, value in values["action"].items()})
    if plain.get("command") is not None:
        plain["command"] = CommandContract(**{key: _frozen(value) for key, value in values["command"].items()})
    plain["observations"] = tuple(
        ObservationTerm(**{key: _frozen(value) for key, value in term.items()}) for term in values["observations"]
    )
    return PolicyContract(**plain)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
