# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motion tracking with the Unitree G1."""

import gymnasium as gym

from .pipeline import PIPELINE

_PPO = "ppo_cfg"
_STAGES = "stages_cfg"

_TASKS = {
    "Isaac-Tracking-G1": ("g1_tracking_env_cfg:G1Tracking", f"{_PPO}:G1TrackingPPORunnerCfg"),
    "Isaac-Tracking-G1-NoStateEst": (
        "g1_tracking_env_cfg:G1TrackingNoStateEst",
        f"{_PPO}:G1TrackingNoStateEstPPORunnerCfg",
    ),
}
"""Of each task without its version: module and stem of its env config classes, module and class of its agent's."""

_TASKS |= {
    f"Isaac-Tracking-G1-{name}": ("g1_adaptation_env_cfg:G1Adaptation", f"{_STAGES}:G1{agent}RunnerCfg")
    for name, agent in {
        "Teacher": "Train",
        "Student-Adapt": "Adapt",
        "Student": "Finetune",
        "Teacher-ROA": "RoaTrain",
        "Student-ROA": "RoaFinetune",
        "Student-Distill": "Distill",
        "Student-PPO": "StudentPPO",
    }.items()
}

_IN_A_PIPELINE = {"Isaac-Tracking-G1-v0", *PIPELINE.tasks.values()}
"""Ids that ``train.sh --pipeline`` takes."""
_CPU = dict.fromkeys(PIPELINE.tasks.values(), "STAGES_CPU_OVERRIDES")
_CPU |= {"Isaac-Tracking-G1-Student-Distill-v0": "DISTILL_CPU_OVERRIDES"}
"""What a CPU changes in the stages' tasks."""

for _name, (_env, _agent) in _TASKS.items():
    for _id, _env_cfg in ((f"{_name}-v0", f"{_env}EnvCfg"), (f"{_name}-Play-v0", f"{_env}PlayEnvCfg")):
        if _id not in gym.registry:
            gym.register(
                id=_id,
                entry_point="isaac_tracking.tasks.tracking.env:TrackingEnv",
                disable_env_checker=True,
                kwargs={
                    "family": "tracking",
                    "env_cfg_entry_point": f"{__name__}.{_env_cfg}",
                    "rsl_rl_cfg_entry_point": f"{__name__}.agents.{_agent}",
                    "cpu_overrides_entry_point": f"{__name__}.agents.cpu:{_CPU.get(_id, 'CPU_OVERRIDES')}",
                    "default_agent": "rsl_rl",
                }
                | ({"pipeline_entry_point": f"{__name__}.pipeline:PIPELINE"} if _id in _IN_A_PIPELINE else {}),
            )
