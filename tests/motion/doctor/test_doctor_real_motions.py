# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Real motions are judged as those who know them do; skipped where they are absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from isaac_tracking.motion.doctor import Diagnosis, examine
from isaac_tracking.motion.formats import read_motions
from isaac_tracking.motion.robot import Robot

MOTIONS = Path(__file__).resolve().parents[4] / "shared" / "motions"
pytestmark = pytest.mark.skipif(not MOTIONS.is_dir(), reason="no ../shared/motions here")


def judged(name: str, g1: Robot) -> Diagnosis:
    (clip,) = read_motions(MOTIONS / name, g1)
    return examine(clip, g1)


@pytest.mark.parametrize("name", ["B_HandsUp", "J_ShortDance16_JazzWalk", "M_ShortMove12", "M_ShortMove14", "M_Move8"])
def test_good_captures_are_not_rejected(name: str, g1: Robot) -> None:
    assert judged(f"g1-moves/{name}.csv", g1).verdict in ("ok", "warn")


@pytest.mark.parametrize("number", ["001", "003", "005", "008"])
def test_twist2_slides_and_dips(number: str, g1: Robot) -> None:
    diagnosis = judged(f"TWIST2/0807_yanjie_walk_{number}.pkl", g1)
    assert diagnosis.verdict == "warn"
    assert diagnosis.finding("foot slide").severity == "warn"
    assert diagnosis.finding("penetration").severity == "warn"
    assert 0.015 < diagnosis.finding("penetration").value < 0.035
    direction = "to the left" if number == "008" else "forward"
    assert diagnosis.finding("travel").detail.startswith(direction)


@pytest.mark.parametrize("name", ["001", "005"])
def test_first_frame_of_some_recordings_does_not_belong(name: str, g1: Robot) -> None:
    found = judged(f"TWIST2/0807_yanjie_walk_{name}.pkl", g1).finding("root turn")
    assert (found.severity, found.frame) == ("warn", 1)


@pytest.mark.parametrize("name", ["ProtoMotions/output_walk.csv", "kimodo/06_root_waypoints_qpos_wxyz_30fps.csv"])
def test_generated_walks_dip_and_go_forward(name: str, g1: Robot) -> None:
    diagnosis = judged(name, g1)
    assert diagnosis.verdict == "warn"
    assert 0.01 < diagnosis.finding("penetration").value < 0.04
    assert diagnosis.finding("travel").detail.startswith("forward")


def test_rough_run_skates(g1: Robot) -> None:
    diagnosis = judged("cmu/amp_humanoid_run_g1_rough.csv", g1)
    assert diagnosis.verdict == "reject"
    assert diagnosis.finding("foot slide").severity == "reject"
    assert diagnosis.finding("travel").detail.startswith("forward")
