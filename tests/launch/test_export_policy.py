# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Exporting a policy of every registered task, and what cannot be exported."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from isaaclab.managers import ActionManager, ObservationManager
from isaaclab.utils import to_dict
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
from tensordict import TensorDict

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.export.describe import Origin, describe
from isaac_tracking.inference.export.files import write_files
from isaac_tracking.inference.export.graph import deployed, record
from isaac_tracking.inference.policy_contract import (
    PolicyContract,
    PolicyError,
    load_policy,
    open_session,
)
from isaac_tracking.launch.export import origin_of
from isaac_tracking.launch.main import main
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.launch.play_plan import make_plan
from isaac_tracking.learning.runner import Runner
from isaac_tracking.learning.runs import write_record
from isaac_tracking.robots import g1
from motor_contract import check_motors
from warm_process import SCRIPTS, WarmProcess

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

OURS = sorted(name for name in gym.registry if name.startswith("Isaac-Tracking-"))
STAGES = [name for name in OURS if "Teacher" in name or "Student" in name]
TASKS = [name for name in OURS if name not in STAGES]
ORIGIN = Origin("Isaac-Tracking-G1-v0", "0123456789ab", "a_run", "model_0.pt", 0, ["walk"], [None])


@contextmanager
def managers_of(env: ManagerBasedRLEnv, env_cfg: Any) -> Iterator[None]:
    """Let the one simulator of the session have the observations and actions of another task."""
    before = env.action_manager, env.observation_manager, env.cfg.actions, env.cfg.observations
    env.cfg.actions, env.cfg.observations = env_cfg.actions, env_cfg.observations
    env.action_manager = ActionManager(env_cfg.actions, env)
    env.observation_manager = ObservationManager(env_cfg.observations, env)
    try:
        yield
    finally:
        env.action_manager, env.observation_manager, env.cfg.actions, env.cfg.observations = before


def fresh_runner(env: ManagerBasedRLEnv, agent_cfg: Any) -> Runner:
    """Return new networks, with a normalizer that has seen something."""
    torch.manual_seed(0)
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    agent_cfg.device = "cpu"
    runner = Runner(RslRlVecEnvWrapper(env), to_dict(agent_cfg), device="cpu")  # type: ignore[arg-type]
    groups = {name: value.shape[1] for name, value in runner.env.get_observations().items()}
    seen = {name: 0.3 + 2.0 * torch.randn(512, size) for name, size in groups.items()}
    runner.alg.actor.update_normalization(TensorDict(seen, batch_size=[512]))
    for module in runner.alg.actor.modules():
        # The networks of the stages begin with almost no weights: no graph could go wrong then.
        if isinstance(module, torch.nn.Linear) and float(module.weight.detach().abs().max()) < 0.01:
            torch.nn.init.normal_(module.weight, std=module.in_features**-0.5)
    return runner


@pytest.mark.parametrize("task", [*TASKS, "Isaac-Tracking-G1-v0 presets=reference_action"])
def test_every_registered_task_can_be_exported(task: str, sim: Any, tmp_path: Path) -> None:
    task, *overrides = task.split()
    env_cfg, agent_cfg = resolve_config(task, overrides)
    training, _ = resolve_config(task, overrides)
    # Observations are recorded without noise, as the script does it; the contract tells the training's.
    env_cfg.observations.policy.enable_corruption = False
    with managers_of(sim.env, env_cfg):
        runner = fresh_runner(sim.env, agent_cfg)
        policy = runner.get_inference_policy("cpu")
        contract = describe(sim.env, policy.obs_groups, training, dataclasses.replace(ORIGIN, task=task))
        recorded = record(runner.env, policy, 3)
    # The graph of states also proves that the observations and the targets are what the contract says.
    exported = write_files(tmp_path, policy, contract, "a_run", recorded, state=True)
    assert len(recorded.observations) == 3 * sim.env.num_envs and np.ptp(recorded.observations, axis=0).max() > 0.1
    assert max(exported.differences.values()) <= 1e-5
    assert exported.sizes["policy.onnx"] < 3e6
    # It takes some 0.01 ms; this machine may have other work.
    assert 0.0 < exported.latency < 2.0e-3
    with pytest.raises(PolicyError, match=r"computes its observations itself; give the policy\.onnx"):
        load_policy(tmp_path / "policy_state.onnx")
    inputs = [value.name for value in open_session(tmp_path / "policy_state.onnx").get_inputs()]
    assert ("base_lin_vel" in inputs, "anchor_pos_w" in inputs) == (("NoStateEst" not in task),) * 2
    read, session = load_policy(tmp_path / "policy.onnx")
    answer = np.asarray(session.run(["actions"], {"obs": recorded.observations[:1]})[0])
    assert answer == pytest.approx(recorded.actions[:1], abs=1e-5)
    check_contract(read, task, overrides)


@pytest.mark.parametrize("task", [name for name in STAGES if "-Play-" not in name])
def test_students_can_be_exported_and_teachers_are_refused(task: str, sim: Any, tmp_path: Path) -> None:
    small = ["agent.actor.hidden_dims=[64,32]"]
    if "-Distill" in task:
        small += ["agent.algorithm.teacher.hidden_dims=[8]", "agent.algorithm.teacher.adapt_dims=[8]"]
    if "-Distill" not in task and "-PPO" not in task:
        small += ["agent.actor.adapt_dims=[32]", "agent.actor.encoder_dims=[32]", "agent.actor.latent_dim=8"]
    env_cfg, agent_cfg = resolve_config(task.replace("-v0", "-Play-v0"), small)
    training, _ = resolve_config(task, small)
    with managers_of(sim.env, env_cfg):
        runner = fresh_runner(sim.env, agent_cfg)
        policy = runner.get_inference_policy("cpu")
        if "Teacher" in task:
            with pytest.raises(PolicyError, match=r"a teacher cannot be exported.*Isaac-Tracking-G1-Student-v0"):
                deployed(policy)
            return
        contract = describe(sim.env, policy.obs_groups, training, dataclasses.replace(ORIGIN, task=task))
        recorded = record(runner.env, policy, 3)
    assert np.abs(recorded.actions).mean() > 0.02
    exported = write_files(tmp_path, policy, contract, "a_run", recorded)
    assert max(exported.differences.values()) <= 1e-5 and len(exported.differences) == 2
    # 620 times 64 and 32 numbers, for the most part; the encoder and the teacher would be as much again.
    assert exported.sizes["policy.onnx"] < 4 * 1.2 * (628 * 64 + 620 * 32)
    read, _ = load_policy(tmp_path / "policy.onnx")
    assert read == contract and read.num_observations == 620
    assert (read.action.kind, read.action.smoothing, read.action.boot_steps) == ("smoothed_joint_position", 0.9, 6)


def check_contract(contract: PolicyContract, task: str, overrides: list[str]) -> None:
    """Compare what a file says with the robot's own module and the tables of the documentation."""
    check_motors(contract, g1)
    assert (contract.control_rate, contract.physics_rate, contract.decimation) == (50.0, 200.0, 4)
    assert contract.body_names == g1.KEY_BODY_NAMES and contract.anchor_body_name == g1.ANCHOR_BODY_NAME
    assert contract.engine == "newton_mjwarp"
    blind = "NoStateEst" in task
    sizes = {
        "command": 58, "reference_anchor_pos_b": 3, "reference_anchor_ori_b": 6, "base_lin_vel": 3, "base_ang_vel": 3,
        "joint_pos": 29, "joint_vel": 29, "actions": 29,
    }  # fmt: skip
    for name in ("reference_anchor_pos_b", "base_lin_vel") if blind else ():
        sizes.pop(name)
    assert {term.name: term.size for term in contract.observations} == sizes
    assert [term.name for term in contract.observations] == list(sizes)
    assert contract.num_observations == (154 if blind else 160)
    noise = {term.name: term.noise for term in contract.observations}
    loud = {"kind": "uniform", "operation": "add", "low": -0.5, "high": 0.5}
    assert noise["joint_vel"] == (None if "Play" in task else loud)
    assert noise["command"] is None
    if overrides:
        assert (contract.action.kind, contract.action.offset) == ("reference_joint_position", None)
    else:
        assert (contract.action.kind, contract.action.offset) == ("joint_position", contract.default_joint_pos)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("obs", lambda contract: {"default_joint_pos": (*contract.default_joint_pos[:-1], 0.001)}),
        ("joint_targets", lambda contract: {"action": dataclasses.replace(contract.action, offset=(0.0,) * 29)}),
    ],
)
def test_a_contract_that_says_otherwise_than_the_task_is_refused(
    what: str, change: Any, sim: Any, tmp_path: Path
) -> None:
    env_cfg, agent_cfg = resolve_config("Isaac-Tracking-G1-Play-v0", [])
    with managers_of(sim.env, env_cfg):
        runner = fresh_runner(sim.env, agent_cfg)
        policy = runner.get_inference_policy("cpu")
        # The actor does not look, so that only the observations themselves can tell.
        torch.nn.init.zeros_(policy.mlp[0].weight)
        contract = describe(sim.env, policy.obs_groups, env_cfg, ORIGIN)
        recorded = record(runner.env, policy, 1)
    wrong = dataclasses.replace(contract, **change(contract))
    with pytest.raises(PolicyError, match=f"differ by .* in {what} on recorded observations"):
        write_files(tmp_path / "out", policy, wrong, "a_run", recorded, torchscript=False, state=True)
    assert not list(tmp_path.iterdir())


def test_an_observation_that_the_contract_cannot_tell_is_refused(sim: Any) -> None:
    env_cfg, _ = resolve_config("Isaac-Tracking-G1-v0", [])
    env_cfg.observations.policy.joint_vel.delay_max_lag = 2
    with (
        managers_of(sim.env, env_cfg),
        pytest.raises(PolicyError, match="observation 'joint_vel' of group 'policy' has a delay"),
    ):
        describe(sim.env, ["policy"], env_cfg, ORIGIN)


def test_motors_that_are_no_springs_are_refused(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class ActuatorNetMLP:
        """Stands for motors that a network describes."""

    env_cfg, _ = resolve_config("Isaac-Tracking-G1-v0", [])
    monkeypatch.setattr(sim.robot, "actuators", {"legs": ActuatorNetMLP()})
    with pytest.raises(PolicyError, match=r"motors 'legs' are of type ActuatorNetMLP.*the robot's default motors"):
        describe(sim.env, ["policy"], env_cfg, ORIGIN)


def test_scale_clip_and_history_are_told(sim: Any) -> None:
    env_cfg, _ = resolve_config("Isaac-Tracking-G1-v0", [])
    policy = env_cfg.observations.policy
    policy.joint_vel.scale, policy.joint_vel.clip, policy.base_ang_vel.history_length = 0.05, (-20.0, 20.0), 4
    with managers_of(sim.env, env_cfg):
        contract = describe(sim.env, ["policy"], env_cfg, ORIGIN)
    terms = {term.name: term for term in contract.observations}
    assert (terms["joint_vel"].scale, terms["joint_vel"].clip) == (0.05, (-20.0, 20.0))
    assert (terms["base_ang_vel"].history, terms["base_ang_vel"].size) == (4, 12)
    assert terms["joint_pos"].slice == (82, 111)


@pytest.fixture
def run(sim: Any, tmp_path: Path) -> Path:
    """A run folder of the task without state estimation, with one checkpoint of small networks."""
    folder = tmp_path / "logs" / "rsl_rl" / "g1_tracking_no_state_est" / "2026-01-01_00-00-00"
    folder.mkdir(parents=True)
    task = "Isaac-Tracking-G1-NoStateEst-v0"
    overrides = ["agent.actor.hidden_dims=[64,32]", 'env.commands.motion.motions=["stand"]', "env.scene.num_envs=7"]
    env_cfg, agent_cfg = resolve_config(task, overrides)
    with managers_of(sim.env, env_cfg):
        runner = fresh_runner(sim.env, agent_cfg)
        runner.current_learning_iteration = 12
        runner.save(str(folder / "model_12.pt"))
    write_record(folder, {"task": task, "overrides": overrides, "commit": "fedcba987654", "clips": ["gone", "stand"]})
    return folder


def test_what_a_run_says_of_itself_is_told(run: Path) -> None:
    origin, training = origin_of(make_plan(["--checkpoint", str(run), "--device", "cpu", "--motion", "wave"]))
    assert (origin.task, origin.commit) == ("Isaac-Tracking-G1-NoStateEst-v0", "fedcba987654")
    assert (origin.run, origin.checkpoint, origin.iteration) == (run.name, "model_12.pt", 12)
    # The clips of the training, not the one to record on; a hash only where the clip is here.
    assert list(origin.clips) == ["gone", "stand"]
    assert origin.hashes[0] is None and re.fullmatch(r"[0-9a-f]{64}", origin.hashes[1] or "")
    assert training.scene.num_envs == 7 and training.observations.policy.enable_corruption


@pytest.mark.slow
def test_the_script_exports_a_run(run: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> None:
    """From the command to the files, in a process of its own, since there is one simulator in this one."""
    given = [run, "--with-motion", "wave", "--with-observations", "--no-torchscript"]
    done = WarmProcess(SCRIPTS / "export.py", *given, cwd=run.parents[3]).wait()
    assert done.returncode == 0, done.stderr[-2000:]
    out = run / "exported"
    assert sorted(path.name for path in out.iterdir()) == [
        "policy.json",
        "policy.onnx",
        "policy_motion.onnx",
        "policy_state.onnx",
    ]
    contract, _ = load_policy(out / "policy.onnx")
    assert (contract.task, contract.iteration, contract.num_observations) == (
        "Isaac-Tracking-G1-NoStateEst-v0",
        12,
        154,
    )
    noise = {term.name: term.noise for term in contract.observations}
    assert noise["joint_pos"] == {"kind": "uniform", "operation": "add", "low": -0.01, "high": 0.01}
    assert json.loads((out / "policy.json").read_text())["commit"] == "fedcba987654"
    assert "154 observations in 6 terms" in done.stdout and "ms on one core" in done.stdout


def test_a_teacher_is_refused_before_anything_is_started(
    sim: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    task = "Isaac-Tracking-G1-Teacher-v0"
    small = ["agent.actor.hidden_dims=[8]", "agent.actor.adapt_dims=[8]", "agent.actor.encoder_dims=[8]"]
    env_cfg, agent_cfg = resolve_config(task, small)
    with managers_of(sim.env, env_cfg):
        fresh_runner(sim.env, agent_cfg).save(str(tmp_path / "model_0.pt"))
    write_record(tmp_path, {"task": task, "overrides": [*small, 'env.commands.motion.motions=["stand"]']})
    assert main("export", [str(tmp_path)]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert (
        "trains a teacher, which sees what a robot cannot sense" in error
        and "Isaac-Tracking-G1-Student-Adapt-v0" in error
    )
    assert not (tmp_path / "exported").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{run}/model_13.pt"], "does not exist"),
        (["{run}/params"], "holds no model_<iteration>.pt"),
        (["{run}/params/run.json"], "is truncated, or no checkpoint"),
        (["{run}", "--task", "Isaac-Tracking-G1-v0"], "is of task 'Isaac-Tracking-G1-NoStateEst-v0'"),
        (["{run}", "agent.actor.hidden_dims=[32]"], "has hidden layers [64, 32], not [32]"),
        (["{run}", "env.observations.policy.nothing=1"], "nothing"),
        (["{run}", "--with-motion", "*walk*"], "clips; give one"),
        (["{run}", "--with-motion", "moonwalk"], "moonwalk"),
        (["{run}", "--output", "{run}/params/run.json"], "is a file; give a folder"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    arguments: list[str], words: str, run: Path, capsys: pytest.CaptureFixture
) -> None:
    before = sorted(run.rglob("*"))
    assert main("export", [argument.format(run=run) for argument in arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("Error: ") and words in error
    assert sorted(run.rglob("*")) == before
