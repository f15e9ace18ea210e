# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A value for each group of rewards."""

from __future__ import annotations

import pytest
import torch
from stage_toys import NUM_ENVS, STEPS, ToyStageEnv, learn, make_stage

from isaac_tracking.learning.adaptation.rewards import RewardGroups

GROUPS = {"a": ["near"], "b": ["calm"]}


def grouped(**settings):
    torch.manual_seed(1)
    return make_stage("stages:Train", student=False, reward_groups=GROUPS, **settings)


def test_rewards_by_group_add_up_to_the_step():
    env = ToyStageEnv()
    _, reward, _, _ = env.step(torch.randn(NUM_ENVS, 2))
    groups = RewardGroups(env, {"b": ["calm"], "a": ["near"]})
    assert groups.names == ("b", "a") and len(groups) == 2
    assert torch.equal(groups.rewards()[:, 0], env.reward_manager._step_reward[:, 1] * 0.1)
    torch.testing.assert_close(groups.rewards().sum(dim=-1), reward)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"a": ["near"]}, "'calm' is in 0 groups; put every reward into exactly one of a"),
        ({"a": ["near", "calm"], "b": ["calm"]}, "'calm' is in 2 groups"),
        ({"a": ["near", "calm", "fast"]}, "'fast' is no reward of this task; choose from near, calm"),
    ],
)
def test_every_reward_belongs_to_one_group(groups: dict, message: str):
    with pytest.raises(ValueError, match=message):
        RewardGroups(ToyStageEnv(), groups)


def test_returns_and_advantages_by_hand():
    stage = grouped(gamma=0.5, lam=1.0)
    storage = stage.storage
    storage.rewards.zero_()
    storage.values.zero_()
    storage.dones.zero_()
    storage.rewards[-1, :, 0] = 4.0
    storage.rewards[-2, :, 1] = 2.0
    storage.dones[1, 0] = 1
    stage.critic = lambda obs: torch.tensor([[8.0, 0.0]]).expand(NUM_ENVS, 2)
    stage.compute_returns(None)
    # Backwards: 4 + 0.5 * 8, then halves; the first environment's episode ended with the second step.
    expected = torch.tensor([0.5, 1.0, 2.0, 4.0, 8.0])
    assert torch.equal(storage.returns[:, 1, 0], expected)
    assert storage.returns[:, 0, 0].tolist() == [0.0, 0.0, 2.0, 4.0, 8.0]
    assert storage.returns[:, 1, 1].tolist() == [0.25, 0.5, 1.0, 2.0, 0.0]
    total = storage.returns.sum(dim=-1, keepdim=True)
    torch.testing.assert_close(storage.advantages, (total - total.mean()) / (total.std() + 1e-8))
    assert storage.advantages.shape == (STEPS, NUM_ENVS, 1)


def test_a_critic_with_two_values_learns():
    stage = grouped()
    losses = learn(stage, 3)
    assert stage.storage.values.shape == (STEPS, NUM_ENVS, 2)
    assert all(torch.isfinite(torch.tensor(list(loss.values()))).all() for loss in losses)
    torch.testing.assert_close(
        stage.storage.rewards[-1].sum(dim=-1),
        stage.env.reward_manager._step_reward.sum(dim=-1) * 0.1,
    )


def test_a_time_out_adds_what_each_group_would_have_brought():
    stage = grouped(gamma=0.5)
    env = stage.env
    with torch.inference_mode():
        obs, rewards, dones, _ = env.step(stage.act(env.get_observations()))
        values = stage.transition.values.clone()
        cut = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        stage.process_env_step(obs, rewards, dones, {"time_outs": cut})
    expected = env.reward_manager._step_reward * 0.1 + 0.5 * values * cut[:, None]
    torch.testing.assert_close(stage.storage.rewards[0], expected)
