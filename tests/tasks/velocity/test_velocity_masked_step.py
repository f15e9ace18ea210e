# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The step by masks of walking does what Isaac Lab's own step does, and so does a tape of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from warm_process import WarmProcess

pytestmark = pytest.mark.slow

PROBE = Path(__file__).resolve().parents[2] / "velocity_step_probe.py"
EVERYBODY = list(range(8))
TASKS = ["Flat-Unitree-Go1", "Flat-G1", "Rough-Unitree-Go1"]
ENDED = {
    "nothing": [[]] * 4,
    "time_out": [[], [3, 5], [], []],
    "broken": [[], [2], [], []],
    "fallen": [[], [4], [], [], [], []],
    "command": [[]] * 3,
    "push": [[]] * 3,
    "stand": [[], [], [], [2], []],
    "outside": [[], [], [], [2], []],
    "all": [[], EVERYBODY, [], EVERYBODY, []],
    "wider": [[], EVERYBODY, [], EVERYBODY, EVERYBODY, [], EVERYBODY],
}
"""Whose episodes end in each step."""
ROUGH_ENDED = {"walked": [[], [0, 1, 3, 4], [], []], "all walked": [[], EVERYBODY, [], EVERYBODY, []]}


@pytest.fixture(scope="module", params=TASKS)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("steps") / "found.pt"
    done = WarmProcess(PROBE, f"Isaac-Velocity-{request.param}-v0", file, cwd=file.parent).wait()
    assert done.returncode == 0, done.stderr
    return torch.load(file, weights_only=True)


def series(found: dict, happening: str, name: str) -> torch.Tensor:
    return torch.stack([step[name] for step in found[happening]["steps"]])


def test_the_task_as_registered_has_no_obstacle(found: dict) -> None:
    assert found["obstacles"] == []


@pytest.mark.parametrize("taped", ["", "taped "])
@pytest.mark.parametrize("happening", ENDED | ROUGH_ENDED)
def test_the_same_term_by_term(found: dict, happening: str, taped: str) -> None:
    if happening in ROUGH_ENDED and happening not in found:
        pytest.skip("flat ground has no levels")
    run = found[taped + happening]
    assert run["differs"] == []
    ended = [step["reset"].nonzero().flatten().tolist() for step in run["steps"]]
    assert ended == (ENDED | ROUGH_ENDED)[happening]
    assert len(run["steps"][-1]) > 40
    if taped:
        assert run["captured"]


@pytest.mark.parametrize("found", ["Rough-Unitree-Go1"], indirect=True)
def test_who_walked_far_gets_harder_ground(found: dict) -> None:
    # Numbers 0 and 4 walked; 1 and 3 did not, and there is nothing below level 0.
    levels = series(found, "walked", "levels")
    assert levels[0].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert levels[1].tolist() == levels[3].tolist() == [1, 0, 2, 0, 2, 2, 0, 1]
    assert series(found, "walked", "Curriculum/terrain_levels")[1:].tolist() == [1.0] * 3
    away = series(found, "walked", "root_link_pose_w")[1, :, :2] - series(found, "walked", "origins")[1, :, :2]
    assert torch.allclose(away[[0, 1, 3, 4]], torch.full((4, 2), 0.2), atol=1e-4)
    # Whoever has solved the hardest level is sent to any.
    assert series(found, "all walked", "levels")[1].tolist()[:2] == [1, 2]
    assert series(found, "all walked", "levels").max() == 2


def test_commands_change_when_their_time_is_over(found: dict) -> None:
    counters = series(found, "command", "command_counter")
    assert counters.tolist() == [[1] * 8, *[[1, 2, 1, 1, 1, 1, 2, 1]] * 2]
    left = series(found, "command", "time_left")
    assert left[1].tolist() == pytest.approx([9.96, 10.0, *[9.96] * 4, 10.0, 9.96], abs=1e-4)


def test_pushes_change_the_velocity(found: dict) -> None:
    pushed = series(found, "push", "root_link_vel_w")[:, :, 0].diff(dim=0)[0]
    assert (pushed[[0, 7]] > 0.3).all()
    assert (pushed[1:7].abs() < 0.3).all()
    assert series(found, "push", "push")[1, [0, 7]].tolist() == pytest.approx([10.0, 10.0])


def test_who_stands_is_told_to_until_a_new_episode(found: dict) -> None:
    commands = series(found, "stand", "vel_command_b")
    assert not commands[1:3, [2, 3]].any()
    assert (commands[1:3, [0, 1, 4, 5, 6, 7], :2] == 0.6).all()
    # Number 2 begins anew, and nobody is drawn to stand.
    assert (commands[3, 2, :2] == 0.6).all()
    assert not commands[3, 3].any()


def test_starts_are_drawn_within_their_ranges(found: dict) -> None:
    places = series(found, "all", "root_link_pose_w")[1, :, :2] - series(found, "all", "origins")[1, :, :2]
    assert (places >= 0.2).all()
    assert (places <= 0.6).all()
    assert places.unique().numel() == 16


def test_good_episodes_widen_the_commands(found: dict) -> None:
    shares = series(found, "wider", "share")
    assert shares.tolist() == pytest.approx([0.5, 0.6, 0.6, 0.7, 0.7, 0.7, 0.8])
    assert series(found, "wider", "Curriculum/command_ranges")[1:].tolist() == pytest.approx(shares[1:].tolist())
    fastest = series(found, "wider", "vel_command_b")[:, :, :2].abs().amax(dim=(1, 2))
    assert (fastest <= shares + 1e-6).all()
    assert fastest[-1] > 0.5
