# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The distillation that never waits does what rsl_rl's own does."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from rsl_rl.algorithms import Distillation
from rsl_rl.models import MLPModel, RNNModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from isaac_tracking.learning.graphed_distillation import GraphedDistillation

ENVS, STEPS, OBS, ACTIONS = 4, 6, 5, 3
GROUPS = {"student": ["policy"], "teacher": ["policy", "priv"]}
GAUSSIAN = {"class_name": "isaac_tracking.learning.gaussian:Gaussian", "init_std": 0.1}


def observations(device="cpu"):
    groups = {"policy": 2.0 * torch.randn(ENVS, OBS) + 1.0, "priv": torch.randn(ENVS, 2)}
    return TensorDict(groups, batch_size=[ENVS]).to(device)


def networks(student=MLPModel):
    torch.manual_seed(1)
    obs, kept = observations(), {"distribution_cfg": GAUSSIAN, "obs_normalization": True, "hidden_dims": [16]}
    return (
        student(obs, GROUPS, "student", ACTIONS, **copy.deepcopy(kept)),
        MLPModel(obs, GROUPS, "teacher", ACTIONS, **copy.deepcopy(kept)),
    )


def algorithm(kind, models, device="cpu", **settings):
    student, teacher = copy.deepcopy(models)
    storage = RolloutStorage("distillation", ENVS, STEPS, observations(), [ACTIONS], device)
    settings = {"gradient_length": 3, "num_learning_epochs": 2, "learning_rate": 1e-2} | settings
    with warnings.catch_warnings():
        # Steps that are too few for a gradient are wanted here.
        warnings.simplefilter("ignore")
        alg = kind(student, teacher, storage, device=device, **settings)
    alg.train_mode()
    return alg


def roll_out(alg, seed):
    torch.manual_seed(seed)
    for _ in range(STEPS):
        obs = observations(alg.device)
        with torch.inference_mode():
            alg.act(obs)
            alg.process_env_step(obs, torch.zeros(ENVS), torch.rand(ENVS) < 0.2, {})


def numbers(alg):
    return torch.cat([tensor.flatten() for tensor in alg.student.state_dict().values()])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gradient_length": STEPS, "max_grad_norm": 0.05},
        {"gradient_length": 4, "loss_type": "huber"},  # parts that go on in the next pass
        {"gradient_length": 5},  # two steps are left over
        {"gradient_length": 2 * STEPS + 1},  # no gradient at all
        {"optimizer": "adamw", "num_learning_epochs": 1},
    ],
)
def test_learns_as_rsl_rl_does(settings):
    models = networks()
    ours, stock = (algorithm(kind, models, **settings) for kind in (GraphedDistillation, Distillation))
    start = ours.student.mlp[0].weight.clone()
    for seed in (3, 4, 5):
        losses = []
        for alg in (ours, stock):
            roll_out(alg, seed)
            losses.append(alg.update())
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert (numbers(ours) - numbers(stock)).abs().max() < 1e-5
    moved = (ours.student.mlp[0].weight - start).abs().max()
    assert moved > 1e-3 if ours.gradient_length <= 2 * STEPS else moved == 0.0
    assert ours.num_updates == stock.num_updates == 3


def test_what_is_not_covered_is_left_to_rsl_rl(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Distillation, "update", lambda self: {"stock": 1.0})
    assert algorithm(GraphedDistillation, networks(), optimizer="sgd").update() == {"stock": 1.0}
    recurrent = algorithm(GraphedDistillation, networks(RNNModel))
    assert not recurrent.graphable and recurrent.update() == {"stock": 1.0}


def test_statistics_stay_in_place_and_checkpoints_are_rsl_rls():
    alg = algorithm(GraphedDistillation, networks())
    before = {name: buffer.data_ptr() for name, buffer in alg.student.named_buffers()}
    std = alg.student.state_dict()["obs_normalizer._std"].clone()
    roll_out(alg, 3)
    alg.update()
    assert {name: buffer.data_ptr() for name, buffer in alg.student.named_buffers()} == before
    assert (alg.student.state_dict()["obs_normalizer._std"] - std).abs().max() > 0.1
    group = alg.save()["optimizer_state_dict"]["param_groups"][0]
    assert group["lr"] == 1e-2 and not group["capturable"] and group["fused"] is None
    stock = algorithm(Distillation, networks())
    assert stock.load(alg.save(), None, strict=True)
    assert torch.equal(numbers(stock), numbers(alg))


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@needs_gpu
def test_replayed_graphs_learn_as_kernels_one_by_one():
    captured, eager = (
        algorithm(GraphedDistillation, networks(), "cuda", cuda_graph=graph, gradient_length=5)
        for graph in (True, False)
    )
    for seed in (3, 4, 5, 6):
        roll_out(captured, seed)
        # A graph draws other actions.
        eager.storage = copy.deepcopy(captured.storage)
        losses = [alg.update() for alg in (captured, eager)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert (numbers(captured) - numbers(eager)).abs().max() < 1e-4
    assert captured._passes.steps.works[0]._graph is not None


@needs_gpu
def test_replayed_actions_are_drawn_anew_and_belong_to_their_observations():
    alg, drawn = algorithm(GraphedDistillation, networks(), "cuda"), []
    with torch.inference_mode():
        for _ in range(8):
            obs = observations("cuda")
            drawn.append(alg.act(obs))
            assert torch.equal(alg.transition.actions, drawn[-1])
            assert torch.allclose(alg.transition.privileged_actions, alg.teacher(obs), atol=1e-5)
            assert (drawn[-1] - alg.student(obs)).abs().max() < 1.0
    assert len({tuple(actions.flatten().tolist()) for actions in drawn}) == len(drawn)
    assert alg._acting.work._graph is not None
