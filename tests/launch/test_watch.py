# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/watch.py``: with a stand-in for the examination, whose files and failures a test decides."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from isaac_tracking.launch import watch
from isaac_tracking.launch.evaluate import Evaluate
from isaac_tracking.launch.main import main
from isaac_tracking.learning.runs import lock_run, write_record

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = """
import hashlib, json, os, sys, time
from pathlib import Path

calls = Path({calls!r})
with calls.open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
checkpoint, output = Path(sys.argv[1]), Path(sys.argv[sys.argv.index("--output") + 1])
number = int(checkpoint.stem.split("_")[1])
if calls.with_name("slow").exists():
    calls.with_name("pid").write_text(str(os.getpid()))
    time.sleep(60)
if calls.with_name(f"fail_{{number}}").exists():
    failures = calls.with_name(f"fail_{{number}}")
    left = int(failures.read_text()) - 1
    failures.write_text(str(left)) if left else failures.unlink()
    print("one line of many")
    sys.exit("Error: the robot is on holiday")
metrics = {{"success_terminations": {{"mean": 1.0}}, "mpjpe_local": {{"mean": 100.0 / (1 + number)}}}}
output.mkdir(parents=True, exist_ok=True)
sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
(output / "metrics.json").write_text(json.dumps(
    {{"format": "isaac_tracking.evaluation", "checkpoint": {{"sha256": sha256}}, "all": {{"metrics": metrics}}}}
))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of three checkpoints and with the stand-in, from which the command is called."""
    (tmp_path / "evaluate.py").write_text(STAND_IN.format(calls=str(tmp_path / "calls")))
    (tmp_path / "calls").touch()
    monkeypatch.setattr(watch, "EVALUATE", (sys.executable, str(tmp_path / "evaluate.py")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISAAC_TRACKING_CALLER_DIR", raising=False)
    for iteration in (0, 5, 10):
        save(tmp_path, iteration)
    write_record(tmp_path / "run", {"task": "Isaac-Tracking-G1-v0"})
    return tmp_path


def save(home: Path, iteration: int) -> None:
    (home / "run").mkdir(exist_ok=True)
    with zipfile.ZipFile(home / "run" / f"model_{iteration}.pt", "w") as file:
        file.writestr("data", str(iteration))


def calls(home: Path) -> list[list[str]]:
    return [json.loads(line) for line in (home / "calls").read_text().splitlines()]


def examined(home: Path) -> list[str]:
    return [f"{Path(call[0]).stem} {call[call.index('--setting') + 1]}" for call in calls(home)]


def test_once_judges_what_is_there_once_and_says_it_in_a_table(home: Path, capsys) -> None:
    given = [
        "run",
        "--once",
        "--device",
        "cpu",
        "--setting",
        "clean",
        "pushed",
        "--motion",
        "stand",
        "physics=newton_mjwarp",
    ]
    assert main("watch", given) == 0
    assert examined(home) == [f"model_{i} {s}" for i in (0, 5, 10) for s in ("clean", "pushed")]
    printed = capsys.readouterr().out
    rows = re.findall(r"^\[isaac_tracking\] +(\d+) +(\w+) +100 .* (\S+) +\d+$", printed, re.MULTILINE)
    assert rows == [(str(i), s, f"{100 / (1 + i):.4g}") for i in (0, 5, 10) for s in ("clean", "pushed")]
    assert "best.pt is now iteration 10, the best of 3" in printed
    # Started again: the table is whole, and nothing is done again.
    assert main("watch", given) == 0
    assert len(calls(home)) == 6
    again = capsys.readouterr().out
    assert again.count(" clean ") == again.count(" pushed ") == 3 and "best.pt is now" not in again
    assert len(list((home / "run").glob("events*.watch"))) == 1
    assert not list((home / "run").rglob("*.log")) and not list((home / "run").rglob("*.part"))
    # Other clips do not compare.
    assert main("watch", ["run", "--once", "--device", "cpu"]) == 2
    assert "was watched otherwise" in capsys.readouterr().err


def test_what_is_asked_for_is_what_evaluate_understands(home: Path) -> None:
    import tyro

    given = [
        "run",
        "--once",
        "--last",
        "--every",
        "2",
        "--repeats",
        "2",
        "--seed",
        "7",
        "--num-envs",
        "4",
        "--worst",
        "2",
    ]
    assert main("watch", [*given, "--device", "cpu", "--motion", "stand", "wal*", "env.sim.dt=0.005"]) == 0
    assert examined(home) == ["model_10 clean", "model_0 clean"]
    options, rest = tyro.cli(Evaluate, args=calls(home)[0], return_unknown_args=True)
    assert (options.repeats, options.seed, options.num_envs, options.device) == (2, 7, 4, "cpu")
    assert options.output == home / "run" / "evaluations" / "watch" / "model_10_clean"
    assert options.worst == 2 and options.episodes
    # What evaluate itself hands to test.sh's parser, which takes the settings from the motions.
    assert [*options.motion, *rest] == ["stand", "wal*", "env.sim.dt=0.005"]


def test_settings_may_follow_an_option_of_several_values(home: Path) -> None:
    assert (
        main("watch", ["run", "--once", "--device", "cpu", "--worst", "0", "--setting", "noisy", "env.sim.dt=0.01"])
        == 0
    )
    assert examined(home)[0] == "model_0 noisy" and calls(home)[0][-1] == "env.sim.dt=0.01"
    assert not {"--worst", "--episodes", "--motion"} & set(calls(home)[0])
    assert json.loads((home / "run/evaluations/watch/watch.json").read_text())["settings"] == ["env.sim.dt=0.01"]


def test_a_failure_is_said_and_tried_once_more_and_others_go_on(home: Path, capsys) -> None:
    (home / "fail_0").write_text("1")
    (home / "fail_5").write_text("2")
    assert main("watch", ["run", "--once", "--device", "cpu"]) == 1
    assert examined(home) == [f"model_{i} clean" for i in (0, 5, 10, 0, 5)]
    printed = capsys.readouterr().out
    assert printed.count("model_0.pt, clean: Error: the robot is on holiday; tried once more later") == 1
    assert printed.count("model_5.pt, clean: Error: the robot is on holiday; given up") == 1
    assert re.search(r"done but for 1:\n.*model_5\.pt, clean: see (\S+)", printed)
    log = home / "run" / "evaluations" / "watch" / "model_5_clean.log"
    assert "one line of many" in log.read_text()
    # Started again, it is tried again.
    assert main("watch", ["run", "--once", "--device", "cpu", "--setting", "clean"]) == 0
    assert examined(home)[5:] == ["model_5 clean"] and not log.exists()


def test_a_live_run_is_followed_to_its_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = lock_run(home / "run")
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 1:
            save(home, 15)
        elif len(looks) == 2:
            save(home, 20)
            os.close(held)

    monkeypatch.setattr(watch.time, "sleep", sleep)
    assert main("watch", ["run", "--device", "cpu", "--interval", "7"]) == 0
    assert looks == [7.0, 7.0]
    assert examined(home) == [f"model_{i} clean" for i in (0, 5, 10, 15, 20)]


def test_ctrl_c_ends_the_examination_and_says_how_to_go_on(home: Path) -> None:
    (home / "slow").touch()
    code = "import sys; from isaac_tracking.launch import watch; from isaac_tracking.launch.main import main; "
    code += f"watch.EVALUATE = (sys.executable, {str(home / 'evaluate.py')!r}); sys.exit(main('watch', sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "source" / "isaac_tracking")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", "--device", "cpu"],
        cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: (home / "pid").is_file() and (home / "pid").read_text() != "", process)
    child = int((home / "pid").read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert (
        f"stopped; go on with: python3 scripts/watch.py {home / 'run'} --device cpu" in out and "Traceback" not in err
    )
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert sorted(path.name for path in (home / "run").glob("*.*")) == ["model_0.pt", "model_10.pt", "model_5.pt"]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "run folder 'nowhere' does not exist; give a run folder or 'latest'"),
        (["run/model_5.pt"], "'run/model_5.pt' is a file; give the run's folder"),
        (["empty"], "holds no model_<iteration>.pt and is not being trained"),
        (["latest"], "train one first"),
        (["run", "--every", "0"], "--every is 0"),
        (["run", "--interval", "0"], "--interval is 0"),
        (["run", "--worst", "-1"], "--worst is -1"),
        (["run", "--once", "--forever"], "give one of them"),
        (["run", "--motion", "nosuch"], "motion 'nosuch' is neither a shipped clip"),
        (["run", "--device", "cuda:9"], "device 'cuda:9' is not on this machine"),
        (["run", "--wurst", "3"], "'--wurst' is no option of watch.py"),
    ],
)
def test_a_mistake_is_one_line(home: Path, capsys, arguments: list[str], message: str) -> None:
    (home / "empty").mkdir()
    assert main("watch", arguments) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("Error: ") and message in error[0]
    assert calls(home) == [] and not (home / "run" / "evaluations").exists() and not list((home / "empty").iterdir())
