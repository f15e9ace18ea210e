# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Registering the tasks of a robot that follows velocities."""

from __future__ import annotations

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

_CPU = f"{__package__}.cpu"
"""Module of what a CPU changes."""


def register(robot: str, package: str, env_cfg: str, agent_cfg: str) -> None:
    """Register a robot's tasks, rough and flat ground and one each to look at, with Gymnasium, as strings.

    Args:
        robot: The robot's name in the ids.
        package: Package with the env configs, and with ``agents.ppo_cfg``.
        env_cfg: Module and beginning of the env config classes, e.g. ``go1_velocity_env_cfg:Go1Velocity``.
        agent_cfg: Beginning of the agent config classes, e.g. ``Go1Velocity``.
    """
    for ground in ("Rough", "Flat"):
        for play in ("", "Play"):
            task = f"Isaac-Velocity-{ground}-{robot}{'-Play' if play else ''}-v0"
            if task in gym.registry:
                continue
            spec = EnvSpec(
                id=task,
                entry_point="isaac_tracking.tasks.velocity.env:VelocityEnv",
                disable_env_checker=True,
                kwargs={
                    "family": "velocity",
                    "env_cfg_entry_point": f"{package}.{env_cfg}{ground}{play}EnvCfg",
                    "rsl_rl_cfg_entry_point": f"{package}.agents.ppo_cfg:{agent_cfg}{ground}PPORunnerCfg",
                    "cpu_overrides_entry_point": f"{_CPU}:{ground.upper()}_CPU_OVERRIDES",
                    "default_agent": "rsl_rl",
                },
            )
            # Isaac Lab has tasks for the G1 with these names and without a version. Gymnasium's own register refuses
            # one name with and without; whichever of the two packages is imported last would fail. So the version is
            # made a part of the name.
            spec.name, spec.version = task, None
            gym.registry[task] = spec
