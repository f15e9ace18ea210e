# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How well an episode followed its clip: every metric with its unit, its definition and whose definition it is.

The field uses the same names for different things: PHC's local error removes the root's position, HoloMotion's also its
orientation; some call an episode a success that others do not. So each number here carries a name of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..motion.quaternion import quat_apply_inverse, quat_error_magnitude, yaw_quat
from .recording import Recording
from .summary import MetricInfo

PHC_DISTANCE = 0.5
"""Mean distance of the bodies from which PHC calls a frame lost [m] (PHC ``env/tasks/humanoid_im.py``)."""

SATURATION = 0.99
"""Share of a limit from which a torque or a speed counts as saturated [-]."""

GROUPS: dict[str, str] = {
    "legs": ".*_(hip|knee|ankle)_.*",
    "arms": ".*_(shoulder|elbow|wrist)_.*",
    "feet": ".*_ankle_roll_.*",
    "wrists": ".*_wrist_yaw_.*",
}
"""Body groups, by patterns of whole body names, of which the tracked ones count; feet are legs, wrists are arms too."""


@dataclass(frozen=True)
class JointLimits:
    """What a robot's motors can do."""

    effort: torch.Tensor
    """Largest torque of each joint [N m], shape (J,)."""

    speed: torch.Tensor
    """Largest speed of each joint [rad/s], shape (J,)."""


@dataclass(frozen=True)
class Metric(MetricInfo):
    """One number that is said of an episode, and how it is computed."""

    compute: Callable[[Recording, JointLimits | None], float | None]
    """From a recording and the robot's limits to the number; ``None`` where it is not defined."""


def measure(recording: Recording, limits: JointLimits | None = None) -> dict[str, float | None]:
    """Return every metric of an episode; ``None`` where it is not defined, e.g. for want of contacts.

    Args:
        recording: The episode; at least one instant.
        limits: Limits of the joints; saturations are ``None`` without.
    """
    return {name: metric.compute(recording, limits) for name, metric in METRICS.items()}


def measure_groups(recording: Recording) -> dict[str, dict[str, float]]:
    """Return the four position errors of each body group that is tracked [mm], aligned by all bodies."""
    groups: dict[str, dict[str, float]] = {}
    for group, pattern in GROUPS.items():
        columns = [i for i, name in enumerate(recording.body_names) if re.fullmatch(pattern, name)]
        if columns:
            groups[group] = {name: 1e3 * _mean(error(recording)[:, columns]) for name, error in _DISTANCES.items()}
    return groups


def error_curves(recording: Recording) -> dict[str, torch.Tensor]:
    """Return the mean distance of the bodies over time [mm], shape (T,), by metric."""
    names = "mpjpe_global", "mpjpe_local"
    return {name: 1e3 * _DISTANCES[name](recording).mean(dim=-1) for name in names}


"""
Distances of the bodies [m], shape (T, B).
"""


def global_distance(recording: Recording) -> torch.Tensor:
    """Return the distances of the bodies from the reference in the world [m], shape (T, B)."""
    robot, reference = _positions(recording)
    return (robot - reference).norm(dim=-1)


def local_distance(recording: Recording) -> torch.Tensor:
    """Return the distances once both roots are put at the origin [m], shape (T, B)."""
    robot, reference = (pos - pos[:, :1] for pos in _positions(recording))
    return (robot - reference).norm(dim=-1)


def rotated_distance(recording: Recording) -> torch.Tensor:
    """Return the distances once both are seen from their own root's frame [m], shape (T, B)."""
    seen = []
    for pos, frame in zip(_positions(recording), (recording.robot, recording.reference), strict=True):
        seen.append(quat_apply_inverse(frame.body_quat_w[:, :1].double(), pos - pos[:, :1]))
    return (seen[0] - seen[1]).norm(dim=-1)


def procrustes_distance(recording: Recording) -> torch.Tensor:
    """Return the distances once the robot is moved, turned and scaled onto the reference [m], shape (T, B).

    The best similarity of each frame, without reflection: Umeyama's solution, as in PHC's ``p_mpjpe``.
    """
    robot, reference = _positions(recording)
    center = reference.mean(dim=1, keepdim=True)
    robot, target = robot - robot.mean(dim=1, keepdim=True), reference - center
    left, size, right = torch.linalg.svd(robot.transpose(1, 2) @ target)
    sign = torch.ones_like(size)
    sign[:, -1] = torch.sign(torch.linalg.det(left @ right))
    turn = (left * sign[:, None]) @ right
    scale = (size * sign).sum(dim=-1) / robot.square().sum(dim=(1, 2)).clamp_min(1e-12)
    return (scale[:, None, None] * (robot @ turn) - target).norm(dim=-1)


_DISTANCES: dict[str, Callable[[Recording], torch.Tensor]] = {
    "mpjpe_global": global_distance,
    "mpjpe_local": local_distance,
    "mpjpe_local_rotated": rotated_distance,
    "mpjpe_procrustes": procrustes_distance,
}

"""
Numbers.
"""


def _success_phc(recording: Recording, _: JointLimits | None) -> float:
    near = bool((global_distance(recording).mean(dim=-1) < PHC_DISTANCE).all())
    return float(recording.completed and near)


def _progress(recording: Recording, _: JointLimits | None) -> float:
    if recording.completed:
        return 1.0
    # The instant at which it was lost was not followed.
    return (recording.steps - 1) / max(recording.clip_steps - recording.start, 1)


def _difference(recording: Recording, order: int) -> float | None:
    """Return the mean length of the error's differences over time, in SI units."""
    if recording.steps <= order:
        return None
    robot, reference = _positions(recording)
    return _mean((robot - reference).diff(n=order, dim=0).norm(dim=-1)) * recording.rate**order


def _joint_error(recording: Recording, _: JointLimits | None) -> float:
    return _mean((recording.robot.joint_pos - recording.reference.joint_pos).abs())


def _root(recording: Recording) -> torch.Tensor:
    robot, reference = _positions(recording)
    return robot[:, 0] - reference[:, 0]


def _root_yaw(recording: Recording, _: JointLimits | None) -> float:
    robot, reference = (frame.body_quat_w[:, 0].double() for frame in (recording.robot, recording.reference))
    return _mean(quat_error_magnitude(yaw_quat(robot), yaw_quat(reference)))


def _root_tilt(recording: Recording, _: JointLimits | None) -> float:
    down = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64)
    robot, reference = (
        quat_apply_inverse(frame.body_quat_w[:, 0].double(), down) for frame in (recording.robot, recording.reference)
    )
    cross = torch.linalg.cross(robot, reference).norm(dim=-1)
    return _mean(torch.atan2(cross, (robot * reference).sum(dim=-1)))


def _foot_slide(recording: Recording, _: JointLimits | None) -> float | None:
    if recording.contacts is None:
        return None
    feet = [recording.body_names.index(name) for name in recording.feet_names]
    speed = _positions(recording)[0][:, feet, :2].diff(dim=0).norm(dim=-1) * recording.rate
    standing = recording.contacts[1:] & recording.contacts[:-1]
    return _mean(speed[standing]) if bool(standing.any()) else None


def _contact_agreement(recording: Recording, _: JointLimits | None) -> float | None:
    if recording.contacts is None or recording.reference_contacts is None:
        return None
    return _mean(recording.contacts == recording.reference_contacts)


def _torque_saturation(recording: Recording, limits: JointLimits | None) -> float | None:
    return None if limits is None else _mean(recording.torques.abs() >= SATURATION * limits.effort)


def _speed_saturation(recording: Recording, limits: JointLimits | None) -> float | None:
    return None if limits is None else _mean(recording.robot.joint_vel.abs() >= SATURATION * limits.speed)


def _action_rate(recording: Recording, _: JointLimits | None) -> float | None:
    return _mean(recording.actions.diff(dim=0).abs()) if recording.steps > 1 else None


def _jerk(recording: Recording, _: JointLimits | None) -> float | None:
    if recording.steps <= 3:
        return None
    return _mean(_positions(recording)[0].diff(n=3, dim=0).norm(dim=-1)) * recording.rate**3


def _power(recording: Recording, _: JointLimits | None) -> float:
    return _mean((recording.torques * recording.robot.joint_vel).abs().sum(dim=-1))


def _positions(recording: Recording) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the bodies of robot and reference in double precision [m], each of shape (T, B, 3)."""
    return recording.robot.body_pos_w.double(), recording.reference.body_pos_w.double()


def _mean(values: torch.Tensor) -> float:
    return float(values.double().mean())


def _millimetres(name: str) -> Callable[[Recording, JointLimits | None], float]:
    return lambda recording, _: 1e3 * _mean(_DISTANCES[name](recording))


_BODIES = "Mean over the instants and the tracked bodies of the distance between robot and reference"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "success_terminations", "-",
            "1 if the clip was followed to its last frame and no termination of the task came first or with it.",
            "SONIC: not terminated before the last frame; the terminations are this task's (BeyondMimic's)",
            lambda recording, _: float(recording.completed), share=True,
        ),
        Metric(
            "success_phc", "-",
            f"1 if the clip was followed to its last frame and the mean distance of the tracked bodies from the"
            f" reference in the world is below {PHC_DISTANCE} m at every frame. The task's own terminations still end"
            " an episode, so it is at most what PHC, which has no others, would count.",
            "PHC: mean body < 0.5 m at every frame", _success_phc, share=True,
        ),
        Metric(
            "progress", "-",
            "Steps before the one that ended the episode, as a share of the clip's; 1 if it was followed to its end.",
            "SONIC progress_rate", _progress,
        ),
        Metric("mpjpe_global", "mm", f"{_BODIES}, in the world.", "PHC, SONIC, HoloMotion mpjpe_g",
               _millimetres("mpjpe_global")),
        Metric("mpjpe_local", "mm", f"{_BODIES}, after the root's position is taken from both.",
               "PHC, SONIC mpjpe_l (translation only)", _millimetres("mpjpe_local")),
        Metric("mpjpe_local_rotated", "mm",
               f"{_BODIES}, after both are expressed in their own root's frame: its position and its orientation.",
               "HoloMotion mpjpe_l (rotated)", _millimetres("mpjpe_local_rotated")),
        Metric("mpjpe_procrustes", "mm",
               f"{_BODIES}, after the similarity (rotation, translation and one scale, no reflection) that fits the"
               " robot best to the reference in each frame.", "PHC, SONIC mpjpe_pa", _millimetres("mpjpe_procrustes")),
        Metric("velocity_error", "m/s",
               "Mean length of the first difference over time of the bodies' position errors in the world, times the"
               " control rate; multiply by 1000 and divide by the rate for mm/frame.",
               "PHC, SONIC vel_dist, HoloMotion (there in mm/frame)", lambda recording, _: _difference(recording, 1)),
        Metric("acceleration_error", "m/s^2",
               "Mean length of the second difference over time of the bodies' position errors in the world, times the"
               " control rate squared; multiply by 1000 and divide by the rate squared for mm/frame^2.",
               "PHC, SONIC accel_dist, HoloMotion (there in mm/frame^2)",
               lambda recording, _: _difference(recording, 2)),
        Metric("joint_error", "rad", "Mean over the instants and the joints of the absolute error of the angle.",
               "HoloMotion whole-body joint error", _joint_error),
        Metric("root_position_error", "mm", "Mean distance of the root from the reference's in the world.",
               "HOVER, HoloMotion", lambda recording, _: 1e3 * _mean(_root(recording).norm(dim=-1))),
        Metric("root_height_error", "mm", "Mean absolute difference of the roots' heights.",
               "HoloMotion, HOVER", lambda recording, _: 1e3 * _mean(_root(recording)[:, 2].abs())),
        Metric("root_yaw_error", "rad", "Mean absolute difference of the roots' yaw angles.",
               "HoloMotion, HOVER", _root_yaw),
        Metric("root_tilt_error", "rad", "Mean angle between the directions of gravity in the roots' frames.",
               "HoloMotion", _root_tilt),
        Metric("foot_slide", "m/s",
               "Mean horizontal speed of the foot bodies' frames between two instants at both of which the foot"
               " touches the ground.", "own", _foot_slide),
        Metric("contact_agreement", "-",
               "Share of instants and feet at which the foot touches the ground exactly when the clip's label says so.",
               "own", _contact_agreement),
        Metric("torque_saturation", "-",
               f"Share of instants and joints whose torque is at least {SATURATION} of the joint's limit.",
               "own", _torque_saturation),
        Metric("speed_saturation", "-",
               f"Share of instants and joints whose speed is at least {SATURATION} of the motor's limit.",
               "own", _speed_saturation),
        Metric("action_rate", "-", "Mean absolute difference between one action and the next, over all its numbers.",
               "own; BeyondMimic's reward takes the sum of squares", _action_rate),
        Metric("jerk", "m/s^3",
               "Mean length of the third difference over time of the robot's body positions, times the control rate"
               " cubed.", "own; ProtoMotions counts windows of 0.4 s above a threshold instead", _jerk),
        Metric("power", "W", "Mean over the instants of the sum over the joints of |torque times speed|.",
               "own", _power),
    )
}  # fmt: skip
"""Every metric by its name."""
