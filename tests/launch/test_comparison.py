# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several checkpoints and engines: what is compared, what is taken over, and what becomes of failures."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from isaac_tracking.inference.comparison_page import comparison_page
from isaac_tracking.inference.comparison_report import Row, Wanted, drops, find_finished, make_comparison
from isaac_tracking.inference.evaluation_report import ClipFacts, EpisodeResult, make_report
from isaac_tracking.inference.metrics import METRICS
from isaac_tracking.launch import comparison_runs
from isaac_tracking.launch.comparison import find_checkpoints, is_comparison, sort_out
from isaac_tracking.launch.evaluate import Evaluate
from isaac_tracking.launch.main import main
from isaac_tracking.learning.runs import RunError

WANTED = Wanted("ab", "Newton", "clean", 0, 2, frozenset({"presets=x"}), {"walk": "h1", "wave": "h2"})
FAKE = """
import json, sys
from pathlib import Path
arguments = sys.argv[1:]
here = Path(__file__).parent
with (here / "calls.jsonl").open("a") as file:
    file.write(json.dumps(arguments) + "\\n")
kind = (here / "kind").read_text()
if kind == "error":
    sys.exit("Error: the battery is empty")
if kind == "crash":
    raise ZeroDivisionError("no numbers")
given = lambda name: arguments[arguments.index(name) + 1]
report = json.loads((here / "report.json").read_text())
report["checkpoint"]["sha256"] = __import__("hashlib").sha256(Path(arguments[0]).read_bytes()).hexdigest()
report["checkpoint"]["file"] = Path(arguments[0]).name
report |= {"setting": given("--setting"), "seed": int(given("--seed")), "repeats": int(given("--repeats"))}
folder = Path(given("--output"))
folder.mkdir(parents=True, exist_ok=True)
(folder / "metrics.json").write_text(json.dumps(report))
"""
"""Stands in for evaluate.py where no simulator is needed to see what is started, and how often."""


def report_of(success: float, clips: dict[str, str], **changes: Any) -> dict[str, Any]:
    """The content of a metrics.json, one episode a clip, of which a share is followed to the end."""
    episodes, facts = [], []
    for index, (name, content_hash) in enumerate(clips.items()):
        metrics: dict[str, float | None] = dict.fromkeys(METRICS, 1.0)
        metrics["success_terminations"] = metrics["success_phc"] = float(index < round(success * len(clips)))
        metrics["contact_agreement"] = None
        episodes.append(EpisodeResult(name, 0, 10, "clip_end", metrics, {}, {}))
        facts.append(ClipFacts(name, content_hash, 0.2, 10))
    about = {
        "commit": "c", "isaaclab": "3.0.0", "task": "T", "settings": ["presets=x"], "engine": "Newton (MJWarp)",
        "device": "cpu", "setting": "clean", "setting_definition": "d", "seed": 0, "repeats": 2, "num_envs": 4,
        "control_rate": 50.0, "checkpoint": {"run": "r", "file": "model_1.pt", "iteration": 1, "sha256": "ab"},
    }  # fmt: skip
    return json.loads(json.dumps(make_report(episodes, facts, about | changes)))


def row_of(name: str, engine: str, success: float | None, folder: Path = Path("/x")) -> Row:
    if success is None:
        return Row(name, engine, error="it <broke>")
    clips = {f"clip{index}": "h" for index in range(4)}
    return Row(name, engine, "finished", None, folder / "metrics.json", report_of(success, clips, engine=engine))


def test_patterns_become_files_by_iteration(tmp_path: Path) -> None:
    for run, numbers in (("b", (100, 20)), ("a", (3,))):
        (tmp_path / run).mkdir()
        for number in numbers:
            (tmp_path / run / f"model_{number}.pt").touch()
    (tmp_path / "a" / "model_3.txt").touch()
    found = find_checkpoints(["latest", "*/model_*", "latest"], tmp_path)
    named = ["a/model_3.pt", "b/model_20.pt", "b/model_100.pt"]
    assert found == ["latest", *(str(tmp_path / name) for name in named)]
    with pytest.raises(RunError, match=r"pattern '\*/nosuch_\*' stands for no checkpoint"):
        find_checkpoints(["*/nosuch_*"], tmp_path)


@pytest.mark.parametrize(
    ("arguments", "unknown", "names", "rest", "several"),
    [
        ([], [], ["latest"], [], False),
        (["a.pt", "env.x=1"], ["agent.y=2"], ["a.pt"], ["env.x=1", "agent.y=2"], False),
        (["presets=p"], [], ["latest"], ["presets=p"], False),
        (["latest"], ["b.pt"], ["latest", "b.pt"], [], True),
        (["a.pt"], ["--nosuch", "1"], ["a.pt"], ["--nosuch", "1"], False),
        (["p.onnx"], [], ["p.onnx"], [], True),
    ],
)
def test_checkpoints_and_settings_are_told_apart(arguments, unknown, names, rest, several) -> None:
    given = Evaluate(tuple(arguments), motion=("walk", "env.z=3"))
    options, settings = sort_out(given, unknown)
    assert (list(options.checkpoints), settings) == (names, [*rest, "env.z=3"])
    assert options.motion == ("walk",) and is_comparison(options) is several
    assert is_comparison(Evaluate(("a.pt",), engines=("newton",)))


def test_an_examination_is_the_same_only_if_all_is(tmp_path: Path) -> None:
    clips = {"walk": "h1", "wave": "h2"}
    assert WANTED.is_met_by(report_of(1.0, clips))
    # The engine is compared by its name, not by the setting that chose it.
    assert WANTED.is_met_by(report_of(1.0, clips, settings=["physics=newton_mjwarp", "presets=x"]))
    changes: list[dict[str, Any]] = [
        {"seed": 1}, {"setting": "noisy"}, {"repeats": 1}, {"engine": "PhysX"}, {"settings": []},
        {"checkpoint": {"run": "r", "file": "model_1.pt", "iteration": 1, "sha256": "cd"}},
    ]  # fmt: skip
    assert not any(WANTED.is_met_by(report_of(1.0, clips, **change)) for change in changes)
    assert not WANTED.is_met_by(report_of(1.0, {"walk": "h1", "wave": "other"}))
    assert not WANTED.is_met_by(report_of(1.0, {"walk": "h1"}))
    (tmp_path / "damaged.json").write_text('{"format": ')
    (tmp_path / "foreign.json").write_text("[1]")
    (tmp_path / "good.json").write_text(json.dumps(report_of(0.5, clips)))
    paths = [tmp_path / f"{name}.json" for name in ("missing", "damaged", "foreign", "good")]
    found = find_finished(paths, WANTED)
    assert found is not None and found[0] == paths[-1] and found[1]["all"]["episodes"] == 2
    assert find_finished(paths[:-1], WANTED) is None


def test_drop_is_from_the_first_engine_of_the_same_checkpoint() -> None:
    rows = [
        row_of("a", "newton", 1.0), row_of("a", "physx", None), row_of("a", "mujoco", 0.75),
        row_of("b", "newton", None), row_of("b", "mujoco", 0.5),
        row_of("c", "newton", 0.25), row_of("c", "mujoco", 0.5),
    ]  # fmt: skip
    assert drops(rows) == [None, None, 25.0, None, None, None, -25.0]
    content = make_comparison(rows, {"seed": 3})
    assert content["seed"] == 3 and "mpjpe_local" in content["definitions"]
    assert [row["status"] for row in content["rows"]] == [
        "finished",
        "failed",
        *["finished"],
        "failed",
        *3 * ["finished"],
    ]
    assert content["rows"][2]["drop"] == {"success_terminations": 25.0, "success_phc": 25.0}
    assert content["rows"][1]["error"] == "it <broke>" and "all" not in content["rows"][1]
    assert content["rows"][2]["all"]["metrics"]["success_terminations"]["mean"] == 0.75


def test_the_page_shows_every_row_and_links_to_reports(tmp_path: Path) -> None:
    rows = [row_of("run/a", "newton", 0.5, tmp_path / "in here"), row_of("run/a", "physx", None)]
    about = {"clips": {"clip0": "h"}, "setting": "clean", "seed": 0, "repeats": 1, "commit": "c"}
    page = comparison_page(rows, about, (("success_terminations", "success %", 100.0),), tmp_path)
    assert 'href="in%20here/report.html"' in page and "failed: it &lt;broke&gt;" in page
    # Lost clips are told with what was reached, and the table has a line for each clip.
    assert page.count("(0 %)") == 2 and page.count("<tr>") == (1 + 2) + (1 + 4)


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an evaluate.py that answers at once."""
    from isaac_tracking.motion.clip import Clip
    from isaac_tracking.motion.data import shipped_clips

    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "evaluate.py").write_text(FAKE)
    (folder / "kind").write_text("good")
    clips = {"stand": Clip.load(shipped_clips()["stand"]).content_hash}
    (folder / "report.json").write_text(json.dumps(report_of(1.0, clips, settings=[])))
    monkeypatch.setattr(comparison_runs, "SCRIPTS", folder)
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


def calls(scripts: Path) -> list[list[str]]:
    path = scripts / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def two_checkpoints(untrained_run: Path, folder: Path) -> list[str]:
    """Two files of a run that differ, and one that is no checkpoint."""
    import torch

    shutil.copytree(untrained_run, folder)
    saved = torch.load(folder / "model_0.pt", weights_only=True)
    torch.save(saved | {"iter": 7}, folder / "model_7.pt")
    (folder / "model_9.pt").write_bytes(b"nothing")
    return [str(folder / f"model_{number}.pt") for number in (0, 7, 9)]


def test_each_is_examined_once_and_a_failure_is_a_row(untrained_run, scripts, tmp_path, capsys) -> None:
    good, other, broken = two_checkpoints(untrained_run, tmp_path / "run")
    given = ["run/model_*.pt", "--motion", "stand", "--seed", "4", "--output", "out", "--device", "cpu"]
    assert main("evaluate", given) == 0
    made = calls(scripts)
    assert [call[0] for call in made] == [good, other]
    assert made[0][made[0].index("--motion") :] == ["--motion", "stand"] and "--seed" in made[0]
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [row["status"] for row in content["rows"]] == ["finished", "finished", "failed"]
    assert content["seed"] == 4 and list(content["clips"]) == ["stand"]
    assert "is truncated, or no checkpoint" in content["rows"][2]["error"]
    printed = capsys.readouterr().out
    assert "model_9.pt failed: checkpoint" in printed and broken in printed
    # Once more: nothing is started again; with another seed, all is.
    assert main("evaluate", given) == 0 and len(calls(scripts)) == 2
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [row["status"] for row in content["rows"]] == ["taken over", "taken over", "failed"]
    given[given.index("4")] = "5"
    assert main("evaluate", given) == 0 and len(calls(scripts)) == 4
    assert not list(tmp_path.rglob("*.part"))


def test_what_another_machine_examined_fills_its_row(untrained_run, scripts, tmp_path) -> None:
    """PhysX does not start on a CPU; a report in the run's folder is as good, if it is of this very checkpoint."""
    run = tmp_path / "run"
    shutil.copytree(untrained_run, run)
    report = json.loads((scripts / "report.json").read_text())
    report |= {"engine": "PhysX in Isaac Sim", "device": "cuda:0", "settings": ["physics=physx"], "repeats": 1}
    report["checkpoint"]["sha256"] = hashlib.sha256((run / "model_0.pt").read_bytes()).hexdigest()
    made = run / "evaluations" / "from_the_gpu"
    made.mkdir(parents=True)
    (made / "metrics.json").write_text(json.dumps(report))
    given = ["run", "--engines", "newton", "physx", "--motion", "stand", "--output", "out", "--device", "cpu"]
    assert main("evaluate", given) == 0
    newton, physx = json.loads((tmp_path / "out" / "comparison.json").read_text())["rows"]
    assert (newton["status"], physx["status"], physx["device"]) == ("finished", "taken over", "cuda:0")
    assert physx["drop"]["success_terminations"] == 0.0 and physx["file"] == str(made / "metrics.json")
    (run / "model_0.pt").write_bytes((run / "model_0.pt").read_bytes() + b"\0")
    assert main("evaluate", given) == 0
    _, physx = json.loads((tmp_path / "out" / "comparison.json").read_text())["rows"]
    assert physx["status"] == "failed"


@pytest.mark.parametrize(
    ("kind", "why"), [("error", "the battery is empty"), ("crash", r"exit code 1 \(ZeroDivisionError: no numbers\)")]
)
def test_a_process_that_fails_says_why(untrained_run, scripts, tmp_path, kind: str, why: str) -> None:
    two_checkpoints(untrained_run, tmp_path / "run")
    (scripts / "kind").write_text(kind)
    given = ["run/model_0.pt", "run/model_7.pt", "--motion", "stand", "--output", "out", "--device", "cpu"]
    # All failed: a table all the same, but no success for whoever asks for the exit code.
    assert main("evaluate", given) == 1
    rows = json.loads((tmp_path / "out" / "comparison.json").read_text())["rows"]
    assert len(rows) == 2 and all(re.search(why, row["error"]) for row in rows)
    kept = list(tmp_path.rglob("failed.txt"))
    assert len(kept) == (2 if kind == "crash" else 0)
    (scripts / "kind").write_text("good")
    assert main("evaluate", given) == 0 and not list(tmp_path.rglob("failed.txt"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.pt", "b.pt"], "checkpoint 'a.pt' does not exist"),
        (["*.pt"], "pattern '*.pt' stands for no checkpoint"),
        (["RUN", "--engines", "newton", "mujoco", "--trajectories", "t"], "--trajectories is for one checkpoint"),
        (["RUN", "--engines", "newton", "physics=physx"], "'physics=physx' and --engines both choose the engine"),
        (["RUN", "--engines", "newton", "bullet"], "engine 'bullet' is unknown; choose from newton, physx, mujoco"),
        (["RUN", "none.onnx", "--output", "FILE"], "is a file; give a folder"),
        (["RUN", "b.pt", "--motion", "nosuch"], "motion 'nosuch' is neither a shipped clip"),
    ],
)
def test_a_mistake_is_one_line(untrained_run, scripts, tmp_path, capsys, arguments: list[str], message: str) -> None:
    places = {"RUN": str(untrained_run), "FILE": str(scripts / "kind")}
    assert main("evaluate", [places.get(text, text) for text in arguments]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("Error: ") and message in error[0]
    assert calls(scripts) == [] and [path.name for path in tmp_path.iterdir()] == ["scripts"]


def test_a_process_does_not_outlive_the_comparison(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(
        "import os, pathlib, time\n"
        "pathlib.Path(__file__).with_name('id').write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    code = (
        "import sys; from isaac_tracking.launch.comparison_runs import run_process;"
        " run_process([sys.executable, sys.argv[1]], sys.stderr)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, tmp_path / "child.py"], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60.0
    while not ((tmp_path / "id").exists() and (tmp_path / "id").read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    child = Path("/proc") / (tmp_path / "id").read_text()
    assert child.exists()
    parent.send_signal(signal.SIGINT)
    assert parent.wait(30.0) != 0
    assert not child.exists()


@pytest.mark.slow
def test_engines_side_by_side(untrained_run, tmp_path, monkeypatch, capsys) -> None:
    """For real: exported and run in MuJoCo; PhysX has no CPU, and says so in its row."""
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    shutil.copytree(untrained_run, run)
    given = ["run", "--engines", "physx", "mujoco", "--motion", "stand", "--device", "cpu"]
    assert main("evaluate", given) == 0
    (out,) = (run / "evaluations").iterdir()
    physx, mujoco = json.loads((out / "comparison.json").read_text())["rows"]
    assert physx["status"] == "failed" and "engine 'PhysX" in physx["error"]
    assert mujoco["status"] == "finished" and mujoco["engine"].startswith("MuJoCo 3.")
    assert [clip["name"] for clip in mujoco["clips"]] == ["stand"] and mujoco["all"]["episodes"] == 1
    assert mujoco["all"]["metrics"]["mpjpe_local"]["mean"] > 0.0
    links = re.findall(r'href="([^"]+)"', (out / "comparison.html").read_text())
    assert len(links) == 1 and (out / links[0]).read_text().startswith("<!doctype html>")
    assert main("evaluate", given) == 0
    assert "taken over from" in capsys.readouterr().out
    # The file alone, which needs no export, and in an engine that cannot read it; for speed with the results of before.
    (policy,), (results,) = out.rglob("policy.onnx"), out.rglob("sim2sim.json")
    (tmp_path / "sim2sim.py").write_text(
        "import shutil, sys\n"
        f"assert sys.argv[1] == {str(policy)!r} and 'stand' in sys.argv\n"
        f"shutil.copy({str(results)!r}, sys.argv[sys.argv.index('--json') + 1])\n"
    )
    monkeypatch.setattr(comparison_runs, "SCRIPTS", tmp_path)
    given = [str(policy), "--engines", "newton", "mujoco", "--motion", "stand", "--output", "alone", "--device", "cpu"]
    assert main("evaluate", given) == 0
    newton, again = json.loads((tmp_path / "alone" / "comparison.json").read_text())["rows"]
    assert "an .onnx file runs in MuJoCo only" in newton["error"]
    assert again["clips"][0]["metrics"] == mujoco["clips"][0]["metrics"]
    assert again["checkpoint"]["file"] == "policy.onnx" and again["checkpoint"]["iteration"] == 0
    # What only Isaac Lab can do to the robot is not done in silence.
    given = ["run", "--engines", "mujoco", "--setting", "pushed", "--motion", "stand", "--device", "cpu"]
    assert main("evaluate", given) == 1 and "has no setting 'pushed'" in capsys.readouterr().out
    given = ["run", "--engines", "mujoco", "env.sim.dt=0.004", "--motion", "stand", "--device", "cpu"]
    assert main("evaluate", given) == 1
    assert "setting 'env.sim.dt=0.004' is not in an exported policy" in capsys.readouterr().out
