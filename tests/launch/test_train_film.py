# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When films are made while training, and that a film that fails does not stop it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from isaac_tracking.launch.train_film import TrainFilm


class FakeRecorder:
    """Counts instants, and the films that are drawn of them."""

    model = "unitree_g1", "g1.xml"
    films: list[tuple[str, int]]
    error: Exception | None

    def __init__(self, env: object, num_steps: int, num_envs: int) -> None:
        assert num_envs == 1
        self.count = 0

    def record(self) -> None:
        self.count += 1

    def film_strip(self, first_episodes: bool) -> FakeRecorder:
        assert not first_episodes
        return self

    def render(self, path: Path, mjcf: Path, stride: int, device: str) -> None:
        assert mjcf.name == "g1.xml" and stride == 2 and device == "cpu"
        if self.error is not None:
            raise self.error
        self.films.append((path.name, self.count))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    monkeypatch.setattr(FakeRecorder, "films", [], raising=False)
    monkeypatch.setattr(FakeRecorder, "error", None, raising=False)
    return FakeRecorder.films


def film(env: SimpleNamespace, folder: Path, length: int, interval: int) -> TrainFilm:
    return TrainFilm(env, folder, length, interval, cast(Any, FakeRecorder))


def fake_env() -> SimpleNamespace:
    return SimpleNamespace(unwrapped=SimpleNamespace(step_dt=0.02, device="cpu"), step=lambda actions: ("obs", actions))


def test_a_film_begins_every_interval(tmp_path: Path, drawn):
    env = fake_env()
    film(env, tmp_path, 3, 10)
    assert [env.step(index) for index in range(24)] == [("obs", index) for index in range(24)]
    assert drawn == [("step_0.mp4", 3), ("step_10.mp4", 3), ("step_20.mp4", 3)]


def test_a_resumed_run_counts_on_and_long_films_do_not_overlap(tmp_path: Path, drawn):
    env = fake_env()
    film(env, tmp_path, 12, 10).steps = 15
    for index in range(40):
        env.step(index)
    assert drawn == [("step_20.mp4", 12), ("step_40.mp4", 12)]


@pytest.mark.parametrize("error", [ValueError("pose is\nnot finite"), OSError(28, "No space left on device")])
def test_training_goes_on_without_the_film(tmp_path: Path, drawn, monkeypatch, capsys, error: Exception):
    monkeypatch.setattr(FakeRecorder, "error", error)
    env = fake_env()
    film(env, tmp_path, 2, 100)
    for index in range(4):
        env.step(index)
    assert "no film of step 0: " in capsys.readouterr().out
