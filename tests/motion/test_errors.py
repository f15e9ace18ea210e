# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Errors between two frames, against values found by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from isaac_tracking.motion.errors import relative_reference, tracking_errors
from isaac_tracking.motion.frame import MotionFrame
from isaac_tracking.motion.quaternion import quat_apply, quat_from_axis_angle, quat_mul

ANCHOR = 1
Frames = Callable[..., MotionFrame]


def resting(num: int = 1, bodies: int = 3) -> MotionFrame:
    """Upright bodies at x = 0, 1, 2 and a height of one metre."""
    pos = torch.zeros(num, bodies, 3)
    pos[..., 0], pos[..., 2] = torch.arange(bodies), 1.0
    quat = torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(num, bodies, 1)
    return MotionFrame(
        torch.zeros(num, 4), torch.zeros(num, 4), pos, quat, torch.zeros_like(pos), torch.zeros_like(pos)
    )


def about(axis: str, angle: float) -> torch.Tensor:
    vector = torch.zeros(3)
    vector["xyz".index(axis)] = angle
    return quat_from_axis_angle(vector)


def moved(frame: MotionFrame, turn: torch.Tensor, shift: torch.Tensor) -> MotionFrame:
    """Turn a whole robot about the world's origin, then shift it."""
    return frame._replace(
        body_pos_w=quat_apply(turn, frame.body_pos_w) + shift, body_quat_w=quat_mul(turn, frame.body_quat_w)
    )


def close(actual: torch.Tensor, expected: list, tolerance: float = 1e-5) -> bool:
    return torch.allclose(actual, torch.tensor(expected, dtype=torch.float), atol=tolerance, rtol=0.0)


def test_equal_frames_have_no_errors(make_frame: Frames) -> None:
    for name, error in tracking_errors(make_frame(), make_frame(), ANCHOR)._asdict().items():
        assert close(error, torch.zeros_like(error).tolist(), 2e-3 if name.endswith("rot") else 1e-5), name


def test_one_value_per_environment_or_body(make_frame: Frames) -> None:
    errors = tracking_errors(make_frame(5), make_frame(5, seed=1), ANCHOR)
    per_body = {"body_pos", "body_height", "body_rot", "body_lin_vel", "body_ang_vel"}
    assert {name: tuple(error.shape) for name, error in errors._asdict().items()} == {
        name: (5, 3) if name in per_body else (5,) for name in errors._fields
    }


def test_joint_errors_are_root_mean_squares() -> None:
    reference = resting()
    robot = reference._replace(
        joint_pos=torch.tensor([[0.3, 0.0, 0.4, 0.0]]), joint_vel=torch.tensor([[2.0, -2.0, 2.0, -2.0]])
    )
    errors = tracking_errors(reference, robot, ANCHOR)
    assert close(errors.joint_pos, [0.25])  # sqrt((0.09 + 0.16) / 4)
    assert close(errors.joint_vel, [2.0])


def test_velocity_errors_are_lengths_in_the_world() -> None:
    reference = resting()
    lin, ang = torch.zeros(1, 3, 3), torch.zeros(1, 3, 3)
    lin[0, 0], ang[0, 2] = torch.tensor([3.0, 0.0, 4.0]), torch.tensor([0.0, -2.0, 0.0])
    errors = tracking_errors(reference, reference._replace(body_lin_vel_w=lin, body_ang_vel_w=ang), ANCHOR)
    assert close(errors.body_lin_vel, [[5.0, 0.0, 0.0]])
    assert close(errors.body_ang_vel, [[0.0, 0.0, 2.0]])


def test_one_body_out_of_place() -> None:
    reference = resting()
    pos = reference.body_pos_w.clone()
    pos[0, 2] += torch.tensor([0.0, 0.3, 0.4])
    errors = tracking_errors(reference, reference._replace(body_pos_w=pos), ANCHOR)
    assert close(errors.body_pos, [[0.0, 0.0, 0.5]])
    assert close(errors.body_height, [[0.0, 0.0, 0.4]])
    assert close(errors.anchor_pos, [0.0])


def test_one_body_turned() -> None:
    reference = resting()
    quat = reference.body_quat_w.clone()
    quat[0, 0] = about("y", 0.7)
    errors = tracking_errors(reference, reference._replace(body_quat_w=quat), ANCHOR)
    assert close(errors.body_rot, [[0.7, 0.0, 0.0]])
    assert close(errors.anchor_rot, [0.0])


def test_drift_over_the_ground_costs_only_the_anchor() -> None:
    reference = resting()
    errors = tracking_errors(reference, moved(reference, about("z", 0.0), torch.tensor([3.0, -4.0, 0.0])), ANCHOR)
    assert close(errors.anchor_pos, [5.0])
    assert close(errors.anchor_height, [0.0])
    assert close(errors.body_pos, [[0.0, 0.0, 0.0]])
    assert close(errors.body_rot, [[0.0, 0.0, 0.0]])


@pytest.mark.parametrize("turn", [0.5, -3.0, math.pi / 2])
def test_wrong_heading_costs_only_the_anchor(turn: float) -> None:
    reference = resting()
    errors = tracking_errors(reference, moved(reference, about("z", turn), torch.zeros(3)), ANCHOR)
    assert close(errors.anchor_rot, [abs(turn)])
    assert close(errors.anchor_pos, [2.0 * math.sin(abs(turn) / 2.0)])  # chord of the anchor's circle of one metre
    assert close(errors.anchor_tilt, [0.0])
    assert close(errors.body_pos, [[0.0, 0.0, 0.0]])
    assert close(errors.body_rot, [[0.0, 0.0, 0.0]])


def test_drift_and_heading_are_forgiven_in_any_pose(make_frame: Frames) -> None:
    reference = make_frame(16, seed=3)
    errors = tracking_errors(reference, moved(reference, about("z", 1.2), torch.tensor([0.4, -7.0, 0.0])), ANCHOR)
    assert close(errors.body_pos, torch.zeros(16, 3).tolist(), 1e-4)
    assert close(errors.body_rot, torch.zeros(16, 3).tolist(), 2e-3)
    assert errors.anchor_pos.min() > 1.0
    assert close(errors.anchor_rot, [1.2] * 16, 1e-3)


def test_height_is_not_forgiven() -> None:
    reference = resting()
    errors = tracking_errors(reference, moved(reference, about("z", 0.0), torch.tensor([0.0, 0.0, -0.2])), ANCHOR)
    assert close(errors.anchor_height, [0.2])
    assert close(errors.body_pos, [[0.2, 0.2, 0.2]])
    assert close(errors.body_height, [[0.2, 0.2, 0.2]])


def test_a_lean_is_not_forgiven() -> None:
    reference = resting()
    errors = tracking_errors(reference, moved(reference, about("x", 0.6), torch.zeros(3)), ANCHOR)
    assert close(errors.body_rot, [[0.6, 0.6, 0.6]])
    assert close(errors.anchor_tilt, [1.0 - math.cos(0.6)])


def test_tilt_of_a_robot_lying_and_upside_down() -> None:
    reference = resting(2)
    quat = torch.stack([about("y", math.pi / 2), about("x", math.pi)])[:, None].expand(2, 3, 4)
    assert close(tracking_errors(reference, reference._replace(body_quat_w=quat), ANCHOR).anchor_tilt, [1.0, 2.0])


def test_relative_reference_by_hand() -> None:
    reference = resting()
    robot = moved(reference, about("z", math.pi / 2), torch.tensor([10.0, 20.0, 0.5]))
    pos, quat = relative_reference(reference, robot, ANCHOR)
    # The anchor stands at (10, 21) and faces y; heights are the reference's.
    assert close(pos, [[[10.0, 20.0, 1.0], [10.0, 21.0, 1.0], [10.0, 22.0, 1.0]]])
    assert close(quat, about("z", math.pi / 2).repeat(1, 3, 1).tolist())


def test_signs_of_quaternions_do_not_matter(make_frame: Frames) -> None:
    reference, robot = make_frame(seed=1), make_frame(seed=2)
    expected = tracking_errors(reference, robot, ANCHOR)
    flip = torch.tensor([1.0, -1.0, -1.0])[None, :, None]
    for a, b in ((flip, 1.0), (1.0, flip), (-flip, flip)):
        errors = tracking_errors(
            reference._replace(body_quat_w=reference.body_quat_w * a),
            robot._replace(body_quat_w=robot.body_quat_w * b),
            ANCHOR,
        )
        for name, value in expected._asdict().items():
            assert torch.allclose(getattr(errors, name), value, atol=1e-4), name


def test_environments_do_not_mix(make_frame: Frames) -> None:
    reference, robot = make_frame(6, seed=1), make_frame(6, seed=2)
    together = tracking_errors(reference, robot, ANCHOR)
    for i in range(6):
        pair = (MotionFrame(*(part[i : i + 1] for part in frame)) for frame in (reference, robot))
        alone = tracking_errors(*pair, ANCHOR)
        for name, value in alone._asdict().items():
            assert torch.allclose(getattr(together, name)[i : i + 1], value, atol=1e-5), name
