# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A pipeline as a user starts it, in toy size on a CPU: three real stages, and their real examination."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from isaac_tracking.learning.checkpoint import read_checkpoint

SIZE = ["--device", "cpu", "--num_envs", "4", "--motion", "stand", "--max_iterations", "2"]
SIZE += ["agent.num_steps_per_env=8", "agent.actor.hidden_dims=[16]", "agent.critic.hidden_dims=[16]"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(checkout) -> tuple[Path, str]:
    """The folder of a pipeline, and what was printed."""
    done = checkout.call("train.sh", "--pipeline", *SIZE)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (checkout.folder / "logs" / "rsl_rl" / "g1_pipeline").iterdir()
    return folder, done.stdout


def test_three_stages_and_their_table(trained: tuple[Path, str]):
    folder, out = trained
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "complete"
    for stage, name in zip(summary["stages"], ("1_train", "2_adapt", "3_finetune"), strict=True):
        assert (stage["checkpoint"], stage["iterations"], stage["steps"]) == (f"{name}/model_1.pt", 2, 64)
        assert read_checkpoint(folder / stage["checkpoint"])["stage"] == stage["stage"]
    losses = [stage["estimator_loss"] for stage in summary["stages"]]
    assert losses[0]["first"] > 0.0 and losses[1]["first"] > 0.0 and losses[2] is None
    rows = summary["evaluation"]["clean"]
    assert [row["stage"] for row in rows] == ["train", "adapt", "finetune"]
    assert all(row["error"] is None and row["mpjpe_local"] > 0.0 for row in rows)
    assert "stage 3 of 3: finetune, Isaac-Tracking-G1-Student-v0" in out and "clean, after finetune: " in out
    assert "bash train.sh --pipeline --resume goes on" in out


def test_networks_go_from_stage_to_stage(trained: tuple[Path, str]):
    train, adapt, finetune = (
        read_checkpoint(trained[0] / name / "model_1.pt")["actor_state_dict"]
        for name in ("1_train", "2_adapt", "3_finetune")
    )
    # The student begins as the teacher and stays that while the adapt module learns, which then stays as it is.
    for before, after, part, other in (
        (train, adapt, "actor_teacher.", "actor_student."),
        (adapt, finetune, "adapt_module.", "adapt_module."),
        (train, finetune, "encoder_priv.", "encoder_priv."),
        (train, finetune, "policy_norm.", "policy_norm."),
    ):
        names = [name for name in before if name.startswith(part)]
        assert names
        for name in names:
            assert torch.equal(before[name], after[name.replace(part, other)]), name
    assert not torch.equal(train["adapt_module.net.0.weight"], adapt["adapt_module.net.0.weight"])


def test_each_run_says_where_it_began(trained: tuple[Path, str]):
    folder, _ = trained
    records = [json.loads((folder / name / "params" / "run.json").read_text()) for name in ("2_adapt", "3_finetune")]
    assert [record["began_from"] for record in records] == [
        str(folder / "1_train" / "model_1.pt"),
        str(folder / "2_adapt" / "model_1.pt"),
    ]
    assert all("agent.actor.latent_dim=32" in record["overrides"] for record in records)
    assert (folder.parents[1] / "g1_student" / f"{folder.name}_finetune").resolve() == folder / "3_finetune"
