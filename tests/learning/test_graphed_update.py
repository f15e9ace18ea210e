# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Steps of an optimizer without waits: rates on the device, sums of losses, one exchange between ranks."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import rsl_rl.algorithms
import torch
from rsl_rl.utils import reduce_gradients_in_buckets
from test_graphed_ppo import algorithm, models, numbers, roll_out
from torch import nn

from isaac_tracking.learning.graphed_ppo import GraphedPPO
from isaac_tracking.learning.graphed_update import (
    DeviceAdam,
    Exchange,
    GraphedSteps,
    LossSums,
    Samples,
    forget_how,
    matmul_precision,
)


def learner(parameters, max_grad_norm=None, ranks=1):
    optimizer = torch.optim.Adam(parameters, lr=0.1)
    return SimpleNamespace(
        optimizer=optimizer, max_grad_norm=max_grad_norm, device="cpu", gpu_world_size=ranks, captures=False
    )


def test_rates_are_tensors_while_open_and_numbers_afterwards():
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([{"params": [first], "lr": 0.1}, {"params": [second], "lr": 0.3}])
    adam = DeviceAdam(optimizer, "cpu")
    with adam.on_device():
        held = [group["lr"] for group in optimizer.param_groups]
        assert [rate.item() for rate in held] == [0.1, 0.3]
        (first.sum() - second.sum()).backward()
        # A rate that moves meanwhile, as PPO's does.
        adam.rates[1].fill_(0.2)
        optimizer.step()
    # The first step of Adam is the rate, whatever the gradient.
    assert first.tolist() == pytest.approx([0.9, 0.9]) and second.tolist() == pytest.approx([1.2, 1.2])
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.3]
    with adam.on_device():
        assert [group["lr"] is before for group, before in zip(optimizer.param_groups, held, strict=True)] == [True] * 2


def test_rates_are_numbers_again_after_an_error():
    optimizer = torch.optim.Adam([nn.Parameter(torch.ones(1))], lr=0.1)
    with pytest.raises(RuntimeError, match="in between"), DeviceAdam(optimizer, "cpu").on_device():
        raise RuntimeError("in between")
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_losses_are_added_up_and_forgotten_in_place():
    sums = LossSums("cpu")
    assert sums.means() == {}
    for loss in (1.0, 4.0):
        sums.add({"value": torch.tensor(loss, requires_grad=True)})
        sums.count += 1
    total = sums.totals["value"]
    assert sums.means()["value"].item() == 2.5 and not total.requires_grad
    sums.begin()
    assert sums.means() == {} and total.item() == 0.0 and sums.totals["value"] is total


def test_a_step_clips_each_list_for_itself_and_leaves_the_rest_alone():
    large, small, other = (nn.Parameter(torch.tensor([1.0])) for _ in range(3))
    alg, seen, sums = learner([large, small, other], max_grad_norm=1.0), {}, LossSums("cpu")

    def loss():
        parts = {"large": 10.0 * large.sum(), "small": 0.5 * small.sum()}
        return sum(parts.values()), parts

    def before():
        seen["unclipped"] = large.grad.item()

    def after():
        seen["clipped"] = [parameter.grad.item() for parameter in (large, small)]

    other.grad = torch.ones(1)
    GraphedSteps(alg, [[large], [small]], loss, sums, before, after)()
    assert seen["unclipped"] == 10.0 and seen["clipped"] == pytest.approx([1.0, 0.5])
    assert other.item() == 1.0 and large.item() == pytest.approx(0.9)
    assert {name: mean.item() for name, mean in sums.means().items()} == {"large": 10.0, "small": 0.5}


def test_minibatches_are_the_same_in_all_passes_and_stay_in_place():
    alg = algorithm(GraphedPPO, models())
    roll_out(alg, 3)
    samples = Samples(alg.storage, 3)
    samples.begin()
    passes = list(samples.passes(2))
    assert len(passes) == 6 and all(torch.equal(passes[i], passes[i + 3]) for i in range(3))
    assert sorted(torch.cat(passes[:3]).tolist()) == list(range(48))
    torch.manual_seed(7)
    expected = list(alg.storage.mini_batch_generator(3, 1))
    torch.manual_seed(7)
    for wanted, chosen in zip(expected, samples.passes(1), strict=True):
        samples.choose(chosen)
        batch = samples.batch()
        for name in ("actions", "values", "advantages", "returns", "old_actions_log_prob"):
            assert torch.equal(getattr(batch, name), getattr(wanted, name)), name
        assert torch.equal(batch.observations["policy"], wanted.observations["policy"])
        assert torch.equal(batch.old_distribution_params[0], wanted.old_distribution_params[0])


def test_what_is_saved_does_not_tell_how():
    saved = {"optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 0.1, "fused": True, "capturable": True}]}}
    group = forget_how(saved)["optimizer_state_dict"]["param_groups"][0]
    assert group == {"lr": 0.1, "fused": None, "capturable": False}


def test_the_precision_is_that_of_before_again():
    before = torch.get_float32_matmul_precision()
    with matmul_precision("medium"):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


"""
Ranks.
"""


def test_gradients_and_divergence_go_through_one_buffer_once_a_minibatch(monkeypatch: pytest.MonkeyPatch):
    # Two ranks with the same rollout: their sum is twice as much, their mean what one rank learns from.
    exchanged = []
    alone, one = algorithm(GraphedPPO, models()), algorithm(GraphedPPO, models())
    one.is_multi_gpu, one.gpu_world_size = True, 2
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda buffer: exchanged.append(buffer.mul_(2.0)))
    for seed in (3, 4):
        for each in (alone, one):
            roll_out(each, seed)
        # They would see other permutations otherwise.
        for each in (alone, one):
            torch.manual_seed(seed)
            losses = each.update()
        assert losses["value"] > 0.0
    assert torch.equal(numbers(one), numbers(alone)) and one.learning_rate == alone.learning_rate
    size = sum(parameter.numel() for model in (one.actor, one.critic) for parameter in model.parameters())
    assert [buffer.numel() for buffer in exchanged] == [size + 1] * 12
    assert {buffer.data_ptr() for buffer in exchanged} == {exchanged[0].data_ptr()}


def exchange_with_both(plan) -> int:
    """Average gradients in one buffer, and as rsl_rl does it; then let PPO learn in both ways."""
    torch.distributed.init_process_group("gloo", rank=plan.rank, world_size=2)
    torch.manual_seed(plan.rank)
    gradients = [torch.randn(shape) for shape in ((3, 5), (7,), (), (2, 1, 4))]
    divergence = torch.randn(())
    stock = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(stock, gradients, strict=True):
        parameter.grad = gradient.clone()
    # So small that there are several buckets.
    reduce_gradients_in_buckets(stock, 2, 40 / 1024**2)
    wanted = divergence.clone()
    torch.distributed.all_reduce(wanted)
    wanted /= 2
    exchange, ours = Exchange(2), [*gradients, divergence]
    exchange.pack(ours)
    exchange.add_up()
    exchange.unpack(ours)
    equal = [torch.equal(a, b) for a, b in zip(ours, [*(p.grad for p in stock), wanted], strict=True)]
    learned = {}
    networks = models()
    for kind in (GraphedPPO, rsl_rl.algorithms.PPO):
        ranks = {"global_rank": plan.rank, "local_rank": plan.rank, "world_size": 2}
        alg = algorithm(kind, networks, multi_gpu_cfg=ranks, desired_kl=0.005)
        for seed in (3, 4):
            roll_out(alg, 10 * seed + plan.rank)
            losses = alg.update()
        learned[kind.__name__] = {"numbers": numbers(alg), "rate": alg.learning_rate, "losses": losses}
    torch.save({"equal": equal} | learned, plan.run / f"kept_{plan.rank}.pt")
    return 0


@pytest.mark.slow
@pytest.mark.usefixtures("warm_ranks")
def test_one_buffer_averages_as_rsl_rls_buckets_do(tmp_path: Path):
    from isaac_tracking.launch.ranks import run_ranks
    from isaac_tracking.launch.train_plan import TrainPlan

    assert run_ranks(TrainPlan("toy", "cpu", tmp_path, [], 1, 1, gpus=2), exchange_with_both) == 0
    first, second = (torch.load(tmp_path / f"kept_{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["equal"] == second["equal"] == [True] * 5
    assert torch.equal(first["GraphedPPO"]["numbers"], second["GraphedPPO"]["numbers"])
    for rank in (first, second):
        ours, stock = rank["GraphedPPO"], rank["PPO"]
        assert (ours["numbers"] - stock["numbers"]).abs().max() < 1e-5
        assert ours["rate"] == pytest.approx(stock["rate"], rel=1e-5) != pytest.approx(1e-3)
        assert ours["losses"] == pytest.approx(stock["losses"], rel=1e-4, abs=1e-6)


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@needs_gpu
def test_two_graphs_with_an_exchange_between_learn_as_one(monkeypatch: pytest.MonkeyPatch):
    networks = [model.cuda() for model in models()]
    alone, one = (algorithm(GraphedPPO, networks, device="cuda", matmul_precision="highest") for _ in range(2))
    one.is_multi_gpu, one.gpu_world_size = True, 2
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda buffer: buffer.mul_(2.0))
    for seed in (3, 4, 5):
        roll_out(alone, seed)
        # Graphs draw other actions each; and a graph goes on reading where its rollout lies.
        if one.storage.distribution_params is None:
            one.storage.distribution_params = tuple(map(torch.zeros_like, alone.storage.distribution_params))
        for name, value in vars(alone.storage).items():
            if name == "distribution_params":
                for mine, other in zip(one.storage.distribution_params, value, strict=True):
                    mine.copy_(other)
            elif name == "observations" or isinstance(value, torch.Tensor):
                getattr(one.storage, name).copy_(value)
        for each in (alone, one):
            torch.manual_seed(seed)
            each.update()
    assert (numbers(alone) - numbers(one)).abs().max() < 1e-5
    assert [work._graph is not None for work in one._minibatches.steps.works] == [True, True]


@needs_gpu
def test_a_fused_adam_reads_its_rates_from_the_device():
    parameter = nn.Parameter(torch.ones(3, device="cuda"))
    optimizer = torch.optim.Adam([parameter], lr=0.1)
    alg = SimpleNamespace(optimizer=optimizer, max_grad_norm=1.0, device="cuda", gpu_world_size=1, captures=True)
    adam, sums = DeviceAdam(optimizer, "cuda"), LossSums("cuda")
    steps = GraphedSteps(alg, [[parameter]], lambda: (parameter.sum(), {"sum": parameter.sum()}), sums)
    with adam.on_device():
        for _ in range(6):
            steps()
        before = parameter.clone()
        adam.rates[0].fill_(0.0)
        steps()
        assert torch.equal(parameter, before)
    assert steps.works[0]._graph is not None and optimizer.param_groups[0]["lr"] == 0.1
    assert before.tolist() == pytest.approx([0.4] * 3, abs=1e-3) and sums.count == 7


def learn_captured(plan) -> int:
    """On two GPUs, let PPO learn by graphs and by kernels one by one from the same rollouts."""
    torch.cuda.set_device(plan.device)
    torch.distributed.init_process_group("nccl", rank=plan.rank, world_size=2)
    networks = [model.to(plan.device) for model in models()]
    settings = {"multi_gpu_cfg": {"global_rank": plan.rank, "local_rank": plan.rank, "world_size": 2}}
    captured, eager = (
        algorithm(GraphedPPO, networks, plan.device, cuda_graph=graph, matmul_precision="highest", **settings)
        for graph in (True, False)
    )
    for seed in (3, 4, 5):
        roll_out(captured, 10 * seed + plan.rank)
        eager.storage = copy.deepcopy(captured.storage)
        eager.forget_graphs()
        for each in (captured, eager):
            torch.manual_seed(seed)
            each.update()
    graphs = [work._graph is not None for work in captured._minibatches.steps.works]
    kept = {"captured": numbers(captured).cpu(), "eager": numbers(eager).cpu(), "graphs": graphs}
    torch.save(kept, plan.run / f"kept_{plan.rank}.pt")
    return 0


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_learn_by_graphs_as_by_kernels_one_by_one(tmp_path: Path):
    from isaac_tracking.launch.ranks import run_ranks
    from isaac_tracking.launch.train_plan import TrainPlan

    assert run_ranks(TrainPlan("toy", "cuda", tmp_path, [], 1, 1, gpus=2), learn_captured) == 0
    first, second = (torch.load(tmp_path / f"kept_{rank}.pt", weights_only=True) for rank in (0, 1))
    assert torch.equal(first["captured"], second["captured"])
    assert first["graphs"] == second["graphs"] == [True, True]
    assert (first["captured"] - first["eager"]).abs().max() < 1e-4
