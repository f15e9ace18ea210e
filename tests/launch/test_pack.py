# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``pack.py``: a checkpoint as a small run folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.pack import pack, slim
from isaac_tracking.learning.checkpoint import read_checkpoint


def test_slim_keeps_weights_and_settings_of_the_optimizer():
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight], lr=3e-4)
    weight.sum().backward()
    optimizer.step()
    loaded = {
        "actor_state_dict": {"a": weight.detach()}, "critic_state_dict": {}, "iter": 7, "infos": {"run": {}},
        "optimizer_state_dict": optimizer.state_dict(), "samplers": {"motion": 1}, "random": 2, "log": 3,
    }  # fmt: skip
    kept = slim(loaded)
    assert set(kept) == {"actor_state_dict", "critic_state_dict", "iter", "infos", "optimizer_state_dict"}
    # Adam takes it and begins with new moments, at the old rate.
    other = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))], lr=1.0)
    other.load_state_dict(kept["optimizer_state_dict"])
    assert other.param_groups[0]["lr"] == 3e-4 and not other.state
    assert loaded["optimizer_state_dict"]["state"], "the original is left as it was"


def test_packed_policy_is_small_and_a_run_folder(untrained_run: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert pack([str(untrained_run), "--output", "small", "--commit", "abc123"]) == 0
    folder = tmp_path / "small"
    assert sorted(path.name for path in folder.iterdir()) == ["model_0.pt", "params"]
    whole, packed = (read_checkpoint(run / "model_0.pt") for run in (untrained_run, folder))
    assert (folder / "model_0.pt").stat().st_size < (untrained_run / "model_0.pt").stat().st_size
    for name, value in whole["actor_state_dict"].items():
        assert torch.equal(value, packed["actor_state_dict"][name]), name
    assert "samplers" in whole and "samplers" not in packed
    record = json.loads((folder / "params" / "run.json").read_text())
    assert record["commit"] == "abc123" and record["task"] == "Isaac-Tracking-G1-v0"
    # A later policy takes the earlier one's place.
    (folder / "model_0.pt").rename(folder / "model_9.pt")
    assert pack([str(untrained_run), "--output", "small"]) == 0
    assert [path.name for path in folder.glob("*.pt")] == ["model_0.pt"]
    assert "wrote" in capsys.readouterr().out


def test_a_folder_with_other_things_is_left_alone(untrained_run: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(OptionError, match=r"notes.* exists and is no packed policy"):
        pack([str(untrained_run), "--output", "notes"])
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["a.txt"]


def test_a_run_is_no_packed_policy(untrained_run: Path, tmp_path: Path, monkeypatch):
    """It would lose all its checkpoints but one."""
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    shutil.copytree(untrained_run, run)
    shutil.copy(run / "model_0.pt", run / "model_9.pt")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for checkpoint in (run / "model_0.pt", untrained_run):
        with pytest.raises(OptionError, match=r"run' exists and is no packed policy; give a new folder"):
            pack([str(checkpoint), "--output", "run"])
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
