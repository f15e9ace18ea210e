# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""TRAIN, ADAPT and FINETUNE: what learns, what does not, and when."""

from __future__ import annotations

import math

import pytest
import torch
from stage_toys import NO_OPTIMIZER, ToyStageEnv, changed, learn, make_stage, roll, tensors

from isaac_tracking.learning.runs import RunError

NORMS = {"actor.policy_norm", "actor.priv_norm", "critic.norm"}


def train(**settings):
    torch.manual_seed(1)
    return make_stage("stages:Train", student=False, **settings)


def adapt(**settings):
    torch.manual_seed(2)
    return make_stage("stages:Adapt", student=True, vecnorm="eval", **settings)


def finetune(**settings):
    torch.manual_seed(3)
    return make_stage("stages:Finetune", student=True, vecnorm="eval", **settings)


def begun(stage, before):
    """The stage, begun from the checkpoint of another."""
    assert not stage.load(before.save() | {"iter": 7}, None, strict=True)
    return stage


def test_train_leaves_the_student_alone():
    stage = train()
    before = tensors(stage)
    losses = learn(stage, 2)[-1]
    learned = {"actor.encoder_priv", "actor.actor_teacher", "actor.adapt_module", "critic.net"}
    assert changed(before, tensors(stage)) == learned | NORMS
    assert {"surrogate", "value", "entropy", "adapt/reg", "adapt/estimator_loss", "kl"} <= losses.keys()


def test_adapt_changes_the_adapt_module_alone_bit_by_bit():
    teacher = train()
    learn(teacher, 2)
    stage = begun(adapt(), teacher)
    before = tensors(stage)
    losses = learn(stage, 3)[-1]
    assert changed(before, tensors(stage)) == {"actor.adapt_module"}
    assert losses.keys() == {"adapt/estimator_loss"}


def test_finetune_begins_with_the_critic_alone():
    teacher = train()
    learn(teacher)
    stage = begun(finetune(critic_share=0.15), begun(adapt(), teacher))
    before = tensors(stage)
    losses = learn(stage, 2)  # at 0 and 10 % of the ten updates
    assert changed(before, tensors(stage)) == {"critic.net"}
    assert losses[-1].keys() == {"value"}
    learn(stage)  # at 20 %
    assert changed(before, tensors(stage)) == {"critic.net", "actor.actor_student"}


def test_a_student_begins_as_the_teacher_and_goes_on_as_itself():
    teacher = train()
    learn(teacher)
    first = begun(adapt(), teacher)
    for name, value in teacher.actor.actor_teacher.state_dict().items():
        assert torch.equal(first.actor.actor_student.state_dict()[name], value)
    tuned = begun(finetune(critic_share=-1.0), first)
    learn(tuned, 2)
    again = finetune()
    assert again.load(tuned.save() | {"iter": 1}, None, strict=True)
    assert not changed(tensors(tuned), tensors(again))
    assert again.updates == 2


def test_what_a_stage_may_begin_with():
    teacher, middle = train(), adapt()
    for stage, before in ((finetune(), teacher), (train(), middle), (adapt(), finetune())):
        with pytest.raises(RunError, match=f"is of stage '{before.stage}'"):
            stage.load(before.save() | {"iter": 0}, None, strict=True)
    plain = {"actor_state_dict": {}, "critic_state_dict": {}, "optimizer_state_dict": {}, "iter": 0}
    with pytest.raises(RunError, match="without stages"):
        adapt().load(plain, None, strict=True)


def test_without_the_optimizer_a_stage_begins_or_goes_on_all_the_same():
    teacher = train()
    learn(teacher, 2)
    stage = adapt()
    assert not stage.load(teacher.save() | {"iter": 1}, NO_OPTIMIZER, strict=True)
    assert stage.updates == 0 and not changed(tensors(teacher), tensors(stage)) - {"actor.actor_student"}
    with pytest.raises(RunError, match="is of stage 'train'"):
        finetune().load(teacher.save() | {"iter": 1}, NO_OPTIMIZER, strict=True)
    again = train()
    assert again.load(teacher.save() | {"iter": 1}, NO_OPTIMIZER, strict=True)
    assert again.updates == 2 and not changed(tensors(teacher), tensors(again))
    assert again.optimizer.state_dict()["state"] == {}


def test_statistics_in_front_of_a_frozen_network_may_not_move():
    with pytest.raises(ValueError, match=r"stage 'adapt' would move the statistics.*vecnorm=eval"):
        make_stage("stages:Adapt", student=True, vecnorm="train")
    with pytest.raises(ValueError, match="vecnorm 'off' is unknown; choose from train, eval"):
        make_stage("stages:Train", student=False, vecnorm="off")


def test_only_networks_that_learn_have_gradients_and_a_place_in_the_optimizer():
    for stage in (train(), adapt(), finetune()):
        learned = {parameter for group in stage.optimizer.param_groups for parameter in group["params"]}
        everything = {*stage.actor.parameters(), *stage.critic.parameters()}
        assert {parameter for parameter in everything if parameter.requires_grad} == learned


def test_the_adapt_module_learns_what_the_encoder_says():
    torch.manual_seed(0)
    teacher = train()
    with torch.no_grad():
        for parameter in teacher.actor.encoder_priv.parameters():
            parameter.normal_(std=0.5)
    stage = begun(adapt(estimator_learning_rate=1e-2, estimator_epochs=5), teacher)
    losses = [loss["adapt/estimator_loss"] for loss in learn(stage, 40)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_a_remembering_adapt_module_learns_too():
    stage = begun(adapt(adapt_kind="gru"), train(adapt_kind="gru"))
    before = tensors(stage)
    learn(stage, 2)
    assert changed(before, tensors(stage)) == {"actor.adapt_module"}
    assert stage.actor.adapt_module.hidden().shape == (6, 3)


def test_the_entropys_weight_decays_exponentially():
    stage = train(entropy_coef=0.01, entropy_coef_end=0.0025)
    weights = []
    for _ in range(6):
        learn(stage)
        weights.append(stage.entropy_coef)
    assert weights == pytest.approx([0.01 * 0.25 ** (update / 10) for update in range(6)])


def test_the_latents_regularization_grows_with_progress():
    stage = train(reg_lambda=0.2)
    with torch.no_grad():
        for parameter in (*stage.actor.encoder_priv.parameters(), *stage.actor.adapt_module.parameters()):
            parameter.normal_(std=0.5)
    roll(stage)
    batch = next(stage.storage.mini_batch_generator(1, 1))
    stage.actor.mean(batch.observations)
    distance = (stage.actor.latent - batch.observations["latent"]).square().mean()
    for updates, share in ((0, 0.0), (5, 0.1), (10, 0.2), (15, 0.2)):
        stage.updates = updates
        stage.weigh()
        torch.testing.assert_close(stage.extra_loss(batch)["adapt/reg"], share * distance)


@pytest.mark.parametrize(
    ("updates", "kl", "factor"),
    [(0, 1.0, 1.0), (5, 0.021, 1 / 1.1), (5, 0.019, 1.0), (5, 0.006, 1.0), (5, 0.004, 1.1), (5, 0.0, 1.0)],
)
def test_the_divergence_moves_the_actors_rate_alone(updates: int, kl: float, factor: float):
    stage = train(desired_kl=0.01)
    stage.updates = updates
    stage._follow_divergence(kl)
    rates = {group["name"]: group["lr"] for group in stage.optimizer.param_groups}
    assert rates == pytest.approx({"actor": 1e-3 * factor, "critic": 1e-3, "adapt": 5e-4})
    assert stage.learning_rate == rates["actor"]


def test_without_a_wanted_divergence_the_rate_stays():
    stage = train(desired_kl=None)
    stage.updates = 5
    stage._follow_divergence(1.0)
    assert stage.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("critic", "rate", "deciding"),
    [
        (None, 1e-3, ("critic_learning_rate", "learning_rate")),
        (2e-3, 2e-3, ("critic_learning_rate",)),
        (0.0, 0.0, ("critic_learning_rate",)),
    ],
)
def test_which_settings_decide_which_rate(critic: float | None, rate: float, deciding: tuple[str, ...]):
    stage = make_stage("roa:RoaTrain", student=False, critic_learning_rate=critic, estimator_learning_rate=3e-3)
    rates = {group["name"]: group["lr"] for group in stage.optimizer.param_groups}
    assert rates == {"actor": 1e-3, "critic": rate, "adapt": 3e-3, "student": 3e-3}
    assert stage.rate_settings == {
        "actor": ("learning_rate",),
        "critic": deciding,
        "adapt": ("estimator_learning_rate",),
        "student": ("estimator_learning_rate",),
    }


def test_the_rate_of_a_stage_without_ppo_is_the_adapt_modules():
    stage = adapt(learning_rate=1e-3, estimator_learning_rate=3e-3)
    assert stage.learning_rate == 3e-3
    learn(stage)
    again = adapt(learning_rate=1e-3, estimator_learning_rate=1e-4)
    assert again.load(stage.save() | {"iter": 0}, None, strict=True)
    assert again.learning_rate == 3e-3


def test_the_rate_stays_in_its_bounds():
    stage = train(learning_rate=5e-3)
    stage.updates = 5
    stage._follow_divergence(1e-9)
    assert stage.learning_rate == 5e-3
    stage.learning_rate = 1e-5
    stage._follow_divergence(10.0)
    assert stage.learning_rate == 1e-5


def test_curricula_of_the_actions_follow_the_run_once_it_trains():
    env = ToyStageEnv()
    stage = train(env=env)
    learn(stage, 3)
    assert env.term.progress == pytest.approx(0.3)


def test_the_clipped_surrogate_by_hand():
    stage = train(clip_param=0.2, entropy_coef=0.0)
    roll(stage)
    batch = next(stage.storage.mini_batch_generator(1, 1))
    batch.old_actions_log_prob = batch.old_actions_log_prob - math.log(2.0)  # every ratio is two
    batch.advantages = torch.ones_like(batch.advantages)
    assert stage.ppo_losses(batch)["surrogate"].item() == pytest.approx(-1.2)
    batch.advantages = -torch.ones_like(batch.advantages)
    assert stage.ppo_losses(batch)["surrogate"].item() == pytest.approx(2.0)


def test_a_run_goes_on_with_rates_moments_and_updates():
    stage = train()
    learn(stage, 3)
    stage.updates, stage.learning_rate = 3, 3e-4
    stage.optimizer.param_groups[0]["lr"] = 3e-4
    again = train()
    assert again.load(stage.save() | {"iter": 2}, None, strict=True)
    assert (again.updates, again.learning_rate) == (3, 3e-4)
    first, second = stage.optimizer.state_dict()["state"], again.optimizer.state_dict()["state"]
    assert all(torch.equal(first[key]["exp_avg"], second[key]["exp_avg"]) for key in first)
