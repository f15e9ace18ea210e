# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Mirror images in a stage, with a mirror of our own making."""

from __future__ import annotations

import pytest
import torch
from stage_toys import NUM_ENVS, STEPS, learn, make_stage, roll
from tensordict import TensorDict

CALLS: list[int] = []


def mirror(env, obs: TensorDict | None, actions: torch.Tensor | None):
    """All numbers change their sign, but the privileged ones; the two actions change places and signs."""
    if obs is not None:
        CALLS.append(len(obs))
        other = obs.clone()
        other["policy"], other["critic_priv"] = -obs["policy"], -obs["critic_priv"]
        obs = torch.cat([obs, other])
    return obs, None if actions is None else torch.cat([actions, -actions.flip(-1)])


SYMMETRY = {
    "data_augmentation_func": mirror, "use_data_augmentation": True, "use_mirror_loss": True, "mirror_loss_coeff": 0.2,
}  # fmt: skip


def symmetric(**settings):
    torch.manual_seed(1)
    return make_stage("stages:Train", student=False, symmetry_cfg=dict(SYMMETRY), **settings)


def test_mirror_losses_by_hand():
    stage = symmetric(mirror_std_coeff=10.0)
    stage.actor.head.distribution.std_param.data = torch.tensor([0.5, 0.8])
    stage.actor.head.distribution.update(torch.zeros(1, 2))
    means = torch.tensor([[1.0, 2.0], [-2.0, 1.0]])
    # The second row is of the mirrored observation; mirrored back it is (-1, 2).
    losses = stage.mirror_losses(means, 1)
    assert losses["mirror"].item() == pytest.approx(0.2 * ((1.0 + 1.0) ** 2 + 0.0) / 2)
    assert losses["mirror_std"].item() == pytest.approx(10.0 * 0.3**2)


def test_the_critic_learns_from_both_and_ppo_from_the_originals():
    stage = symmetric()
    roll(stage)
    batch = next(stage.storage.mini_batch_generator(1, 1))
    both = stage.with_mirror(batch.observations)
    assert len(both) == 2 * STEPS * NUM_ENVS and "latent" not in both
    values = stage.critic(both)
    expected = (values - batch.returns.repeat(2, 1)).square().mean()
    losses = stage.ppo_losses(batch)
    torch.testing.assert_close(losses["value"], expected)
    assert losses["kl"].item() == pytest.approx(0.0, abs=1e-6)


def test_every_update_sees_mirror_images():
    CALLS.clear()
    learn(symmetric(estimator_epochs=1))
    # Two epochs and one of the estimator, of two batches each.
    assert CALLS == [STEPS * NUM_ENVS // 2] * 6


def test_a_remembering_adapt_module_has_no_mirror():
    with pytest.raises(ValueError, match=r"symmetry needs an adapt module without memory; give agent.actor.adapt_kind"):
        symmetric(adapt_kind="gru")
