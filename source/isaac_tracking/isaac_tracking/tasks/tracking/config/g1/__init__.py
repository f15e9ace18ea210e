# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motion tracking with the Unitree G1."""

import gymnasium as gym

_TASKS = {
    "Isaac-Tracking-G1-v0": ("G1TrackingEnvCfg", "G1TrackingPPORunnerCfg"),
    "Isaac-Tracking-G1-Play-v0": ("G1TrackingPlayEnvCfg", "G1TrackingPPORunnerCfg"),
    "Isaac-Tracking-G1-NoStateEst-v0": ("G1TrackingNoStateEstEnvCfg", "G1TrackingNoStateEstPPORunnerCfg"),
    "Isaac-Tracking-G1-NoStateEst-Play-v0": ("G1TrackingNoStateEstPlayEnvCfg", "G1TrackingNoStateEstPPORunnerCfg"),
}
"""Environment and agent config classes of each task id."""

for _id, (_env_cfg, _agent_cfg) in _TASKS.items():
    if _id not in gym.registry:
        gym.register(
            id=_id,
            entry_point="isaaclab.envs:ManagerBasedRLEnv",
            disable_env_checker=True,
            kwargs={
                "env_cfg_entry_point": f"{__name__}.g1_tracking_env_cfg:{_env_cfg}",
                "rsl_rl_cfg_entry_point": f"{__name__}.agents.ppo_cfg:{_agent_cfg}",
                "cpu_overrides_entry_point": f"{__name__}.agents.cpu:CPU_OVERRIDES",
                "default_agent": "rsl_rl",
            },
        )
