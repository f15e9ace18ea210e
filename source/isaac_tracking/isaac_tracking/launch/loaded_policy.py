# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A trained policy in its simulator, as a plan says."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .buffer_warning import BufferWarning
from .overrides import resolve_config
from .terminal import Curtain

if TYPE_CHECKING:
    from .play_plan import PlayPlan


@contextlib.contextmanager
def loaded_policy(
    plan: PlayPlan, curtain: Curtain, prepare: Callable[[Any], None] | None = None
) -> Iterator[tuple[Any, Any]]:
    """Start the simulator and load the policy; the curtain goes up once both are there.

    Args:
        plan: What is to be played.
        curtain: Hides what Isaac Lab prints meanwhile.
        prepare: Changes the environment's config before it is made.

    Yields:
        The environment, wrapped for rsl_rl, and the policy, from observations to actions.
    """
    import gymnasium as gym
    from isaaclab.app import launch_simulation
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

    from ..learning.runner import Runner

    env_cfg, agent_cfg = resolve_config(plan.task, plan.overrides)
    env_cfg.scene.num_envs = plan.num_envs
    env_cfg.sim.device = agent_cfg.device = plan.device
    env_cfg.seed = agent_cfg.seed
    if prepare is not None:
        prepare(env_cfg)
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    hidden = curtain.down
    with launch_simulation(env_cfg, _launcher_arguments(plan)):
        base: Any = gym.make(plan.task, cfg=env_cfg)
        buffers = BufferWarning.attach()
        env = RslRlVecEnvWrapper(base, clip_actions=agent_cfg.clip_actions)
        runner = Runner(env, to_dict(agent_cfg), device=plan.device)
        runner.load(str(plan.checkpoint), load_cfg={"actor": True})
        curtain.down = False
        try:
            yield env, runner.get_inference_policy(device=plan.device)
            buffers.read()
        finally:
            curtain.down = hidden
        env.close()


def _launcher_arguments(plan: PlayPlan) -> argparse.Namespace:
    from isaaclab.app import add_launcher_args

    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    return parser.parse_args(["--device", plan.device, *plan.passed])
