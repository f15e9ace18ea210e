# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The runner of ``train.sh``, without a simulator."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from isaac_tracking.launch.planned_runner import PlannedRunner, Runner
from isaac_tracking.launch.terminal import Curtain


def test_what_is_there_before_training_is_not_searched_for_garbage(monkeypatch: pytest.MonkeyPatch):
    """Newton looks for garbage after a capture; 0.8 s went into objects that stay."""
    frozen = []
    monkeypatch.setattr(Runner, "learn", lambda *args: frozen.append(gc.get_freeze_count()))
    monkeypatch.setattr(PlannedRunner, "_begin", lambda self: None)
    runner = PlannedRunner.__new__(PlannedRunner)
    runner._curtain, runner.is_distributed = Curtain(down=True), False
    runner.learn(1)
    assert frozen[0] > 10_000
    assert gc.get_freeze_count() == 0


def algorithm(rates: dict[str | None, float], **more: Any) -> SimpleNamespace:
    """What a runner looks at of an algorithm with these learning rates by group of the optimizer."""
    groups = [
        {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} | ({"name": name} if name else {})
        for name, rate in rates.items()
    ]
    return SimpleNamespace(optimizer=torch.optim.Adam(groups), learning_rate=groups[0]["lr"], **more)


def rates_after_load(monkeypatch: pytest.MonkeyPatch, alg: SimpleNamespace, given: set[str]) -> list[float]:
    """Learning rates by group after a checkpoint whose rates are 1, 2, 3 and so on."""
    saved = alg.optimizer.state_dict()
    for number, group in enumerate(saved["param_groups"]):
        group["lr"] = 1.0 + number

    def load(self: Any, *args: Any) -> dict:
        self.alg.optimizer.load_state_dict(saved)
        self.alg.learning_rate = 1.0
        return {"kept": True}

    monkeypatch.setattr(Runner, "load", load)
    runner = PlannedRunner.__new__(PlannedRunner)
    runner.alg, runner._plan = alg, SimpleNamespace(rates=frozenset(given))  # type: ignore[assignment]
    assert runner.load("model_3.pt") == {"kept": True}
    rates = [group["lr"] for group in alg.optimizer.param_groups]
    assert alg.learning_rate == rates[0]
    return rates


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        (set(), [1.0, 2.0, 3.0, 4.0]),
        ({"learning_rate"}, [0.1, 0.2, 3.0, 4.0]),
        ({"critic_learning_rate"}, [1.0, 0.2, 3.0, 4.0]),
        ({"estimator_learning_rate"}, [1.0, 2.0, 0.3, 0.4]),
        ({"learning_rate", "estimator_learning_rate"}, [0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_only_the_rates_that_are_given_anew_replace_the_checkpoints(
    monkeypatch: pytest.MonkeyPatch, given: set[str], rates: list[float]
):
    deciding = {
        "actor": ("learning_rate",),
        "critic": ("critic_learning_rate", "learning_rate"),
        "adapt": ("estimator_learning_rate",),
        "student": ("estimator_learning_rate",),
    }
    alg = algorithm({"actor": 0.1, "critic": 0.2, "adapt": 0.3, "student": 0.4}, rate_settings=deciding)
    assert rates_after_load(monkeypatch, alg, given) == rates


@pytest.mark.parametrize(("given", "rate"), [(set(), 1.0), ({"learning_rate"}, 0.1)])
def test_an_algorithm_without_names_has_one_rate_for_all(monkeypatch: pytest.MonkeyPatch, given: set[str], rate: float):
    assert rates_after_load(monkeypatch, algorithm({None: 0.1}), given) == [rate]
