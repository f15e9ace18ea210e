# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A student of the stages: exported alone, it sees and does in MuJoCo what it sees and does in its task."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from isaaclab.managers import ActionManager, ObservationManager
from isaaclab.utils import to_dict
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
from test_sim2sim_observations import senses_of

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.export.describe import Origin, describe
from isaac_tracking.inference.export.files import write_files
from isaac_tracking.inference.export.graph import deployed, memory_of, record, state_graph
from isaac_tracking.inference.policy_answers import PolicyAnswers
from isaac_tracking.inference.policy_contract import PolicyContract, PolicyError, load_policy, parse_contract
from isaac_tracking.inference.sim2sim.action_path import ActionPath
from isaac_tracking.inference.sim2sim.observations import Observations
from isaac_tracking.inference.sim2sim.rollout import Sim2Sim
from isaac_tracking.inference.sim2sim.settings import Limits
from isaac_tracking.launch.main import main
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.learning.adaptation.vecnorm import VecNorm
from isaac_tracking.learning.runner import Runner
from isaac_tracking.motion.sources import load_clips
from isaac_tracking.robots import g1

TASK = "Isaac-Tracking-G1-Student-Play-v0"
SMALL = [
    "agent.actor.hidden_dims=[64,32]", "agent.actor.encoder_dims=[16]", "agent.actor.adapt_dims=[32]",
    "agent.actor.latent_dim=8", "agent.critic.hidden_dims=[16]",
]  # fmt: skip
SIZES = {
    "boot_indicator": 1, "future_root_pos": 12, "future_root_ori": 30, "future_joint_pos": 145,
    "future_joint_pos_error": 145, "future_root_height": 5, "future_gravity": 15, "base_ang_vel": 3,
    "projected_gravity": 3, "joint_pos": 174, "actions": 87,
}  # fmt: skip
"""The student's observations: issue 5, after seed 004."""


@pytest.fixture
def staged(sim: Any, request: Any) -> Iterator[Any]:
    """The one simulator with the observations and actions of a student's examination; a parameter is a preset."""
    env = sim.env
    presets = [f"presets={request.param}"] if getattr(request, "param", None) else []
    before = env.action_manager, env.observation_manager, env.cfg.actions, env.cfg.observations
    env_cfg, _ = resolve_config(TASK, [*SMALL, *presets])
    env.cfg.actions, env.cfg.observations = env_cfg.actions, env_cfg.observations
    env.action_manager = ActionManager(env_cfg.actions, env)
    env.observation_manager = ObservationManager(env_cfg.observations, env)
    env.reset()
    yield sim
    env.action_manager, env.observation_manager, env.cfg.actions, env.cfg.observations = before


def runner_of(env: Any, task: str, *overrides: str) -> Runner:
    """Return networks that do something: those of the start answer with almost nothing."""
    _, agent_cfg = resolve_config(task, [*SMALL, *overrides])
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    agent_cfg.device = "cpu"
    torch.manual_seed(0)
    runner = Runner(RslRlVecEnvWrapper(env), to_dict(agent_cfg), device="cpu")  # type: ignore[arg-type]
    for module in runner.alg.actor.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.5 * module.in_features**-0.5)
        if isinstance(module, VecNorm):
            module.mean.normal_(std=0.3)
            module.var.uniform_(0.5, 2.0)
    return runner


def described(env: Any, runner: Runner) -> PolicyContract:
    training, _ = resolve_config(TASK.replace("-Play", ""), SMALL)
    origin = Origin("Isaac-Tracking-G1-Student-v0", "0", "a_run", "model_0.pt", 0, ["walk"], [None])
    return describe(env, runner.get_inference_policy("cpu").obs_groups, training, origin)


def test_the_contract_tells_the_students_observations_and_action_path(staged: Any) -> None:
    contract = described(staged.env, runner_of(staged.env, TASK))
    assert {term.name: term.size for term in contract.observations} == SIZES and contract.num_observations == 620
    terms = {term.name: term for term in contract.observations}
    assert terms["joint_pos"].history == 6 and terms["actions"].history == 3
    assert terms["future_root_pos"].future_steps == (2, 4, 8, 16)
    assert all(terms[name].future_steps == (0, 2, 4, 8, 16) for name in SIZES if "future" in name and "pos" not in name)
    assert terms["future_joint_pos"].joint_names == contract.joint_names == terms["joint_pos"].joint_names
    assert terms["future_root_ori"].noise == {"kind": "uniform", "operation": "add", "low": -0.025, "high": 0.025}
    assert all(term.definition.count("k of future_steps") == (term.future_steps is not None) for term in terms.values())
    action = contract.action
    assert (action.kind, action.smoothing, action.boot_steps) == ("smoothed_joint_position", 0.9, 6)
    assert action.definition is not None and "smoothing * action" in action.definition
    assert list(action.offset or ()) == [g1.default_joint_pos(name) for name in g1.JOINT_NAMES]
    assert "delay" not in contract.to_json()
    assert parse_contract(contract.to_json(), "again") == contract


def test_only_the_student_is_in_the_file_and_answers_as_in_the_task(staged: Any, tmp_path: Any) -> None:
    runner = runner_of(staged.env, TASK)
    policy = runner.get_inference_policy("cpu")
    contract, recorded = described(staged.env, runner), record(runner.env, policy, 4)
    assert np.abs(recorded.actions).mean() > 0.05
    exported = write_files(tmp_path, policy, contract, "a_run", recorded, batch=True)
    assert max(exported.differences.values()) <= 1e-5 and len(exported.differences) == 3
    model = onnx.load(str(tmp_path / "policy.onnx"))
    actor = runner.alg.actor
    parts = [module for name, module in actor.named_children() if name in ("adapt_module", "actor_student")]
    wanted = sum(
        value.numel() for part in parts for name, value in part.named_parameters() if "distribution" not in name
    )
    held = sum(int(np.prod(value.dims)) for value in model.graph.initializer)
    # The normalizer's mean and deviation besides, and a few numbers of the operators.
    assert wanted <= held <= wanted + 3 * 620 + 200
    names = " ".join(value.name for value in model.graph.initializer)
    assert "encoder_priv" not in names and "actor_teacher" not in names and "priv_norm" not in names
    for state in (actor.encoder_priv, actor.actor_teacher, actor.priv_norm):
        shapes = {tuple(value.shape) for value in state.parameters() if value.ndim == 2}
        ours = {tuple(value.shape) for part in parts for value in part.parameters() if value.ndim == 2}
        assert not (shapes - ours) & {tuple(value.dims) for value in model.graph.initializer}
    assert load_policy(tmp_path / "policy.onnx")[0] == contract


def test_a_teacher_is_refused(staged: Any) -> None:
    teacher = runner_of(staged.env, "Isaac-Tracking-G1-Teacher-v0").get_inference_policy("cpu")
    with pytest.raises(PolicyError, match=r"a teacher cannot be exported.*Isaac-Tracking-G1-Student-v0"):
        deployed(teacher)


def test_a_student_that_remembers_does_so_in_the_file(staged: Any, g1_robot: Any, tmp_path: Any) -> None:
    runner = runner_of(staged.env, TASK, "agent.actor.adapt_kind=gru", "agent.algorithm.symmetry_cfg=null")
    policy = runner.get_inference_policy("cpu")
    staged.start("walk")
    memory = memory_of(deployed(policy))
    contract = dataclasses.replace(described(staged.env, runner), memory=memory)
    assert memory == {"input": "hidden_in", "output": "hidden_out", "shape": (1, 8)}
    recorded = record(runner.env, policy, 6)
    exported = write_files(tmp_path, policy, contract, "a_run", recorded, batch=True)
    assert max(exported.differences.values()) <= 1e-5 and len(exported.differences) == 3
    read, session = load_policy(tmp_path / "policy.onnx")
    assert read == contract
    answers = PolicyAnswers(read, session)
    num = staged.env.num_envs
    for _ in range(2):
        # One environment's steps: what it answers depends on those before.
        for obs, action in zip(recorded.observations[2::num], recorded.actions[2::num], strict=True):
            assert answers(obs[None])[0] == pytest.approx(action, abs=1e-5)
        again = answers(recorded.observations[2:3])[0]
        assert np.abs(again - recorded.actions[2]).max() > 1e-3
        answers.reset()
    world = Sim2Sim(read, answers, g1_robot, load_clips(["stand"]), Limits(end_effectors=g1.END_EFFECTOR_BODY_NAMES))
    first, second = world.run(0), world.run(0)
    assert first.steps > 5 and torch.equal(first.actions, second.actions)
    refused: list[dict[str, Any]] = [{"clip": load_clips(["stand"])[0]}, {"state": True}]
    for options in refused:
        with pytest.raises(PolicyError, match="that remembers"):
            plain = dataclasses.replace(contract.action, kind="joint_position", smoothing=None, boot_steps=None)
            write_files(tmp_path, policy, dataclasses.replace(contract, action=plain), "r", recorded, **options)


def test_observations_with_past_and_future_are_those_of_isaac_lab(staged: Any) -> None:
    """Through a dozen steps of random actions, from places from which the look ahead crosses the clip's end."""
    env = staged.env
    contract = described(env, runner_of(env, TASK))
    last = int(staged.command.library.num_frames[staged.command.library.names.index("walk")]) - 1
    staged.start("walk", step=[0, 40, 100, last - 30, last - 25, last - 20, last - 15, last - 12])
    ours = [Observations(contract.observations, contract.joint_names, 620) for _ in range(env.num_envs)]
    generator = torch.Generator().manual_seed(3)
    seen = env.obs_buf["policy"]
    for step in range(10):
        for index, observe in enumerate(ours):
            computed = observe(senses_of(staged, index))[0]
            for term in contract.observations:
                part = slice(*term.slice)
                theirs = seen[index, part].numpy()
                assert computed[part] == pytest.approx(theirs, abs=1e-5), (step, index, term.name)
        assert seen[:, 0].numpy() == pytest.approx(max(0.0, 1.0 - step / 6), abs=1e-6)
        action = 0.2 * torch.randn(staged.still.shape, generator=generator)
        seen, _, ended, late, _ = env.step(action)
        seen = seen["policy"]
        assert not (ended | late).any()


@pytest.mark.parametrize("staged", [None, "reference_action"], indirect=True)
def test_joint_targets_are_those_of_the_task_in_every_physics_step(staged: Any) -> None:
    env = staged.env
    contract = described(env, runner_of(env, TASK))
    staged.start("walk", step=30)
    term = env.action_manager.get_term("joint_pos")
    kind = "smoothed_joint_position" if contract.action.offset else "smoothed_reference_joint_position"
    assert contract.action.kind == kind and float(staged.command.reference.joint_pos.abs().max()) > 0.3
    paths = [ActionPath(contract) for _ in range(env.num_envs)]
    for index, path in enumerate(paths):
        path.reset(staged.robot.data.joint_pos.torch[index].double().numpy())
    generator = torch.Generator().manual_seed(4)
    for _ in range(9):
        action = torch.randn(staged.still.shape, generator=generator)
        env.action_manager.process_action(action)
        theirs = []
        for _ in range(contract.decimation):
            env.action_manager.apply_action()
            theirs.append(term.processed_actions.clone())
        for index, path in enumerate(paths):
            reference = staged.command.reference.joint_pos[index].double().numpy()
            targets = path.targets(action[index].double().numpy(), reference)
            assert targets == pytest.approx(torch.stack(theirs)[:, index].numpy(), abs=1e-5)
            assert path.boot_remaining == pytest.approx(float(term.boot_remaining[index]), abs=1e-6)


@pytest.mark.parametrize("clip", ["stand", "walk"])
def test_a_student_walks_through_mujoco(clip: str, staged: Any, g1_robot: Any, tmp_path: Any, capfd: Any) -> None:
    runner = runner_of(staged.env, TASK)
    policy = runner.get_inference_policy("cpu")
    contract = described(staged.env, runner)
    write_files(tmp_path, policy, contract, "a_run", record(runner.env, policy, 2), torchscript=False)
    read, session = load_policy(tmp_path / "policy.onnx")
    staged.start(clip)
    theirs = [staged.env.obs_buf["policy"][0].numpy().copy()]
    seen: list[np.ndarray] = []

    def answer(obs: np.ndarray) -> np.ndarray:
        seen.append(obs[0].copy())
        return np.asarray(session.run(["actions"], {"obs": obs})[0])

    limits = Limits(end_effectors=g1.END_EFFECTOR_BODY_NAMES)
    world = Sim2Sim(read, answer, g1_robot, load_clips([clip]), limits)
    recording = world.run(0, watch=lambda state: len(seen) < 3)
    assert recording.steps == len(seen) == 3
    for action in recording.actions[:2]:
        obs, *_ = staged.env.step(action.expand(staged.env.num_envs, -1))
        theirs.append(obs["policy"][0].numpy().copy())
    assert seen[0] == pytest.approx(theirs[0], abs=1e-4)
    # Two engines have simulated: the reference and what the policy did are seen exactly, the body nearly.
    bounds = {"base_ang_vel": 0.3, "joint_pos": 0.05, "projected_gravity": 0.02, "future_root_ori": 0.02}
    bounds["future_joint_pos_error"] = 0.05
    for ours, other in zip(seen[1:], theirs[1:], strict=True):
        for term in read.observations:
            part = slice(*term.slice)
            assert ours[part] == pytest.approx(other[part], abs=bounds.get(term.name, 1e-4)), term.name
    # A second episode begins with an empty memory.
    first = seen[0]
    seen.clear()
    world.run(0, watch=lambda state: len(seen) < 1)
    assert seen[0] == pytest.approx(first, abs=0.0)

    out = tmp_path / "out.json"
    assert main("sim2sim", [str(tmp_path / "policy.onnx"), clip, "--noise", "--json", str(out)]) == 0
    assert "of Isaac-Tracking-G1-Student-v0, in MuJoCo" in capfd.readouterr().out
    assert json.loads(out.read_text())["clips"][0]["steps"] > 5


def test_what_other_runtimes_cannot_do_is_refused(staged: Any, tmp_path: Any) -> None:
    runner = runner_of(staged.env, TASK)
    policy = runner.get_inference_policy("cpu")
    contract, recorded = described(staged.env, runner), record(runner.env, policy, 1)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"clip": load_clips(["stand"])[0]}, "knows no action 'smoothed_joint_position'; export without"),
        ({"state": True}, "smoothed over the physics steps cannot be .*export without --with-observations"),
    ]
    for options, message in refused:
        with pytest.raises(PolicyError, match=message):
            write_files(tmp_path / "out", policy, contract, "a_run", recorded, torchscript=False, **options)
    plain = dataclasses.replace(contract.action, kind="joint_position", smoothing=None, boot_steps=None)
    with pytest.raises(PolicyError, match="observation 'boot_indicator' cannot be computed inside the graph"):
        state_graph(policy, dataclasses.replace(contract, action=plain))
    assert not list(tmp_path.iterdir())
