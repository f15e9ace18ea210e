# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Our own task, opened for the comparison with the settings of ``train.sh`` on a GPU, on a CPU as well."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..errors import USER_ERRORS
from ..measured_runner import make_runner
from ..overrides import resolve_config
from ..terminal import quiet
from .job import TASKS, PeerJob
from .measure import ErrorMeter, OpenTask


@contextmanager
def open_task(job: PeerJob) -> Iterator[OpenTask]:
    """Open our task.

    Raises:
        OptionError, ClipError: If a setting or a clip cannot be used.
    """
    importlib.import_module("isaac_tracking.tasks")
    with quiet(False, USER_ERRORS):
        import gymnasium as gym
        from isaaclab.app import launch_simulation

        ours = [f"env.commands.motion.motions={json.dumps(list(job.motions))}", f"env.scene.num_envs={job.num_envs}"]
        env_cfg, agent_cfg = resolve_config(TASKS[job.who], [*job.overrides, *ours])
        env_cfg.sim.device = agent_cfg.device = job.device
        env_cfg.seed = agent_cfg.seed = job.seed
        # As Isaac Lab's training does, and mjlab's.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        with launch_simulation(env_cfg, argparse.Namespace(device=job.device, headless=True, visualizer=[])):
            env = gym.make(TASKS[job.who], cfg=env_cfg).unwrapped
            meter = ErrorMeter()
            _watch(env, meter)
            yield OpenTask(
                env=env,
                num_actions=env.action_manager.total_action_dim,
                make_runner=lambda: make_runner(env, agent_cfg),
                spread_episodes=agent_cfg.init_at_random_ep_len,
                meter=meter,
                ended=lambda: env.reset_buf,
                facts=_facts(env, env_cfg),
            )
            env.close()


def _watch(env: Any, meter: ErrorMeter) -> None:
    """Record the errors that rewards and terminations took; outside of the step, which may be a graph."""
    command, step = env.command_manager.get_term("motion"), env.step

    def step_and_record(action: torch.Tensor) -> Any:
        result = step(action)
        if meter.due(env.common_step_counter):
            # Those of the step that was done, also where a new episode has begun since.
            meter.record(command.errors.body_pos, ~env.reset_buf)
        return result

    env.step = step_and_record


def _facts(env: Any, env_cfg: Any) -> dict[str, Any]:
    from ...robots import g1

    robot = env.scene["robot"]
    return {
        "mass": g1.MASS,
        "joints": len(robot.joint_names),
        "bodies": len(env_cfg.commands.motion.body_names),
        "physics_dt": env.physics_dt,
        "step_dt": env.step_dt,
        "offset": None,
    }
