# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Two ways through one set of networks."""

from __future__ import annotations

import pytest
import torch
from stage_toys import NUM_ENVS, ToyStageEnv, stage_cfg
from torch import nn

from isaac_tracking.learning.adaptation.models import LATENT, AdaptationActor, StudentActor, TeacherActor


def actor(kind: type[AdaptationActor], **settings) -> AdaptationActor:
    torch.manual_seed(0)
    cfg = stage_cfg("stages:Train", student=False)
    sizes = {name: value for name, value in cfg["actor"].items() if name != "class_name"} | settings
    made = kind(ToyStageEnv().get_observations(), cfg["obs_groups"], "actor", 2, **sizes)
    for module in made.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.5)
    return made


def test_teacher_and_student_share_their_checkpoint():
    teacher, student = actor(TeacherActor), actor(StudentActor)
    assert teacher.state_dict().keys() == student.state_dict().keys()
    student.load_state_dict(teacher.state_dict(), strict=True)


def test_the_teacher_looks_at_the_privileged_group_and_the_student_does_not():
    obs = ToyStageEnv().get_observations()
    other = obs.clone()
    other["priv"] += 1.0
    assert not torch.equal(actor(TeacherActor)(obs), actor(TeacherActor)(other))
    assert torch.equal(actor(StudentActor)(obs), actor(StudentActor)(other))


def test_the_teachers_action_by_hand():
    teacher, obs = actor(TeacherActor), ToyStageEnv().get_observations()
    teacher.policy_norm.mean.fill_(0.5)
    teacher.priv_norm.var.fill_(4.0)
    seen = (obs["policy"] - 0.5) / 1.01
    latent = teacher.encoder_priv(obs["priv"] / 2.01)
    expected = teacher.actor_teacher.net(torch.cat([seen, latent], dim=-1))
    torch.testing.assert_close(teacher(obs), expected)


def test_the_student_takes_the_latent_of_the_rollout_if_there_is_one():
    student, obs = actor(StudentActor), ToyStageEnv().get_observations()
    estimated = student.adapt_module(student.seen(obs))
    without = student(obs)
    obs[LATENT] = estimated
    torch.testing.assert_close(student(obs), without)
    obs[LATENT] = estimated + 1.0
    assert not torch.allclose(student(obs), without)


def test_a_student_that_begins_as_the_teacher_acts_as_the_teacher_on_the_same_latent():
    teacher, student = actor(TeacherActor), actor(StudentActor)
    teacher.actor_teacher.distribution.std_param.data.fill_(0.3)
    student.load_state_dict(teacher.state_dict())
    student.copy_teacher_to_student()
    obs = ToyStageEnv().get_observations()
    obs[LATENT] = teacher.encoded(obs)
    assert torch.equal(student(obs), teacher(obs))
    assert student.distribution.std_param.tolist() == pytest.approx([0.3, 0.3])


def test_the_running_mean_moves_by_its_share():
    student = actor(StudentActor, ema=0.25)
    assert student.adapt_ema is not None and student.estimator is student.adapt_ema
    for before, now in zip(student.adapt_ema.parameters(), student.adapt_module.parameters(), strict=True):
        before.fill_(1.0)
        now.data.fill_(5.0)
    student.follow_adapt_module()
    assert all((value == 2.0).all() for value in student.adapt_ema.parameters())


def test_sampling_uses_the_students_own_deviation():
    student, obs = actor(StudentActor), ToyStageEnv().get_observations()
    student.actor_student.distribution.std_param.data.fill_(1e-5)
    student.actor_teacher.distribution.std_param.data.fill_(1.0)
    torch.testing.assert_close(student(obs, stochastic_output=True), student(obs), atol=1e-3, rtol=0.0)
    assert student.output_std.shape == (NUM_ENVS, 2)


def test_an_unknown_adapt_module_is_refused():
    with pytest.raises(ValueError, match="adapt module 'lstm' is unknown; choose from mlp, gru"):
        actor(StudentActor, adapt_kind="lstm")


def test_a_teacher_cannot_be_exported():
    with pytest.raises(ValueError, match=r"Isaac-Tracking-G1-Student-v0"):
        actor(TeacherActor).as_onnx(verbose=False)
