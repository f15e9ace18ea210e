# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Quaternions in xyzw order as torch tensors of shape (..., 4).

All functions broadcast over the leading dimensions and never wait for the device: branches are
:func:`torch.where`, so they may be called inside an environment step. Inputs are unit quaternions.
"""

from __future__ import annotations

import torch

_SMALL = 1e-6
"""Half-angle sine [-] below which series replace quotients; far above float32's denormals."""


def quat_mul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Hamilton product ``a b``: rotate by ``b`` first, then by ``a``; xyzw, shape (..., 4)."""
    # Vector algebra, a third of the operations of the sixteen products: on a GPU they cost more than what they compute.
    a, b = torch.broadcast_tensors(a, b)
    u, v, s, t = a[..., :3], b[..., :3], a[..., 3:], b[..., 3:]
    vector = torch.linalg.cross(u, v).addcmul_(s, v).addcmul_(t, u)
    return torch.cat((vector, s * t - (u * v).sum(-1, keepdim=True)), dim=-1)


def quat_conjugate(q: torch.Tensor) -> torch.Tensor:
    """Return the conjugate, which is the inverse of a unit quaternion; xyzw, shape (..., 4)."""
    return torch.cat((-q[..., :3], q[..., 3:]), dim=-1)


def quat_apply(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Rotate vectors ``v`` of shape (..., 3) by ``q`` of shape (..., 4)."""
    xyz, v = torch.broadcast_tensors(q[..., :3], v)
    t = 2.0 * torch.linalg.cross(xyz, v)
    return v + q[..., 3:] * t + torch.linalg.cross(xyz, t)


def quat_apply_inverse(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Rotate vectors ``v`` of shape (..., 3) by the inverse of ``q`` of shape (..., 4)."""
    return quat_apply(quat_conjugate(q), v)


def quat_to_matrix(q: torch.Tensor) -> torch.Tensor:
    """Return rotation matrices of shape (..., 3, 3); the columns are the rotated axes."""
    # Nine formulas would be six times as many operations, which on a GPU cost more than what they compute.
    axes = torch.eye(3, dtype=q.dtype, device=q.device)
    return quat_apply(q[..., None, :], axes).transpose(-1, -2)


def quat_to_axis_angle(q: torch.Tensor) -> torch.Tensor:
    """Return the rotation vector (axis times angle) [rad], shape (..., 3).

    The shorter of the two rotations is taken, so ``q`` and ``-q`` give the same vector of length at most pi.
    """
    q = torch.where(q[..., 3:] < 0.0, -q, q)
    sine = torch.linalg.vector_norm(q[..., :3], dim=-1, keepdim=True)
    angle = 2.0 * torch.atan2(sine, q[..., 3:])
    # angle / sine tends to 2 for small rotations; clamp keeps the unused branch finite.
    scale = torch.where(sine < _SMALL, torch.full_like(sine, 2.0), angle / sine.clamp_min(_SMALL))
    return q[..., :3] * scale


def quat_from_axis_angle(vector: torch.Tensor) -> torch.Tensor:
    """Return quaternions (xyzw) of shape (..., 4) from rotation vectors [rad] of shape (..., 3)."""
    half = 0.5 * torch.linalg.vector_norm(vector, dim=-1, keepdim=True)
    # sin(half) / (2 half) tends to 1/2 for small rotations.
    scale = torch.where(half < _SMALL, torch.full_like(half, 0.5), 0.5 * torch.sin(half) / half.clamp_min(_SMALL))
    return torch.cat((vector * scale, torch.cos(half)), dim=-1)


def quat_from_euler(angles: torch.Tensor) -> torch.Tensor:
    """Return quaternions (xyzw) of shape (..., 4) from roll, pitch and yaw [rad], shape (..., 3): yaw is done last."""
    cos, sin = torch.cos(0.5 * angles), torch.sin(0.5 * angles)
    (cr, cp, cy), (sr, sp, sy) = cos.unbind(-1), sin.unbind(-1)
    return torch.stack(
        (
            cy * sr * cp - sy * cr * sp,
            cy * cr * sp + sy * sr * cp,
            sy * cr * cp - cy * sr * sp,
            cy * cr * cp + sy * sr * sp,
        ),
        dim=-1,
    )


def quat_slerp(a: torch.Tensor, b: torch.Tensor, t: torch.Tensor | float) -> torch.Tensor:
    """Interpolate from ``a`` (t = 0) to ``b`` (t = 1) along the shorter arc at constant speed.

    Args:
        a: Start, xyzw, shape (..., 4).
        b: End, xyzw, shape (..., 4); its sign does not matter.
        t: Fraction, a number or a tensor of shape (..., 1).

    Returns:
        Unit quaternions, xyzw, shape (..., 4).
    """
    dot = (a * b).sum(-1, keepdim=True)
    b = torch.where(dot < 0.0, -b, b)
    # atan2 of chord and sum keeps its precision where arccos of the dot product loses it, near equal inputs.
    angle = 2.0 * torch.atan2(
        torch.linalg.vector_norm(a - b, dim=-1, keepdim=True), torch.linalg.vector_norm(a + b, dim=-1, keepdim=True)
    )
    sine = torch.sin(angle)
    near = sine < 1e-4
    safe = torch.where(near, torch.ones_like(sine), sine)
    from_a = torch.where(near, 1.0 - t, torch.sin((1.0 - t) * angle) / safe)
    from_b = torch.where(near, t, torch.sin(t * angle) / safe)
    return torch.nn.functional.normalize(from_a * a + from_b * b, dim=-1)


def quat_error_magnitude(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the angle [rad] of the shorter rotation between ``a`` and ``b``, in [0, pi], shape (...)."""
    relative = quat_mul(quat_conjugate(a), b)
    return 2.0 * torch.atan2(torch.linalg.vector_norm(relative[..., :3], dim=-1), relative[..., 3].abs())


def yaw_quat(q: torch.Tensor) -> torch.Tensor:
    """Return the heading of ``q``: the rotation about world z by its yaw angle; xyzw, shape (..., 4)."""
    x, y, z, w = q.unbind(-1)
    half = 0.5 * torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    zero = torch.zeros_like(half)
    return torch.stack((zero, zero, torch.sin(half), torch.cos(half)), dim=-1)
