"""The update that never waits does what rsl_rl's own update does."""

import copy

import pytest
import rsl_rl.algorithms
import torch
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from isaac_tracking.learning import graphed_ppo
from isaac_tracking.learning.graphed_ppo import GraphedPPO

ENVS, STEPS, OBS, ACTIONS = 8, 6, 5, 3
GROUPS = {"actor": ["policy"], "critic": ["policy"]}


def models(normalize=True):
    torch.manual_seed(1)
    obs = TensorDict({"policy": torch.randn(ENVS, OBS)}, batch_size=[ENVS])
    gaussian = {"class_name": "isaac_tracking.learning.gaussian:Gaussian", "init_std": 0.8}
    actor = MLPModel(
        obs, GROUPS, "actor", ACTIONS, hidden_dims=[16], obs_normalization=normalize, distribution_cfg=gaussian
    )
    return actor, MLPModel(obs, GROUPS, "critic", 1, hidden_dims=[16], obs_normalization=normalize)


def algorithm(kind, networks, device="cpu", **settings):
    actor, critic = copy.deepcopy(networks)
    obs = TensorDict({"policy": torch.zeros(ENVS, OBS)}, batch_size=[ENVS])
    storage = RolloutStorage("rl", ENVS, STEPS, obs, [ACTIONS], device)
    settings = {"num_learning_epochs": 2, "num_mini_batches": 3, "schedule": "adaptive"} | settings
    return kind(actor, critic, storage, device=device, **settings)


def fill(alg, seed):
    """Let an algorithm see a rollout that is the same for the same seed, and learn from it."""
    roll_out(alg, seed)
    return alg.update()


def roll_out(alg, seed):
    torch.manual_seed(seed)
    for _ in range(STEPS):
        obs = TensorDict({"policy": 2.0 * torch.randn(ENVS, OBS) + 1.0}, batch_size=[ENVS]).to(alg.device)
        rewards, dones = torch.randn(ENVS).to(alg.device), torch.rand(ENVS).to(alg.device) < 0.1
        with torch.inference_mode():
            alg.act(obs)
            alg.process_env_step(obs, rewards, dones, {})
    with torch.inference_mode():
        alg.compute_returns(obs)


def numbers(alg):
    return torch.cat([tensor.flatten() for m in (alg.actor, alg.critic) for tensor in m.state_dict().values()])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_clipped_value_loss": False, "schedule": "fixed"},
        {"normalize_advantage_per_mini_batch": True, "entropy_coef": 0.3},
        {"desired_kl": 1.0e-6},
        {"desired_kl": 100.0, "max_grad_norm": 0.01},
    ],
)
def test_learns_as_rsl_rl_does(settings):
    networks = models()
    ours, stock = (algorithm(kind, networks, **settings) for kind in (GraphedPPO, rsl_rl.algorithms.PPO))
    start = numbers(ours)
    for seed in (3, 4):
        our_losses, stock_losses = fill(ours, seed), fill(stock, seed)
        assert our_losses.keys() == stock_losses.keys()
        assert list(our_losses.values()) == pytest.approx(list(stock_losses.values()), rel=1e-4, abs=1e-6)
        assert ours.learning_rate == pytest.approx(stock.learning_rate, rel=1e-5)
    assert (numbers(ours) - numbers(stock)).abs().max() < 1e-5
    assert (numbers(ours) - start).abs().max() > 1e-3


def test_the_learning_rate_stays_within_its_bounds():
    up, down = (algorithm(GraphedPPO, models(), desired_kl=kl) for kl in (1.0e9, 1.0e-12))
    for seed in range(10):
        fill(up, seed), fill(down, seed)
    assert up.learning_rate == pytest.approx(1.0e-2)
    assert down.learning_rate == pytest.approx(1.0e-5)


def test_mirrored_samples_count_as_in_rsl_rl():
    def mirror(env, obs, actions):
        if obs is not None:
            obs = torch.cat([obs, obs.apply(torch.neg)])
        return obs, None if actions is None else torch.cat([actions, -actions])

    networks = models(normalize=False)
    settings = dict(env=None, data_augmentation_func=mirror, use_data_augmentation=True, use_mirror_loss=True)
    symmetry = {"symmetry_cfg": settings | {"mirror_loss_coeff": 0.5}}
    ours, stock = (algorithm(kind, networks, **copy.deepcopy(symmetry)) for kind in (GraphedPPO, rsl_rl.algorithms.PPO))
    our_losses, stock_losses = fill(ours, 3), fill(stock, 3)
    assert our_losses == pytest.approx(stock_losses, rel=1e-4, abs=1e-6)
    assert "symmetry" in our_losses
    assert (numbers(ours) - numbers(stock)).abs().max() < 1e-5


def test_what_is_not_covered_is_left_to_rsl_rl(monkeypatch):
    monkeypatch.setattr(rsl_rl.algorithms.PPO, "update", lambda self: {"stock": 1.0})
    alg = algorithm(GraphedPPO, models(), optimizer="sgd")
    assert not alg.graphable
    assert alg.update() == {"stock": 1.0}


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="'half' is unknown; choose from highest, high, medium"):
        algorithm(GraphedPPO, models(), matmul_precision="half")


def test_buffers_stay_where_a_graph_reads_them():
    alg = algorithm(GraphedPPO, models())
    before = {name: buffer.data_ptr() for name, buffer in alg.actor.named_buffers()}
    std = alg.actor.state_dict()["obs_normalizer._std"].clone()
    fill(alg, 3)
    assert {name: buffer.data_ptr() for name, buffer in alg.actor.named_buffers()} == before
    assert (alg.actor.state_dict()["obs_normalizer._std"] - std).abs().max() > 0.1


def test_checkpoints_do_not_tell_how_the_update_was_run():
    alg = algorithm(GraphedPPO, models())
    fill(alg, 3)
    group = alg.save()["optimizer_state_dict"]["param_groups"][0]
    assert isinstance(group["lr"], float)
    assert not group["capturable"]
    again = algorithm(GraphedPPO, models())
    again.load(alg.save(), None, strict=True)
    other = copy.deepcopy(again)
    fill(again, 5), fill(other, 5)
    assert torch.equal(numbers(again), numbers(other))


def test_a_minibatch_is_called_once_for_each_pass_and_part(monkeypatch):
    sizes = []
    call = graphed_ppo._Minibatches.__call__
    monkeypatch.setattr(
        graphed_ppo._Minibatches, "__call__", lambda self, indices: (sizes.append(len(indices)), call(self, indices))
    )
    fill(algorithm(GraphedPPO, models()), 3)
    assert sizes == [ENVS * STEPS // 3] * 6


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@needs_gpu
def test_a_replayed_graph_learns_as_kernels_one_by_one():
    networks = [model.cuda() for model in models()]
    captured, eager = (
        algorithm(GraphedPPO, networks, device="cuda", cuda_graph=graph, matmul_precision="highest")
        for graph in (True, False)
    )
    for seed in (3, 4, 5):
        roll_out(captured, seed)
        # A graph draws other actions.
        eager.storage = copy.deepcopy(captured.storage)
        eager._minibatches = None
        for each in (captured, eager):
            torch.manual_seed(seed)
            each.update()
    assert (numbers(captured) - numbers(eager)).abs().max() < 1e-4


@needs_gpu
def test_replayed_actions_are_drawn_anew_and_belong_to_their_observations():
    alg = algorithm(GraphedPPO, [model.cuda() for model in models()], device="cuda")
    drawn = []
    some = torch.Generator().manual_seed(0)
    for _ in range(8):
        obs = TensorDict({"policy": torch.randn(ENVS, OBS, generator=some)}, batch_size=[ENVS]).to("cuda")
        with torch.inference_mode():
            drawn.append(alg.act(obs))
            alg.actor.distribution.update(alg.actor.mlp(alg.actor.get_latent(obs)))
            assert torch.allclose(alg.transition.values, alg.critic(obs), atol=1e-5)
            log_prob = alg.actor.get_output_log_prob(drawn[-1])
            assert torch.allclose(alg.transition.actions_log_prob, log_prob, atol=1e-4)
            assert torch.equal(alg.transition.actions, drawn[-1])
            assert torch.allclose(alg.transition.distribution_params[0], alg.actor.output_mean, atol=1e-5)
    assert len({tuple(actions.flatten().tolist()) for actions in drawn}) == len(drawn)
    assert alg._acting.work._graph is not None
