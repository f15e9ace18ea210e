# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The baseline: a plain network imitates the teacher."""

from __future__ import annotations

import pytest
import torch
from stage_toys import NO_OPTIMIZER, STEPS, ToyStageEnv, learn, make_stage, stage_cfg

from isaac_tracking.learning.adaptation.distillation import Distill
from isaac_tracking.learning.runs import RunError


def distill() -> Distill:
    torch.manual_seed(4)
    cfg = stage_cfg("distillation:Distill", student=False)
    teacher = cfg["actor"]
    cfg["actor"] = {
        "class_name": "MLPModel", "hidden_dims": [16], "activation": "elu", "obs_normalization": True,
        "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 0.1, "std_type": "scalar"},
    }  # fmt: skip
    cfg["algorithm"] = {
        "class_name": cfg["algorithm"]["class_name"], "teacher": teacher, "learning_rate": 1e-2,
        "gradient_length": STEPS,
    }  # fmt: skip
    env = ToyStageEnv()
    alg = Distill.construct_algorithm(env.get_observations(), env, cfg, "cpu")
    alg.train_mode()
    return alg


def teacher():
    torch.manual_seed(1)
    stage = make_stage("stages:Train", student=False)
    learn(stage)
    with torch.no_grad():
        stage.actor.actor_teacher.net[-1].weight.normal_(std=0.5)
    return stage


def test_the_student_imitates_and_the_teacher_stays():
    stage, master = distill(), teacher()
    assert not stage.load(master.save() | {"iter": 3}, None, strict=True)
    before = {name: value.clone() for name, value in stage.teacher.state_dict().items()}
    losses = [loss["behavior"] for loss in learn(stage, 60)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert all(torch.equal(before[name], value) for name, value in stage.teacher.state_dict().items())
    assert all(torch.equal(master.actor.state_dict()[name], value) for name, value in before.items())


def test_its_checkpoint_is_like_all_others_and_it_goes_on():
    stage = distill()
    stage.load(teacher().save() | {"iter": 3}, None, strict=True)
    learn(stage, 2)
    saved = stage.save() | {"iter": 1}
    assert saved["stage"] == "distill" and saved["critic_state_dict"] == {}
    again = distill()
    assert again.load(saved, None, strict=True)
    assert again.updates == 2
    assert all(torch.equal(saved["actor_state_dict"][name], value) for name, value in again.actor.state_dict().items())


def test_it_is_played_from_its_checkpoint():
    stage, again = distill(), distill()
    learn(stage)
    assert not again.load(stage.save() | {"iter": 0}, {"actor": True}, strict=True)
    obs = stage.env.get_observations()
    assert torch.equal(again.get_policy()(obs), stage.get_policy()(obs))


def test_without_the_optimizer_it_begins_or_goes_on_all_the_same():
    stage, master = distill(), teacher()
    assert not stage.load(master.save() | {"iter": 3}, NO_OPTIMIZER, strict=True)
    assert all(torch.equal(master.actor.state_dict()[key], value) for key, value in stage.teacher.state_dict().items())
    assert stage.updates == 0
    learn(stage, 2)
    again = distill()
    assert again.load(stage.save() | {"iter": 1}, NO_OPTIMIZER, strict=True)
    assert again.updates == 2 and again.optimizer.state_dict()["state"] == {}
    for ours, theirs in ((again.student, stage.student), (again.teacher, stage.teacher)):
        assert all(torch.equal(theirs.state_dict()[key], value) for key, value in ours.state_dict().items())


@pytest.mark.parametrize("load_cfg", [None, NO_OPTIMIZER])
def test_it_needs_a_teacher(load_cfg: dict | None):
    other = make_stage("stages:Adapt", student=True, vecnorm="eval")
    with pytest.raises(RunError, match="is of stage 'adapt'"):
        distill().load(other.save() | {"iter": 0}, load_cfg, strict=True)
