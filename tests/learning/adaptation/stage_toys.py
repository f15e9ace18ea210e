# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A tiny environment with the groups that the stages look at, and stages on it."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

NUM_ENVS, STEPS, ACTIONS = 6, 5, 2
REWARDS = ("near", "calm")
NO_OPTIMIZER = {"actor": True, "critic": True, "optimizer": False, "iteration": True, "rnd": True}
"""What ``isaaclab train --no-resume_optimizer_state`` takes of a checkpoint."""
_STAGES = "isaac_tracking.learning.adaptation"


class ToyStageEnv(VecEnv):
    """What is privileged follows from what the policy sees, so that it can be inferred."""

    def __init__(self, device: str = "cpu") -> None:
        self.num_envs, self.num_actions, self.max_episode_length = NUM_ENVS, ACTIONS, 4
        self.device, self.cfg = device, {}
        self.episode_length_buf = torch.zeros(NUM_ENVS, dtype=torch.long, device=device)
        self.term = SimpleNamespace(progress=1.0)
        self.step_dt = 0.1
        nothing = torch.zeros(NUM_ENVS, len(REWARDS), device=device)
        self.reward_manager = SimpleNamespace(active_terms=list(REWARDS), _step_reward=nothing)
        self.action_manager = SimpleNamespace(active_terms=["joint_pos"], get_term={"joint_pos": self.term}.__getitem__)
        self.steps = 0

    @property
    def unwrapped(self) -> ToyStageEnv:
        return self

    def get_observations(self) -> TensorDict:
        seen = torch.randn(NUM_ENVS, 4).to(self.device)
        groups = {"policy": seen, "priv": seen[:, :3].square(), "critic_priv": seen[:, :1]}
        return TensorDict(groups, batch_size=[NUM_ENVS])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        self.steps += 1
        self.reward_manager._step_reward = torch.stack([-actions[:, 0].abs(), -actions[:, 1].abs()], dim=-1)
        reward = self.reward_manager._step_reward.sum(dim=-1) * self.step_dt
        dones = (torch.arange(NUM_ENVS, device=self.device) + self.steps) % 4 == 0
        return self.get_observations(), reward, dones.long(), {"time_outs": torch.zeros(NUM_ENVS, device=self.device)}


def stage_cfg(name: str, student: bool, adapt_kind: str = "mlp", ema: float | None = None, **settings) -> dict:
    """Runner config of a stage with tiny networks; ``name`` is module and class."""
    way = "StudentActor" if student else "TeacherActor"
    sizes = {"hidden_dims": [8], "encoder_dims": [8], "adapt_dims": [8], "latent_dim": 3}
    algorithm = {
        "class_name": f"{_STAGES}.{name}", "num_learning_epochs": 2, "num_mini_batches": 2, "learning_rate": 1e-3,
        "use_clipped_value_loss": False, "symmetry_cfg": None,
    }  # fmt: skip
    return {
        "num_steps_per_env": STEPS,
        "max_iterations": 10,
        "obs_groups": {"actor": ["policy"], "priv": ["priv"], "critic": ["policy", "priv", "critic_priv"]},
        "actor": {"class_name": f"{_STAGES}.models:{way}", "adapt_kind": adapt_kind, "ema": ema, **sizes},
        "critic": {"class_name": f"{_STAGES}.models:Critic", "hidden_dims": [8]},
        "algorithm": algorithm | settings,
        "multi_gpu": None,
    }


def make_stage(name: str, student: bool, env: ToyStageEnv | None = None, **settings):
    """A stage, constructed as the runner does it."""
    from rsl_rl.utils import resolve_callable

    env = env or ToyStageEnv()
    cfg = stage_cfg(name, student, **settings)
    kind = resolve_callable(cfg["algorithm"]["class_name"])
    alg = kind.construct_algorithm(env.get_observations(), env, cfg, env.device)
    alg.train_mode()
    return alg


def roll(alg) -> None:
    """One rollout, as the runner does it."""
    env, obs = alg.env, alg.env.get_observations()
    with torch.inference_mode():
        for _ in range(STEPS):
            obs, rewards, dones, extras = env.step(alg.act(obs))
            alg.process_env_step(obs, rewards, dones, extras)
        alg.compute_returns(obs)


def learn(alg, updates: int = 1) -> list[dict[str, float]]:
    """Some iterations, as the runner does them; what the updates return."""
    losses = []
    for _ in range(updates):
        roll(alg)
        losses.append(alg.update())
    return losses


def tensors(alg) -> dict[str, torch.Tensor]:
    """Copies of all weights and statistics."""
    named = [("actor", alg.actor), ("critic", alg.critic)]
    return {f"{name}.{key}": value.clone() for name, module in named for key, value in module.state_dict().items()}


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """First two parts of the names of the tensors that are not bit by bit what they were."""
    return {".".join(name.split(".")[:2]) for name in before if not torch.equal(before[name], after[name])}
