# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which settings of a run go on when its policy is played, judged and exported, and what is said of its checkpoint."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch.examination import Examination, _sha256
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.launch.play_plan import make_plan
from isaac_tracking.launch.tracking_examination import TrackingExamination
from isaac_tracking.learning.runs import RunError


def make_run(folder: Path, overrides: list[str]) -> Path:
    """Make a run with a checkpoint of small networks."""
    run = folder / "logs" / "rsl_rl" / "g1_tracking" / "2026-01-01_00-00-00"
    (run / "params").mkdir(parents=True)
    record = {"task": "Isaac-Tracking-G1-v0", "overrides": ["agent.actor.hidden_dims=[8]", *overrides], "clips": []}
    (run / "params" / "run.json").write_text(json.dumps(record))
    sizes = [160, 8, 29]
    weights = {f"mlp.{2 * i}.weight": torch.zeros(b, a) for i, (a, b) in enumerate(itertools.pairwise(sizes))}
    weights["obs_normalizer._mean"] = torch.zeros(1, 160)
    saved = {"actor_state_dict": weights, "critic_state_dict": {}, "optimizer_state_dict": {}, "iter": 1, "infos": None}
    torch.save(saved, run / "model_1.pt")
    return run


def test_a_policy_keeps_its_robot_its_rates_and_what_it_sees(tmp_path: Path):
    """What is left behind would be missing in policy.onnx as well."""
    needed = [
        "env.decimation=2",
        "env.sim.dt=0.004",
        "env.scene.robot.actuators.7520_22.stiffness=300.0",
        "env.commands.motion.future_steps=[0,2,4]",
        "env.commands.motion.anchor_body_name=pelvis",
        "env.commands.motion.motions=['stand']",
    ]
    other = ["env.scene.num_envs=16", "env.commands.motion.reset_noise=null", "env.events.push_robot=null"]
    make_run(tmp_path, [*needed, *other])
    plan = make_plan(["--device", "cpu"], tmp_path)
    assert set(needed) <= set(plan.overrides) and not set(other) & set(plan.overrides)
    env_cfg, _ = resolve_config(plan.task, plan.overrides)
    assert env_cfg.decimation * env_cfg.sim.dt == pytest.approx(0.008)
    assert env_cfg.scene.robot.actuators["7520_22"].stiffness == 300.0


class Examined(Examination):
    """An examination of a file."""

    __init__ = subject = filmed_steps = run = print = draw = page = None  # type: ignore[assignment]


def test_a_report_tells_of_the_checkpoint_that_was_loaded(tmp_path: Path):
    checkpoint = tmp_path / "model_1.pt"
    checkpoint.write_bytes(b"weights")
    examination = object.__new__(Examined)
    examination.plan = plan = SimpleNamespace(checkpoint=checkpoint)  # type: ignore[assignment]
    examination._sha256 = _sha256(plan)  # type: ignore[arg-type]
    examination.check_loaded()
    checkpoint.write_bytes(b"others")
    with pytest.raises(RunError, match=r"model_1\.pt' changed while it was loaded; examine it again"):
        examination.check_loaded()
    checkpoint.unlink()
    with pytest.raises(RunError, match="cannot be read any more"):
        examination.check_loaded()


def test_a_trajectory_of_another_policy_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("isaac_tracking.inference.trajectory.is_trajectory", lambda path: path.is_file())
    old, mine = tmp_path / "walk.npz", tmp_path / "stand.npz"
    old.write_bytes(b"of the policy before")
    examination: Any = object.__new__(TrackingExamination)
    examination._options = SimpleNamespace(trajectories=tmp_path, every=5)
    for clip in ("walk", "stand"):
        examination._write_trajectory(SimpleNamespace(clip=clip, steps=3))
    assert not old.exists() and not mine.exists()
