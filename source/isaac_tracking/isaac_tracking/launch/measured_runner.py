# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``train.sh`` trains with, for measurements: the same runner without files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..learning.runner import Runner


def make_runner(env: Any, agent_cfg: Any) -> Runner:
    """Return a runner that trains in an environment, which it wraps, and writes nothing.

    Args:
        env: Isaac Lab's environment.
        agent_cfg: The agent's config.
    """
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg

    from ..learning.runner import Runner

    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    wrapped = RslRlVecEnvWrapper(env, clip_actions=agent_cfg.clip_actions)
    return Runner(wrapped, to_dict(agent_cfg), device=agent_cfg.device)
