# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The policy that comes with the package: small, whole, of our own motions alone, and able to do them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.policy_contract import load_policy
from isaac_tracking.launch.main import main
from isaac_tracking.launch.play_plan import make_plan
from isaac_tracking.learning.checkpoint import read_checkpoint
from isaac_tracking.learning.runs import PRETRAINED, checkpoints, read_record
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips


def test_it_is_small_and_says_where_it_comes_from():
    files = [path for path in PRETRAINED.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {checkpoints(PRETRAINED)[0].name, "run.json", "policy.onnx", "policy.json"}
    assert sum(path.stat().st_size for path in files) < 8e6
    assert (PRETRAINED / "policy.onnx").stat().st_size < 3e6
    record = read_record(PRETRAINED)
    assert record["task"] == "Isaac-Tracking-G1-NoStateEst-v0" and record["commit"] != "unknown"
    # Motions of our own making only, and those of today: a policy of other clips must be trained anew.
    assert record["clips"] == list(shipped_clips())
    contract, _ = load_policy(PRETRAINED / "policy.onnx")
    hashes = dict(zip(contract.motion["clips"], contract.motion["hashes"], strict=True))
    assert hashes == {name: Clip.load(path).content_hash for name, path in shipped_clips().items()}


def test_exported_file_and_checkpoint_are_the_same_policy():
    contract, session = load_policy(PRETRAINED / "policy.onnx")
    checkpoint = checkpoints(PRETRAINED)[-1]
    assert contract.checkpoint == checkpoint.name
    weights = read_checkpoint(checkpoint)["actor_state_dict"]
    obs = torch.randn(20, 154, generator=torch.Generator().manual_seed(0))
    mean, std = weights["obs_normalizer._mean"], weights["obs_normalizer._std"]
    hidden = (obs - mean) / (std + 0.01)
    layers = sorted({int(key.split(".")[1]) for key in weights if key.startswith("mlp.")})
    for layer in layers:
        hidden = torch.nn.functional.linear(hidden, weights[f"mlp.{layer}.weight"], weights[f"mlp.{layer}.bias"])
        if layer != layers[-1]:
            hidden = torch.nn.functional.elu(hidden)
    actions = np.concatenate([session.run(None, {"obs": row[None].numpy()})[0] for row in obs])
    np.testing.assert_allclose(actions, hidden.numpy(), atol=1e-5)


@pytest.mark.slow
def test_it_does_all_its_motions_in_another_engine(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main("sim2sim", ["pretrained", "--noise", "--friction", "0.5", "--json", "out.json"]) == 0
    assert "16 of 16 clips (100.0 %) reached the clip's end" in capsys.readouterr().out
    found = json.loads((tmp_path / "out.json").read_text())
    local = [clip["metrics"]["mpjpe_local"] for clip in found["clips"]]
    assert len(local) == 16 and max(local) < 35.0


def test_nothing_is_written_into_the_package(tmp_path: Path):
    plan = make_plan(["--checkpoint", "pretrained", "--device", "cpu", "--video"], tmp_path)
    assert plan.task == "Isaac-Tracking-G1-NoStateEst-Play-v0"
    assert plan.checkpoint.parent == PRETRAINED and plan.results == tmp_path / "logs" / "rsl_rl" / "pretrained"
    assert plan.film is not None and plan.film.is_relative_to(plan.results)


def test_training_goes_on_from_it_in_a_new_run(tmp_path: Path):
    from isaac_tracking.launch.train_plan import make_plan as plan_training

    plan = plan_training(
        ["--task", "Isaac-Tracking-G1-NoStateEst-v0", "--checkpoint", "pretrained", "--device", "cpu"], tmp_path
    )
    assert plan.checkpoint == checkpoints(PRETRAINED)[-1]
    assert plan.run.parent == tmp_path / "logs" / "rsl_rl" / "g1_tracking_no_state_est"
