# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is said over several episodes: by direction, by ground and level, by command; and the page that shows it."""

from __future__ import annotations

import json

import pytest
import torch
from recordings import make_recording

from isaac_tracking.inference.summary import wilson_interval
from isaac_tracking.inference.velocity.metrics import METRICS
from isaac_tracking.inference.velocity.page import page
from isaac_tracking.inference.velocity.report import VelocityEpisode, level_reached, make_report

ABOUT = {
    "task": "T", "engine": "E", "device": "cpu", "seed": 0, "repeats": 2, "num_envs": 1, "commit": "c", "isaaclab": "3",
    "setting": "clean", "setting_definition": "Plain.", "control_rate": 50.0, "mass": 10.0,
    "command_range": {"x": [-1, 1], "y": [0, 0], "yaw": [0, 0]},
    "checkpoint": {"run": "r<u>n", "file": "model_1.pt", "sha256": "0" * 64},
}  # fmt: skip


def episode(command, repeat: int = 0, speed: float = 0.0, **changes) -> VelocityEpisode:
    lin = torch.tensor([[speed, 0.0, 0.0]] * 4)
    return VelocityEpisode.of(make_recording(command, lin_vel_b=lin, **changes), repeat)


def test_numbers_by_direction_and_command():
    episodes = [
        episode((1, 0, 0), 0, 0.8), episode((1, 0, 0), 1, 0.6), episode((0.5, 0, 0), 0, 0.5),
        episode((0.5, 0, 0), 1, 0.5, fell=True, outcome="base_contact"), episode((0, 0, 0), 0), episode((0, 0, 0), 1),
    ]  # fmt: skip
    report = make_report(episodes[::-1], ABOUT)
    assert [row["name"] for row in report["directions"]] == ["stand", "forward"]
    forward = report["directions"][1]
    assert forward["metrics"]["error_x"]["mean"] == pytest.approx((0.2 + 0.4) / 4)
    # The means of the two repeats are 0.1 and 0.2; t = 12.706 at one degree of freedom.
    half = 12.7062 * 0.05
    assert forward["metrics"]["error_x"]["interval"] == pytest.approx([0.15 - half, 0.15 + half], abs=1e-4)
    assert report["all"]["metrics"]["fall"]["mean"] == pytest.approx(1 / 6)
    assert report["all"]["metrics"]["fall"]["interval"] == pytest.approx(list(wilson_interval(1, 6)))
    assert report["all"]["outcomes"] == {"base_contact": 1, "time_out": 5}
    # The one with a fall is the hardest, then the one with errors.
    assert [row["name"] for row in report["commands"]] == [
        "x 0.5 y 0 yaw 0", "x 1 y 0 yaw 0", "x 0 y 0 yaw 0"
    ]  # fmt: skip
    assert report["commands"][0]["command"] == {"x": 0.5, "y": 0, "yaw": 0}
    assert [each["outcome"] for each in report["commands"][0]["each"]] == ["time_out", "base_contact"]
    assert report["terrains"] == [] and report["level_reached"] is None
    assert set(METRICS) < set(report["definitions"])
    assert json.loads(json.dumps(report, allow_nan=False))["format"] == "isaac_tracking.velocity_evaluation"
    # The order in which episodes ended does not matter.
    assert report == make_report(episodes, ABOUT)


def test_a_level_is_reached_without_a_gap():
    assert level_reached([1.0, 0.5, 0.4, 1.0]) == 2
    assert level_reached([0.0, 1.0]) == 0
    assert level_reached([1.0, None, 1.0]) == 1
    assert level_reached([]) == 0


def ground() -> list[VelocityEpisode]:
    """Stairs are passed on level 0 and by one of two on level 1, not on level 2; boxes never."""
    made = []
    for terrain, passing in (("stairs", (2, 1, 0)), ("boxes", (0, 0, 0))):
        for level, count in enumerate(passing):
            for repeat in range(2):
                fine = repeat < count
                made.append(
                    episode((1, 0, 0), repeat, terrain=terrain, level=level, fell=not fine, left_tile=fine,
                            outcome="left_tile" if fine else "base_contact")
                )  # fmt: skip
            made.append(episode((0, 0, 0), terrain=terrain, level=level))
    return made


def test_numbers_by_ground_and_level():
    report = make_report(ground(), ABOUT)
    rows = {row["name"]: row for row in report["terrains"]}
    assert rows["stairs"]["level_reached"] == 2 and rows["boxes"]["level_reached"] == 0
    assert report["level_reached"] == 1.0
    level = rows["stairs"]["levels"][1]
    assert level["level"] == 1 and level["episodes"] == 3
    assert level["metrics"]["passed"] == {"mean": 0.5, "interval": list(wilson_interval(1, 2)), "episodes": 2}
    assert level["outcomes"] == {"base_contact": 1, "left_tile": 1, "time_out": 1}


def test_the_page_shows_what_the_file_holds():
    episodes = ground()
    report = make_report(episodes, ABOUT)
    report["commands"][0]["each"][0]["film"] = "films/forward 1%_0.mp4"
    text = page(report, episodes)
    assert "r&lt;u&gt;n/model_1.pt" in text and "films/forward%201%25_0.mp4" in text
    assert "level reached 2 of 3" in text and text.count("<polyline") == 2 * 3 * 2
    for name in ("stairs", "boxes", "x 1 y 0 yaw 0", "cost_of_transport"):
        assert name in text
    assert "<h2>By ground</h2>" not in page(make_report([episode((0, 0, 0))], ABOUT), [])
