# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""When films are made while training, and that a film that fails does not stop it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from isaac_tracking.launch import train_film


class FakeRecorder:
    model, body_names = ("unitree_g1", "g1.xml"), ["pelvis"]

    def __init__(self, env: object, num_steps: int, num_envs: int) -> None:
        assert num_envs == 1
        self.count = 0

    def record(self) -> None:
        self.count += 1

    def film_strip(self, first_episodes: bool) -> tuple[np.ndarray, np.ndarray, list[str]]:
        assert not first_episodes
        return np.zeros((self.count, 1, 7)), np.zeros((self.count, 1, 7)), [""] * self.count


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    films: list[tuple[str, int]] = []
    monkeypatch.setattr(train_film, "PoseRecorder", FakeRecorder)
    monkeypatch.setattr(
        train_film, "render_film", lambda path, *args, captions, **kwargs: films.append((path.name, len(captions)))
    )
    return films


def fake_env() -> SimpleNamespace:
    return SimpleNamespace(unwrapped=SimpleNamespace(step_dt=0.02, device="cpu"), step=lambda actions: ("obs", actions))


def test_a_film_begins_every_interval(tmp_path: Path, drawn):
    env = fake_env()
    train_film.TrainFilm(env, tmp_path, length=3, interval=10)
    assert [env.step(index) for index in range(24)] == [("obs", index) for index in range(24)]
    assert drawn == [("step_0.mp4", 3), ("step_10.mp4", 3), ("step_20.mp4", 3)]


def test_a_resumed_run_counts_on_and_long_films_do_not_overlap(tmp_path: Path, drawn):
    env = fake_env()
    film = train_film.TrainFilm(env, tmp_path, length=12, interval=10)
    film.steps = 15
    for index in range(40):
        env.step(index)
    assert drawn == [("step_20.mp4", 12), ("step_40.mp4", 12)]


@pytest.mark.parametrize("error", [ValueError("pose is\nnot finite"), OSError(28, "No space left on device")])
def test_training_goes_on_without_the_film(tmp_path: Path, drawn, monkeypatch, capsys, error: Exception):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(train_film, "render_film", fail)
    env = fake_env()
    train_film.TrainFilm(env, tmp_path, length=2, interval=100)
    for index in range(4):
        env.step(index)
    assert "no film of step 0: " in capsys.readouterr().out
