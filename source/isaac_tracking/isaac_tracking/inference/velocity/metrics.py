# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How well an episode followed its commanded velocity, and what it cost: every metric with unit and definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..summary import MetricInfo
from .recording import VelocityRecording

GRAVITY = 9.81
"""Gravity, as the simulators have it [m/s^2]."""

REWARD_STD = 0.5
"""Width of the kernels [m/s, rad/s], that of Isaac Lab's velocity tasks (``std=math.sqrt(0.25)``)."""

LEAST_SPEED = 0.1
"""Speed along the command below which a cost of transport says nothing [m/s]."""


@dataclass(frozen=True)
class Metric(MetricInfo):
    """One number that is said of an episode, and how it is computed."""

    compute: Callable[[VelocityRecording], float | None]
    """From a recording to the number; ``None`` where it is not defined."""


def measure(recording: VelocityRecording) -> dict[str, float | None]:
    """Return every metric of an episode of at least one instant; ``None`` where it is not defined."""
    return {name: metric.compute(recording) for name, metric in METRICS.items()}


def command_errors(recording: VelocityRecording) -> torch.Tensor:
    """Return actual less commanded velocity: x and y [m/s] and yaw rate [rad/s], shape (T, 3)."""
    actual = torch.cat((recording.lin_vel_b[:, :2], recording.ang_vel_b[:, 2:]), dim=-1).double()
    return actual - torch.tensor(recording.command, dtype=torch.float64)


def _mean_error(axis: int) -> Callable[[VelocityRecording], float]:
    return lambda recording: _mean(command_errors(recording)[:, axis].abs())


def _rms_error(axis: int) -> Callable[[VelocityRecording], float]:
    return lambda recording: _mean(command_errors(recording)[:, axis].square()) ** 0.5


def _linear_kernel(recording: VelocityRecording) -> float:
    return _mean(torch.exp(-command_errors(recording)[:, :2].square().sum(dim=-1) / REWARD_STD**2))


def _yaw_kernel(recording: VelocityRecording) -> float:
    return _mean(torch.exp(-command_errors(recording)[:, 2].square() / REWARD_STD**2))


def _distance(recording: VelocityRecording) -> float:
    return float(recording.root_pos_w[:, :2].double().diff(dim=0).norm(dim=-1).sum())


def _speed_along(recording: VelocityRecording) -> float | None:
    command = recording.command
    if command.direction in ("stand", "turn left", "turn right"):
        return None
    unit = torch.tensor(command[:2], dtype=torch.float64) / command.speed
    return _mean(recording.lin_vel_b[:, :2].double() @ unit)


def _power(recording: VelocityRecording) -> float:
    return _mean((recording.torques.double() * recording.joint_vel.double()).abs().sum(dim=-1))


def _cost_of_transport(recording: VelocityRecording) -> float | None:
    speed = _speed_along(recording)
    if speed is None or speed < LEAST_SPEED:
        return None
    return _power(recording) / (recording.mass * GRAVITY * speed)


def _passed(recording: VelocityRecording) -> float | None:
    if recording.level is None or not recording.command.is_straight:
        return None
    if recording.fell:
        return 0.0
    moved = float((recording.root_pos_w[-1, :2] - recording.root_pos_w[0, :2]).double().norm())
    due = recording.command.speed * recording.max_steps / recording.rate
    return float(recording.left_tile or moved >= due / 2)


def _mean(values: torch.Tensor) -> float:
    return float(values.double().mean())


_ERROR = "over the instants of the error of the base's velocity, in its own frame, against the command"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("fall", "-",
               "1 if a termination of the task ended the episode that is neither the end of the time nor that of the"
               " ground.", "own; the terminations are the task's (Isaac Lab's)",
               lambda recording: float(recording.fell), share=True),
        Metric("error_x", "m/s", f"Mean absolute value {_ERROR}, forward.", "own", _mean_error(0)),
        Metric("error_y", "m/s", f"Mean absolute value {_ERROR}, to the left.", "own", _mean_error(1)),
        Metric("error_yaw", "rad/s", f"Mean absolute value {_ERROR}: rate of turning.",
               "Isaac Lab Metrics/base_velocity/error_vel_yaw", _mean_error(2)),
        Metric("rms_x", "m/s", f"Root of the mean square {_ERROR}, forward.", "own", _rms_error(0)),
        Metric("rms_y", "m/s", f"Root of the mean square {_ERROR}, to the left.", "own", _rms_error(1)),
        Metric("rms_yaw", "rad/s", f"Root of the mean square {_ERROR}: rate of turning.", "own", _rms_error(2)),
        Metric("linear_tracking", "-",
               f"Mean over the instants of exp(-e^2 / {REWARD_STD**2:g}), e the length of the error of the linear"
               " velocity in x and y [m/s]; 1 is perfect.",
               "Isaac Lab's reward track_lin_vel_xy_exp without its weight", _linear_kernel),
        Metric("yaw_tracking", "-",
               f"Mean over the instants of exp(-e^2 / {REWARD_STD**2:g}), e the error of the yaw rate [rad/s].",
               "Isaac Lab's reward track_ang_vel_z_exp without its weight", _yaw_kernel),
        Metric("distance", "m",
               "Length of the base's horizontal path from the first instant to the last; swaying counts.",
               "own", _distance),
        Metric("speed_along", "m/s",
               "Mean over the instants of the linear velocity along the commanded direction; null without one.",
               "own", _speed_along),
        Metric("power", "W", "Mean over the instants of the sum over the joints of |torque times speed|.",
               "own", _power),
        Metric("cost_of_transport", "-",
               f"power / (mass times {GRAVITY} m/s^2 times speed_along); null where speed_along is below"
               f" {LEAST_SPEED} m/s, or there is none.",
               "the usual one, with mechanical power that is not given back", _cost_of_transport),
        Metric("passed", "-",
               "1 if the robot did not fall, and walked off its piece of ground or moved by at least half of what was"
               " commanded for the whole time; null on a plane, and for commands that turn or do not move.",
               "what keeps a robot from being put on easier ground by Isaac Lab's terrain_levels_vel", _passed,
               share=True),
    )
}  # fmt: skip
"""Every metric by its name."""
