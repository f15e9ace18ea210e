# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What kernels do with quaternions, xyzw: the formulas of :mod:`isaac_tracking.motion.quaternion`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .launching import wp

if TYPE_CHECKING:
    Vector = Quat = Any
else:
    Vector, Quat = wp.vec3, wp.quat


@wp.func
def rotate(u: Vector, w: float, v: Vector) -> Vector:
    """Rotate a vector by the quaternion (u, w)."""
    t = 2.0 * wp.cross(u, v)
    return v + w * t + wp.cross(u, t)


@wp.func
def vector_part(q: Quat) -> Vector:
    """Return the imaginary part of a quaternion."""
    return wp.vec3(q[0], q[1], q[2])


@wp.func
def product(u: Vector, s: float, v: Vector, t: float) -> Quat:
    """Return the Hamilton product of (u, s) and (v, t)."""
    vector = wp.cross(u, v) + s * v + t * u
    return wp.quat(vector[0], vector[1], vector[2], s * t - wp.dot(u, v))
