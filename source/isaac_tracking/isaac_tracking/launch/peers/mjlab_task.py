# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The tasks of mjlab and of wbc-mjlab, opened as their own training scripts do (mjlab 1.6.0 ``scripts/train.py``)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from ...motion.errors import relative_reference
from ...motion.frame import MotionFrame
from .job import TASKS, PeerError, PeerJob
from .measure import ErrorMeter, OpenTask

_RELEASE = "1.6.0 of mjlab and 0.0.6 of wbc-mjlab"
_FRAMES = 8
"""Frames of the reference at which the robot is compared with it."""
_TOLERANCE = 0.005
"""Distance of a body from the reference at which the two are of different robots, frames or orders [m]."""


@contextmanager
def open_task(job: PeerJob) -> Iterator[OpenTask]:
    """Open a task of mjlab's registry.

    Raises:
        PeerError: If the reference does not fit the robot.
    """
    # Not installed where this is checked, and nothing of ours needs them.
    importlib.import_module("mjlab.tasks")
    if job.who == "wbc":
        importlib.import_module("wbc_mjlab.mjlab_entry")
    registry = importlib.import_module("mjlab.tasks.registry")
    importlib.import_module("mjlab.utils.torch").configure_torch_backends()
    env_cfg, agent_cfg = registry.load_env_cfg(TASKS[job.who]), registry.load_rl_cfg(TASKS[job.who])
    env_cfg.scene.num_envs = job.num_envs
    env_cfg.seed = agent_cfg.seed = job.seed
    env_cfg.commands["motion"].motion_file = job.archive
    env = importlib.import_module("mjlab.envs").ManagerBasedRlEnv(cfg=env_cfg, device=job.device)
    rl = importlib.import_module("mjlab.rl")
    runner_class = registry.load_runner_cls(TASKS[job.who]) or rl.MjlabOnPolicyRunner

    def make_runner() -> Any:
        wrapped = rl.RslRlVecEnvWrapper(env, clip_actions=agent_cfg.clip_actions)
        return runner_class(wrapped, asdict(agent_cfg), None, job.device)

    env.reset()
    facts, meter = _facts(env, job), ErrorMeter()
    _watch(env, meter)
    yield OpenTask(
        env=env,
        num_actions=env.action_manager.total_action_dim,
        make_runner=make_runner,
        # As their training script has it.
        spread_episodes=True,
        meter=meter,
        ended=lambda: env.reset_buf,
        facts=facts,
    )
    env.close()


def body_distances(command: Any) -> torch.Tensor:
    """Return the distance of each tracked body from the relative reference [m], shape (N, B), as our own task has it.

    mjlab keeps a relative reference as well, but puts it where the robot stood a step earlier.
    """
    reference = _frame(command.body_pos_w, command.body_quat_w)
    robot = _frame(command.robot_body_pos_w, command.robot_body_quat_w)
    pos, _ = relative_reference(reference, robot, command.motion_anchor_body_index)
    return (pos - robot.body_pos_w).norm(dim=-1)


def _frame(pos: torch.Tensor, wxyz: torch.Tensor) -> MotionFrame:
    none = pos.new_empty(len(pos), 0)
    return MotionFrame(none, none, pos, wxyz[..., [1, 2, 3, 0]], none, none)


def _watch(env: Any, meter: ErrorMeter) -> None:
    """Record errors before the reference advances: here mjlab has brought the bodies' poses up to date."""
    command = env.command_manager.get_term("motion")
    compute = command.compute

    def record_and_compute(*args: Any, **kwargs: Any) -> Any:
        # With numbers of environments it is called outside of a step, for those that begin anew.
        env_ids = args[1] if len(args) > 1 else kwargs.get("env_ids")
        if env_ids is None and meter.due(env.common_step_counter):
            meter.record(body_distances(command), env.episode_length_buf > 0)
        return compute(*args, **kwargs)

    command.compute = record_and_compute


def _facts(env: Any, job: PeerJob) -> dict[str, Any]:
    """Return what is said of a task, after making sure that robot and reference fit.

    Raises:
        PeerError: If they do not.
    """
    robot, command = env.scene["robot"], env.command_manager.get_term("motion")
    with np.load(job.archive) as file:
        for kind, names in (("joints", robot.joint_names), ("bodies", robot.body_names)):
            expected = tuple(file["joint_names" if kind == "joints" else "body_names"].tolist())
            if tuple(names) != expected:
                raise PeerError(
                    f"the {kind} of {job.who}'s robot are not ours: {len(names)} beginning with {', '.join(names[:3])};"
                    f" expected {len(expected)} beginning with {', '.join(expected[:3])}; take release {_RELEASE}"
                )
    offset = _offset(env, command)
    if not offset < _TOLERANCE:
        raise PeerError(
            f"the robot of {job.who} is {1000 * offset:.0f} mm away from our reference when it is put there;"
            f" expected the same robot, frames and orders; take release {_RELEASE}"
        )
    return {
        "mass": float(env.sim.mj_model.body_mass.sum()),
        "joints": len(robot.joint_names),
        "bodies": len(command.cfg.body_names),
        "physics_dt": env.physics_dt,
        "step_dt": env.step_dt,
        "offset": offset,
    }


def _offset(env: Any, command: Any) -> float:
    """Return the largest distance of a body from the reference after the robot was put there [m].

    Of several frames the best one counts: the task moves joints into their limits, and the reference may be beyond.
    """
    everyone = torch.arange(env.num_envs, device=env.device)
    offsets = []
    for frame in np.linspace(0, command.motion.time_step_total - 1, _FRAMES).astype(int).tolist():
        command.reset_to_frame(everyone, frame)
        env.sim.forward()
        offsets.append(float((command.robot_body_pos_w - command.body_pos_w).norm(dim=-1).max()))
    env.reset()
    return min(offsets)
