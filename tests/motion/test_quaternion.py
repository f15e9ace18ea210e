# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Quaternions in xyzw order against hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch

from isaac_tracking.motion.quaternion import (
    quat_apply,
    quat_apply_inverse,
    quat_conjugate,
    quat_error_magnitude,
    quat_from_axis_angle,
    quat_mul,
    quat_slerp,
    quat_to_axis_angle,
    quat_to_matrix,
    yaw_quat,
)

HALF = math.sqrt(0.5)
IDENTITY = torch.tensor([0.0, 0.0, 0.0, 1.0])
QUARTER_X = torch.tensor([HALF, 0.0, 0.0, HALF])
QUARTER_Z = torch.tensor([0.0, 0.0, HALF, HALF])


def _random(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, 4, generator=generator), dim=-1)


def test_mul_is_hamilton_product_in_xyzw() -> None:
    # i j = k, j i = -k
    i, j, k = torch.eye(4)[:3]
    assert torch.equal(quat_mul(i, j), k)
    assert torch.equal(quat_mul(j, i), -k)


def test_mul_applies_the_right_factor_first() -> None:
    v = torch.tensor([0.0, 1.0, 0.0])
    # A quarter turn about x takes y to z, which a turn about z leaves there.
    assert torch.allclose(quat_apply(quat_mul(QUARTER_Z, QUARTER_X), v), torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)
    # The other way round: y goes to -x, which a turn about x leaves there.
    assert torch.allclose(quat_apply(quat_mul(QUARTER_X, QUARTER_Z), v), torch.tensor([-1.0, 0.0, 0.0]), atol=1e-6)


def test_apply_quarter_turn_about_z() -> None:
    v = torch.tensor([[1.0, 0.0, 5.0], [0.0, 2.0, 0.0]])
    expected = torch.tensor([[0.0, 1.0, 5.0], [-2.0, 0.0, 0.0]])
    assert torch.allclose(quat_apply(QUARTER_Z, v), expected, atol=1e-6)
    assert torch.allclose(quat_apply_inverse(QUARTER_Z, expected), v, atol=1e-6)


def test_apply_broadcasts_over_bodies() -> None:
    q, v = _random(5)[:, None], torch.randn(1, 7, 3, generator=torch.Generator().manual_seed(1))
    rotated = quat_apply(q, v)
    assert rotated.shape == (5, 7, 3)
    assert torch.allclose(rotated[3, 4], quat_apply(q[3, 0], v[0, 4]), atol=1e-6)


def test_conjugate_undoes() -> None:
    q = _random(20)
    assert torch.allclose(quat_mul(q, quat_conjugate(q)), IDENTITY.expand(20, 4), atol=1e-6)


def test_matrix_is_the_rotation() -> None:
    expected = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert torch.allclose(quat_to_matrix(QUARTER_Z), expected, atol=1e-6)
    q, v = _random(10), torch.randn(10, 3, generator=torch.Generator().manual_seed(2))
    assert torch.allclose((quat_to_matrix(q) @ v[..., None])[..., 0], quat_apply(q, v), atol=1e-5)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 0.5, 3.1])
def test_axis_angle_round_trip(angle: float) -> None:
    vector = torch.tensor([0.6, 0.0, -0.8], dtype=torch.float64) * angle
    q = quat_from_axis_angle(vector)
    assert abs(float(q.norm()) - 1.0) < 1e-12
    assert torch.allclose(quat_to_axis_angle(q), vector, rtol=1e-9, atol=1e-15)
    assert torch.allclose(quat_to_axis_angle(-q), vector, rtol=1e-9, atol=1e-15)


def test_axis_angle_of_quarter_turn() -> None:
    assert torch.allclose(quat_to_axis_angle(QUARTER_X), torch.tensor([math.pi / 2, 0.0, 0.0]), atol=1e-6)


def test_slerp_half_way_and_ends() -> None:
    eighth = torch.tensor([0.0, 0.0, math.sin(math.pi / 8), math.cos(math.pi / 8)])
    t = torch.tensor([[0.0], [0.5], [1.0]])
    expected = torch.stack((IDENTITY, eighth, QUARTER_Z))
    assert torch.allclose(quat_slerp(IDENTITY, QUARTER_Z, t), expected, atol=1e-6)
    assert torch.allclose(quat_slerp(IDENTITY, QUARTER_Z, 0.5), eighth, atol=1e-6)


def test_slerp_takes_the_shorter_arc_whatever_the_sign() -> None:
    t = torch.tensor([0.25])
    assert torch.allclose(quat_slerp(IDENTITY, -QUARTER_Z, t), quat_slerp(IDENTITY, QUARTER_Z, t), atol=1e-6)


def test_slerp_has_constant_speed() -> None:
    a, b = _random(8, seed=3), _random(8, seed=4)
    angle = quat_error_magnitude(a, b)
    assert torch.allclose(quat_error_magnitude(a, quat_slerp(a, b, 0.3)), 0.3 * angle, atol=1e-5)


@pytest.mark.parametrize("angle", [0.0, 1e-7, 2e-4, 3e-3])
def test_slerp_of_nearly_equal_rotations(angle: float) -> None:
    b = quat_from_axis_angle(torch.tensor([0.0, angle, 0.0]))
    half = quat_slerp(IDENTITY, -b, 0.5)
    assert torch.isfinite(half).all()
    assert abs(2.0 * float(half[1]) - 0.5 * angle) < 1e-7


def test_error_magnitude_is_the_angle_between() -> None:
    a = quat_from_axis_angle(torch.tensor([0.0, 0.3, 0.0]))
    b = quat_from_axis_angle(torch.tensor([0.0, -0.4, 0.0]))
    assert abs(float(quat_error_magnitude(a, b)) - 0.7) < 1e-6
    assert abs(float(quat_error_magnitude(a, -b)) - 0.7) < 1e-6
    assert float(quat_error_magnitude(a, a)) < 1e-6


def test_yaw_of_a_tilted_body() -> None:
    yaw = quat_from_axis_angle(torch.tensor([0.0, 0.0, 2.5]))
    pitch = quat_from_axis_angle(torch.tensor([0.0, 0.7, 0.0]))
    roll = quat_from_axis_angle(torch.tensor([-0.4, 0.0, 0.0]))
    assert torch.allclose(yaw_quat(quat_mul(yaw, quat_mul(pitch, roll))), yaw, atol=1e-6)
