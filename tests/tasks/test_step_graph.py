# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which step an environment takes: what the plan says, a training by masks, and the graphs on a GPU."""

from __future__ import annotations

import functools
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
import pytest
import torch
from isaaclab.envs import mdp as isaac_lab
from isaaclab.managers import (
    CurriculumManager,
    CurriculumTermCfg,
    EventManager,
    EventTermCfg,
    ManagerTermBase,
    ObservationManager,
    ObservationTermCfg,
    RewardTermCfg,
    SceneEntityCfg,
    TerminationTermCfg,
)
from isaaclab_newton.physics import NewtonManager
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, handle_deprecated_rsl_rl_cfg
from isaaclab_tasks.core.velocity import mdp as walking
from isaaclab_tasks.utils import resolve_task_config
from two_steps import become_a_stage, start

from isaac_tracking.cuda_capture import CaptureError
from isaac_tracking.learning.runner import Runner
from isaac_tracking.tasks.graphs import plan
from isaac_tracking.tasks.graphs.capture import EAGER_CALLS, Graph
from isaac_tracking.tasks.graphs.masked_env import MaskedEnv
from isaac_tracking.tasks.graphs.masked_step import MaskedStep
from isaac_tracking.tasks.graphs.plan import STEP_GRAPHS, carries, efforts_are_read, in_graph, obstacle, obstacles
from isaac_tracking.tasks.tracking.env import TrackingEnv
from isaac_tracking.tasks.tracking.mdp import privileged_observations
from isaac_tracking.tasks.velocity.mdp import terrain_levels

TESTS = Path(__file__).resolve().parents[1]
slow = pytest.mark.slow


@pytest.fixture
def patch(sim: Any) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


"""
The plan.
"""


@slow
def test_the_task_as_registered_has_no_obstacle(sim: Any) -> None:
    assert obstacle(sim.env) is None
    assert sim.env.cfg.step_graph == "auto"
    assert sim.env._masked_step is None


def unread(env: Any, command_name: str = "motion") -> torch.Tensor:
    return env.reward_buf


def swap_event(sim: Any, patch: pytest.MonkeyPatch, **changes: Any) -> None:
    term = {"func": isaac_lab.push_by_setting_velocity, "mode": "interval", "interval_range_s": (1.0, 2.0)}
    term |= {"params": {"velocity_range": {}}}
    patch.setattr(sim.env, "event_manager", EventManager({"thing": EventTermCfg(**(term | changes))}, sim.env))


def give_delay(sim: Any, patch: pytest.MonkeyPatch) -> None:
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=[])
    cfg.observations.policy.joint_pos.delay_max_lag = 3
    patch.setattr(sim.env, "observation_manager", ObservationManager(cfg.observations, sim.env))


def leave_apart(sim: Any, patch: pytest.MonkeyPatch) -> None:
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=[])
    cfg.observations.critic.concatenate_terms = False
    patch.setattr(sim.env, "observation_manager", ObservationManager(cfg.observations, sim.env))


def give_other_term(sim: Any, patch: pytest.MonkeyPatch) -> None:
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=[])
    cfg.observations.critic.joint_pos = ObservationTermCfg(func=isaac_lab.joint_effort)
    patch.setattr(sim.env, "observation_manager", ObservationManager(cfg.observations, sim.env))


@in_graph
class InGraph:
    """A term or a command, of which another project makes its own."""


class Child(InGraph):
    """It may do something else."""


def test_a_mark_is_not_inherited_and_not_copied() -> None:
    @in_graph
    def term() -> None: ...

    @functools.wraps(term)
    def wrapper() -> None: ...

    assert carries(term, "in_graph") and not carries(wrapper, "in_graph")
    assert carries(InGraph, "in_graph") and carries(InGraph(), "in_graph")
    assert not carries(Child, "in_graph") and not carries(Child(), "in_graph")
    assert not carries(functools.partial(term), "in_graph")


@slow
def test_efforts_are_told_where_somebody_may_read_them(sim: Any, patch: pytest.MonkeyPatch) -> None:
    assert not efforts_are_read(sim.env)
    cfg = sim.env.reward_manager.get_term_cfg("body_pos")
    for func in (privileged_observations.applied_torque, unread):
        patch.setattr(cfg, "func", func)
        assert efforts_are_read(sim.env)


@in_graph
class Remembers(ManagerTermBase):
    """A reward that begins anew with an episode."""

    def reset(self, env_ids: Any = None) -> None:
        pass


class NoMasks:
    """A sampler that knows indices only."""


SCALES = {"position_range": (0.9, 1.1), "velocity_range": (0.0, 0.0)}
ONE_JOINT = SceneEntityCfg("robot", joint_names=["left_knee_joint"])

OBSTACLES: dict[str, Callable[[Any, pytest.MonkeyPatch], Any]] = {
    "final observations are wanted (compute_final_obs)": lambda sim, patch: patch.setattr(
        sim.env.cfg, "compute_final_obs", True
    ),
    "the physics is not Newton, and must be Newton's MuJoCo Warp (physics=newton_mjwarp)": lambda _, patch: (
        patch.setattr(NewtonManager, "_solver", None)
    ),
    "the physics is Newton's NoMasks, and must be Newton's MuJoCo Warp (physics=newton_mjwarp)": lambda _, patch: (
        patch.setattr(NewtonManager, "_solver", NoMasks())
    ),
    "the sampler NoMasks knows no masks": lambda sim, patch: patch.setattr(sim.command.source, "sampler", NoMasks()),
    "references are augmented (commands.motion.augmentation)": lambda sim, patch: patch.setattr(
        sim.command.source, "augmentation", NoMasks()
    ),
    "reward 'body_pos' was not read for graphs (@in_graph marks what may be in one)": lambda sim, patch: patch.setattr(
        sim.env.reward_manager.get_term_cfg("body_pos"), "func", unread
    ),
    "observation 'critic/joint_pos' was not read for graphs (@in_graph marks what may be in one)": give_other_term,
    "reward 'body_pos' does something at a reset": lambda sim, patch: patch.setattr(
        sim.env.reward_manager.get_term_cfg("body_pos"), "func", Remembers(RewardTermCfg(), sim.env)
    ),
    "observation 'policy/joint_pos' has a delay": give_delay,
    "the observations 'critic' are not concatenated": leave_apart,
    "event 'thing' comes at every reset": lambda sim, patch: swap_event(
        sim, patch, mode="reset", func=isaac_lab.reset_scene_to_default, params={}
    ),
    "event 'thing' comes at some resets only (min_step_count_between_reset)": lambda sim, patch: swap_event(
        sim, patch, mode="reset", func=isaac_lab.reset_joints_by_scale, params=SCALES, min_step_count_between_reset=5
    ),
    "event 'thing' resets something else than a whole robot": lambda sim, patch: swap_event(
        sim, patch, mode="reset", func=isaac_lab.reset_joints_by_scale, params=SCALES | {"asset_cfg": ONE_JOINT}
    ),
    "the environment has a _reset_idx of its own": lambda sim, patch: patch.setattr(
        sim.env, "_reset_idx", lambda env_ids: None
    ),
    "event 'thing' was not read for graphs": lambda sim, patch: swap_event(sim, patch, is_global_time=True),
}


@slow
@pytest.mark.parametrize("sentence", OBSTACLES)
def test_the_first_obstacle_is_named(sim: Any, patch: pytest.MonkeyPatch, sentence: str) -> None:
    OBSTACLES[sentence](sim, patch)
    assert obstacle(sim.env) == sentence
    with pytest.raises(
        ValueError, match=r"step_graph=masked is not possible: .*; use step_graph=auto or off"
    ) as raised:
        sim.env._plan_step("masked")
    assert sentence in str(raised.value)


@slow
def test_all_obstacles_are_told(sim: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sim.env.cfg, "compute_final_obs", True)
    patch.setattr(sim.env.reward_manager.get_term_cfg("body_pos"), "func", unread)
    swap_event(sim, patch, mode="reset", func=isaac_lab.reset_scene_to_default, params={})
    assert list(obstacles(sim.env)) == [
        "final observations are wanted (compute_final_obs)",
        "reward 'body_pos' was not read for graphs (@in_graph marks what may be in one)",
        "event 'thing' comes at every reset",
    ]


@slow
def test_a_stage_has_no_obstacle(sim: Any, patch: pytest.MonkeyPatch) -> None:
    for name in ("action_manager", "observation_manager"):
        patch.setattr(sim.env, name, getattr(sim.env, name))
    become_a_stage(sim)
    assert obstacle(sim.env) is None
    try:
        assert sim.env._plan_step("masked") is not None
    finally:
        sim.command._link_velocities = None


@slow
def test_parts_of_walking_are_no_obstacle(sim: Any, patch: pytest.MonkeyPatch) -> None:
    swap_event(sim, patch, mode="reset", func=isaac_lab.reset_joints_by_scale, params=SCALES)
    assert obstacle(sim.env) is None
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=[])
    cfg.observations.critic.joint_pos = ObservationTermCfg(func=isaac_lab.projected_gravity)
    patch.setattr(sim.env, "observation_manager", ObservationManager(cfg.observations, sim.env))
    assert obstacle(sim.env) is None


@slow
def test_a_curriculum_of_walking_is_an_obstacle_to_a_motion(sim: Any, patch: pytest.MonkeyPatch) -> None:
    curricula = {"levels": CurriculumTermCfg(func=terrain_levels)}
    patch.setattr(sim.env, "curriculum_manager", CurriculumManager(curricula, sim.env))
    assert obstacle(sim.env) == "curriculum 'levels' runs at every reset"


@slow
def test_a_cpu_has_no_graphs(sim: Any) -> None:
    with pytest.raises(ValueError, match="step_graph=on is not possible: the device is cpu, and graphs need a GPU"):
        sim.env._plan_step("on")
    assert sim.env._plan_step("auto") is None
    assert sim.env.step_note == ""


@slow
def test_a_task_on_a_gpu_that_does_not_fit_says_why(sim: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(type(sim.env), "device", "cuda:0")
    patch.setattr(sim.env.cfg, "compute_final_obs", True)
    patch.setattr(sim.env, "step_note", "")
    assert sim.env._plan_step("auto") is None
    found = "Isaac Lab's own, without CUDA graphs: final observations are wanted (compute_final_obs) (env.step_graph)"
    assert sim.env.step_note == found


def test_an_unknown_choice_is_refused() -> None:
    cfg, _ = resolve_task_config("Isaac-Tracking-G1-v0", None, overrides=["env.step_graph=yes"])
    with pytest.raises(ValueError, match=f"step_graph is 'yes'; choose from {', '.join(STEP_GRAPHS)}"):
        TrackingEnv(cast(Any, cfg))


def test_the_terms_of_all_tasks_were_read() -> None:
    """What a task's terms say without a simulator; the rest of the plan needs one."""
    known = [getattr(isaac_lab, name) for name in plan._ISAAC_LAB_TERMS]
    tasks = [name for name in gym.registry if name.startswith("Isaac-Tracking-G1")]
    assert len(tasks) == 18
    for task in tasks:
        cfg, _ = resolve_task_config(task, None, overrides=[])
        groups = [cfg.rewards, cfg.terminations, *vars(cfg.observations).values()]
        found = [term for group in groups if group is not None for term in vars(group).values()]
        found = [term for term in found if isinstance(term, (ObservationTermCfg, RewardTermCfg, TerminationTermCfg))]
        assert len(found) > 30
        unread = [term.func for term in found if not carries(term.func, "in_graph") and term.func not in known]
        assert unread == [], task


@pytest.mark.parametrize("task", ["Flat-Unitree-Go1", "Flat-G1", "Rough-Unitree-Go1", "Rough-G1"])
def test_the_terms_of_walking_were_read(task: str) -> None:
    known = [getattr(isaac_lab, name) for name in plan._ISAAC_LAB_TERMS]
    known += [getattr(walking, name) for name in plan._ISAAC_LAB_WALKING_TERMS]
    cfg, _ = resolve_task_config(f"Isaac-Velocity-{task}-v0", None, overrides=[])
    terms = [*vars(cfg.rewards).values(), *vars(cfg.terminations).values(), *vars(cfg.observations.policy).values()]
    funcs = [term.func for term in terms if isinstance(term, (ObservationTermCfg, RewardTermCfg, TerminationTermCfg))]
    assert len(funcs) >= 18
    assert [func for func in funcs if not carries(func, "in_graph") and func not in known] == []
    assert [func.__name__ for func in funcs if carries(func, "reads_efforts")] == ["joint_torques_l2"]


def test_a_mark_changes_nothing_else() -> None:
    assert in_graph(unread) is unread
    assert carries(unread, "in_graph")
    del unread.in_graph  # type: ignore[attr-defined]


"""
Captures, as far as a CPU has them.
"""


def test_without_a_gpu_work_is_done_at_every_call() -> None:
    calls: list[int] = []
    graph = Graph(lambda: calls.append(1), "cpu")
    for _ in range(EAGER_CALLS + 3):
        graph()
    assert len(calls) == EAGER_CALLS + 3
    assert not graph.captured


@slow
@pytest.mark.parametrize("must", [False, True])
def test_a_capture_that_fails(
    sim: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, must: bool
) -> None:
    def refuse(graph: Graph) -> None:
        raise CaptureError("operation not permitted when stream is capturing")

    monkeypatch.setattr(Graph, "_capture", refuse)
    sim.command.cfg.reset_noise = None
    start(sim)
    step = MaskedStep(sim.env, graphs=True, must=must)
    for half in (step._measure, step._begin):
        half._device = torch.device("cuda")
    try:
        if must:
            with pytest.raises(RuntimeError, match="step_graph=on: the step cannot be captured"):
                for _ in range(EAGER_CALLS + 2):
                    step(sim.still)
            return
        lengths = []
        with caplog.at_level(logging.WARNING):
            for _ in range(EAGER_CALLS + 4):
                step(sim.still)
                lengths.append(int(sim.env.episode_length_buf.min()))
        assert lengths == list(range(1, EAGER_CALLS + 5))
        assert caplog.text.count("is not captured (operation not permitted when stream is capturing)") == 1
    finally:
        sim.command._link_velocities = None


"""
A training by masks.
"""


@slow
def test_a_training_by_masks(sim: Any, tmp_path: Path) -> None:
    _, agent = resolve_task_config("Isaac-Tracking-G1-v0", "rsl_rl_cfg_entry_point", overrides=[])
    agent = handle_deprecated_rsl_rl_cfg(agent, "5.5.1")
    agent.num_steps_per_env, agent.device, agent.actor.hidden_dims, agent.critic.hidden_dims = 30, "cpu", [16], [16]
    agent.logger = "tensorboard"
    sim.env._masked_step = MaskedStep(sim.env, graphs=False)
    try:
        runner = Runner(RslRlVecEnvWrapper(sim.env), agent.to_dict(), log_dir=str(tmp_path), device="cpu")
        counter, evidence = sim.env.common_step_counter, sim.command.sampler.visits.clone()
        runner.learn(2, init_at_random_ep_len=True)
        assert sim.env.common_step_counter == counter + 60
        assert not torch.equal(sim.command.sampler.visits, evidence)
        assert "Metrics/motion/error_body_pos" in sim.env.extras["log"]
        state = sim.command.sampler.state_dict()
        sim.command.sampler.load_state_dict(state)
        # Isaac Lab's own step goes on where the other has stopped, and back.
        for step in (sim.env._masked_step, super(MaskedEnv, sim.env).step, sim.env._masked_step):
            obs = step(sim.still)[0]
            assert all(value.isfinite().all() for value in obs.values())
    finally:
        sim.env._masked_step = None
        sim.command._link_velocities = None


"""
On a GPU.
"""


on_tasks = pytest.mark.parametrize(
    "task", ["Isaac-Tracking-G1-v0", "Isaac-Tracking-G1-Teacher-v0", "Isaac-Velocity-Flat-Unitree-Go1-v0"]
)


def gpu_probe(check: str, task: str) -> dict[str, Any]:
    command = [sys.executable, str(TESTS / "step_graph_probe.py"), check, "cuda:0", "64", "on", task]
    source = {**os.environ, "PYTHONPATH": str(TESTS.parent / "source" / "isaac_tracking")}
    done = subprocess.run(command, capture_output=True, text=True, env=source, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@on_tasks
def test_a_replay_is_the_eager_step_to_the_bit(task: str) -> None:
    found = gpu_probe("equal", task)
    assert found["graphs"]
    assert found["differs"] == {}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@on_tasks
def test_a_step_never_waits_for_the_gpu(task: str) -> None:
    assert gpu_probe("sync", task)["graphs"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@on_tasks
def test_a_replay_leaves_no_mark_on_the_physics(task: str) -> None:
    found = gpu_probe("capture", task)
    assert found["graphs"]
    assert not found["fk_in_every_step"]
    assert not found["dirty"]
