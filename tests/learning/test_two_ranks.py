# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Two processes over gloo learn as one: equal networks bit by bit, joint statistics, one stop, one checkpoint."""

from __future__ import annotations

import csv
import os
import signal
from pathlib import Path

import pytest
import torch
from tensordict import TensorDict
from toy_env import NUM_ENVS, STEPS, ToyEnv, make_runner, runner_cfg

from isaac_tracking.launch.ranks import run_ranks
from isaac_tracking.launch.train_plan import TrainPlan
from isaac_tracking.learning.checkpoint import read_checkpoint
from isaac_tracking.learning.ranks_agree import checksum
from isaac_tracking.learning.runs import RunError, checkpoints

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_ranks")]

SIGNAL_AFTER = 2 * STEPS + 3
"""Steps after which a rank gets a signal: in its third iteration."""
STAGES = ("Train", "Adapt", "Finetune", "RoaTrain", "RoaFinetune")


def run_two(folder: Path, work) -> int:
    """Do something in two processes; each gets a plan with its rank, and a process group when it makes a runner."""
    return run_ranks(TrainPlan("toy", "cpu", folder, [], 1, 1, gpus=2), work)


def seeded_runner(plan: TrainPlan, env: ToyEnv | None = None, **changes):
    """A runner as Isaac Lab's entry point makes it: in a process with a seed of its own."""
    torch.manual_seed(3 + plan.rank)
    return make_runner(plan.run, env, **changes)


def keep(plan: TrainPlan, **values: object) -> int:
    torch.save(values, plan.run / f"kept_{plan.rank}.pt")
    return 0


def kept(folder: Path) -> tuple[dict, dict]:
    first, second = (torch.load(folder / f"kept_{rank}.pt", weights_only=True) for rank in (0, 1))
    return first, second


class ShiftedEnv(ToyEnv):
    """The second rank's environments see observations that are higher by one."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.obs += rank


class SignalledEnv(ToyEnv):
    """A signal comes to this rank alone, in the middle of an iteration."""

    def step(self, actions: torch.Tensor):
        if self.steps == SIGNAL_AFTER:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().step(actions)


def learn(plan: TrainPlan) -> int:
    runner = seeded_runner(plan, ShiftedEnv(plan.rank))
    before = {name: value.clone() for name, value in runner.alg.actor.state_dict().items()}
    runner.learn(3)
    saved = runner.alg.save()
    return keep(plan, before=before, rate=runner.alg.learning_rate, steps=runner.logger.tot_timesteps, **saved)


def average_gradients(plan: TrainPlan) -> int:
    runner = seeded_runner(plan)
    alg = runner.alg
    alg.broadcast_parameters()
    alg.train_mode()
    obs, target = batch()
    mine = slice(4 * plan.rank, 4 * plan.rank + 4)
    (alg.critic(obs[mine]) - target[mine]).square().mean().backward()
    alg.actor.mlp[-1].bias.grad = torch.tensor([1.0, 2.0]) if plan.rank else torch.tensor([3.0, 6.0])
    alg.reduce_parameters()
    gradients = {name: value.grad for name, value in alg.critic.named_parameters()}
    return keep(plan, gradients=gradients, weights=alg.critic.state_dict(), bias=alg.actor.mlp[-1].bias.grad)


def batch() -> tuple[TensorDict, torch.Tensor]:
    """Eight observations and targets: four for each rank."""
    generator = torch.Generator().manual_seed(0)
    obs = torch.randn(8, 3, generator=generator)
    return TensorDict({"policy": obs, "critic": obs}, batch_size=[8]), torch.randn(8, 1, generator=generator)


def stop_by_one(plan: TrainPlan) -> int:
    runner = seeded_runner(plan, SignalledEnv() if plan.rank else ToyEnv())
    runner.learn(50)
    keep(plan, iteration=runner.current_learning_iteration, signal=runner.stop_signal)
    return 0 if runner.stop_signal is None else 128 + runner.stop_signal


class StageEnv(ShiftedEnv):
    """The same, with what the stages of teacher and student look at."""

    def get_observations(self) -> TensorDict:
        groups = {"policy": self.obs, "priv": self.obs[:, :2].square(), "critic_priv": self.obs[:, 2:]}
        return TensorDict({name: value.clone() for name, value in groups.items()}, batch_size=[NUM_ENVS])


def stage_cfg(name: str) -> dict:
    """Config of a stage's runner, with tiny networks."""
    from isaaclab.utils import to_dict

    from isaac_tracking.tasks.tracking import stages_cfg as config

    sizes = {"hidden_dims": [8], "encoder_dims": [8], "adapt_dims": [8], "latent_dim": 4}
    sizes["ema"] = 0.04 if name.startswith("Roa") else None
    way = config.TEACHER if name in ("Train", "RoaTrain") else config.STUDENT
    algorithm = to_dict(getattr(config, f"{name}Cfg")(num_mini_batches=2)) | {"symmetry_cfg": None, "rnd_cfg": None}
    cfg = runner_cfg() | {"actor": to_dict(config.AdaptationActorCfg(class_name=way, **sizes)), "algorithm": algorithm}
    cfg["critic"] = {"class_name": config.CriticCfg().class_name, "hidden_dims": [8]}
    groups = {"actor": ["policy"], "priv": ["priv"], "critic": ["policy", "priv", "critic_priv"]}
    return cfg | {"obs_groups": groups, "max_iterations": 2}


def learn_stages(plan: TrainPlan) -> int:
    """Each stage learns two updates, at the beginning and the end of which the runner compares the ranks."""
    from isaac_tracking.learning.runner import Runner

    saved = {}
    for name in STAGES:
        torch.manual_seed(3 + plan.rank)
        # The critic's time alone is over, and the rate of learning moves.
        runner = Runner(StageEnv(plan.rank), stage_cfg(name), log_dir=str(plan.run / name), device="cpu")
        runner.alg.updates = 1
        runner.learn(2)
        saved[name] = {key: value for key, value in runner.alg.save().items() if key.endswith("_state_dict")}
        saved[name]["moved"] = int(runner.alg.actor.state_dict()["policy_norm.count"])
    return keep(plan, **saved)


def drift(plan: TrainPlan) -> int:
    runner = seeded_runner(plan, save_interval=2)
    update = runner.alg.update

    def update_and_drift() -> dict[str, float]:
        losses = update()
        if plan.rank:
            with torch.no_grad():
                next(runner.alg.critic.parameters())[0, 0] += 1e-6
        return losses

    runner.learn(1)
    runner.alg.update = update_and_drift
    runner.current_learning_iteration = 1
    runner.learn(3)
    return 0


def resume(plan: TrainPlan) -> int:
    runner = seeded_runner(plan)
    runner.load(str(plan.run / "model_2.pt"))
    state = {"visits": runner.env.sampler.visits.clone(), "drawn": torch.rand(4), "iteration": runner.alg.updates}
    runner.learn(1)
    return keep(plan, **state)


def test_networks_and_normalizers_are_equal_bit_by_bit(tmp_path: Path):
    assert run_two(tmp_path, learn) == 0
    first, second = kept(tmp_path)
    assert not torch.equal(first["before"]["mlp.0.weight"], second["before"]["mlp.0.weight"])  # before they met
    for name in ("actor_state_dict", "critic_state_dict"):
        for key, value in first[name].items():
            assert torch.equal(value, second[name][key]), key
    for key, state in first["optimizer_state_dict"]["state"].items():
        for name, value in state.items():
            assert torch.equal(value, second["optimizer_state_dict"]["state"][key][name]), name
    assert first["rate"] == second["rate"] != 1.0e-3
    # Statistics of the environments of both: the second one's observations are higher by one.
    normalizer = first["actor_state_dict"]
    steps = 3 * STEPS * 2 * NUM_ENVS
    assert normalizer["obs_normalizer.count"] == steps
    joint = torch.cat([ToyEnv().obs, ToyEnv().obs + 1.0])
    assert torch.allclose(normalizer["obs_normalizer._mean"], joint.mean(dim=0), atol=1e-6)
    assert torch.allclose(normalizer["obs_normalizer._var"], joint.var(dim=0, unbiased=False), atol=1e-5)
    # Each has random numbers of its own.
    assert not torch.equal(first["samplers"]["motion"]["visits"], second["samplers"]["motion"]["visits"])
    # The first one writes, for all.
    assert first["steps"] == steps and second["steps"] == 0
    assert {path.name for path in checkpoints(tmp_path)} == {"model_0.pt", "model_2.pt"}
    with (tmp_path / "logs.csv").open(newline="") as file:
        assert [int(row["total_steps"]) for row in csv.DictReader(file)] == [steps // 3, 2 * steps // 3, steps]
    assert len(list(tmp_path.glob("events.*"))) == 1
    saved = read_checkpoint(tmp_path / "model_2.pt")
    assert torch.equal(saved["samplers"]["motion"]["visits"], first["samplers"]["motion"]["visits"])

    # The same run goes on: all get the first one's sampler, each its own random numbers.
    assert run_two(tmp_path, resume) == 0
    first, second = kept(tmp_path)
    assert torch.equal(first["visits"], second["visits"]) and first["visits"].min() > 0
    assert not torch.equal(first["drawn"], second["drawn"])
    assert first["iteration"] == second["iteration"] == 3
    assert checkpoints(tmp_path)[-1].name == "model_3.pt"


def test_every_stage_keeps_the_ranks_equal(tmp_path: Path):
    assert run_two(tmp_path, learn_stages) == 0
    first, second = kept(tmp_path)
    for name in STAGES:
        for networks in ("actor_state_dict", "critic_state_dict"):
            for key, value in first[name][networks].items():
                assert torch.equal(value, second[name][networks][key]), f"{name}: {key}"
        for key, state in first[name]["optimizer_state_dict"]["state"].items():
            for part, value in state.items():
                assert torch.equal(value, second[name]["optimizer_state_dict"]["state"][key][part]), f"{name}: {part}"
    # Statistics of both ranks' environments, the earlier update's faded by the steps since, or none at all.
    seen = STEPS * 2 * NUM_ENVS
    moved = int(seen * (1.0 + 0.9999**STEPS))
    assert [first[name]["moved"] for name in STAGES] == [moved, 0, 0, moved, 0]
    joint = torch.cat([ToyEnv().obs, ToyEnv().obs + 1.0]).mean(dim=0)
    assert torch.allclose(first["Train"]["actor_state_dict"]["policy_norm.mean"], joint, atol=1e-5)


def test_averaged_gradient_is_that_of_the_joint_batch(tmp_path: Path):
    assert run_two(tmp_path, average_gradients) == 0
    first, second = kept(tmp_path)
    assert torch.equal(first["bias"], torch.tensor([2.0, 4.0])) and torch.equal(second["bias"], first["bias"])
    critic = make_runner(None).alg.critic
    critic.load_state_dict(first["weights"])
    obs, target = batch()
    (critic(obs) - target).square().mean().backward()
    for name, value in critic.named_parameters():
        assert torch.equal(first["gradients"][name], second["gradients"][name])
        assert value.grad is not None and torch.allclose(first["gradients"][name], value.grad, atol=1e-6), name


def test_signal_to_one_rank_stops_both_after_the_same_iteration(tmp_path: Path):
    assert run_two(tmp_path, stop_by_one) == 128 + signal.SIGTERM
    first, second = kept(tmp_path)
    assert first == second == {"iteration": 2, "signal": int(signal.SIGTERM)}
    assert checkpoints(tmp_path)[-1].name == "model_2.pt"


def test_ranks_that_disagree_stop_before_the_checkpoint(tmp_path: Path):
    with pytest.raises(RunError, match=r"ranks disagree: 'critic\.mlp\.0\.weight' is not the same on all of them"):
        run_two(tmp_path, drift)
    assert [path.name for path in checkpoints(tmp_path)] == ["model_0.pt"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_checksum_sees_every_bit_and_every_place(dtype: torch.dtype):
    value = torch.tensor([[0, 1, 1], [0, 0, 1]]).to(dtype)
    other = value.clone()
    assert torch.equal(checksum(value), checksum(other)) and checksum(value).shape == (2,)
    other[0, 0] = 1
    assert not torch.equal(checksum(value), checksum(other))
    assert not torch.equal(checksum(value), checksum(value.flip(0)))
    assert torch.equal(checksum(value.t()), checksum(value.t().contiguous()))
    assert checksum(torch.tensor(3)).tolist() == [3, 3]  # the words 3 and 0
