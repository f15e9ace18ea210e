# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A policy that is not told where it is: exported from its task, it sees in MuJoCo what it sees there."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from isaaclab.managers import ActionManager, ObservationManager
from isaaclab.utils import to_dict
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

import isaac_tracking.tasks  # noqa: F401
from isaac_tracking.inference.export.describe import Origin, describe
from isaac_tracking.inference.export.files import write_files
from isaac_tracking.inference.export.graph import record
from isaac_tracking.inference.policy_contract import load_policy
from isaac_tracking.inference.sim2sim.rollout import Sim2Sim
from isaac_tracking.inference.sim2sim.settings import Limits
from isaac_tracking.launch.main import main
from isaac_tracking.launch.overrides import resolve_config
from isaac_tracking.learning.runner import Runner
from isaac_tracking.motion.clip import Clip
from isaac_tracking.motion.data import shipped_clips
from isaac_tracking.robots import g1

TASK = "Isaac-Tracking-G1-NoStateEst-v0"


@pytest.fixture
def blind(sim: Any) -> Any:
    """The one simulator with the observations and actions of the task without state estimation."""
    env = sim.env
    before = env.action_manager, env.observation_manager, env.cfg.actions, env.cfg.observations
    env_cfg, agent_cfg = resolve_config(TASK, ["agent.actor.hidden_dims=[64,32]"])
    env_cfg.observations.policy.enable_corruption = False
    env.cfg.actions, env.cfg.observations = env_cfg.actions, env_cfg.observations
    env.action_manager = ActionManager(env_cfg.actions, env)
    env.observation_manager = ObservationManager(env_cfg.observations, env)
    torch.manual_seed(0)
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    agent_cfg.device = "cpu"
    yield sim, env_cfg, Runner(RslRlVecEnvWrapper(env), to_dict(agent_cfg), device="cpu")  # type: ignore[arg-type]
    env.action_manager, env.observation_manager, env.cfg.actions, env.cfg.observations = before


@pytest.mark.parametrize("clip", ["stand", "walk"])
def test_it_sees_in_mujoco_what_it_sees_in_its_task(clip, blind, g1_robot, tmp_path, capfd):
    sim, env_cfg, runner = blind
    policy = runner.get_inference_policy("cpu")
    contract = describe(
        sim.env, policy.obs_groups, env_cfg, Origin(TASK, "0", "a_run", "model_0.pt", 0, [clip], [None])
    )
    write_files(tmp_path, policy, contract, "a_run", record(runner.env, policy, 2), torchscript=False)
    read, session = load_policy(tmp_path / "policy.onnx")
    assert read.num_observations == 154
    assert {"base_lin_vel", "reference_anchor_pos_b"}.isdisjoint(term.function for term in read.observations)

    # In the task: on the clip's first frame, and after a step with the policy's own action.
    sim.start(clip)
    first = sim.env.observation_manager.compute_group("policy")[0].numpy().copy()
    seen: list[np.ndarray] = []

    def answer(obs: np.ndarray) -> np.ndarray:
        seen.append(obs[0].copy())
        return np.asarray(session.run(["actions"], {"obs": obs})[0])

    loaded = Clip.load(shipped_clips()[clip])
    world = Sim2Sim(read, answer, g1_robot, [loaded], Limits(end_effectors=g1.END_EFFECTOR_BODY_NAMES))
    recording = world.run(0, watch=lambda state: len(seen) < 2)
    assert recording.steps == 2 and len(seen) == 2
    assert seen[0] == pytest.approx(first, abs=1e-4)
    action = torch.from_numpy(answer(first[None])).expand(sim.env.num_envs, -1)
    assert float(action.abs().max()) > 0.01
    sim.env.step(action)
    second = sim.env.observation_manager.compute_group("policy")[0].numpy()
    # Two engines have simulated a step: the reference and what the policy did are seen exactly, the body nearly.
    bounds = {"generated_commands": 1e-4, "last_action": 1e-4, "joint_vel_rel": 0.25, "base_ang_vel": 0.25}
    for term in read.observations:
        part = slice(*term.slice)
        assert seen[1][part] == pytest.approx(second[part], abs=bounds.get(term.function, 0.02)), term.name

    out = tmp_path / "out.json"
    assert main("sim2sim", [str(tmp_path / "policy.onnx"), clip, "--json", str(out)]) == 0
    assert f"of {TASK}, in MuJoCo" in capfd.readouterr().out
    assert json.loads(out.read_text())["clips"][0]["steps"] > 5
