# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoints of W&B, with a stand-in for its package; Isaac Lab's own code fetches them."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import isaaclab_rl.utils.wandb as isaaclab_wandb
import pytest

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch import train_plan
from isaac_tracking.launch.errors import OptionError
from isaac_tracking.launch.wandb_checkpoint import fetch_checkpoint, is_online


class OfflineError(Exception):
    """Stands in for ``wandb.errors.Error``."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What W&B is asked for; it has one run, ``me/tracker/abc``, with checkpoints of iterations 5 and 10."""
    paths: list[str] = []

    class File:
        def __init__(self, name: str) -> None:
            self.name = name

        def download(self, root: str, replace: bool) -> None:
            Path(root, self.name).write_text(self.name)

    class Api:
        def run(self, path: str) -> Any:
            paths.append(path)
            if path != "me/tracker/abc":
                raise OfflineError(f"could not find run {path}")
            return types.SimpleNamespace(files=lambda: [File(f"model_{n}.pt") for n in (10, 5)] + [File("config.yaml")])

    module: Any = types.ModuleType("wandb")
    module.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
    module.Api, module.errors = Api, types.SimpleNamespace(Error=OfflineError)
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setattr(isaaclab_wandb, "wandb", module, raising=False)
    monkeypatch.delenv("WANDB_ENTITY", raising=False)
    monkeypatch.delenv("WANDB_USERNAME", raising=False)
    return paths


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("run:me/tracker/abc", "model_10.pt"),
        ("wandb:me/tracker/abc", "model_10.pt"),
        ("run:me/tracker/abc?checkpoint=5", "model_5.pt"),
        ("https://wandb.ai/me/tracker/runs/abc", "model_10.pt"),
        ("https://wandb.ai/me/tracker/runs/abc?nw=x&checkpoint=5#top", "model_5.pt"),
    ],
)
def test_a_run_is_named_as_in_other_projects(tmp_path: Path, asked: list[str], name: str, file: str):
    assert is_online(name)
    assert fetch_checkpoint(name, tmp_path) == tmp_path / "tracker" / "abc" / file
    assert asked == ["me/tracker/abc"]


def test_without_an_owner_that_of_the_environment_is_taken(tmp_path: Path, asked, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(OptionError, match=r"cannot be fetched from W&B .*WANDB_ENTITY"):
        fetch_checkpoint("run:tracker/abc", tmp_path)
    monkeypatch.setenv("WANDB_ENTITY", "me")
    assert fetch_checkpoint("run:tracker/abc", tmp_path).name == "model_10.pt"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("run:abc", "names no run of W&B; give run:ENTITY/PROJECT/ID"),
        ("run:me/tracker/nope", "cannot be fetched from W&B .could not find run me/tracker/nope.*wandb login"),
        ("run:me/tracker/abc?checkpoint=7", "cannot be fetched from W&B .*iteration 7 not found"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_line(tmp_path: Path, asked, name: str, words: str):
    with pytest.raises(OptionError, match=words) as error:
        fetch_checkpoint(name, tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else find(name))
    with pytest.raises(OptionError, match="'run:me/tracker/abc' is on W&B, which needs a package: pip install wandb"):
        train_plan.make_plan(["--checkpoint", "run:me/tracker/abc", "--device", "cpu"], tmp_path)
    assert not list(tmp_path.iterdir())


def test_training_reads_what_was_fetched(tmp_path: Path, asked):
    # The stand-in's file is no checkpoint, and the plan says so: it was fetched and read.
    with pytest.raises(ValueError, match=r"wandb_checkpoints/tracker/abc/model_10\.pt' cannot be read"):
        train_plan.make_plan(["--checkpoint", "run:me/tracker/abc", "--device", "cpu"], tmp_path)
    assert (tmp_path / "logs" / "wandb_checkpoints" / "tracker" / "abc" / "model_10.pt").is_file()


def test_files_and_words_are_not_of_wandb():
    assert not any(map(is_online, ("latest", "pretrained", "runs/a/model_1.pt", "/run:a/model_1.pt")))
