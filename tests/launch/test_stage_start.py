# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``train.sh`` decides for a task that is a stage: begin from the stage before, go on with its own, or refuse."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_stages import NETWORKS, save

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch.buffer_warning import BufferWarning
from isaac_tracking.launch.errors import USER_ERRORS
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.launch.planned_runner import PlannedRunner
from isaac_tracking.launch.stages import Stage, check_settings, kept_settings, stage_of
from isaac_tracking.launch.train_plan import make_plan

TEACHER, ADAPT, STUDENT, DISTILL = (
    f"Isaac-Tracking-G1-{name}-v0" for name in ("Teacher", "Student-Adapt", "Student", "Student-Distill")
)
NO_SYMMETRY = "agent.algorithm.symmetry_cfg=null"
ROA = "Isaac-Tracking-G1-Teacher-ROA-v0"
TASKS = {"train": TEACHER, "adapt": ADAPT, "finetune": STUDENT}
EXPERIMENTS = {"train": "g1_teacher", "adapt": "g1_student_adapt", "finetune": "g1_student"}
ON_CPU = ("--device", "cpu", "--motion", "stand")


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Make a run folder of a stage, by default one of 250 planned iterations with model_99.pt."""

    def make(stage: str, name: str = "2026-01-01_00-00-00", iteration: int = 99, **record: Any) -> Path:
        run = tmp_path / "logs" / "rsl_rl" / EXPERIMENTS[stage] / name
        save(run / f"model_{iteration}.pt", stage)
        (run / "params").mkdir()
        values = {"task": TASKS[stage], "overrides": NETWORKS, "planned": 250} | record
        (run / "params" / "run.json").write_text(json.dumps(values))
        return run

    return make


def test_algorithms_say_which_stage_they_are():
    found = {task: stage_of(resolve_config(task, [])[1]) for task in (*TASKS.values(), DISTILL)}
    assert list(found.values()) == [
        Stage("train", ()),
        Stage("adapt", ("train",)),
        Stage("finetune", ("adapt",)),
        Stage("distill", ("train",)),
    ]
    for task in ("Isaac-Tracking-G1-v0", "Isaac-Tracking-G1-Student-PPO-v0"):
        assert stage_of(resolve_config(task, [])[1]) is None


def test_what_a_stage_does_anyway_is_what_our_tasks_ask_for():
    for task in (*TASKS.values(), ROA, "Isaac-Tracking-G1-Student-ROA-v0", DISTILL):
        env_cfg, agent_cfg = resolve_config(task, [])
        check_settings(stage_of(agent_cfg), env_cfg, agent_cfg)
    # Distillation is rsl_rl's, and looks at it.
    env_cfg, agent_cfg = resolve_config(DISTILL, ["agent.algorithm.optimizer=adamw"])
    check_settings(stage_of(agent_cfg), env_cfg, agent_cfg)


def test_rates_that_are_given_anew_are_known_of_a_stage_that_goes_on(tmp_path: Path, make_run):
    run = make_run("train")
    given = [f"agent.algorithm.{name}=1e-5" for name in ("critic_learning_rate", "estimator_learning_rate")]
    plan = make_plan(["--checkpoint", str(run), *ON_CPU, *given, "agent.algorithm.lam=0.9"], tmp_path)
    assert plan.rates == {"critic_learning_rate", "estimator_learning_rate"}
    # One that begins takes no rate over.
    begins = make_plan(["--task", ADAPT, "--checkpoint", str(run), *ON_CPU, given[1]], tmp_path)
    assert begins.rates == frozenset()


def test_a_stage_begins_a_new_run_from_the_one_before(tmp_path: Path, make_run):
    settings = ["env.rewards.action_rate.weight=-0.3", "agent.algorithm.gamma=0.5", "env.scene.num_envs=24"]
    teacher = make_run("train", overrides=[*NETWORKS, *settings, "agent.max_iterations=7"], clips=["stand"])
    argv = ["--task", ADAPT, "--checkpoint", str(teacher), *ON_CPU, "--max_iterations", "5", "--run_name", "mine"]
    plan = make_plan(argv, tmp_path)
    assert plan.task == ADAPT and plan.checkpoint == teacher / "model_99.pt" and plan.is_new
    assert plan.run.parent == teacher.parents[1] / "g1_student_adapt" and plan.run.name.endswith("_mine")
    assert (plan.planned, plan.iterations) == (5, 5)
    assert plan.began_from == str(teacher / "model_99.pt")
    assert {*NETWORKS, "env.rewards.action_rate.weight=-0.3", "env.scene.num_envs=24"} <= set(plan.overrides)
    # How the teacher learned is not how the adapt module learns.
    assert not {"agent.algorithm.gamma=0.5", "agent.max_iterations=7"} & set(plan.overrides)
    (note,) = [note for note in plan.notes if "begins from" in note]
    assert f"a new run begins from {teacher / 'model_99.pt'}, which is of stage 'train'; kept from that run" in note
    assert "agent.actor.latent_dim=6" in note and note.endswith(" and 1 more")
    assert not plan.run.exists()


def test_what_is_given_now_wins_over_what_is_kept(tmp_path: Path, make_run):
    teacher = make_run("train", overrides=[*NETWORKS, "env.rewards.action_rate.weight=-0.3"])
    argv = ["--task", ADAPT, "--checkpoint", str(teacher), *ON_CPU, "env.rewards.action_rate.weight=-0.2"]
    overrides = make_plan([*argv, "--num_envs", "3"], tmp_path).overrides
    assert {"env.rewards.action_rate.weight=-0.2", "env.scene.num_envs=3"} <= set(overrides)


def test_a_cpu_leaves_the_task_and_the_networks_as_they_were(tmp_path: Path, make_run):
    plan = make_plan(["--task", ADAPT, "--checkpoint", str(make_run("train")), *ON_CPU], tmp_path)
    assert "env.scene.num_envs=64" in plan.overrides  # that many fit
    assert not any(text.startswith(("presets=", "env.events.")) for text in plan.overrides)
    assert "agent.actor.hidden_dims=[24,16]" in plan.overrides
    anew = make_plan(["--task", TEACHER, *ON_CPU], tmp_path)
    assert "presets=reference_action" in anew.overrides and "env.events.push_robot=null" in anew.overrides


def test_a_checkpoint_of_the_same_stage_goes_on(tmp_path: Path, make_run):
    run = make_run("adapt", began_from="/a/model_3.pt")
    for argv in (
        ["--checkpoint", str(run)],
        ["--task", ADAPT, "--checkpoint", str(run)],
        ["--task", ADAPT, "--resume"],
    ):
        plan = make_plan([*argv, *ON_CPU], tmp_path)
        assert plan.task == ADAPT and plan.run == run and not plan.is_new
        assert (plan.planned, plan.iterations) == (250, 150)
        assert plan.began_from == "/a/model_3.pt"


def test_a_file_alone_can_be_begun_from(tmp_path: Path):
    alone = save(tmp_path / "given" / "model_7.pt", "train")
    plan = make_plan(["--task", ADAPT, "--checkpoint", str(alone), *ON_CPU, *NETWORKS], tmp_path)
    assert plan.is_new and plan.run.parent.name == "g1_student_adapt"


def test_the_run_folder_can_be_chosen_for_a_run_that_begins(tmp_path: Path, make_run):
    teacher, folder = make_run("train"), tmp_path / "logs" / "rsl_rl" / "g1_pipeline" / "now" / "2_adapt"
    assert make_plan(["--task", ADAPT, "--checkpoint", str(teacher), *ON_CPU], tmp_path, folder).run == folder
    assert make_plan(["--checkpoint", str(teacher), *ON_CPU], tmp_path, folder).run == teacher


def test_distillation_takes_the_teachers_networks_as_the_teachers(tmp_path: Path, make_run):
    kept = kept_settings(DISTILL, [*NETWORKS, "presets=reference_action", "agent.algorithm.gamma=0.5"])
    assert kept == [
        "agent.algorithm.teacher.hidden_dims=[24,16]",
        "agent.algorithm.teacher.encoder_dims=[12]",
        "agent.algorithm.teacher.adapt_dims=[10]",
        "agent.algorithm.teacher.latent_dim=6",
        "agent.critic.hidden_dims=[14]",
        "presets=reference_action",
    ]
    teacher = make_run("train")
    assert make_plan(["--task", DISTILL, "--checkpoint", str(teacher), *ON_CPU], tmp_path).is_new
    with pytest.raises(USER_ERRORS, match=r"give agent.algorithm.teacher.latent_dim=6"):
        make_plan(
            ["--task", DISTILL, "--checkpoint", str(teacher), *ON_CPU, "agent.algorithm.teacher.latent_dim=7"], tmp_path
        )


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--task", ADAPT), f"is stage 'adapt', .* of stage 'train', .*; make one: bash train.sh --task {TEACHER}$"),
        (("--task", STUDENT), f"is stage 'finetune', .*; make one: bash train.sh --task {ADAPT}$"),
        (
            ("--task", STUDENT, "--checkpoint", "{train}"),
            "of stage 'train', and stage 'finetune' begins from .*'adapt'",
        ),
        (
            ("--task", ADAPT, "--checkpoint", "{finetune}"),
            "of stage 'finetune', and stage 'adapt' begins from .*'train'",
        ),
        (("--task", TEACHER, "--checkpoint", "{train}/../other.pt"), "does not exist"),
        (
            ("--task", TEACHER, "--checkpoint", "{finetune}"),
            "of stage 'finetune', and stage 'train' begins from nothing",
        ),
        (("--task", ADAPT, "--checkpoint", "pretrained"), "of training without stages, and stage 'adapt' begins from"),
        (("--task", "Isaac-Tracking-G1-v0", "--checkpoint", "{train}"), f"is of task '{TEACHER}'"),
        (
            ("--task", ADAPT, "--checkpoint", "{train}", "agent.actor.latent_dim=8"),
            "latent_dim 6, not 8; give agent.act",
        ),
        (
            ("--task", ADAPT, "--checkpoint", "{train}", "agent.actor.encoder_dims=[8]"),
            r"encoder_dims \[12\], not \[8\]",
        ),
        (("--task", ADAPT, "--checkpoint", "{train}", "agent.actor.hidden_dims=[8]"), r"layers \[24, 16\], not \[8\]"),
        (
            ("--task", ADAPT, "--checkpoint", "{train}", "agent.actor.adapt_kind=gru", NO_SYMMETRY),
            "mlp, not gru; give ",
        ),
        (
            ("--task", ADAPT, "--checkpoint", "{train}", "agent.critic.hidden_dims=[8]"),
            r"critic has .* \[14\], not \[8\]",
        ),
        (("--task", TEACHER, "env.observations.policy.actions.history_length=900"), "remembers more steps than an ep"),
        (
            ("--task", ADAPT, "--checkpoint", "{train}", *NETWORKS, "agent.algorithm.vecnorm=train"),
            "stage 'adapt' would move the statistics in front of networks that stay as they are; give agent.algorithm",
        ),
        (("--task", TEACHER, "agent.algorithm.vecnorm=some"), "vecnorm=some' is unknown; choose from train, eval"),
        (("--task", TEACHER, "agent.actor.adapt_kind=lstm"), "adapt_kind=lstm' is unknown; choose from mlp, gru"),
        (("--task", TEACHER, "agent.actor.adapt_kind=gru"), "symmetry needs an adapt module without memory"),
        *(
            (
                ("--task", ROA, f"agent.algorithm.{key}={value}"),
                f"'roa_train' does not look at setting 'agent.algorithm.{key}'; give agent.algorithm.{key}={does},",
            )
            for key, value, does in (
                ("optimizer", "sgd", "adam"),
                ("use_clipped_value_loss", "true", "False"),
                ("normalize_advantage_per_mini_batch", "true", "False"),
                ("use_mixed_precision", "true", "False"),
                ("share_cnn_encoders", "true", "False"),
                ("rnd_cfg", "curious", "null"),
            )
        ),
        (("--task", ROA, "env.rewards.body_pos=null"), "reward_groups: 'body_pos' is no reward of this task; put each"),
        (("--task", ROA, "agent.algorithm.reward_groups.wear=[]"), "reward_groups: 'action_rate' is in 0 groups"),
        (("--stages", "train,adapt"), "--stages is of a pipeline; add --pipeline"),
        (("--evaluate", "clean"), "--evaluate is of a pipeline; add --pipeline"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(tmp_path: Path, make_run, argv: tuple[str, ...], words: str):
    runs = {
        stage: str(make_run(stage)) for stage in ("train", "finetune") if any(f"{{{stage}}}" in text for text in argv)
    }
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(USER_ERRORS, match=words) as error:
        make_plan([*(text.format_map(runs) if "{" in text else text for text in argv), *ON_CPU], tmp_path)
    assert "\n" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_refusal_names_the_newest_run_of_the_stage_before(tmp_path: Path, make_run):
    make_run("train", "2026-01-01_00-00-00")
    newest = make_run("train", "2026-02-01_00-00-00")
    words = f"; give --checkpoint {newest}, or make one: bash train.sh --task {TEACHER}$"
    with pytest.raises(USER_ERRORS, match=words):
        make_plan(["--task", ADAPT, *ON_CPU], tmp_path)


def test_the_plan_tells_the_algorithm_how_long_the_run_is(monkeypatch):
    monkeypatch.setattr(BufferWarning, "attach", lambda: BufferWarning(None))
    plan: Any = types.SimpleNamespace(planned=37, film=None)
    for algorithm in (types.SimpleNamespace(planned_updates=1), types.SimpleNamespace()):
        runner: Any = types.SimpleNamespace(alg=algorithm, logger=types.SimpleNamespace(readings=[]))
        PlannedRunner.follow(runner, plan, None)  # type: ignore[arg-type]
        assert vars(algorithm) in ({"planned_updates": 37}, {})
        assert [read() for read in runner.logger.readings] == [{}]
