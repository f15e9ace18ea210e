# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""PPO and distillation go on learning when only their operators run, as a CUDA graph would have it."""

from __future__ import annotations

import pytest
import test_graphed_distillation as distillation
import test_graphed_ppo as ppo
import torch

from isaac_tracking.learning.graphed_distillation import GraphedDistillation
from isaac_tracking.learning.graphed_ppo import GraphedPPO
from recorded_work import record


@pytest.mark.parametrize("settings", [{}, {"normalize_advantage_per_mini_batch": True, "desired_kl": 1.0e-6}])
def test_ppo_without_python_is_the_same(monkeypatch, settings):
    record(monkeypatch, GraphedPPO)
    networks = ppo.models()
    recorded, plain = (ppo.algorithm(GraphedPPO, networks, cuda_graph=graph, **settings) for graph in (True, False))
    for seed in (3, 4, 5):
        losses = [ppo.fill(alg, seed) for alg in (recorded, plain)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
        assert torch.equal(recorded.storage.actions, plain.storage.actions)
    assert torch.equal(ppo.numbers(recorded), ppo.numbers(plain)) and recorded.learning_rate == plain.learning_rate
    assert recorded._acting.work.replays == 3 * ppo.STEPS - 4
    assert [work.replays for work in recorded._minibatches.steps.works] == [3 * 6 - 4]


def test_distillation_without_python_is_the_same(monkeypatch: pytest.MonkeyPatch):
    record(monkeypatch, GraphedDistillation)
    models = distillation.networks()
    recorded, plain = (
        distillation.algorithm(GraphedDistillation, models, cuda_graph=graph, gradient_length=5)
        for graph in (True, False)
    )
    for seed in (3, 4, 5, 6):
        losses = []
        for alg in (recorded, plain):
            distillation.roll_out(alg, seed)
            losses.append(alg.update())
        assert losses[0] == losses[1]
        assert torch.equal(recorded.storage.actions, plain.storage.actions)
    assert torch.equal(distillation.numbers(recorded), distillation.numbers(plain))
    # Of twelve control steps, two fives.
    assert [work.replays for work in recorded._passes.steps.works] == [4 * 2 - 4]
    assert recorded._acting.work.replays == 4 * distillation.STEPS - 4


@pytest.mark.parametrize("forget", [True, False])
def test_settings_are_those_of_the_capture_until_graphs_are_forgotten(monkeypatch: pytest.MonkeyPatch, forget: bool):
    record(monkeypatch, GraphedPPO, GraphedDistillation)
    learning = (
        (ppo.models(), ppo, GraphedPPO, "clip_param"),
        (distillation.networks(), distillation, GraphedDistillation, "max_grad_norm"),
    )
    for networks, toys, kind, setting in learning:
        recorded, plain = (toys.algorithm(kind, networks, cuda_graph=graph) for graph in (True, False))
        for seed in range(4):
            if seed == 2:  # after the capture
                for alg in (recorded, plain):
                    setattr(alg, setting, 1.0e-3)
                if forget:
                    recorded.forget_graphs()
            for alg in (recorded, plain):
                toys.roll_out(alg, seed)
                torch.manual_seed(seed)
                alg.update()
        assert torch.equal(toys.numbers(recorded), toys.numbers(plain)) == forget
