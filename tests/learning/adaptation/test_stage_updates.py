# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The update that never waits does what the plain one did: on a CPU bit by bit, with one process and with two."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from plain_update import plain_update
from stage_toys import REWARDS, ToyStageEnv, make_stage, roll, tensors
from tensordict import TensorDict

STAGES = {
    "Train": ("stages:Train", {"student": False}),
    "Adapt": ("stages:Adapt", {"student": True, "vecnorm": "eval"}),
    "Finetune": ("stages:Finetune", {"student": True, "vecnorm": "eval", "critic_share": 0.15}),
    "RoaTrain": ("roa:RoaTrain", {"student": False, "ema": 0.04}),
    "RoaFinetune": ("roa:RoaFinetune", {"student": True, "ema": 0.04, "vecnorm": "eval"}),
}
# The rate of learning moves from the second of the ten updates on.
COMMON = {"desired_kl": 1e-6, "entropy_coef": 0.01, "entropy_coef_end": 0.001, "learning_rate": 3e-3}


def mirror(env, obs: TensorDict | None, actions: torch.Tensor | None):
    """All numbers change their sign, but the privileged ones; the two actions change places and signs."""
    if obs is not None:
        other = obs.clone()
        other["policy"], other["critic_priv"] = -obs["policy"], -obs["critic_priv"]
        obs = torch.cat([obs, other])
    return obs, None if actions is None else torch.cat([actions, -actions.flip(-1)])


def stage_of(name: str, device: str = "cpu", **settings):
    """A stage whose networks are far from zero, so that all losses count."""
    torch.manual_seed(1)
    path, own = STAGES[name]
    if settings.pop("symmetric", False):
        settings["symmetry_cfg"] = {
            "data_augmentation_func": mirror, "use_data_augmentation": True, "use_mirror_loss": True,
            "mirror_loss_coeff": 0.2,
        }  # fmt: skip
    stage = make_stage(path, env=ToyStageEnv(device), **(COMMON | own | settings))
    with torch.no_grad():
        for parameter in (*stage.actor.parameters(), *stage.critic.parameters()):
            if parameter.dim() > 1:
                parameter.copy_(0.5 * torch.randn(parameter.shape))
    return stage


def both_learn(stage, updates: int) -> tuple[list[dict[str, float]], list[dict[str, float]], object]:
    """Let a stage and a copy learn, the copy plainly; return the losses of both, and the copy."""
    plain = copy.deepcopy(stage)
    losses: tuple[list, list] = ([], [])
    for update in range(updates):
        for each, learn, kept in ((stage, type(stage).update, losses[0]), (plain, plain_update, losses[1])):
            torch.manual_seed(10 + update)
            roll(each)
            kept.append(learn(each))
    return *losses, plain


def rates(stage) -> dict[str, float]:
    return {group["name"]: group["lr"] for group in stage.optimizer.param_groups}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"symmetric": True},
        {"adapt_kind": "gru"},
        {"reward_groups": {name: [name] for name in REWARDS}, "num_mini_batches": 4, "max_grad_norm": 0.01},
    ],
    ids=["mlp", "symmetric", "gru", "groups"],
)
def test_learns_as_the_plain_update_does(name: str, settings: dict):
    stage = stage_of(name, **settings)
    before, rate = tensors(stage), stage.learning_rate
    ours, theirs, plain = both_learn(stage, 4)
    for our_losses, their_losses in zip(ours, theirs, strict=True):
        assert list(our_losses) == list(their_losses)
        assert our_losses == pytest.approx(their_losses, rel=1e-5, abs=1e-7)
    after, wanted = tensors(stage), tensors(plain)
    assert [key for key in after if not torch.equal(after[key], wanted[key])] == []
    assert any(not torch.equal(after[key], before[key]) for key in after)
    assert rates(stage) == rates(plain) and all(isinstance(value, float) for value in rates(stage).values())
    if name != "Adapt":
        assert stage.learning_rate == plain.learning_rate != rate
        assert stage.entropy_coef == plain.entropy_coef


def test_the_adapt_modules_last_part_may_be_smaller(monkeypatch: pytest.MonkeyPatch):
    stage, sizes = stage_of("Adapt", num_mini_batches=4, estimator_epochs=1), []
    losses = stage.estimator_losses

    def seen(obs, starts, hidden):
        sizes.append(obs.batch_size[1])
        return losses(obs, starts, hidden)

    monkeypatch.setattr(stage, "estimator_losses", seen)
    # Of the toy's six environments the first five, of which four parts are to be made.
    monkeypatch.setattr(stage.storage, "num_envs", 5)
    roll(stage)
    mean = stage.update()["adapt/estimator_loss"]
    assert sizes == [2, 2, 1]
    assert sorted(size for _, size in stage.minibatches._steps) == [1, 2]
    assert stage.minibatches._sums["adapt"].count == 3 and mean > 0.0


def test_graphs_are_forgotten_when_a_checkpoint_is_loaded():
    stage = stage_of("Train")
    roll(stage)
    stage.update()
    minibatches = stage.minibatches
    assert stage.minibatches is minibatches
    assert stage.load(stage.save() | {"iter": 0}, None, strict=True)
    assert stage.minibatches is not minibatches


def learn_with_both(plan) -> int:
    """Each stage, and a plain copy, learn in this rank; its environments are not the other one's."""
    torch.distributed.init_process_group("gloo", rank=plan.rank, world_size=2)
    kept = {}
    for name in STAGES:
        stage = stage_of(name)
        stage.is_multi_gpu, stage.gpu_world_size, stage.gpu_global_rank = True, 2, plan.rank
        plain = copy.deepcopy(stage)
        for update in range(3):
            for each, learn in ((stage, type(stage).update), (plain, plain_update)):
                torch.manual_seed(100 * plan.rank + update)
                roll(each)
                losses = learn(each)
        kept[name] = {"ours": tensors(stage), "plain": tensors(plain), "losses": losses}
    torch.save(kept, plan.run / f"kept_{plan.rank}.pt")
    return 0


@pytest.mark.slow
@pytest.mark.usefixtures("warm_ranks")
def test_two_ranks_learn_as_with_the_plain_update(tmp_path: Path):
    from isaac_tracking.launch.ranks import run_ranks
    from isaac_tracking.launch.train_plan import TrainPlan

    assert run_ranks(TrainPlan("toy", "cpu", tmp_path, [], 1, 1, gpus=2), learn_with_both) == 0
    first, second = (torch.load(tmp_path / f"kept_{rank}.pt", weights_only=True) for rank in (0, 1))
    for name in STAGES:
        for key, value in first[name]["plain"].items():
            assert torch.equal(value, first[name]["ours"][key]), f"{name}: {key}"
            assert torch.equal(value, second[name]["ours"][key]), f"{name}: {key}"
    # Losses are a rank's own, but for the divergence.
    assert first["Train"]["losses"]["kl"] == second["Train"]["losses"]["kl"]
    assert first["Train"]["losses"]["value"] != second["Train"]["losses"]["value"]


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@needs_gpu
@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("settings", [{}, {"symmetric": True}, {"adapt_kind": "gru"}], ids=["mlp", "symmetric", "gru"])
def test_replayed_graphs_learn_as_kernels_one_by_one(name: str, settings: dict):
    captured = stage_of(name, "cuda", matmul_precision="highest", **settings)
    eager = copy.deepcopy(captured)
    eager.cuda_graph = False
    for update in range(5):
        roll(captured)
        # A graph draws other actions.
        eager.storage, eager._hidden = copy.deepcopy(captured.storage), captured._hidden
        eager.forget_graphs()
        losses = []
        for each in (captured, eager):
            torch.manual_seed(update)
            losses.append(each.update())
        assert losses[0] == pytest.approx(losses[1], rel=1e-3, abs=1e-5)
    ours, theirs = tensors(captured), tensors(eager)
    assert max(float((ours[key] - theirs[key]).abs().max()) for key in ours) < 1e-4
    assert all(steps.works[0]._graph is not None for steps in captured.minibatches._steps.values())
    assert rates(captured) == pytest.approx(rates(eager))


@needs_gpu
@pytest.mark.parametrize("name", STAGES)
def test_replayed_actions_are_drawn_anew_and_belong_to_their_observations(name: str):
    stage, drawn = stage_of(name, "cuda"), []
    with torch.inference_mode():
        for _ in range(8):
            obs = stage.env.get_observations()
            drawn.append(stage.act(obs))
            kept, transition = stage.remember(obs), stage.transition
            assert torch.allclose(transition.observations["latent"], kept["latent"], atol=1e-5)
            stage.actor.distribution.update(stage.actor.mean(kept))
            assert torch.equal(transition.actions, drawn[-1])
            if name != "Adapt":
                assert torch.allclose(transition.values, stage.critic(kept), atol=1e-4)
                assert torch.allclose(transition.distribution_params[0], stage.actor.output_mean, atol=1e-5)
                log_prob = stage.actor.get_output_log_prob(drawn[-1])
                assert torch.allclose(transition.actions_log_prob, log_prob, atol=1e-4)
    assert len({tuple(actions.flatten().tolist()) for actions in drawn}) == len(drawn)
    assert stage._acting.work._graph is not None


@needs_gpu
def test_acting_that_remembers_is_not_captured():
    stage = stage_of("Adapt", "cuda", adapt_kind="gru")
    assert stage.captures and not stage.captures_acting
