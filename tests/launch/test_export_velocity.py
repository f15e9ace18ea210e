# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From a run of a velocity task to MuJoCo, as a user calls it, on a CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isaac_tracking.inference.policy_contract import load_policy
from isaac_tracking.launch.main import main
from warm_process import SCRIPTS, WarmProcess

TASK = "Isaac-Velocity-Flat-Unitree-Go1-v0"
TINY = "agent.actor.hidden_dims=[16]", "agent.critic.hidden_dims=[16]", "agent.num_steps_per_env=2"
# A range of its own, which the file must tell.
RANGE = "env.commands.base_velocity.ranges.lin_vel_x=[-0.5,1.5]"


def script(name: str, *arguments: object, cwd: Path) -> str:
    done = WarmProcess(SCRIPTS / f"{name}.py", *arguments, cwd=cwd).wait()
    assert done.returncode == 0, (done.stdout[-1000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of one iteration in two environments."""
    home = tmp_path_factory.mktemp("home")
    size = ["--device", "cpu", "--num_envs", 2, "--max_iterations", 1]
    script("train", "--task", TASK, *size, *TINY, RANGE, cwd=home)
    return next(home.glob("logs/rsl_rl/*/*/model_*.pt")).parent


@pytest.mark.slow
def test_a_run_is_exported_and_walks_in_mujoco(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = script("export", run, "--output", tmp_path / "out", "--with-observations", "--no-torchscript", cwd=tmp_path)
    assert f"{TASK} | 48 observations in 7 terms | 12 actions (joint_position) | 50 Hz" in said
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["policy.json", "policy.onnx", "policy_state.onnx"]
    contract, _ = load_policy(tmp_path / "out" / "policy.onnx")
    assert (contract.task, contract.iteration, contract.motion) == (TASK, 0, {})
    assert contract.command is not None and contract.command.lin_vel_x == (-0.5, 1.5)
    noise = {term.name: term.noise for term in contract.observations}
    assert noise["joint_pos"] == {"kind": "uniform", "operation": "add", "low": -0.01, "high": 0.01}

    out, options = tmp_path / "out.json", ["--command", "1.5", "0", "0", "--seconds", "0.5"]
    assert main("sim2sim", [str(tmp_path / "out" / "policy.onnx"), *options, "--json", str(out)]) == 0
    assert "episode   1 | x 1.5 y 0 yaw 0 " in capfd.readouterr().out
    assert json.loads(out.read_text())["policy"]["task"] == TASK


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--with-motion", "walk"],
            "--with-motion 'walk' puts a clip into the file, but 'Isaac-Velocity-Flat-Unitree-Go1",
        ),
        (["--motion", "walk"], "--motion is for tracking tasks"),
        (["--task", "Isaac-Tracking-G1-v0"], f"is of task '{TASK}'"),
        (["--task", "Isaac-Velocity-Flat-G1-v0"], f"is of task '{TASK}'"),
        (["presets=reference_action"], "reference_action"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    arguments: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(run.rglob("*"))
    assert main("export", [str(run), *arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("Error: ") and words in error
    assert sorted(run.rglob("*")) == before
