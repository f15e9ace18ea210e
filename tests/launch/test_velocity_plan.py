# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``train.sh`` and ``test.sh`` decide for velocity tasks before they start anything."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.velocity.rollout import WalkEpisode
from isaac_tracking.launch import play_plan, velocity_family
from isaac_tracking.launch.errors import USER_ERRORS, OptionError
from isaac_tracking.launch.families import FAMILIES, family, family_of, refuse_motions
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.launch.train_plan import make_plan

FLAT, ROUGH = "Isaac-Velocity-Flat-Unitree-Go1-v0", "Isaac-Velocity-Rough-Unitree-Go1-v0"
FLAT_G1 = "Isaac-Velocity-Flat-G1-v0"
ON_CPU = ("--device", "cpu")


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Make a run folder with checkpoints of a velocity task, as training leaves it."""

    def make(task: str, *iterations: int, overrides: tuple[str, ...] = (), name: str = "2026-01-01_00-00-00") -> Path:
        agent_cfg = resolve_config(task, overrides)[1]
        run = tmp_path / "logs" / "rsl_rl" / agent_cfg.experiment_name / name
        (run / "params").mkdir(parents=True)
        record = {"task": task, "overrides": list(overrides), "planned": 20, "clips": []}
        (run / "params" / "run.json").write_text(json.dumps(record))
        weights = {}
        sizes = [48, *agent_cfg.actor.hidden_dims, 12]
        for layer, (before, after) in enumerate(itertools.pairwise(sizes)):
            weights[f"mlp.{2 * layer}.weight"] = torch.zeros(after, before)
        if agent_cfg.actor.obs_normalization:
            weights["obs_normalizer._mean"] = torch.zeros(1, 48)
        for iteration in iterations:
            saved = {"actor_state_dict": weights, "critic_state_dict": weights, "optimizer_state_dict": {},
                     "iter": iteration, "infos": None}  # fmt: skip
            torch.save(saved, run / f"model_{iteration}.pt")
        return run

    return make


def test_families_of_tasks():
    assert family_of(FLAT) == family_of("Isaac-Velocity-Rough-G1-Play-v0") == "velocity"
    assert family_of("Isaac-Tracking-G1-v0") == "tracking" and set(FAMILIES) == {"tracking", "velocity"}
    assert family(FLAT) is velocity_family.FAMILY


@pytest.mark.parametrize(
    ("task", "iterations", "experiment"),
    [(ROUGH, 1500, "unitree_go1_rough"), (FLAT, 300, "unitree_go1_flat")],
)
def test_defaults_of_a_gpu_are_the_documents(task: str, iterations: int, experiment: str):
    env_cfg, agent_cfg = resolve_config(task, [])
    assert (env_cfg.scene.num_envs, agent_cfg.max_iterations, agent_cfg.experiment_name) == (
        4096, iterations, experiment
    )  # fmt: skip
    assert resolve_config(task.replace("-v0", "-Play-v0"), [])[0].scene.num_envs == 50


def test_new_run_says_ground_and_commands_and_no_motions(tmp_path: Path):
    plan = make_plan([*ON_CPU, "--task", FLAT, "--max_iterations", "20"], tmp_path)
    assert plan.task == FLAT and plan.planned == plan.iterations == 20 and plan.clips == ()
    assert plan.run.parent == tmp_path / "logs" / "rsl_rl" / "unitree_go1_flat"
    assert plan.facts["ground"] == "flat" and "motions" not in plan.facts
    assert plan.facts["commands"].startswith("x -") and plan.facts["commands"].endswith(" rad/s")
    assert plan.task_option == f" --task {FLAT}"
    rough = make_plan([*ON_CPU, "--task", ROUGH], tmp_path)
    assert " pieces (" in rough.facts["ground"]


def test_play_takes_the_newest_checkpoint_by_number_and_50_environments(tmp_path: Path, make_run):
    run = make_run(FLAT, 9, 10, 100, overrides=("env.commands.base_velocity.ranges.lin_vel_x=[-0.5,0.5]",))
    for argv in (["--task", FLAT], ["--task", FLAT.replace("-v0", "-Play-v0")], ["--checkpoint", str(run)]):
        plan = play_plan.make_plan([*ON_CPU, *argv], tmp_path)
        assert plan.task == "Isaac-Velocity-Flat-Unitree-Go1-Play-v0" and plan.checkpoint == run / "model_100.pt"
        assert plan.num_envs == 50
        assert plan.overrides == ["env.commands.base_velocity.ranges.lin_vel_x=[-0.5,0.5]"]
    film = ["--video", "--video_length", "500", "--video_interval", "250", "--num_envs", "10"]
    plan = play_plan.make_plan([*ON_CPU, "--task", FLAT, *film], tmp_path)
    assert (plan.num_envs, plan.video_length, plan.video_interval) == (10, 500, 250)
    assert plan.film == run / "videos" / "play" / "model_100.mp4"


@pytest.mark.parametrize("make", [make_plan, play_plan.make_plan])
@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--task", FLAT, "--motion", "walk"), f"--motion is for tracking tasks, and '{FLAT}'"),
        (("--checkpoint", "{run}", "--motion", "walk"), "--motion is for tracking tasks"),
        (("--task", "Isaac-Velocity-Flat-Go1-v0"), "did you mean Isaac-Velocity-"),
        (("--task", FLAT_G1, "--checkpoint", "{run}"), f"is of task '{FLAT}', not '{FLAT_G1}'"),
        (("--task", ROUGH, "--checkpoint", "{run}"), f"is of task '{FLAT}', not '{ROUGH}'"),
        (("--task", "Isaac-Tracking-G1-v0", "--checkpoint", "{run}"), f"is of task '{FLAT}'"),
        (("--task", FLAT_G1, "--checkpoint", "latest"), "no run with a checkpoint"),
        (("--task", FLAT, "--checkpoint", "{run}", "agent.actor.hidden_dims=[7]"), "actor has hidden layers"),
        (("--task", FLAT, "env.commands.base_velocity.ranges.lin_vel_x=[1,-1]", "--checkpoint", "{run}"), "lin_vel_x"),
    ],
)  # fmt: skip
def test_refusals_are_one_line_and_write_nothing(tmp_path: Path, make_run, make, argv, words: str):
    run = make_run(FLAT, 3)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(USER_ERRORS) as error:
        make([*ON_CPU, *(text.replace("{run}", str(run)) for text in argv)], tmp_path)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_play_ids_are_not_trained(tmp_path: Path):
    with pytest.raises(USER_ERRORS, match=f"is for playing.*give --task {FLAT}$"):
        make_plan([*ON_CPU, "--task", FLAT.replace("-v0", "-Play-v0")], tmp_path)
    assert not (tmp_path / "logs").exists()


def test_whoever_has_no_checkpoint_is_told_how_to_make_one(tmp_path: Path):
    for make, argv in ((make_plan, ["--resume"]), (play_plan.make_plan, [])):
        with pytest.raises(USER_ERRORS, match=f"train one first: bash train.sh --task {FLAT}$"):
            make([*ON_CPU, "--task", FLAT, *argv], tmp_path)


def test_motions_are_for_tracking_tasks():
    refuse_motions("Isaac-Tracking-G1-v0", ["walk"])
    refuse_motions(FLAT, None)
    with pytest.raises(OptionError, match="leave --motion out"):
        refuse_motions(FLAT, ["walk"])


def test_lines_of_episodes(monkeypatch: pytest.MonkeyPatch):
    episodes = [
        WalkEpisode(0, 300, 0.03, (0.1, 0.2, 0.4), 5.0, "time_out", fell=False),
        WalkEpisode(1, 100, 0.01, (0.5, 0.2, 0.0), 1.0, "base_contact", fell=True),
    ]
    module = SimpleNamespace(play_walks=lambda *_: iter(episodes))
    monkeypatch.setitem(sys.modules, "isaac_tracking.inference.velocity.rollout", module)
    first, second, summary = velocity_family.FAMILY.play(None, lambda obs: obs, 1, None)
    assert first == (
        "episode   1 |  300 steps | reward 0.0300 a step | error x 0.10 y 0.20 m/s turn 0.40 rad/s |   5.0 m"
        " | stayed up to the end"
    )
    assert second.endswith("|   1.0 m | fell: base_contact")
    # (300 * 0.03 + 100 * 0.01) / 400 and so on: means over steps.
    assert summary == (
        "1 of 2 episodes (50.0 %) without a fall; mean reward 0.0250 a step, mean error x 0.200 y 0.200 m/s"
        " turn 0.300 rad/s, 6 m walked, over 400 steps"
    )
