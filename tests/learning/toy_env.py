# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A tiny environment whose episodes last one step, and a runner for it; as a program: train until told to stop."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

NUM_ENVS = 4
STEPS = 8


class CountingSampler:
    """Counts how often it was asked, as the motion sampler counts visits."""

    def __init__(self) -> None:
        self.visits = torch.zeros(3)

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"visits": self.visits.clone()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.visits.copy_(state["visits"])


class ToyEnv(VecEnv):
    """Every environment sees its own constant observation, and is paid for actions near a target, with noise."""

    def __init__(self, pause: float = 0.0, size: int = 3) -> None:
        self.num_envs, self.num_actions, self.max_episode_length = NUM_ENVS, 2, 1
        self.device, self.cfg = "cpu", {}
        self.episode_length_buf = torch.zeros(NUM_ENVS, dtype=torch.long)
        self.pause = pause
        self.sampler = CountingSampler()
        self.obs = torch.linspace(-1.0, 1.0, NUM_ENVS * size).reshape(NUM_ENVS, size)
        self.broken = False
        self.steps = 0

    @property
    def unwrapped(self) -> SimpleNamespace:
        term = SimpleNamespace(sampler=self.sampler)
        manager = SimpleNamespace(active_terms=["motion"], get_term={"motion": term}.__getitem__)
        return SimpleNamespace(command_manager=manager)

    def get_observations(self) -> TensorDict:
        return TensorDict({"policy": self.obs.clone(), "critic": self.obs.clone()}, batch_size=[NUM_ENVS])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        time.sleep(self.pause)
        self.steps += 1
        self.sampler.visits += torch.rand(3)
        reward = -(actions - self.obs[:, :2]).square().sum(dim=-1) + 0.1 * torch.randn(NUM_ENVS)
        if self.broken:
            reward = reward * float("nan")
        log = {"Metrics/motion/error_body_pos": torch.tensor(0.05), "number": 1.0}
        extras = {"log": log, "time_outs": torch.zeros(NUM_ENVS, dtype=torch.bool)}
        return self.get_observations(), reward, torch.ones(NUM_ENVS, dtype=torch.long), extras


def runner_cfg(save_interval: int = 100, hidden: tuple[int, ...] = (16, 8)) -> dict:
    network = {"class_name": "MLPModel", "hidden_dims": list(hidden), "activation": "elu", "obs_normalization": True}
    distribution = {"class_name": "GaussianDistribution", "init_std": 1.0, "std_type": "scalar"}
    return {
        "num_steps_per_env": STEPS,
        "save_interval": save_interval,
        "check_for_nan": False,
        "logger": "tensorboard",
        "obs_groups": {"actor": ["policy"], "critic": ["critic"]},
        "actor": {**network, "distribution_cfg": distribution},
        "critic": {**network, "distribution_cfg": None},
        "algorithm": {
            "class_name": "isaac_tracking.learning.ppo:PPO",
            "learning_rate": 1.0e-3,
            "schedule": "adaptive",
            "desired_kl": 0.01,
            "rnd_cfg": None,
            "symmetry_cfg": None,
        },
    }


def make_runner(run: Path | None, env: ToyEnv | None = None, **changes):
    from isaac_tracking.learning.runner import Runner

    return Runner(env or ToyEnv(), runner_cfg(**changes), log_dir=None if run is None else str(run), device="cpu")


def main(run: str, pause: str) -> None:
    runner = make_runner(Path(run), ToyEnv(pause=float(pause)), save_interval=1)
    print("ready", flush=True)
    runner.learn(100_000)
    print(f"stopped {runner.stop_signal}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
