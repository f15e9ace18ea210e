# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``train.sh --pipeline`` with stand-ins for training and examination: order, folder, summary, interruption, resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from toy_stages import NETWORKS, save

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.launch import pipeline
from isaac_tracking.launch.errors import USER_ERRORS, OptionError
from isaac_tracking.launch.pipeline_plan import make_plan
from isaac_tracking.launch.pipeline_summary import examined_rows, read_summary, sentence
from isaac_tracking.launch.train import train
from isaac_tracking.learning.runs import RunError

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--pipeline", "--device", "cpu", "--motion", "stand", "--num_envs", "4"]
TEACHER, ADAPT, STUDENT = (f"Isaac-Tracking-G1-{name}-v0" for name in ("Teacher", "Student-Adapt", "Student"))
STAND_IN = """
import json, signal, sys, time
from pathlib import Path

run, arguments = Path(sys.argv[1]), sys.argv[2:]
here = Path(__file__).parent
with (here / "calls.jsonl").open("a") as file:
    file.write(json.dumps([run.name, *arguments]) + "\\n")
(here / f"during_{run.name}.json").write_bytes((run.parent / "summary.json").read_bytes())
if (here / f"fail_{run.name}").exists():
    (here / f"fail_{run.name}").unlink()
    run.mkdir()
    (run / "leftover").touch()
    sys.exit("Error: the battery is empty")
given = lambda name, default: arguments[len(arguments) - arguments[::-1].index(name)] if name in arguments else default
numbers = [int(path.stem.split("_")[1]) for path in run.glob("model_*.pt")]
stop = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: stop.append(number))
done = max(numbers, default=-1) + 1
record = run / "params" / "run.json"
planned = json.loads(record.read_text())["planned"] if done else int(given("--max_iterations", "3"))
record.parent.mkdir(parents=True, exist_ok=True)
record.write_text(json.dumps({"task": given("--task", ""), "planned": planned}))
table = run / "logs.csv"
if not done:
    table.write_text("iteration,total_steps,mean_reward,mean_episode_length,loss/adapt/estimator_loss\\n")
for iteration in range(done, planned):
    with table.open("a") as file:
        file.write(f"{iteration},{10 * (iteration + 1)},{iteration / 2},5.0,{8.0 / 2**iteration}\\n")
    slow = here / f"slow_{run.name}"
    while slow.exists() and not stop:
        time.sleep(0.02)
    if stop:
        break
(run / f"model_{iteration}.pt").touch()
sys.exit(128 + stop[0] if stop else 0)
"""
"""Stands in for a stage: a row an iteration; ``slow_RUN`` lets it wait, ``fail_RUN`` end at once, beside it."""


def comparison_of(files: Sequence[Path]) -> dict[str, Any]:
    """What an examination finds: the first does all, each later one 3 % less with 3 % more error."""
    means = [(0.97**index, 30.0 * 1.03**index) for index in range(len(files))]
    rows = [
        {
            "name": file.name,
            "error": None,
            "all": {"metrics": {"success_terminations": {"mean": success}, "mpjpe_local": {"mean": local}}},
        }
        for file, (success, local) in zip(files, means, strict=True)
    ]
    return {"rows": rows}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to train in, with stand-ins; what they were asked is in ``calls.jsonl`` and ``examined.jsonl``."""
    (tmp_path / "stage.py").write_text(STAND_IN)

    def compare(options: Any, settings: Sequence[str]) -> int:
        with (tmp_path / "examined.jsonl").open("a") as file:
            file.write(json.dumps([options.setting, *options.checkpoints]) + "\n")
        options.output.mkdir(parents=True, exist_ok=True)
        found = comparison_of([Path(name) for name in options.checkpoints])
        (options.output / "comparison.json").write_text(json.dumps(found))
        return 0

    monkeypatch.setattr(pipeline, "STAGE", (sys.executable, str(tmp_path / "stage.py")))
    monkeypatch.setattr(pipeline, "compare", compare)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    return tmp_path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def the_folder(home: Path) -> Path:
    (folder,) = (home / "logs" / "rsl_rl" / "g1_pipeline").iterdir()
    return folder


def test_each_stage_begins_from_the_one_before_in_one_folder(home: Path, capsys: pytest.CaptureFixture):
    argv = [*SMALL, "--max_iterations", "2", "--stage_iterations", "adapt=4", "--seed", "7"]
    assert train([*argv, "env.rewards.action_rate.weight=-0.2"]) == 0
    folder = the_folder(home)
    common = ["--device", "cpu", "--motion", "stand", "--num_envs", "4", "--seed", "7"]
    common.append("env.rewards.action_rate.weight=-0.2")
    first, second, third = (folder / name for name in ("1_train/model_1.pt", "2_adapt/model_3.pt", "3_finetune"))
    assert lines(home / "calls.jsonl") == [
        ["1_train", *common, "--task", TEACHER, "--max_iterations", "2"],
        ["2_adapt", *common, "--task", ADAPT, "--checkpoint", str(first), "--max_iterations", "4"],
        ["3_finetune", *common, "--task", STUDENT, "--checkpoint", str(second), "--max_iterations", "2"],
    ]
    assert lines(home / "examined.jsonl") == [["clean", str(first), str(second), str(third / "model_1.pt")]]
    out = capsys.readouterr().out
    assert "stage 2 of 3: adapt, Isaac-Tracking-G1-Student-Adapt-v0" in out
    assert "clean, after adapt: student keeps 97.0 % of the teacher's success, local error +3.0 %" in out
    assert "clean, after finetune: student keeps 94.1 % of the teacher's success, local error +6.1 %" in out


def test_the_summary_says_what_each_stage_left_behind(home: Path):
    train([*SMALL, "--max_iterations", "3"])
    summary = read_summary(the_folder(home))
    assert summary["status"] == "complete" and summary["checkpoint"] is None and summary["caller"] == str(home)
    assert [stage["stage"] for stage in summary["stages"]] == ["train", "adapt", "finetune"]
    stage = summary["stages"][1]
    assert (stage["task"], stage["run"], stage["checkpoint"]) == (ADAPT, "2_adapt", "2_adapt/model_2.pt")
    assert (stage["iterations"], stage["planned"], stage["steps"], stage["status"]) == (3, 3, 30, "done")
    assert (stage["mean_reward"], stage["mean_episode_length"]) == (1.0, 5.0)
    assert stage["estimator_loss"] == {"first": 8.0, "last": 2.0}
    assert 0.0 <= stage["seconds"] < 30.0
    rows = summary["evaluation"]["clean"]
    assert [row["success"] for row in rows] == [1.0, 0.97, pytest.approx(0.9409)]
    # Whole at any moment: this is how it stood while the second stage ran.
    during = json.loads((home / "during_2_adapt.json").read_text())
    assert [stage["status"] for stage in during["stages"]] == ["done", "running", "waiting"]
    assert during["status"] == "running" and during["evaluation"] == {}


def test_other_commands_find_the_runs(home: Path):
    from isaac_tracking.learning.runs import latest_run

    train([*SMALL, "--max_iterations", "2", "--evaluate", "none", "--run_name", "mine"])
    assert not (home / "examined.jsonl").exists()
    logs, folder = home / "logs" / "rsl_rl", the_folder(home)
    assert folder.name.endswith("_mine")
    for experiment, run in (("g1_teacher", "1_train"), ("g1_student_adapt", "2_adapt"), ("g1_student", "3_finetune")):
        found = latest_run(logs / experiment)
        assert found.resolve() == folder / run
        assert not os.readlink(found).startswith("/")  # so that it holds after a move
    moved = home / "elsewhere"
    logs.rename(moved)
    assert latest_run(moved / "g1_student").resolve() == moved / "g1_pipeline" / folder.name / "3_finetune"


def test_a_failed_stage_begins_anew_and_the_done_ones_stay(home: Path, capsys: pytest.CaptureFixture):
    (home / "fail_2_adapt").touch()
    assert train([*SMALL, "--max_iterations", "2"]) == 1
    folder = the_folder(home)
    assert [stage["status"] for stage in read_summary(folder)["stages"]] == ["done", "failed", "waiting"]
    assert read_summary(folder)["status"] == "failed"
    assert (
        "stage 'adapt' ended with exit code 1; go on with: bash train.sh --pipeline --resume" in capsys.readouterr().out
    )
    assert train(["--pipeline", "--resume"]) == 0
    called = lines(home / "calls.jsonl")
    assert [call[0] for call in called] == ["1_train", "2_adapt", "2_adapt", "3_finetune"]
    assert called[1] == called[2]
    assert not (folder / "2_adapt" / "leftover").exists()
    assert read_summary(folder)["status"] == "complete"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_saved_and_resume_goes_on_where_it_was(home: Path, number: int):
    (home / "slow_2_adapt").touch()
    code = "import sys; from isaac_tracking.launch import pipeline; from isaac_tracking.launch.main import main; "
    code += f"pipeline.STAGE = (sys.executable, {str(home / 'stage.py')!r}); sys.exit(main('train', sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "source" / "isaac_tracking")}
    command = [sys.executable, "-c", code, *SMALL, "--max_iterations", "3"]
    process = subprocess.Popen(
        command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60.0
    while not list(home.glob("logs/rsl_rl/g1_pipeline/*/2_adapt/logs.csv")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number, err
    assert "stage 'adapt' was stopped; go on with: bash train.sh --pipeline --resume" in out
    folder = the_folder(home)
    summary = read_summary(folder)
    assert [stage["status"] for stage in summary["stages"]] == ["done", "stopped", "waiting"]
    assert summary["status"] == "stopped" and summary["stages"][1]["iterations"] == 1
    (home / "slow_2_adapt").unlink()
    assert train(["--pipeline", "--resume"]) == 0
    again = lines(home / "calls.jsonl")[2]
    assert again[0] == "2_adapt" and again[again.index("--checkpoint") + 1] == str(folder / "2_adapt")
    assert "--max_iterations" not in again
    assert [stage["iterations"] for stage in read_summary(folder)["stages"]] == [3, 3, 3]


def test_a_pipeline_that_was_killed_after_its_last_iteration_does_not_train_it_again(home: Path):
    train([*SMALL, "--max_iterations", "2"])
    folder = the_folder(home)
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    # As if it had been killed while the last stage ended.
    summary["stages"][2] |= {"status": "running", "checkpoint": None}
    path.write_text(json.dumps(summary | {"status": "running", "evaluation": {}}))
    assert train(["--pipeline", "--resume"]) == 0
    assert len(lines(home / "calls.jsonl")) == 3
    assert read_summary(folder)["stages"][2]["checkpoint"] == "3_finetune/model_1.pt"
    assert len(lines(home / "examined.jsonl")) == 2


def test_a_complete_pipeline_can_be_examined_in_more_settings_only(home: Path):
    train([*SMALL, "--max_iterations", "2"])
    with pytest.raises(RunError, match="is complete; start a new one without --resume"):
        train(["--pipeline", "--resume"])
    assert train(["--pipeline", "--resume", "--evaluate", "clean", "pushed"]) == 0
    assert [row[0] for row in lines(home / "examined.jsonl")] == ["clean", "pushed"]
    assert set(read_summary(the_folder(home))["evaluation"]) == {"clean", "pushed"}
    assert len(lines(home / "calls.jsonl")) == 3


def test_a_pipeline_may_begin_from_a_teacher(home: Path):
    teacher = save(home / "given" / "model_5.pt", "train")
    assert train([*SMALL, "--stages", "adapt,finetune", "--checkpoint", "given/model_5.pt", *NETWORKS]) == 0
    called = lines(home / "calls.jsonl")
    assert [call[0] for call in called] == ["1_adapt", "2_finetune"]
    assert called[0][called[0].index("--checkpoint") + 1] == str(teacher)
    assert lines(home / "examined.jsonl")[0][1] == str(teacher)
    rows = read_summary(the_folder(home))["evaluation"]["clean"]
    assert [(row["stage"], row.get("kept_success")) for row in rows] == [
        ("train", None),
        ("adapt", 0.97),
        ("finetune", pytest.approx(0.9409)),
    ]


def test_a_stage_may_begin_from_one_further_back(home: Path):
    assert train([*SMALL, "--max_iterations", "2", "--stages", "train,adapt,distill"]) == 0
    called = lines(home / "calls.jsonl")[-1]
    assert called[0] == "3_distill"
    assert called[called.index("--checkpoint") + 1] == str(the_folder(home) / "1_train" / "model_1.pt")
    assert [stage["after"] for stage in read_summary(the_folder(home))["stages"]] == [None, "train", "train"]


@pytest.mark.parametrize(
    ("task", "stages"),
    [
        (None, ["train", "adapt", "finetune"]),
        (STUDENT, ["train", "adapt", "finetune"]),
        ("Isaac-Tracking-G1-Teacher-ROA-v0", ["roa_train", "roa_finetune"]),
        ("Isaac-Tracking-G1-Student-Distill-v0", ["train", "distill"]),
    ],
)
def test_a_task_chooses_the_stages(tmp_path: Path, task: str | None, stages: list[str]):
    plan = make_plan([*SMALL, *(["--task", task] if task else [])], tmp_path)
    assert [stage.stage for stage in plan.stages] == stages
    assert plan.settings == ("clean",)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--stages", "adapt,finetune"), f"give --stages train,adapt,finetune, or make one: .* --task {TEACHER}$"),
        (("--stages", "adapt,train"), "stage 'adapt' begins from .* give --stages train,adapt, or make one"),
        (("--stages", "finetune,adapt"), "stage 'finetune' begins from .* give --stages train,adapt,finetune, or"),
        (
            ("--stages", "train,finetune"),
            "'finetune' begins from .*'adapt', which is not among the stages before it; give another",
        ),
        (("--stages", "train,train"), "stage 'train' is named twice"),
        (("--stages", "train,fly"), "stage 'fly' is unknown; choose from train, adapt, finetune, roa_train"),
        (("--stages", "roa_train,finetune"), "'finetune' begins from .*'adapt', which is not among"),
        (
            ("--checkpoint", "{teacher}"),
            "is of stage 'train', and stage 'train' begins from nothing; give other stages",
        ),
        (
            ("--stages", "finetune", "--checkpoint", "{teacher}"),
            "is of stage 'train', and stage 'finetune' begins from",
        ),
        (("--stages", "adapt", "--checkpoint", "pretrained"), "is of training without stages, and stage 'adapt'"),
        (("--stages", "adapt", "--checkpoint", "nowhere"), "checkpoint 'nowhere' does not exist"),
        (("--stage_iterations", "fly=3"), "stage 'fly' is none of train, adapt, finetune"),
        (("--stage_iterations", "train=many"), "'train=many' is no STAGE=N"),
        (("--evaluate", "dirty"), "'dirty' is unknown; choose from clean, noisy, randomized, pushed, or give none"),
        (("--evaluate", "none", "clean"), "'none' stands alone"),
        (("--task", "Isaac-Tracking-G1-NoStateEst-v0"), "has no pipeline; give --task with one of .*G1-Teacher-v0"),
        (("--task", "Isaac-Tracking-G1-Student-Play-v0"), "has no pipeline"),
        (("--resume",), "no pipeline in .*g1_pipeline'; start one: bash train.sh --pipeline"),
        (("--resume", "--checkpoint", "nowhere"), "nowhere' is no pipeline's folder"),
        (("--stagse", "train"), "'--stagse' is unknown; did you mean --stages?"),
        (("agent.algorithm.reg_lambda=1.0",), "stage 'adapt': setting 'agent.algorithm.reg_lambda' does not exist"),
        (("env.nothing=1",), "'env.nothing' does not exist"),
        (("--motion", "nope"), "motion 'nope' is neither"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(home: Path, argv: tuple[str, ...], words: str):
    teacher = save(home / "given" / "model_5.pt", "train")
    with pytest.raises(USER_ERRORS, match=words) as error:
        train([*SMALL, *(text.format(teacher=teacher) for text in argv)])
    assert "\n" not in str(error.value)
    assert not (home / "logs").exists() and not (home / "calls.jsonl").exists()


def test_what_was_decided_stays_decided(home: Path):
    (home / "fail_2_adapt").touch()
    train([*SMALL, "--max_iterations", "2"])
    for argv in (["--stages", "train"], ["--max_iterations", "5"], ["--task", TEACHER], ["--run_name", "x"]):
        with pytest.raises(OptionError, match=f"{argv[0]} was decided when pipeline .* began"):
            train(["--pipeline", "--resume", *argv])
    # By its folder, with something more for the stages to come.
    assert train(["--pipeline", "--checkpoint", str(the_folder(home)), "--num_envs", "2"]) == 0
    assert lines(home / "calls.jsonl")[-1][1:9] == [*SMALL[1:], "--num_envs", "2"]


def test_a_damaged_summary_is_one_line(home: Path):
    folder = home / "logs" / "rsl_rl" / "g1_pipeline" / "2026-01-01_00-00-00"
    folder.mkdir(parents=True)
    for text, words in (("{", "cannot be read"), ("[]", "is no summary of a pipeline of this version")):
        (folder / "summary.json").write_text(text)
        with pytest.raises(RunError, match=words):
            train(["--pipeline", "--resume"])


def row(success: float | None, local: float | None, error: str | None = None) -> dict[str, Any]:
    metrics = {"success_terminations": {"mean": success}, "mpjpe_local": {"mean": local}}
    return {"error": error} | ({} if error else {"all": {"metrics": metrics}})


@pytest.mark.parametrize(
    ("teacher", "student", "kept", "change", "words"),
    [
        (
            row(0.8, 20.0),
            row(0.6, 25.0),
            0.75,
            0.25,
            "student keeps 75.0 % of the teacher's success, local error +25.0 %",
        ),
        (
            row(0.5, 20.0),
            row(0.6, 19.0),
            1.2,
            -0.05,
            "student keeps 120.0 % of the teacher's success, local error -5.0 %",
        ),
        (row(0.0, 20.0), row(0.0, 30.0), None, 0.5, "the teacher follows no clip to its end, local error +50.0 %"),
        (row(0.8, 20.0), row(None, None, "it fell"), None, None, "not examined, it fell"),
        (row(None, None, "it fell"), row(0.6, 25.0), None, None, "the teacher follows no clip to its end"),
    ],
)
def test_what_a_student_keeps(teacher, student, kept: float | None, change: float | None, words: str):
    _, found = examined_rows(["train", "finetune"], {"rows": [teacher, student]})
    assert found["kept_success"] == (None if kept is None else pytest.approx(kept))
    assert found["local_error_change"] == (None if change is None else pytest.approx(change))
    assert words in sentence(found) and sentence(found).startswith("after finetune: ")


def test_a_child_has_a_session_of_its_own_and_gets_its_environment():
    """The terminal's Ctrl-C reaches a whole group; a stage that got it twice would stop at once, unsaved."""
    program = "import os, sys; sys.exit(0 if os.getsid(0) == os.getpid() else 1)"
    assert pipeline.run_child([sys.executable, "-c", program], {}) == (0, None)
    program = "import os, sys; sys.exit(int(os.environ['CODE']))"
    assert pipeline.run_child([sys.executable, "-c", program], {"CODE": "9"}) == (9, None)
