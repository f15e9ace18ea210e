# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A mistake gets one line on stderr and exit code 2, soon; a signal during the set-up one line as well."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isaac_tracking.launch import main as entry
from isaac_tracking.launch.stop import TerminatedError, heeded, raise_if_stopped

ROOT = Path(__file__).resolve().parents[2]


def call(script: str, *args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), *args]
    merged = {**os.environ, "ISAAC_TRACKING_CALLER_DIR": str(cwd), **environment}
    return subprocess.run(command, cwd=cwd, env=merged, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("script", "args", "words"),
    [
        ("train", ("--task", "nope"), "task 'nope' is unknown"),
        ("train", ("agent.algorithm.learning_rate=abc",), "is of the wrong kind"),
        ("train", ("--resume",), "no run with a checkpoint"),
        ("play", (), "no run with a checkpoint"),
        ("benchmark", ("--num_envs", "0"), "not a whole number above 0"),
    ],
)
def test_mistake_is_one_line_and_nothing_is_written(tmp_path: Path, script: str, args: tuple[str, ...], words: str):
    done = call(script, *args, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Error: ") and words in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["train", "play", "benchmark"])
def test_help_starts_nothing(command: str, capsys: pytest.CaptureFixture):
    assert entry.main(command, ["--help"]) == 0
    assert "--num_envs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "words"), [("2.3.2", "Isaac Lab 2.3.2 is installed here"), ("4.0", "Isaac Lab 4.0")]
)
def test_other_isaac_lab_is_refused(monkeypatch, capsys: pytest.CaptureFixture, version: str, words: str):
    monkeypatch.setattr(entry.importlib.metadata, "version", lambda name: version)
    assert entry.main("train", []) == 2
    assert words in capsys.readouterr().err


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    find = entry.importlib.util.find_spec
    monkeypatch.setattr(entry.importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    assert entry.main("train", []) == 2
    assert capsys.readouterr().err.startswith("Error: package 'torch' is missing here; run 'bash scripts/setup.sh'")

    def none(name: str) -> str:
        raise entry.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(entry.importlib.metadata, "version", none)
    assert entry.main("train", []) == 2
    assert "Isaac Lab is not installed here" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_signal_before_training_is_one_line_and_leaves_nothing(tmp_path: Path, number: int, name: str):
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), "--device", "cpu", "--num_envs", "2"]
    # A shell's background jobs ignore Ctrl-C, and so would what they start.
    heed = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=heed, **pipes) as process:
        for line in process.stdout:
            if "starting the simulator" in line:
                break
        time.sleep(0.5)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err.splitlines()[-1] == f"Stopped by {name}." and "Traceback" not in err + out
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_signal_that_somebody_swallows_still_stops_before_training(tmp_path: Path, monkeypatch, capsys, number, name):
    """C++ code that imports a Python module, as that of pxr, reports what the import raises and goes on."""
    from isaac_tracking.launch import planned_runner, train
    from isaac_tracking.launch.terminal import Curtain
    from isaac_tracking.launch.train_plan import TrainPlan

    begun = []
    monkeypatch.setattr(planned_runner.Runner, "learn", lambda *args: begun.append(args))

    def set_up(arguments: list[str]) -> int:
        """Isaac Lab's entry point, as far as it matters."""
        (tmp_path / "run" / "params").mkdir(parents=True)
        with contextlib.suppress(BaseException):
            signal.raise_signal(number)
        runner = planned_runner.PlannedRunner.__new__(planned_runner.PlannedRunner)
        runner._curtain = Curtain(down=True)
        with contextlib.suppress(KeyboardInterrupt):
            runner.learn(1)
        return 0

    monkeypatch.setattr("isaaclab_rl.entrypoints.run_train_cli", set_up)
    monkeypatch.setattr(train, "make_plan", lambda argv: TrainPlan("task", "cpu", tmp_path / "run", [], 1, 1))
    assert entry.main("train", []) == 128 + number
    assert capsys.readouterr().err == f"\nStopped by {name}.\n"
    assert begun == [] and not (tmp_path / "run").exists()


@pytest.mark.parametrize("made", ["create_isaaclab_env", "create_rsl_rl_runner"])
@pytest.mark.parametrize("verbose", [False, True])
def test_what_the_simulator_refuses_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture, made: str, verbose: bool
):
    from types import SimpleNamespace

    from isaaclab_rl.entrypoints.backends import train_rsl_rl

    from isaac_tracking.launch import planned_runner, train
    from isaac_tracking.launch.train_plan import TrainPlan

    def refuse(*args, **kwargs):
        raise ValueError("step_graph=on is not possible:\nuse off")

    def set_up(arguments: list[str]) -> int:
        """Isaac Lab's entry point, as far as it matters."""
        (tmp_path / "run" / "params").mkdir(parents=True)
        print("much that Isaac Lab says")
        getattr(train_rsl_rl, made)(None, SimpleNamespace(class_name="OnPolicyRunner", device="cpu"))
        return 0

    plan = TrainPlan("task", "cpu", tmp_path / "run", [], 1, 1, verbose=verbose)
    monkeypatch.setattr(train_rsl_rl, "create_isaaclab_env", refuse)
    monkeypatch.setattr(planned_runner, "PlannedRunner", refuse)
    monkeypatch.setattr("isaaclab.utils.to_dict", vars)
    monkeypatch.setattr("isaaclab_rl.entrypoints.run_train_cli", set_up)
    monkeypatch.setattr(train, "make_plan", lambda argv: plan)
    monkeypatch.setattr(train, "_need_room", lambda plan: None)
    assert entry.main("train", []) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("Error: the ") and "step_graph=on is not possible: use off" in said
    assert ("Traceback" in said) == verbose and (said.count("\n") == 1) == (not verbose)
    assert list(tmp_path.iterdir()) == []
    assert train_rsl_rl.create_isaaclab_env is refuse


@pytest.mark.parametrize("began", [False, True])
def test_a_run_that_broke_down_while_it_learned_is_kept(tmp_path: Path, monkeypatch, began: bool):
    from isaac_tracking.launch import train
    from isaac_tracking.launch.train_plan import TrainPlan

    def break_down(plan: TrainPlan) -> int:
        (plan.run / "params").mkdir(parents=True)
        if began:
            (plan.run / "params" / "run.json").write_text("{}")
        raise RuntimeError("broken")

    monkeypatch.setattr(train, "run_plan", break_down)
    with pytest.raises(RuntimeError, match="broken"):
        train.carry_out(TrainPlan("task", "cpu", tmp_path / "run", [], 1, 1))
    assert (tmp_path / "run").is_dir() == began


def test_help_of_test_says_which_task_it_takes(capsys: pytest.CaptureFixture):
    assert entry.main("play", ["--help"]) == 0
    assert "(default: that of the checkpoint's run;" in " ".join(capsys.readouterr().out.split())


def test_signal_waits_until_pxr_is_imported():
    """Its C++ would print a traceback and go on; a second Ctrl-C does not wait."""
    pxr = {"__name__": "pxr.Usd", "signal": signal, "time": time, "reached": []}
    send = "signal.raise_signal(signal.SIGINT); reached.append('first');"
    with heeded(), pytest.raises(KeyboardInterrupt):
        exec(send, pxr)
        assert pxr["reached"] == ["first"]
        time.sleep(5.0)
        pxr["reached"].append("too far")
    with heeded(), pytest.raises(KeyboardInterrupt):
        exec(send + "signal.raise_signal(signal.SIGINT); reached.append('too far')", pxr)
    assert pxr["reached"] == ["first", "first"]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_ctrl_c_that_is_ignored_stays_ignored():
    """As for a job that a shell put into the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with heeded():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            with pytest.raises(TerminatedError):
                signal.raise_signal(signal.SIGTERM)
            with pytest.raises(TerminatedError):
                raise_if_stopped()
        with heeded():
            raise_if_stopped()  # what came before is forgotten
    finally:
        signal.signal(signal.SIGINT, before)
