# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What training without a GPU changes: sizes and exploration that show learning within minutes."""

CPU_OVERRIDES = {
    "presets": "reference_action",
    "env.scene.num_envs": 32,
    "env.commands.motion.motions": '["stand","sway","squat","wave"]',
    "agent.max_iterations": 250,
    "agent.save_interval": 50,
    "agent.actor.hidden_dims": "[256,128]",
    "agent.critic.hidden_dims": "[256,128]",
    "agent.actor.distribution_cfg.init_std": 0.3,
}
"""Settings by override key; each can be given on the command line instead."""
