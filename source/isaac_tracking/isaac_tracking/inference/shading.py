# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How the film looks: light, sky, checkered ground and surfaces, as functions of tensors in linear colour."""

from __future__ import annotations

import math

import torch
from torch import Tensor

HORIZON = (0.62, 0.70, 0.78)
ZENITH = (0.14, 0.25, 0.43)
SKY_LIGHT = (0.42, 0.46, 0.52)
GROUND_LIGHT = (0.16, 0.15, 0.14)
KEY_LIGHT = (1.32, 1.25, 1.13)
FILL_LIGHT = (0.16, 0.19, 0.24)
CHECKER = ((0.20, 0.235, 0.27), (0.34, 0.37, 0.40))
"""Linear red, green, blue: of the sky, of the light that it and the ground give back, of the lamps, of the tiles."""

TILE = 0.5
"""Width of a ground tile [m]."""

FOG_DISTANCE = 11.0
"""Distance at which the ground has mostly become horizon [m]."""

KEY_AZIMUTH, KEY_ELEVATION = math.radians(62.0), math.radians(50.0)
FILL_AZIMUTH, FILL_ELEVATION = math.radians(-75.0), math.radians(15.0)
"""Where the lamps stand as seen from the ground, azimuths counted from the camera [rad]."""


def srgb_to_linear(color: Tensor) -> Tensor:
    """Turn displayed colour into light, any shape, 0 to 1."""
    return torch.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def tinted(colors: Tensor, tint: tuple[float, float, float]) -> Tensor:
    """Return linear colours of one tint that keep what was dark and light, shape (n, 3), from displayed ones."""
    shade = colors.mean(-1, keepdim=True).clamp(0.45, 0.85) / 0.7
    return srgb_to_linear((shade * _rgb(tint, colors)).clamp(0.0, 1.0))


def linear_to_bytes(color: Tensor) -> Tensor:
    """Turn light into displayed colour, any shape, 0 to 255 (uint8); bright values roll off softly."""
    color = color.clamp_min(0.0)
    color = torch.where(color <= 0.7, color, 0.7 + 0.3 * torch.tanh((color - 0.7) / 0.3))
    display = torch.where(color <= 0.0031308, 12.92 * color, 1.055 * color.clamp_min(1e-6) ** (1 / 2.4) - 0.055)
    return (display * 255.0 + 0.5).to(torch.uint8)


def lamp_direction(view_azimuth: float, azimuth: float, elevation: float) -> tuple[float, float, float]:
    """Return the unit vector towards a lamp, seen from the ground; ``view_azimuth`` is where the camera stands."""
    angle, flat = view_azimuth + azimuth, math.cos(elevation)
    return flat * math.cos(angle), flat * math.sin(angle), math.sin(elevation)


def sky_color(directions: Tensor) -> Tensor:
    """Colour of the sky in the given directions, shape (n, 3)."""
    height = directions[:, 2:].clamp(0.0, 1.0) ** 0.7
    return _mix(_rgb(HORIZON, directions), _rgb(ZENITH, directions), height)


def ground_color(points: Tensor, distances: Tensor, slopes: Tensor, pixel: float, lit: Tensor | float) -> Tensor:
    """Colour of the ground.

    Args:
        points: Points on the ground in the world [m], shape (n, 3).
        distances: Distances from the camera [m], shape (n,).
        slopes: Sines of the angles between rays and ground, shape (n,).
        pixel: Angle that a pixel covers [rad]; the tiles are averaged over what it sees.
        lit: Share of the key lamp's light that arrives, shape (n,) or a number.
    """
    lit = lit[:, None] if isinstance(lit, Tensor) else lit
    light = _rgb(SKY_LIGHT, points) + _rgb(KEY_LIGHT, points) * (math.sin(KEY_ELEVATION) * lit)
    return _in_fog(_tiles(points, distances, slopes, pixel) * light, distances)


def terrain_color(
    points: Tensor, normals: Tensor, rays: Tensor, distances: Tensor, pixel: float, lamps: tuple[Tensor, Tensor],
    lit: Tensor,
) -> Tensor:  # fmt: skip
    """Colour of uneven ground: the tiles of the even one, seen from above, lit as they lie.

    Args:
        points: Points on the ground in the world [m], shape (n, 3).
        normals: Unit normals in the world, shape (n, 3).
        rays: Unit directions from the camera, shape (n, 3).
        distances: Distances from the camera [m], shape (n,).
        pixel: Angle that a pixel covers [rad].
        lamps: Unit vectors towards the key lamp and the fill lamp, shapes (3,).
        lit: Share of the key lamp's light that arrives, shape (n,).
    """
    key, fill = lamps
    upward = 0.5 * normals[:, 2:] + 0.5
    light = _mix(_rgb(GROUND_LIGHT, rays), _rgb(SKY_LIGHT, rays), upward)
    light = light + _rgb(KEY_LIGHT, rays) * ((normals @ key).clamp_min(0.0) * lit)[:, None]
    light = light + _rgb(FILL_LIGHT, rays) * (normals @ fill).clamp_min(0.0)[:, None]
    slopes = -(normals * rays).sum(-1)
    return _in_fog(_tiles(points, distances, slopes, pixel) * light, distances)


def surface_color(albedo: Tensor, normals: Tensor, rays: Tensor, key: Tensor, fill: Tensor, lit: Tensor) -> Tensor:
    """Colour of a half-metallic surface.

    Args:
        albedo: Linear colour, shape (n, 3).
        normals: Unit normals in the world, shape (n, 3).
        rays: Unit directions from the camera, shape (n, 3).
        key: Unit vector towards the key lamp, shape (3,).
        fill: Unit vector towards the fill lamp, shape (3,).
        lit: Share of the key lamp's light that arrives, shape (n,).
    """
    facing = -(normals * rays).sum(-1, keepdim=True).clamp(-1.0, 0.0)
    lit = lit[:, None]
    upward = 0.5 * normals[:, 2:] + 0.5
    light = _mix(_rgb(GROUND_LIGHT, rays), _rgb(SKY_LIGHT, rays), upward)
    light = light + _rgb(KEY_LIGHT, rays) * ((normals @ key).clamp_min(0.0)[:, None] * lit)
    light = light + _rgb(FILL_LIGHT, rays) * (normals @ fill).clamp_min(0.0)[:, None]
    half = torch.nn.functional.normalize(key - rays, dim=-1)
    glint = (normals * half).sum(-1, keepdim=True).clamp_min(0.0) ** 48
    mirror = rays + 2.0 * facing * normals
    around = _mix(_rgb(GROUND_LIGHT, rays), _rgb(HORIZON, rays), torch.sigmoid(9.0 * mirror[:, 2:]))
    sheen = 0.04 + 0.55 * albedo + 0.25 * (1.0 - facing) ** 5
    return 0.62 * albedo * light + 0.42 * around * sheen + 0.22 * glint * lit


def _tiles(points: Tensor, distances: Tensor, slopes: Tensor, pixel: float) -> Tensor:
    """Linear colour of the tiles, averaged over what a pixel sees, shape (n, 3)."""
    footprint = (distances * pixel / slopes.clamp_min(0.12)).clamp_min(1e-4)
    even = 0.5 - 0.5 * _square_wave(points[:, 0], footprint) * _square_wave(points[:, 1], footprint)
    return _mix(_rgb(CHECKER[0], points), _rgb(CHECKER[1], points), even[:, None])


def _in_fog(color: Tensor, distances: Tensor) -> Tensor:
    """Let far ground become horizon, shapes (n, 3) and (n,)."""
    fog = 1.0 - torch.exp(-((distances / FOG_DISTANCE) ** 2))
    return _mix(color, _rgb(HORIZON, color), fog[:, None])


def _square_wave(position: Tensor, footprint: Tensor) -> Tensor:
    """Average of a wave of +1 and -1 per tile over an interval, shape (n,)."""
    low, high = (position - 0.5 * footprint) / (2 * TILE), (position + 0.5 * footprint) / (2 * TILE)
    triangle = (low - low.floor() - 0.5).abs() - (high - high.floor() - 0.5).abs()
    return 2.0 * TILE * triangle / footprint


def _mix(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return first + (second - first) * share


def _rgb(color: tuple[float, float, float], like: Tensor) -> Tensor:
    return torch.tensor(color, dtype=torch.float32, device=like.device)
