# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isaac_tracking.motion.retarget import feet
from isaac_tracking.motion.retarget.feet import floor_heights, held_feet, planted_by_speed, segments
from isaac_tracking.motion.retarget.humanoid import Humanoid
from isaac_tracking.motion.retarget.targets import Targets

FPS = 50.0
STANCE, SWING = 30, 20


def steps(count: int, height: float = 0.0, rise: float = 0.0) -> np.ndarray:
    """Return two feet that take turns: 30 frames still, 20 frames 0.4 m ahead; each stance ``rise`` higher."""
    frame = np.arange(count * (STANCE + SWING))
    feet = []
    for shift, y in ((0, 0.1), (25, -0.1)):
        cycle, inside = np.divmod(frame + shift, STANCE + SWING)
        swing = np.clip((inside - STANCE) / SWING, 0.0, 1.0)
        smooth = 0.5 - 0.5 * np.cos(np.pi * swing)
        z = height + rise * (cycle + smooth) + 0.1 * np.sin(np.pi * swing) ** 2
        feet.append(np.stack((0.4 * (cycle + smooth), np.full(len(frame), y), z), axis=1))
    return np.stack(feet, axis=1)


def targets(path: np.ndarray, turn: Rotation | None = None) -> Targets:
    level = Rotation.identity(len(path))
    pelvis = path.mean(axis=1) + np.array([0.0, 0.0, 0.7])
    pair = (turn or level, level)
    return Targets(FPS, 1.0, pelvis, level, level, path, pair, path, path, path, np.zeros((len(path), 2), dtype=bool))


def test_segments_of_a_mask() -> None:
    assert segments(np.array([1, 1, 0, 0, 1, 0, 1], dtype=bool)) == [(0, 2), (4, 5), (6, 7)]
    assert segments(np.zeros(3, dtype=bool)) == []


def test_a_foot_is_planted_while_it_is_still() -> None:
    still = planted_by_speed(steps(4), FPS)
    for start, end in segments(still[:, 0])[1:-1]:
        assert (end - start) == pytest.approx(STANCE, abs=6)
    assert len(segments(still[:, 0])) == 4


def test_the_floor_is_where_the_feet_stand_and_drifts_with_them() -> None:
    np.testing.assert_allclose(floor_heights(steps(5, height=0.07), FPS), 0.07, atol=2e-3)
    drifting = floor_heights(steps(6, height=0.07, rise=0.02), FPS)
    # The mean of both feet: five stances of each, 2 cm apart.
    assert drifting[-1] - drifting[0] == pytest.approx(0.11, abs=0.02)
    assert (np.diff(drifting) > -1e-4).all()


def test_a_leg_held_up_is_no_floor() -> None:
    path = np.zeros((100, 2, 3))
    path[:, 1, 2] = 0.4
    np.testing.assert_allclose(floor_heights(path, FPS), 0.0, atol=1e-9)


def test_the_floor_of_a_flight_is_the_lowest_place() -> None:
    path = np.zeros((50, 2, 3))
    path[..., 0] = np.linspace(0.0, 5.0, 50)[:, None]
    path[..., 2] = np.linspace(1.0, 0.3, 50)[:, None]
    assert 0.3 <= floor_heights(path, FPS)[0] <= 0.4


@settings(max_examples=12, derandomize=True, deadline=None)
@given(
    drift=st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
    yaw=st.floats(-3.0, 3.0),
    pitch=st.floats(-0.08, 0.08),
    dip=st.floats(-0.015, 0.015),
)
def test_a_planted_foot_does_not_slide_whatever_the_recording_does(
    body: Humanoid, drift: tuple[float, float], yaw: float, pitch: float, dip: float
) -> None:
    path = steps(4, height=body.foot_height + dip)
    path[..., :2] += np.outer(np.arange(len(path)) / FPS, drift)[:, None]
    turn = Rotation.from_euler("ZYX", np.tile([yaw, pitch, 0.0], (len(path), 1)))
    held = held_feet(targets(path, turn), body, lock=True)
    both = held.planted[1:] & held.planted[:-1]
    assert both.mean() > 0.4
    for side in (0, 1):
        soles = np.stack([held.ankle_pos[:, side] + held.feet[side].apply(p[side]) for p in (body.heel, body.toe)], 1)
        speed = np.linalg.norm(np.diff(soles, axis=0), axis=-1).min(axis=1) * FPS
        assert speed[both[:, side]].max() < 0.05
        assert soles[..., 2].min() > -1e-6
        assert soles[held.planted[:, side], :, 2].min(axis=1).max() < 0.01
        # It never jumps either: 2.5 m/s are enough for a swing of 0.4 m in 0.4 s and for catching up.
        assert np.linalg.norm(np.diff(held.ankle_pos[:, side], axis=0), axis=-1).max() * FPS < 2.5


def test_without_locking_only_the_ground_is_kept(body: Humanoid) -> None:
    path = steps(3, height=body.foot_height - 0.01)
    free = held_feet(targets(path), body, lock=False)
    np.testing.assert_allclose(free.ankle_pos[..., :2], path[..., :2])
    assert free.ankle_pos[..., 2].min() == pytest.approx(body.foot_height, abs=1e-6)


def test_a_foot_on_its_toes_turns_about_them(body: Humanoid) -> None:
    count = 100
    pitch = np.linspace(0.5, 0.9, count)
    turn = Rotation.from_euler("y", pitch[:, None])
    # The toe drifts by 0.1 m/s while the heel is far above the ground.
    toe = np.stack((np.arange(count) * 0.1 / FPS, np.zeros(count), np.zeros(count)), axis=1)
    path = np.stack([toe - turn.apply(body.toe[side]) for side in (0, 1)], axis=1)
    held = held_feet(targets(path, turn), body, lock=True)
    found = held.ankle_pos[:, 0] + held.feet[0].apply(body.toe[0])
    assert held.planted[:, 0].all()
    assert np.ptp(found[:, :2], axis=0).max() < 1e-6


def test_shifts_fade_out_and_in_between_stances() -> None:
    shift = np.tile([1.0, 0.0, 0.0], (60, 1))
    faded = feet._bridged(shift, [(10, 20), (50, 60)], FPS)[:, 0]
    assert (faded[10:20] == 1.0).all() and (faded[50:] == 1.0).all()
    assert faded[0] == 0.0 and faded[35] == 0.0
    assert (np.diff(faded[19:35]) <= 0.0).all() and (np.diff(faded[35:51]) >= 0.0).all()
