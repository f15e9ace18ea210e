# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Online adaptation: a student beside its teacher."""

from __future__ import annotations

import pytest
import torch
from stage_toys import changed, learn, make_stage, tensors

from isaac_tracking.learning.runs import RunError

NORMS = {"actor.policy_norm", "actor.priv_norm", "critic.norm"}


def roa_train(**settings):
    torch.manual_seed(1)
    return make_stage("roa:RoaTrain", student=False, ema=0.04, **settings)


def roa_finetune(**settings):
    torch.manual_seed(2)
    return make_stage("roa:RoaFinetune", student=True, ema=0.04, vecnorm="eval", **settings)


def test_everything_learns_in_train():
    stage = roa_train()
    before = tensors(stage)
    losses = learn(stage, 2)[-1]
    networks = {"encoder_priv", "actor_teacher", "actor_student", "adapt_module", "adapt_ema"}
    assert changed(before, tensors(stage)) == {f"actor.{name}" for name in networks} | NORMS | {"critic.net"}
    assert {"adapt/estimator_loss", "adapt/student"} <= losses.keys()


def test_teacher_and_encoder_stay_in_finetune():
    teacher = roa_train()
    learn(teacher, 2)
    stage = roa_finetune()
    stage.load(teacher.save() | {"iter": 1}, None, strict=True)
    # The student was taught online: it is not the teacher's copy.
    assert not torch.equal(stage.actor.actor_student.net[0].weight, stage.actor.actor_teacher.net[0].weight)
    before = tensors(stage)
    learn(stage, 2)
    assert changed(before, tensors(stage)) == {
        "actor.actor_student", "actor.adapt_module", "actor.adapt_ema", "critic.net",
    }  # fmt: skip


def test_the_running_mean_follows_by_a_twenty_fifth_an_update():
    stage = roa_train()
    before = stage.actor.adapt_ema.net[0].weight.clone()
    learn(stage)
    expected = before + 0.04 * (stage.actor.adapt_module.net[0].weight - before)
    torch.testing.assert_close(stage.actor.adapt_ema.net[0].weight, expected)


def test_the_student_becomes_like_the_teacher():
    stage = roa_train(estimator_learning_rate=3e-3, learning_rate=1e-5)
    with torch.no_grad():
        stage.actor.actor_teacher.net[-1].weight.normal_(std=0.5)
    losses = [loss["adapt/student"] for loss in learn(stage, 40)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_it_does_not_follow_the_three_stages():
    with pytest.raises(RunError, match="stage 'roa_finetune' begins from a checkpoint of stage 'roa_train'"):
        roa_finetune().load(make_stage("stages:Train", student=False).save() | {"iter": 0}, None, strict=True)


def test_a_remembering_adapt_module_and_its_mean_learn_online():
    stage = roa_train(adapt_kind="gru")
    before = tensors(stage)
    learn(stage, 2)
    assert {"actor.adapt_module", "actor.adapt_ema"} <= changed(before, tensors(stage))
